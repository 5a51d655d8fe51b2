package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/promotion"
	"slipway/cmd/slipway/internal/stagetest"
	"slipway/internal/awsclient/awstest"
)

const (
	builtTag    = "20261123-041205-a1b2c3d-9f8e7d6c"
	builtDigest = "sha256:abababababababababababababababababababababababababababababababab"
	builtRef    = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/slipway-dev/web:" + builtTag + "@" + builtDigest
)

// TestCommand runs the whole command on a `pulumi` that is a script; it sets the PATH, so it cannot run in parallel.
func TestCommand(t *testing.T) {
	project := stagetest.Project(t, "config: {}\n")
	sts := awstest.Account(t, nil).Settings.Endpoints["sts"]
	for name, value := range map[string]string{"AWS_ENDPOINT_URL": sts, "AWS_REGION": "ap-northeast-2",
		"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"} {
		t.Setenv(name, value)
	}
	below := filepath.Join(project.Directory, "app", "sub")
	require.NoError(t, os.MkdirAll(below, 0o755))
	bin := t.TempDir()
	// A refresh that succeeded after the update is on the first page, which is of one; the update is on the one that is
	// read then.
	script := `#!/bin/sh
case "$*" in
*version*) echo v3.226.0 ;;
*"config --json --stack dev"*) cat "$CONFIG" ;;
*"history --json --stack dev --page-size 1 --page 1"*) echo '[{"kind": "refresh", "result": "succeeded"}]' ;;
*"history --json --stack dev --page-size 100 --page 1"*) echo '[{"kind": "refresh", "result": "succeeded"}, {"kind": "update", "result": "'$RESULT'"}]' ;;
*"history --json --stack none"*) echo '[]' ;;
*"--json --stack none"*) echo '{}' ;;
*"output --json --stack dev"*) cat "$OUTPUTS" ;;
*) echo "error: no stack named 'other' found" >&2; exit 6 ;;
esac
`
	require.NoError(t, os.WriteFile(filepath.Join(bin, "pulumi"), []byte(script), 0o755))
	file := filepath.Join(bin, "outputs.json")
	require.NoError(t, os.WriteFile(file,
		[]byte(fmt.Sprintf(`{"cluster": "slipway-dev", "images": {"web": {"ref": %q, "tag": %q, "digest": %q}}}`,
			builtRef, builtTag, builtDigest)), 0o644))
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("OUTPUTS", file)
	config := filepath.Join(bin, "config.json")
	require.NoError(t, os.WriteFile(config,
		[]byte(`{"slipway:images": {"value": "{\"web\": {\"ref\": \"`+builtRef+`\"}}"}}`), 0o644))
	t.Setenv("CONFIG", config)
	t.Setenv("RESULT", "succeeded")
	slipway := func(args ...string) (status int, stdout, stderr string) {
		var out, diagnostics bytes.Buffer
		status = run(t.Context(), append([]string{"-C", below}, args...), &out, &diagnostics)
		return status, out.String(), diagnostics.String()
	}

	for name, args := range map[string][]string{
		"takes two stages":                 {"promote", "dev"},
		"unknown flag":                     {"promote", "dev", "release", "--force"},
		"unknown command":                  {"promot"},
		"cannot be promoted to itself":     {"promote", "dev", "organization/slipway/dev"},
		`"../dev x" is not the name`:       {"promote", "../dev x", "release"},
		`"" is not the name of a stage`:    {"promote", "", "release"},
		"unknown shorthand flag: 'x' in -": {"-x"},
	} {
		status, stdout, stderr := slipway(args...)
		require.Equal(t, 2, status, name)
		require.Contains(t, stderr, name)
		require.Empty(t, stdout)
	}

	status, stdout, stderr := slipway("promote", "other", "release")
	require.Equal(t, 2, status)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "there is no stage other: Pulumi.<stage>.yaml is there for release")
	for _, args := range [][]string{{"promote", "relase", "release"}, {"diff", "relase", "dev"}, {"history", "relase"},
		{"status", "relase"}, {"recover", "relase"}, {"run", "relase", "report"}, {"logs", "relase", "web"}} {
		status, _, stderr = slipway(args...)
		require.NotZero(t, status, args)
		require.Contains(t, stderr, "there is no stage relase: did you mean release?", args)
		require.NotContains(t, stderr, "exit status", args)
	}
	_, _, stderr = slipway("history", "release")
	require.Contains(t, stderr, "there is no stack release: run `pulumi stack init release`")

	status, _, stderr = slipway("promote", "none", "release")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "none has never been updated")

	t.Setenv("RESULT", "failed")
	status, _, stderr = slipway("promote", "dev", "release")
	require.Equal(t, 1, status, stderr)
	require.Contains(t, stderr, "the last update of dev failed")

	t.Setenv("RESULT", "succeeded")
	status, stdout, stderr = slipway("promote", "dev", "release", "--json")
	require.Equal(t, 0, status, stderr)
	var done promotion.Result
	require.NoError(t, json.Unmarshal([]byte(stdout), &done))
	require.True(t, done.Changed)
	require.Equal(t, builtRef, done.Images[0].New.Ref)
	require.Nil(t, done.Images[0].Old)
	require.Contains(t, stderr, "pulumi up --stack release")

	status, stdout, stderr = slipway("promote", "dev", "release")
	require.Equal(t, 0, status, stderr)
	require.Contains(t, stdout, "release already runs the images of dev")
	require.NotContains(t, stderr, "Next:")

	t.Setenv("PATH", t.TempDir())
	status, _, stderr = slipway("promote", "dev", "release")
	require.Equal(t, 2, status)
	require.Contains(t, stderr, "there is no pulumi on the PATH")
}
