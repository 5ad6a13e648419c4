package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

type stage struct {
	Name         string `json:"name"`
	Base         string `json:"base"`
	Instructions []any  `json:"instructions"`
}

type instruction struct {
	Kind    string `json:"kind"`
	Command any    `json:"command"`
}

// parseDockerfile returns the stages and their instructions as BuildKit parses them. A warning of BuildKit's linter
// (`docker build --check`) is an error here.
func parseDockerfile(file string) (any, error) {
	source, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer source.Close()
	tree, err := parser.Parse(source)
	if err != nil {
		return nil, err
	}
	var problems []error
	for _, warning := range tree.Warnings {
		problems = append(problems, errors.New(warning.Short))
	}
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, message string, location []parser.Range) {
		problems = append(problems, fmt.Errorf("line %d: %s: %s", location[0].Start.Line, rule, message))
	}})
	parsed, _, err := instructions.Parse(tree.AST, lint)
	if err := errors.Join(append(problems, err)...); err != nil {
		return nil, err
	}
	var stages []stage
	for _, from := range parsed {
		commands := []any{}
		for _, command := range from.Commands {
			kind := reflect.TypeOf(command).Elem().Name()
			commands = append(commands, instruction{Kind: kind, Command: command})
		}
		stages = append(stages, stage{Name: from.Name, Base: from.BaseName, Instructions: commands})
	}
	return stages, nil
}

// listContext returns the files of a folder that its .dockerignore does not exclude from the build context.
func listContext(folder string) (any, error) {
	ignored, err := os.Open(filepath.Join(folder, ".dockerignore"))
	if err != nil {
		return nil, err
	}
	defer ignored.Close()
	patterns, err := ignorefile.ReadAll(ignored)
	if err != nil {
		return nil, err
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return nil, err
	}
	files := []string{}
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		if err != nil || relative == "." {
			return err
		}
		if entry.IsDir() && (relative == "node_modules" || relative == ".git") {
			return fs.SkipDir // large; checked below by name
		}
		excluded, err := matcher.MatchesOrParentMatches(relative)
		if err == nil && !excluded && !entry.IsDir() {
			files = append(files, relative)
		}
		return err
	})
	for _, name := range []string{"node_modules/any", ".git/any", ".env"} {
		if excluded, _ := matcher.MatchesOrParentMatches(name); !excluded {
			files = append(files, name)
		}
	}
	return files, err
}
