package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/stagetest"
)

// Neither pulumi nor AWS is asked, as the role may be what is missing to ask them.
func TestIAMPrintsAPolicyOfTheStageFileAlone(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	project := stagetest.Project(t, "config:\n  slipway:images: {web: {ref: \""+builtRef+"\"}}\n"+
		"  slipway:services: {web: {image: web, port: 80}}\n")
	iam := func(args ...string) (status int, stdout, stderr string) {
		var out, diagnostics bytes.Buffer
		status = run(t.Context(), append([]string{"-C", project.Directory, "iam"}, args...), &out, &diagnostics)
		return status, out.String(), diagnostics.String()
	}
	status, stdout, stderr := iam("release")
	require.Zero(t, status, stderr)
	var policy struct {
		Version   string
		Statement []map[string]any
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &policy))
	require.Equal(t, "2012-10-17", policy.Version)
	require.NotEmpty(t, policy.Statement)
	require.Contains(t, stderr, "Pulumi.release.yaml does not say the account")
	for _, purpose := range []string{"preview", "promote", "read"} {
		status, least, _ := iam("release", "--for", purpose)
		require.Zero(t, status)
		require.Less(t, len(least), len(stdout), purpose)
	}
	for want, args := range map[string][]string{
		"there is no stage relase: did you mean release?":        {"relase"},
		"write one of preview, promote, read, update":            {"release", "--for", "destroy"},
		"Pulumi.release.yaml does not say the account, which a ": {"release", "--trust", "github:example/shop"},
		"release cannot be promoted to itself":                   {"release", "--from", "release"},
		"there is no stage dve":                                  {"release", "--from", "dve"},
		"iam takes one stage":                                    {},
	} {
		status, stdout, stderr := iam(args...)
		require.NotZero(t, status, args)
		require.Empty(t, stdout)
		require.Contains(t, stderr, want)
	}
}

// The first promotion is what the role is for.
func TestIAMOfAStageThatHasNoImageYet(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	project := stagetest.Project(t, "config:\n  aws:allowedAccountIds: [\"210987654321\"]\n"+
		"  slipway:services: {web: {image: web, port: 80}}\n")
	iam := func(args ...string) (status int, stdout, stderr string) {
		var out, diagnostics bytes.Buffer
		status = run(t.Context(), append([]string{"-C", project.Directory, "iam", "release"}, args...), &out, &diagnostics)
		return status, out.String(), diagnostics.String()
	}
	status, stdout, stderr := iam("--trust", "github:example/shop")
	require.Zero(t, status, stderr)
	require.Contains(t, stdout, "arn:aws:iam::210987654321:oidc-provider/token.actions.githubusercontent.com")
	require.Contains(t, stdout, "repo:example/shop:environment:release")

	status, stdout, stderr = iam()
	require.NotZero(t, status)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "images (Pulumi.release.yaml)")
	require.Contains(t, stderr, "name the stage that its images come from: --from FROM")
}
