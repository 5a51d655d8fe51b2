package scaffold

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"slipway/cmd/slipway/internal/exit"
)

const slipwayModule = "slipway"

// findSlipway is the directory of the copy of slipway: the one given, the one that the running command was built in, or
// the one below the directory.
func findSlipway(given, root string) (string, error) {
	if given != "" {
		directory, err := filepath.Abs(given)
		if err == nil {
			directory, err = filepath.EvalSymlinks(directory)
		}
		if err != nil || !isSlipway(directory) {
			return "", exit.Refuse("--slipway %s: has no go.mod of the module %s: name the directory of the copy of slipway",
				given, slipwayModule)
		}
		return directory, nil
	}
	var candidates []string
	if binary, err := os.Executable(); err == nil {
		if binary, err = filepath.EvalSymlinks(binary); err == nil {
			candidates = append(candidates, filepath.Dir(filepath.Dir(binary))) // of <copy>/.bin/slipway
		}
	}
	for _, directory := range append(candidates, filepath.Join(root, "slipway")) {
		if isSlipway(directory) {
			return filepath.EvalSymlinks(directory)
		}
	}
	return "", exit.Refuse("the copy of slipway was not found, in whose directory `make build` makes this command: name it " +
		"with --slipway")
}

func isSlipway(directory string) bool {
	text, err := os.ReadFile(filepath.Join(directory, "go.mod"))
	return err == nil && modfile.ModulePath(text) == slipwayModule
}

// ofSlipway is a file of the copy.
func (p *Plan) ofSlipway(name string) ([]byte, error) {
	text, err := os.ReadFile(filepath.Join(p.slipway, name))
	if err != nil {
		return nil, fmt.Errorf("the copy of slipway: %w", err)
	}
	return text, nil
}

// toSlipway is the path of the copy, or of what is in it, from the program.
func (p *Plan) toSlipway(name string) string {
	return p.draft.FromProgram(filepath.Join(p.slipway, name))
}

// Tool is the path of a command of the copy, from where the next commands are run.
func (p *Plan) Tool(name string) string { return strings.TrimPrefix(p.toSlipway(".bin/"+name), "./") }
