package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhichCLIIsNewEnough(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]bool{
		"echo v3.226.0": true, "echo v3.300.1": true, "echo v3.225.9": false, "echo v2.0.0": false, "echo unknown": false,
		"exit 1": false,
	} {
		path := filepath.Join(t.TempDir(), "pulumi")
		require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755))
		require.Equal(t, want, newEnough(path), script)
	}
	require.False(t, newEnough(filepath.Join(t.TempDir(), "pulumi")), "none at all")
}

func TestTheCLIIsBuiltAtTheVersionOfItsModule(t *testing.T) {
	t.Parallel()
	version, err := requiredVersion("cli/go.mod")
	require.NoError(t, err)
	require.Regexp(t, `^v3\.\d+\.\d+$`, version)
	_, err = requiredVersion("go.mod")
	require.ErrorContains(t, err, "go.mod does not require "+cliModule)
}

func TestACLIThatCannotBeBuiltLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	module, target := t.TempDir(), filepath.Join(t.TempDir(), "pulumi")
	writeFile(t, filepath.Join(module, "go.mod"), "module broken\n\nrequire "+cliModule+" v3.0.0-nosuch\n")
	var progress bytes.Buffer
	require.Error(t, buildCLI(module, target, &progress))
	require.Contains(t, progress.String(), "building the Pulumi CLI v3.0.0-nosuch once")
	require.NoFileExists(t, target)
}

func TestTheNearestParentIsFound(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	below := filepath.Join(root, "a", "b")
	require.NoError(t, os.MkdirAll(below, 0o755))
	writeFile(t, filepath.Join(root, "Pulumi.yaml"), "")
	found, ok := parentWith(below, "Pulumi.yaml")
	require.True(t, ok)
	require.Equal(t, root, found)
	writeFile(t, filepath.Join(below, "Pulumi.yaml"), "")
	found, _ = parentWith(below, "Pulumi.yaml")
	require.Equal(t, below, found)
	_, ok = parentWith(below, "no-such-file")
	require.False(t, ok)
}
