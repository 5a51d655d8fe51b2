package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/console"
)

func TestAUsageErrorIsTwoLines(t *testing.T) {
	t.Parallel()
	for said, args := range map[string][]string{
		`slipway: unknown command "verif" for "slipway"; did you mean verify?`:  {"verif"},
		"slipway verify: verify takes one stage: slipway verify STAGE":          {"verify"},
		"slipway verify: unknown flag: --release":                               {"verify", "--release"},
		"slipway run: run takes a stage and a task: slipway run STAGE TASK [--": {"run", "dev"},
		"slipway logs: flag needs an argument: --since":                         {"logs", "dev", "web", "--since"},
		`slipway status: invalid argument "maybe" for "--json" flag`:            {"status", "--json=maybe"},
		"slipway: unknown shorthand flag: 'x' in -x":                            {"-x"},
	} {
		var out, err bytes.Buffer
		require.Equal(t, 2, run(t.Context(), args, &out, &err))
		require.Empty(t, out.String())
		lines := strings.Split(strings.TrimSpace(err.String()), "\n")
		require.Len(t, lines, 2, err.String())
		require.True(t, strings.HasPrefix(lines[0], said), lines[0])
		require.Contains(t, lines[1], strings.Split(said, ":")[0]+" --help")
	}
}

func TestWithoutALoginBothWaysAreNamed(t *testing.T) {
	t.Parallel()
	for _, said := range []string{"PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
		"this command requires logging in; try running `pulumi login` first"} {
		hinted := withHint(&cobra.Command{}, errors.New(said))
		require.Contains(t, hinted, "`pulumi login`")
		require.Contains(t, hinted, "`sandbox exec --`")
	}
	for _, other := range []string{"no stack named 'x' found", "there is no stack x: run `pulumi stack init x`"} {
		require.Equal(t, other, withHint(&cobra.Command{}, errors.New(other)), "whoever is signed in is told nothing of that")
	}
}

func TestPathsAreShort(t *testing.T) {
	t.Parallel()
	working, err := os.Getwd()
	require.NoError(t, err)
	above := filepath.Dir(filepath.Dir(working))
	for text, want := range map[string]string{
		"open " + working + "/Pulumi.dev.yaml: no such file": "open Pulumi.dev.yaml: no such file",
		above + "/Pulumi.dev.yaml: yaml: line 3":             "../../Pulumi.dev.yaml: yaml: line 3",
		"/etc/passwd is not yours":                           "/etc/passwd is not yours",
		"123.dkr.ecr.eu-central-1.amazonaws.com" + working:   "123.dkr.ecr.eu-central-1.amazonaws.com" + working,
		"https://github.com/x":                               "https://github.com/x",
		"the log group /slipway/dev/web":                     "the log group /slipway/dev/web",
	} {
		require.Equal(t, want, console.ShortenPaths(text))
	}
	require.Equal(t, "/slipway/dev/web", console.ShortPath("/", "/slipway/dev/web"))
}
