package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/instances"
)

// A group of instances comes before what may run on it, and goes after it, though services stay on Fargate Spot.
func TestAGroupOfInstancesComesAndGoes(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.serviceKeys("capacity: {spot: 1}")
	p.stageKeys("slipway:instances: {general: {types: [m7i.large], max: 4}}")
	p.up("dev")
	group := p.aws.object(instances.Group)
	require.Equal(t, "slipway-dev-general", group["name"])
	require.Equal(t, true, group["protectFromScaleIn"])
	template := p.aws.object(instances.LaunchTemplate)
	require.Equal(t, "m7i.large", template["instanceType"])
	require.Equal(t, "required", template["metadataOptions"].(map[string]any)["httpTokens"])
	require.Equal(t, "slipway-dev-general-instances", p.aws.object(iam.InstanceProfile)["name"])
	p.up("dev", "--expect-no-changes")
	require.Empty(t, p.up("dev", "--refresh", "--expect-no-changes").changed())

	p.replace("Pulumi.dev.yaml", "max: 4", "max: 5, volumeSize: 50")
	require.Contains(t, p.up("dev").output, "instances.general (Pulumi.dev.yaml): instances that start from now on are so")
	require.EqualValues(t, 2, p.aws.object(instances.LaunchTemplate)["latestVersion"])
	require.EqualValues(t, 5, p.aws.object(instances.Group)["maxSize"])
	p.up("dev", "--expect-no-changes")
	require.Empty(t, p.up("dev", "--refresh", "--expect-no-changes").changed())

	p.replace("Pulumi.dev.yaml", "  slipway:instances: {general: {types: [m7i.large], max: 5, volumeSize: 50}}\n", "")
	p.up("dev")
	require.Empty(t, p.aws.objects(instances.Group))
	require.Empty(t, p.aws.objects(instances.LaunchTemplate))
	require.Empty(t, p.aws.objects(iam.InstanceProfile))
	require.Empty(t, p.aws.objects(ecs.CapacityProvider))
	p.up("dev", "--expect-no-changes")
	require.Empty(t, p.up("dev", "--refresh", "--expect-no-changes").changed())

	p.stageKeys("slipway:instances: {general: {types: [m7i.large, m6i.large], max: 4}}",
		"slipway:repository: {forceDelete: true}")
	p.up("dev")
	require.Empty(t, p.up("dev", "--refresh", "--expect-no-changes").changed())
	p.ok("pulumi", "destroy", "--stack", "dev", "--yes")
	require.Empty(t, p.state("dev").inputsByURN())
	require.Empty(t, p.aws.objects(instances.Group))
}

// The cluster lets its capacity provider go once the service has left it.
func TestAServiceLeavesAGroupThatIsRemoved(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	const group = "  slipway:instances: {general: {types: [m7i.large], max: 4}}\n"
	const old = "    old: {image: web, capacity: {instances: general}}\n"
	p.serviceKeys("capacity: {instances: general}")
	p.stageKeys(strings.TrimSpace(group))
	p.replace("Pulumi.dev.yaml", "  slipway:services:\n", "  slipway:services:\n"+old)
	p.up("dev")
	require.Equal(t, []string{"slipway-dev-general"}, p.onCapacity())
	p.replace("Pulumi.dev.yaml", old, "")
	p.replace("Pulumi.dev.yaml", "      capacity: {instances: general}", "      capacity: {spot: 1}")
	p.replace("Pulumi.dev.yaml", group, "")
	p.refused([]string{"the service old, which the stage has no more, still runs on the instances of slipway-dev-general"},
		"pulumi", "preview", "--stack", "dev")
	p.stageKeys(strings.TrimSpace(group))
	p.up("dev")
	p.replace("Pulumi.dev.yaml", "      capacity: {spot: 1}", "      capacity: {instances: general}")
	p.up("dev")

	created := p.aws.web().CreatedAt
	p.replace("Pulumi.dev.yaml", "      capacity: {instances: general}", "      capacity: {spot: 1}")
	p.replace("Pulumi.dev.yaml", group, "")
	p.up("dev")
	require.Equal(t, created, p.aws.web().CreatedAt)
	require.Equal(t, []string{"FARGATE_SPOT"}, p.onCapacity())
	require.Empty(t, p.aws.objects(instances.Group))
	p.up("dev", "--expect-no-changes")
	require.Empty(t, p.up("dev", "--refresh", "--expect-no-changes").changed())
}
