package main

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/stagetest"
)

func TestSinceWhen(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{"10m": now.Add(-10 * time.Minute), "0s": now,
		"2026-11-23T00:00:00Z":      now.Add(-33 * time.Hour),
		"2026-11-24T09:00:00+09:00": now.Add(-9 * time.Hour)} {
		at, err := sinceWhen(text, now)
		require.NoError(t, err)
		require.True(t, want.Equal(at), text)
	}
	for _, text := range []string{"", "-10m", "yesterday", "10"} {
		_, err := sinceWhen(text, now)
		require.Error(t, err, text)
	}
}

func TestNamesAreCompletedFromTheStageFileAndTheDefaults(t *testing.T) {
	t.Parallel()
	project := stagetest.Project(t,
		"config:\n  slipway:services: {web: {replicas: 1}}\n  slipway:tasks: {migrate: {image: web}}\n")
	require.NoError(t, os.WriteFile(project.Directory+"/Pulumi.yaml",
		[]byte("name: slipway\nruntime: go\nconfig:\n  slipway:defaults:\n    value:\n"+
			"      services: {api: {image: web}}\n      tasks: {report: {image: web}}\n"), 0o600))
	for _, project.Name = range []string{"slipway", "shop"} { // whatever it is called
		require.Equal(t, []string{"migrate", "report"}, project.Tasks("release"))
		require.Equal(t, []string{"api", "web", "migrate", "report"}, project.Logged("release"))
		require.Equal(t, []string{"report"}, project.Tasks("new"), "without a file the defaults")
	}
}

func TestATaskThatNobodyWaitsForHasNoTimeout(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	for _, args := range [][]string{{"--detach", "--timeout", "30m"}, {"-d", "--timeout=0"}} {
		require.Equal(t, 2, run(t.Context(), append([]string{"run", "dev", "migrate"}, args...), &stderr, &stderr))
		require.Contains(t, stderr.String(), "--timeout cannot be combined with --detach")
		stderr.Reset()
	}
}
