package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesComeAndGoBehindTheEnginesOwn(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "hosts")
	const own = "127.0.0.1\tlocalhost\n172.17.0.2\tabc\n"
	require.NoError(t, os.WriteFile(file, []byte(own), 0o644))
	for _, step := range []struct {
		addresses map[string][]string
		want      string
	}{
		{map[string][]string{"b": {"172.17.0.3", "172.17.0.4"}, "a": {"172.17.0.5"}},
			own + namesMark + "\n172.17.0.5\ta\n172.17.0.3\tb\n172.17.0.4\tb\n"},
		{map[string][]string{"a": {"172.17.0.6"}}, own + namesMark + "\n172.17.0.6\ta\n"},
		{nil, own},
		{nil, own},
	} {
		require.NoError(t, writeNames(file, step.addresses))
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, step.want, string(content))
	}
}
