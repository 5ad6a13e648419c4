// Command validate reads deployment files with the very libraries of the programs that will read them for real.
// It prints what it understood as JSON on standard output, or exits with 1 and one message per problem on standard error.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// Each command takes one path, of a file or folder, and answers with what to print.
var commands = map[string]func(path string) (any, error){
	"kustomize":  renderKustomization,
	"compose":    loadCompose,
	"dockerfile": parseDockerfile,
	"context":    listContext,
}

func main() {
	if len(os.Args) != 3 || commands[os.Args[1]] == nil {
		fail(fmt.Errorf("usage: validate kustomize|compose|dockerfile|context PATH"))
	}
	result, err := commands[os.Args[1]](os.Args[2])
	if err != nil {
		fail(err)
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(result); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
