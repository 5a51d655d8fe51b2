package e2e

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/internal/version"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/ecs"
)

func TestStatusComparesWhatIsAskedDeployedAndRunning(t *testing.T) {
	t.Parallel()
	p := withHistory(t)
	r := p.ok("slipway", "status", "--exit-code")
	require.Contains(t, r.stdout, "slipway-release-web:6")
	require.Contains(t, r.stdout, "slipway-dev-web:3")
	require.Contains(t, r.stdout, p.aws.images()[1].Tag)
	require.Contains(t, r.stdout, "  deployed by slipway "+version.Number+"\n  what was asked for is what runs")
	var stages []struct {
		Stage    string
		Services map[string]struct {
			Asked, Deployed, Running struct{ Revision, Replicas, Desired, Running int }
		}
		Differences []string
	}
	require.NoError(t, json.Unmarshal([]byte(p.ok("slipway", "status", "release", "--json").stdout), &stages))
	require.Equal(t, 6, stages[0].Services["web"].Running.Revision)
	require.Equal(t, 3, stages[0].Services["web"].Running.Running)
	require.Empty(t, stages[0].Differences)

	differs := func(says ...string) {
		t.Helper()
		r := p.refused(says, "slipway", "status", "release", "--exit-code")
		require.Equal(t, 1, r.status)
		require.Zero(t, p.run("slipway", "status", "release").status, "without --exit-code it only tells")
	}
	for _, exitCode := range []string{"", " --exit-code"} {
		r = p.run("sh", "-c", "PULUMI_CONFIG_PASSPHRASE=wrong exec slipway status release"+exitCode)
		require.NotContains(t, r.stdout, "what was asked for is what runs")
		require.Contains(t, r.stdout, "the secrets could not be decrypted")
		require.Equal(t, map[string]int{"": 0, " --exit-code": 2}[exitCode], r.status)
	}
	p.replace("Pulumi.release.yaml", "good day", "edited by hand")
	differs("not deployed yet: services.web.environment.GREETING")
	p.replace("Pulumi.release.yaml", "edited by hand", "good day")
	p.replace("Pulumi.release.yaml", "replicas: 3", "replicas: many")
	differs("cannot be deployed as it is: services.web.replicas", "slipway-release-web:6")
	p.replace("Pulumi.release.yaml", "replicas: many", "replicas: 3")

	held := p.aws.open()
	_, err := ecs.UpdateService(held, "slipway-release", "api", "slipway-release-api:4", false,
		func(*ecs.ServiceSettings) {})
	require.NoError(t, err)
	differs("services.api: runs revision 4, and the last update that succeeded deployed 5")
	for _, image := range p.aws.images() {
		_, err = ecr.DeleteImage(held, image.Repository, "", image.Digest)
		require.NoError(t, err)
	}
	differs("services.web: its image", "is gone from ECR")
	require.Contains(t, p.ok("slipway", "history", "release").stdout, ", gone)")
	require.NoError(t, ecs.DeleteService(held, "slipway-release", "worker"))
	differs("services.worker: ECS has no such service, though revision 4 was deployed")
}

func TestStatusOfAStageThatRunsNothing(t *testing.T) {
	t.Parallel()
	p := withHistory(t)
	p.ok("pulumi", "stack", "init", "staging")
	p.write("Pulumi.staging.yaml", p.read("Pulumi.dev.yaml"))
	r := p.refused([]string{"staging: never deployed", "pulumi up --stack staging"}, "slipway", "status", "staging",
		"--exit-code")
	require.Equal(t, 1, r.status)
	r = p.run("slipway", "status", "nowhere")
	require.Equal(t, 2, r.status)
	p.ok("pulumi", "destroy", "--stack", "release", "--yes")
	p.refused([]string{"release was destroyed"}, "slipway", "status", "release", "--exit-code")
}
