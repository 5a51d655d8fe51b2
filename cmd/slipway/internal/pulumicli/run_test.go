//go:build unix

package pulumicli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPulumiIsStartedOnceAndInterruptedWhenTheContextEnds(t *testing.T) {
	directory, log := t.TempDir(), filepath.Join(t.TempDir(), "log")
	script := "#!/bin/sh\ntrap 'echo interrupted >> " + log + "; exit 3' INT\necho \"$@ in $(pwd)\" >> " + log +
		"\necho out; echo err >&2; cat\n[ $2 = ends ] || while :; do sleep 0.05; done\n"
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "pulumi"), []byte(script), 0o755))
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	said := func() string {
		content, _ := os.ReadFile(log) // none before the script has begun
		return string(content)
	}

	stdout, stderr, err := New(directory).Run(t.Context(), directory, strings.NewReader("in\n"), "ends")
	require.NoError(t, err)
	require.Equal(t, []string{"out\nin\n", "err\n"}, []string{stdout, stderr})
	require.Equal(t, "--non-interactive ends in "+directory+"\n", said(), "nothing else was asked")

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error)
	go func() {
		_, _, err := run(ctx, directory, nil, "goes-on")
		ended <- err
	}()
	require.Eventually(t, func() bool { return strings.Contains(said(), "goes-on") }, time.Minute, 10*time.Millisecond)
	cancel()
	require.Error(t, <-ended)
	require.True(t, strings.HasSuffix(said(), "\ninterrupted\n"), said())
}
