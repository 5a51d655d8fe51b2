package main

import (
	"bytes"
	"encoding/json"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/internal/version"
)

func TestTheVersionIsTheSameBothWays(t *testing.T) {
	t.Parallel()
	var short, long, asJSON, err bytes.Buffer
	require.Zero(t, run(t.Context(), []string{"--version"}, &short, &err))
	require.Zero(t, run(t.Context(), []string{"version"}, &long, &err))
	require.Equal(t, "slipway version "+version.Number+" (commit unknown, "+runtime.Version()+")\n", short.String())
	require.Equal(t, short.String(), long.String())

	require.Zero(t, run(t.Context(), []string{"version", "--json"}, &asJSON, &err))
	var found map[string]string
	require.NoError(t, json.Unmarshal(asJSON.Bytes(), &found))
	require.Equal(t, map[string]string{"version": version.Number, "commit": "unknown", "go": runtime.Version()}, found)
	require.Empty(t, err.String())
}
