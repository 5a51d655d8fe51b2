// Package stagefile reads the project and its stage files, changes them byte by byte, and commits them.
package stagefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"slipway/internal/pulumiconfig"
)

// Project is what Pulumi.yaml says that a companion command needs.
type Project struct {
	// Directory holds Pulumi.yaml.
	Directory string `yaml:"-"`
	Name      string `yaml:"name"`
	// StackConfigDir is where the stage files are, relative to Directory, if not beside Pulumi.yaml.
	StackConfigDir string `yaml:"stackConfigDir"`
	// Backend is where the project's stacks are, if not where the user has signed in.
	Backend struct {
		URL string `yaml:"url"`
	} `yaml:"backend"`
}

// Find reads the Pulumi.yaml in directory or in the nearest directory above it, as `pulumi` does.
func Find(directory string) (*Project, error) {
	start, err := filepath.Abs(directory)
	if err != nil {
		return nil, err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		file := filepath.Join(dir, "Pulumi.yaml")
		source, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
			continue
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("no Pulumi.yaml in %s or above it: run this in the project, or name its directory with -C",
				start)
		}
		if err != nil {
			return nil, err
		}
		found := &Project{Directory: dir}
		if err := yaml.Unmarshal(source, found); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if found.Name == "" {
			return nil, fmt.Errorf("%s: name is missing", file)
		}
		return found, nil
	}
}

// StageFile is the path of a stage's configuration.
func (p *Project) StageFile(stack string) string {
	return filepath.Join(p.Directory, p.StackConfigDir, pulumiconfig.FileName(StageName(stack)))
}

// EncryptionKeys say in a stage file how its secrets are encrypted.
var EncryptionKeys = []string{"secretsprovider", "encryptedkey", "encryptionsalt"}

// Encrypts tells whether a stage's file says how its secrets are encrypted.
func (p *Project) Encrypts(stack string) bool {
	source, err := os.ReadFile(p.StageFile(stack))
	return err == nil && saysEncryption(source)
}

func saysEncryption(stageFile []byte) bool {
	var file map[string]any
	return yaml.Unmarshal(stageFile, &file) == nil &&
		slices.ContainsFunc(EncryptionKeys, func(key string) bool { return file[key] != nil })
}

// StageName is the last part of a stack's name: on Pulumi Cloud a stack may be given as organization/project/stage.
func StageName(stack string) string { return path.Base(stack) }
