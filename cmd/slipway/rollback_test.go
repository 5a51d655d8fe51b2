package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
)

func TestARollbackOutsideOfARepositorySaysWhatToDoInstead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.dev.yaml"), []byte("config: {}\n"), 0o644))
	for _, pin := range []bool{false, true} {
		_, err := planRollback(t.Context(), pulumicli.CLI{}, &stagefile.Project{Directory: dir, Name: "shop"}, "dev", 0, pin)
		require.ErrorAs(t, err, &exit.Finding{})
		require.ErrorContains(t, err, "Pulumi.dev.yaml is in no git repository")
		require.ErrorContains(t, err, "edit the file by hand")
		require.ErrorContains(t, err, "services.NAME.revision")
	}
	_, err := committable(t.Context(), dir, "Pulumi.dev.yaml", "Pulumi.dev.yaml")
	require.ErrorContains(t, err, "Pulumi.dev.yaml cannot be committed: no git repository holds it")
}
