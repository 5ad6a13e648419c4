// Command validate reads deployment files with the libraries of the programs that read them in production (Compose,
// BuildKit, kustomize). It prints the result as JSON, or exits with 1 and one message per problem on standard error.
package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// Each command takes the path of a file or folder and returns the value to print.
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
