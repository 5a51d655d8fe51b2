package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAnUpdateEndsWellWhateverTheNetworkDoes(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.migrating()
	p.faults(map[string]string{"api-fault": "DescribeServices=hang:1,RunTask=cut:1,DescribeTasks=html:2,ListTasks=expired:1,FilterLogEvents=hang"})
	u := p.up("dev")
	require.Contains(t, u.output,
		"reading the log group /slipway/dev/migrate: it has not answered since the task has ended")
	require.Contains(t, u.output, "has ended with exit code 0")
	require.Equal(t, []string{"1 exited 0"}, p.ran("slipway-dev-migrate"), "whose start was asked for twice")
	require.Equal(t, 1, p.service("slipway-dev").Revision)

	p.faults(map[string]string{"api-fault": "DescribeServices=throttle:12"})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.up("dev")
	require.Equal(t, 2, p.service("slipway-dev").Revision)
	require.Equal(t, []string{"1 exited 0", "1 exited 0"}, p.ran("slipway-dev-migrate"))
}

func TestAPermissionThatWatchingNeedsIsMissedBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.migrating()
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	for fault, says := range map[string][]string{
		"DescribeServices=deny": {"services.web (Pulumi.dev.yaml): its deployment could not be watched, so nothing is changed", "needs ecs:DescribeServices"},
		"DescribeTasks=deny": {"tasks.migrate.before (Pulumi.dev.yaml): the task could not be watched, so nothing is " +
			"changed", "needs ecs:ListTasks, ecs:DescribeTasks"},
	} {
		p.faults(map[string]string{"api-fault": fault})
		p.refused(says, "pulumi", "preview", "--stack", "dev")
		u := p.tryUp("dev")
		require.NotZero(t, u.status)
		require.Empty(t, u.changed())
	}
	require.Equal(t, []string{"1 ACTIVE"}, p.revisions("slipway-dev-web"))
	require.Empty(t, p.revisions("slipway-dev-migrate"))
	p.faults(nil)
	p.up("dev")
}
