package components

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAScaledServicesCountIsLeftToTheScaler(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, everything, nil)
	web, api := recorded.named(t, "aws:ecs/service:Service", "web"), recorded.named(t, "aws:ecs/service:Service", "api")
	require.Contains(t, web.RegisterRPC.GetIgnoreChanges(), "desiredCount")
	require.InDelta(t, 2, web.Inputs["desiredCount"].NumberValue(), 0, "it starts with the smallest count")
	require.NotContains(t, api.RegisterRPC.GetIgnoreChanges(), "desiredCount")

	require.Len(t, recorded.all("aws:appautoscaling/target:Target"), 1)
	target := recorded.named(t, "aws:appautoscaling/target:Target", "web")
	require.Equal(t, "service/shop-dev/web", target.Inputs["resourceId"].StringValue())
	require.True(t, dependsOn(target, "aws:ecs/service:Service", "web"))
	policies := map[string]string{}
	for _, policy := range recorded.all("aws:appautoscaling/policy:Policy") {
		settings := policy.Inputs["targetTrackingScalingPolicyConfiguration"].ObjectValue()
		metric := settings["predefinedMetricSpecification"].ObjectValue()
		policies[policy.Name] = fmt.Sprint(metric["predefinedMetricType"].StringValue(), " ",
			settings["targetValue"].NumberValue())
		if label, given := metric["resourceLabel"]; given {
			policies[policy.Name] += " " + label.StringValue()
		}
	}
	require.Equal(t, map[string]string{
		"web-cpu": "ECSServiceAverageCPUUtilization 60", "web-memory": "ECSServiceAverageMemoryUtilization 70",
		"web-requests": "ALBRequestCountPerTarget 1000 arnSuffix:shop-dev/arnSuffix:web",
	}, policies)
	night := recorded.named(t, "aws:appautoscaling/scheduledAction:ScheduledAction", "web.night").Inputs
	require.Equal(t, "cron(0 22 * * ? *)", night["schedule"].StringValue())
	require.Equal(t, "UTC", night["timezone"].StringValue())
	require.Equal(t, map[string]any{"minCapacity": 0.0}, night["scalableTargetAction"].ObjectValue().Mappable(),
		"a smallest count of 0 is one")
}

// A service and a schedule, whose names put together are those of another service and schedule.
func TestNamesThatLookAlikeStayApart(t *testing.T) {
	t.Parallel()
	const scaling = `"image": "web", "scaling": {"max": 2, "schedules": {`
	recorded := declareStage(t, map[string]string{"services": `{
		"web": {` + scaling + `"a-b": {"when": "rate(1 day)", "min": 0}}}},
		"web-a": {` + scaling + `"b": {"when": "rate(1 day)", "min": 0}}}}
	}`}, nil)
	actions := recorded.all("aws:appautoscaling/scheduledAction:ScheduledAction")
	require.Len(t, actions, 2)
	require.NotEqual(t, actions[0].Name, actions[1].Name)
}

func TestEveryOptionOfScaling(t *testing.T) {
	t.Parallel()
	scaled := func(scaling string) *recorder {
		return declareStage(t, map[string]string{
			"services": `{"web": {"image": "web", "port": 8080, "route": {}, "scaling": ` + scaling + `}}`}, nil)
	}
	const policy = "aws:appautoscaling/policy:Policy"
	const action = "aws:appautoscaling/scheduledAction:ScheduledAction"
	settings := func(recorded *recorder, name string) map[string]any {
		found := recorded.named(t, policy, name).Inputs
		require.Equal(t, "TargetTrackingScaling", found["policyType"].StringValue())
		require.Equal(t, "service/shop-dev/web", found["resourceId"].StringValue())
		return found["targetTrackingScalingPolicyConfiguration"].ObjectValue().Mappable()
	}
	all := scaled(`{"min": 0, "max": 6, "cpu": 60, "memory": 70, "requests": 1000, "scaleInCooldown": 600,
		"scaleOutCooldown": 0, "schedules": {
			"night": {"when": "cron(0 22 ? * MON-FRI *)", "timeZone": "Asia/Seoul", "min": 0, "max": 2},
			"sale": {"when": "at(2036-12-24T18:00:00)", "min": 3}, "often": {"when": "rate(2 hours)", "max": 5}}}`)
	target := all.inputs(t, "aws:appautoscaling/target:Target").Mappable()
	delete(target, "tags")
	require.Equal(t, map[string]any{"serviceNamespace": "ecs", "resourceId": "service/shop-dev/web",
		"scalableDimension": "ecs:service:DesiredCount", "minCapacity": 0.0, "maxCapacity": 6.0}, target)
	for name, want := range map[string]map[string]any{
		"web-cpu":    {"predefinedMetricType": "ECSServiceAverageCPUUtilization"},
		"web-memory": {"predefinedMetricType": "ECSServiceAverageMemoryUtilization"},
		"web-requests": {"predefinedMetricType": "ALBRequestCountPerTarget",
			"resourceLabel": "arnSuffix:shop-dev/arnSuffix:web"},
	} {
		require.Equal(t, map[string]any{"predefinedMetricSpecification": want, "scaleInCooldown": 600.0,
			"scaleOutCooldown": 0.0, "targetValue": map[string]float64{"web-cpu": 60, "web-memory": 70,
				"web-requests": 1000}[name]}, settings(all, name))
	}
	for name, want := range map[string]string{
		"web.night": "cron(0 22 ? * MON-FRI *) Asia/Seoul map[maxCapacity:2 minCapacity:0]",
		"web.sale":  "at(2036-12-24T18:00:00) UTC map[minCapacity:3]",
		"web.often": "rate(2 hours) UTC map[maxCapacity:5]"} {
		found := all.named(t, action, name).Inputs
		require.Equal(t, "service/shop-dev/web", found["resourceId"].StringValue())
		require.Equal(t, want, fmt.Sprint(found["schedule"].StringValue(), " ", found["timezone"].StringValue(), " ",
			found["scalableTargetAction"].ObjectValue().Mappable()))
	}

	least := scaled(`{"max": 4, "cpu": 50}`)
	target = least.inputs(t, "aws:appautoscaling/target:Target").Mappable()
	require.Equal(t, []any{1.0, 4.0}, []any{target["minCapacity"], target["maxCapacity"]})
	require.Len(t, least.all(policy), 1)
	require.Empty(t, least.all(action))
	require.Equal(t, map[string]any{"scaleInCooldown": 300.0, "scaleOutCooldown": 60.0, "targetValue": 50.0,
		"predefinedMetricSpecification": map[string]any{"predefinedMetricType": "ECSServiceAverageCPUUtilization"}},
		settings(least, "web-cpu"))

	bySchedule := scaled(`{"max": 4, "schedules": {"night": {"when": "rate(1 day)", "max": 1}}}`)
	require.Empty(t, bySchedule.all(policy))
	require.Equal(t, "rate(1 day)", bySchedule.named(t, action, "web.night").Inputs["schedule"].StringValue())
	for _, recorded := range []*recorder{all, least, bySchedule} {
		require.Equal(t, all.inputs(t, "aws:ecs/taskDefinition:TaskDefinition"),
			recorded.inputs(t, "aws:ecs/taskDefinition:TaskDefinition"), "no new revision")
	}
}
