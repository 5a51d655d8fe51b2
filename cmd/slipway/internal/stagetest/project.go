// Package stagetest has a project, and an account in AWS, for tests.
package stagetest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/stagefile"
)

// Project is a project with a stage file for release, if its content is not empty.
func Project(t *testing.T, release string) *stagefile.Project {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: slipway\nruntime: go\n"), 0o644))
	if release != "" {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.release.yaml"), []byte(release), 0o640))
	}
	found, err := stagefile.Find(dir)
	require.NoError(t, err)
	return found
}
