package ecs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/scaling"
)

// scaledService is a service of two tasks that keeps ten messages of a queue for each, with cooldowns of a minute.
func scaledService(t *testing.T, insights string) *stage {
	t.Helper()
	s := newStage(t)
	require.NoError(t, s.PutObject(Cluster, "shop-dev", account.Object{"arn": account.ARN(account.DefaultID, "ecs",
		testRegion, "cluster/shop-dev"), "settings": []any{map[string]any{"name": "containerInsights", "value": insights}}},
		func(func(int) string) account.Object { return nil }))
	s.create(s.register(nil), 2)
	const id = "service/shop-dev/web"
	s.object(scaling.ScalableTarget, id, account.Object{"resourceId": id, "minCapacity": 0.0, "maxCapacity": 6.0})
	stat := func(id, namespace, name string) map[string]any {
		return map[string]any{"id": id, "metricStat": map[string]any{"stat": "Average",
			"metric": map[string]any{"namespace": namespace, "metricName": name}}}
	}
	s.object(scaling.ScalingPolicy, id+":queue", account.Object{"resourceId": id, "name": "queue",
		"policyType": "TargetTrackingScaling", "targetTrackingScalingPolicyConfiguration": map[string]any{
			"targetValue": 10.0, "scaleInCooldown": 60.0, "scaleOutCooldown": 60.0,
			"customizedMetricSpecification": map[string]any{"metrics": []any{stat("waiting", "AWS/SQS", "waiting"),
				stat("tasks", "ECS/ContainerInsights", "DesiredTaskCount"),
				map[string]any{"id": "each", "expression": "waiting / tasks", "returnData": true}}}}})
	return s
}

func TestTheCountFollowsAMetric(t *testing.T) {
	t.Parallel()
	s := scaledService(t, "enabled")
	s.after(5)
	s.serves(1, 2)
	waiting := func(count string) {
		t.Helper()
		require.NoError(t, s.SetFaults(map[string]string{account.Metric: "waiting=" + count}))
	}
	waiting("40")
	s.after(5)
	s.serves(1, 4)
	waiting("60")
	s.after(5)
	s.serves(1, 4) // within the cooldown
	s.clock = s.clock.Add(time.Minute)
	s.after(5)
	s.after(5)
	s.serves(1, 6)

	s.clock = s.clock.Add(time.Minute)
	s.after(1)
	s.update(s.register(nil))
	waiting("0")
	require.Equal(t, 6, s.after(1).Settings.DesiredCount, "during a deployment no task is taken away")
	s.after(20)
	require.Zero(t, s.after(5).Settings.DesiredCount)
	waiting("100")
	require.Zero(t, s.after(5).Settings.DesiredCount, "Container Insights knows nothing of a service without tasks")
}

func TestWithoutContainerInsightsTasksAreNotCounted(t *testing.T) {
	t.Parallel()
	s := scaledService(t, "disabled")
	require.NoError(t, s.SetFaults(map[string]string{account.Metric: "waiting=60"}))
	require.Equal(t, 2, s.after(10).Settings.DesiredCount)
}
