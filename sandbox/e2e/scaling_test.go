package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/scaling"
)

// scalingPolicies are the scaling policies by what they measure.
func (a *awsAccount) scalingPolicies() map[string]map[string]any {
	a.Helper()
	found := map[string]map[string]any{}
	for _, policy := range a.objects(scaling.ScalingPolicy) {
		require.Equal(a, "TargetTrackingScaling", policy["policyType"])
		require.Equal(a, "service/slipway-dev/web", policy["resourceId"])
		settings := policy["targetTrackingScalingPolicyConfiguration"].(map[string]any)
		found[settings["predefinedMetricSpecification"].(map[string]any)["predefinedMetricType"].(string)] = settings
	}
	return found
}

// nameInCloudWatch is what CloudWatch calls a load balancer or a target group.
func nameInCloudWatch(object account.Object) string {
	_, resource, _ := strings.Cut(object["arn"].(string), ":"+account.DefaultID+":")
	return strings.TrimPrefix(resource, "loadbalancer/")
}

// scaleTo makes the desired count of stage dev's service what a scaler decides.
func scaleTo(p *project, count int) {
	p.Helper()
	_, err := ecs.UpdateService(p.aws.open(), "slipway-dev", "web", "", false,
		func(s *ecs.ServiceSettings) { s.DesiredCount = count })
	require.NoError(p.TB, err)
}

func TestTheScalersCountStays(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.replace("Pulumi.dev.yaml", "    web:\n      replicas: 1",
		"    worker: {image: web, scaling: {min: 2, max: 4, memory: 80}}\n    web:\n      replicas: 1")
	p.serviceKeys("scaling: {max: 6, cpu: 60}")
	p.up("dev")
	worker, err := ecs.FindService(p.aws.open(), "slipway-dev", "worker")
	require.NoError(t, err)
	require.Equal(t, 2, worker.Settings.DesiredCount, "a service starts with the smallest count")
	require.Equal(t, 1, p.aws.service("slipway-dev").Desired)
	requireCount := func(revision int) {
		t.Helper()
		service := p.aws.service("slipway-dev")
		require.Equal(t, []int{3, 3, revision}, []int{service.Desired, service.Running, service.Revision})
	}

	scaleTo(p, 3)
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	u := p.up("dev")
	require.Contains(t, u.changed(), "Update aws:ecs/service:Service")
	requireCount(2)
	require.Empty(t, p.up("dev", "--expect-no-changes").changed())
	requireCount(2)
	require.Empty(t, p.up("dev", "--refresh", "--expect-no-changes").changed(), "though the refresh notes the count")
	requireCount(2)
	p.replace("Pulumi.dev.yaml", "hello again", "hello for the third time")
	p.up("dev", "--refresh")
	requireCount(3)

	// Replicas are what the service starts with, and so say nothing of one that runs.
	p.replace("Pulumi.dev.yaml", "replicas: 1", "replicas: 2")
	require.Empty(t, p.up("dev").changed())
	requireCount(3)

	p.withoutOptions()
	p.up("dev", "--refresh")
	require.Equal(t, 1, p.aws.service("slipway-dev").Desired, "the count is the stage file's again")
	require.Equal(t, 1, p.aws.service("slipway-dev").Running)
	require.Empty(t, p.aws.objects(scaling.ScalableTarget))
	p.settled("dev")
}

func TestAReplacedServiceIsScaledAgain(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("scaling: {max: 4, cpu: 60}")
	p.up("dev")
	urn := p.state("dev").ofType("aws:ecs/service:Service")[0].URN
	p.up("dev", "--replace", urn)
	require.Len(t, p.aws.objects(scaling.ScalableTarget), 1, "AWS forgets it with the service")
	require.Len(t, p.aws.objects(scaling.ScalingPolicy), 1)
	p.settled("dev")
}
