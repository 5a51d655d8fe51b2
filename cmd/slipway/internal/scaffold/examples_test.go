package scaffold

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/scaffold/draft"
)

// The examples are programs as init writes them, of the libraries of today.
func TestTheExamplesAreProgramsThatInitWrites(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../../../..")
	require.NoError(t, err)
	examples, err := filepath.Glob(filepath.Join(root, "examples/*/Pulumi.yaml"))
	require.NoError(t, err)
	require.Len(t, examples, 4)
	for _, project := range examples {
		directory := filepath.Dir(project)
		plan := &Plan{Directory: directory, slipway: root, options: Options{Project: filepath.Base(directory)},
			draft: draft.New(directory, directory, []string{"dev"})}
		module, err := plan.module([]byte(readFile(t, filepath.Join(directory, "main.go"))))
		require.NoError(t, err)
		for name, want := range map[string]string{"go.mod": module, "go.sum": readFile(t, filepath.Join(root, "go.sum"))} {
			if *update {
				require.NoError(t, os.WriteFile(filepath.Join(directory, name), []byte(want), 0o644))
			}
			require.Equal(t, want, readFile(t, filepath.Join(directory, name)),
				"go test ./cmd/slipway/internal/scaffold -update writes %s", name)
		}
	}
}
