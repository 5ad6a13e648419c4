// Command validate-calico reads YAML documents into the Go types of Calico's API and refuses unknown fields. It exits
// with 1 and one message per problem on standard error.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	v3 "github.com/projectcalico/api/pkg/apis/projectcalico/v3"
	"k8s.io/apimachinery/pkg/util/yaml"
	strict "sigs.k8s.io/yaml"
)

func typed(kind string) any {
	switch kind {
	case "NetworkPolicy":
		return &v3.NetworkPolicy{}
	case "StagedNetworkPolicy":
		return &v3.StagedNetworkPolicy{}
	case "StagedKubernetesNetworkPolicy":
		return &v3.StagedKubernetesNetworkPolicy{}
	}
	return nil
}

func check(document []byte) error {
	var head struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
	}
	if err := strict.Unmarshal(document, &head); err != nil {
		return err
	}
	into := typed(head.Kind)
	if into == nil || head.APIVersion != "projectcalico.org/v3" {
		return fmt.Errorf("unsupported kind: %s %s", head.APIVersion, head.Kind)
	}
	return strict.UnmarshalStrict(document, into)
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: validate-calico FILE")
		os.Exit(2)
	}
	content, err := os.ReadFile(os.Args[1])
	problems := []error{err}
	for reader := yaml.NewDocumentDecoder(io.NopCloser(bytes.NewReader(content))); err == nil; {
		document := make([]byte, len(content)+1)
		var size int
		if size, err = reader.Read(document); err == nil && len(bytes.TrimSpace(document[:size])) > 0 {
			problems = append(problems, check(document[:size]))
		}
	}
	if err := errors.Join(problems...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
