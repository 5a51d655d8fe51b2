package e2e

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/instances"
)

// A running service goes from Fargate to Spot, to instances of EC2 and back, as one and the same, with the same image.
func TestAServiceMovesToInstancesAndBack(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("route: {}")
	p.stageKeys("slipway:instances: {general: {types: [m7i.large], max: 4}}")
	p.up("dev")
	created := p.aws.web().CreatedAt
	require.Empty(t, ecsInstances(p), "no task, no instance")
	move := func(from, to string, on ...string) {
		t.Helper()
		p.replace("Pulumi.dev.yaml", from, to)
		u := p.up("dev")
		u.builtNothing()
		require.NotContains(t, u.output, "aws:ecs:Service web replac")
		require.Equal(t, created, p.aws.web().CreatedAt, "the service is the same")
		require.Equal(t, on, p.onCapacity())
		p.up("dev", "--expect-no-changes")
		require.Empty(t, p.up("dev", "--refresh", "--expect-no-changes").changed())
		p.settled("dev")
	}
	move("replicas: 1", "replicas: 2\n      capacity: {spot: 1}", "FARGATE_SPOT", "FARGATE_SPOT")
	move("capacity: {spot: 1}", "capacity: {instances: general}", "slipway-dev-general", "slipway-dev-general")
	require.False(t, p.aws.web().Settings.AssignPublicIP, "tasks on instances have no public address")
	require.Len(t, ecsInstances(p), 1, "both tasks fit on one")
	for _, task := range p.aws.web().Tasks {
		if task.LastStatus == "RUNNING" {
			require.NotEmpty(t, task.ContainerInstance)
		}
	}

	// More tasks than an instance has network interfaces for take another one.
	p.replace("Pulumi.dev.yaml", "replicas: 2", "replicas: 3")
	p.up("dev")
	require.Len(t, ecsInstances(p), 2)
	p.replace("Pulumi.dev.yaml", "replicas: 3", "replicas: 2")
	p.up("dev")

	move("capacity: {instances: general}", "capacity: {onDemand: 1}", "FARGATE", "FARGATE")
	require.True(t, p.aws.web().Settings.AssignPublicIP)
	require.Eventually(t, func() bool { return len(ecsInstances(p)) == 0 }, waitLimit, 50*time.Millisecond,
		"instances without tasks go")

	p.stageKeys("slipway:repository: {forceDelete: true}")
	p.up("dev")
	p.ok("pulumi", "destroy", "--stack", "dev", "--yes")
	require.Empty(t, p.state("dev").inputsByURN())
	require.Empty(t, p.aws.objects(instances.Group))
}

// ecsInstances are the instances of the cluster.
func ecsInstances(p *project) []*ecs.ContainerInstance {
	found, err := ecs.ContainerInstances(p.aws.open(), "slipway-dev")
	require.NoError(p, err)
	return found
}

// A daemon has a task on each instance, also on those that come, and stays green when they go.
func TestADaemonFollowsInstances(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.serviceKeys("capacity: {instances: general}")
	p.stageKeys("slipway:instances: {general: {types: [m7i.large], min: 1, max: 4}}")
	p.replace("Pulumi.dev.yaml", "  slipway:services:\n", "  slipway:services:\n"+
		"    collector: {image: web, daemon: true, network: host, cpu: 128, memory: 128}\n")
	p.up("dev")
	running := func(service string) (n int) {
		for _, task := range p.aws.named(service).Tasks {
			if task.LastStatus == "RUNNING" && task.DesiredStatus == "RUNNING" {
				n++
			}
		}
		return n
	}
	require.Len(t, ecsInstances(p), 1)
	require.Equal(t, 1, running("collector"))
	p.up("dev", "--expect-no-changes")
	require.Empty(t, p.up("dev", "--refresh", "--expect-no-changes").changed())

	p.replace("Pulumi.dev.yaml", "replicas: 1", "replicas: 3")
	p.up("dev")
	require.Eventually(t, func() bool { return running("collector") == 2 && len(ecsInstances(p)) == 2 }, waitLimit,
		50*time.Millisecond)

	// A lost instance is replaced, with all that was on it.
	lost := ecsInstances(p)[0].Instance
	p.aws.setFaults(map[string]string{"lost-instance": lost})
	require.Eventually(t, func() bool {
		for _, one := range ecsInstances(p) {
			if one.Instance == lost {
				return false
			}
		}
		return running("collector") == len(ecsInstances(p)) && running("web") == 3
	}, waitLimit, 50*time.Millisecond)
	p.aws.setFaults(nil)

	// Another revision of the daemon is on each instance.
	p.replace("Pulumi.dev.yaml", "cpu: 128, memory: 128", "cpu: 128, memory: 160")
	u := p.up("dev")
	u.builtNothing()
	require.Contains(t, p.aws.named("collector").TaskDefinition, "slipway-dev-collector:2")
	require.Equal(t, len(ecsInstances(p)), running("collector"))
}
