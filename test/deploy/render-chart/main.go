// Command render-chart renders a Helm chart with Helm's library. It reads a JSON file with the fields chart (a folder),
// namespace, release and values, checks the values against the chart's schema, and prints the manifests by template.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
)

type request struct {
	Chart     string         `json:"chart"`
	Namespace string         `json:"namespace"`
	Release   string         `json:"release"`
	Values    map[string]any `json:"values"`
}

func main() {
	if len(os.Args) != 2 {
		fail(fmt.Errorf("usage: render-chart REQUEST.json"))
	}
	manifests, err := render(os.Args[1])
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(manifests); err != nil {
		fail(err)
	}
}

func render(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var input request
	if err := json.Unmarshal(text, &input); err != nil {
		return nil, err
	}
	chart, err := loader.Load(input.Chart)
	if err != nil {
		return nil, err
	}
	options := chartutil.ReleaseOptions{Name: input.Release, Namespace: input.Namespace, Revision: 1, IsInstall: true}
	values, err := chartutil.ToRenderValues(chart, input.Values, options, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	return engine.Engine{Strict: true}.Render(chart, values)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
