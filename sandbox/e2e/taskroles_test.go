package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/secrets"
)

func TestAContainersOwnCallsReachTheAccountAsItsTaskRole(t *testing.T) {
	t.Parallel()
	p := withContainers(t)
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o",
		filepath.Join(p.dir, builtApp), "./testdata/reader")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))
	arns := map[string]string{}
	for _, name := range []string{"recipe", "other"} {
		arns[name], err = secrets.CreateSecret(p.aws.open(), "ap-northeast-2", account.Object{"name": name})
		require.NoError(t, err)
		_, err = secrets.PutSecretValue(p.aws.open(), arns[name], "the "+name+"'s value", "")
		require.NoError(t, err)
	}
	p.replace("Pulumi.dev.yaml", "      replicas: 1\n", "      replicas: 0\n")
	p.task("read", "command: [\""+arns["recipe"]+"\"]",
		"permissions: [{actions: [\"secretsmanager:GetSecretValue\"], resources: [\""+arns["recipe"]+"\"]}]")
	p.up("dev")
	require.Contains(t, p.ok("slipway", "run", "dev", "read").stdout, "the recipe's value")
	r := p.run("slipway", "run", "dev", "read", "--", arns["other"])
	require.Equal(t, 1, r.status)
	require.Contains(t, r.output, "is not authorized to perform: secretsmanager:GetSecretValue on resource: "+arns["other"])
}
