package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// loadCompose returns the project as Compose loads it, after checks of schema, interpolation, merges and references.
// COMPOSE_PROFILES enables profiles; variables come from the environment.
func loadCompose(file string) (any, error) {
	folder, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return nil, err
	}
	environment := types.NewMapping(os.Environ())
	project, err := loader.LoadWithContext(context.Background(), types.ConfigDetails{
		WorkingDir:  folder,
		ConfigFiles: []types.ConfigFile{{Filename: file}},
		Environment: environment,
	}, loader.WithProfiles(profiles(environment)))
	if err != nil {
		return nil, err
	}
	for _, service := range project.Services {
		for _, volume := range service.Volumes {
			if volume.Type != types.VolumeTypeBind {
				continue
			}
			if _, err := os.Stat(volume.Source); err != nil {
				return nil, fmt.Errorf("service %s mounts a path that does not exist: %w", service.Name, err)
			}
		}
	}
	return project, nil
}

func profiles(environment types.Mapping) []string {
	if environment["COMPOSE_PROFILES"] == "" {
		return nil
	}
	return strings.Split(environment["COMPOSE_PROFILES"], ",")
}
