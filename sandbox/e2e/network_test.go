package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/vpc"
)

func TestAnUpdateEndsWellWhateverTheNetworkDoes(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.migration()
	p.aws.setFaults(map[string]string{"api-fault": "DescribeServices=hang:1,RunTask=cut:1,DescribeTasks=html:2,ListTasks=expired:1,FilterLogEvents=hang"})
	u := p.up("dev")
	require.Contains(t, u.output,
		"reading the log group /slipway/dev/migrate: it has not answered since the task has ended")
	require.Contains(t, u.output, "has ended with exit code 0")
	require.Equal(t, []string{"1 exited 0"}, p.aws.exits("slipway-dev-migrate"), "whose start was asked for twice")
	require.Equal(t, 1, p.aws.service("slipway-dev").Revision)

	p.aws.setFaults(map[string]string{"api-fault": "DescribeServices=throttle:12"})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.up("dev")
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)
	require.Equal(t, []string{"1 exited 0", "1 exited 0"}, p.aws.exits("slipway-dev-migrate"))
}

func TestWhatAWSDoesNotHaveOrAllowIsSaidBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.migration()
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	good := p.read("Pulumi.dev.yaml")
	p.serviceKeys("revision: 7", "route: {hosts: [web.example.org]}")
	p.stageKeys("slipway:loadBalancer: {zone: example.org, subnets: [" + vpc.Subnets[0].ID +
		", subnet-0123456789abcdef0]}")
	p.aws.setFaults(map[string]string{"api-fault": "DescribeServices=deny,DescribeTasks=deny"})
	says := []string{
		"services.web (Pulumi.dev.yaml): its deployment could not be watched, so nothing is changed",
		"needs ecs:DescribeServices",
		"tasks.migrate.before (Pulumi.dev.yaml): the task could not be watched, so nothing is changed",
		"needs ecs:ListTasks, ecs:DescribeTasks",
		"loadBalancer.zone (Pulumi.dev.yaml): there is no public hosted zone example.org",
		"loadBalancer.subnets (Pulumi.dev.yaml): subnet-0123456789abcdef0 cannot be read",
		"services.web.revision (Pulumi.dev.yaml)", "slipway-dev-web:7",
	}
	p.refused(says, "pulumi", "preview", "--stack", "dev")
	requireNothing := func(says ...string) {
		t.Helper()
		u := p.tryUp("dev")
		require.NotZero(t, u.status)
		for _, text := range says {
			require.Contains(t, u.output, text)
		}
		require.Empty(t, u.changed())
	}
	requireNothing(says...)
	p.aws.setFaults(nil)
	p.write("Pulumi.dev.yaml", good)
	p.stageKeys("slipway:network: {vpc: " + vpc.DefaultVPC + ", subnets: [subnet-0123456789abcdef0]}")
	requireNothing("network.subnets", "subnet-0123456789abcdef0")
	require.Equal(t, []string{"1 ACTIVE"}, p.aws.revisions("slipway-dev-web"))
	require.Empty(t, p.aws.revisions("slipway-dev-migrate"))
	p.write("Pulumi.dev.yaml", good)
	p.up("dev")
}
