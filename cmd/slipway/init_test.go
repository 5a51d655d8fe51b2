package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/scaffold"
)

func TestInitTakesDefaultsWhereNobodyCanBeAsked(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-north-1")
	root := filepath.Join(t.TempDir(), "Web_Shop")
	require.NoError(t, os.MkdirAll(root, 0o755))
	initialise := func(args ...string) (status int, stdout, stderr string) {
		var out, diagnostics bytes.Buffer
		args = append([]string{"-C", filepath.Dir(root), "init", "Web_Shop", "--slipway", "../.."}, args...)
		status = run(t.Context(), args, &out, &diagnostics)
		return status, out.String(), diagnostics.String()
	}
	status, _, stderr := initialise()
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "has no Dockerfile")

	require.NoError(t, os.WriteFile(filepath.Join(root, "Dockerfile"), []byte("FROM scratch\n"), 0o644))
	status, stdout, stderr := initialise("--dry-run")
	require.Zero(t, status, stderr)
	require.Contains(t, stdout, "would write Pulumi.dev.yaml")
	require.Contains(t, stdout, "! Dockerfile: no EXPOSE: services.web.port: 8080 is a guess")
	require.Contains(t, stderr, "  pulumi up --stack dev\n")

	for said, wrong := range map[string]string{`"12" is not the number of an AWS account`: "dev=12",
		`"../x" cannot name a stage`: "../x", "there is a stage qa already": "qa"} {
		status, _, stderr = initialise("--stage", "qa", "--stage", wrong)
		require.Equal(t, 1, status)
		require.Contains(t, stderr, said)
	}

	status, stdout, stderr = initialise("--json")
	require.Zero(t, status, stderr)
	var plan scaffold.Plan
	require.NoError(t, json.Unmarshal([]byte(stdout), &plan))
	require.Equal(t, []string{"pulumi stack init dev", "pulumi up --stack dev"}, plan.Next)
	text, err := os.ReadFile(filepath.Join(root, "Pulumi.dev.yaml"))
	require.NoError(t, err)
	require.Contains(t, string(text), "aws:region: eu-north-1\n")
	text, err = os.ReadFile(filepath.Join(root, "Pulumi.yaml"))
	require.NoError(t, err)
	require.Contains(t, string(text), "name: web_shop\n")
}

func TestWhatIsAskedHasAnAnswerAlready(t *testing.T) {
	t.Parallel()
	var asked bytes.Buffer
	ask := asking(strings.NewReader("shop\n\n"), &asked)
	require.Equal(t, "shop", ask("Project", "web"))
	require.Equal(t, "eu-west-1", ask("Region", "eu-west-1"))
	require.Equal(t, "other", ask("Project", "other"), "at the end of the input")
	require.Equal(t, "Project [web]: Region [eu-west-1]: Project [other]: ", asked.String())
}
