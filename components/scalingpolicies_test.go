package components

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// scaledBy declares a worker that scales so.
func scaledBy(t *testing.T, scaling string) *recorder {
	t.Helper()
	return declareStage(t, map[string]string{"cluster": `{"containerInsights": "enabled"}`,
		"services": `{"worker": {"image": "web", "scaling": ` + scaling + `}}`}, nil)
}

func TestAQueueScalesByItsBacklogForEachTask(t *testing.T) {
	t.Parallel()
	recorded := scaledBy(t, `{"min": 0, "max": 9, "queue": {"name": "arn:aws:sqs:ap-northeast-2:123456789012:jobs",
		"backlog": 25}}`)
	settings := recorded.named(t, "aws:appautoscaling/policy:Policy",
		"worker-queue").Inputs["targetTrackingScalingPolicyConfiguration"].ObjectValue()
	require.InDelta(t, 25, settings["targetValue"].NumberValue(), 0)
	got := map[string]string{}
	for _, each := range settings["customizedMetricSpecification"].ObjectValue()["metrics"].ArrayValue() {
		query := each.ObjectValue()
		text, err := json.Marshal(query["metricStat"].Mappable())
		require.NoError(t, err)
		if expression, given := query["expression"]; given {
			text = []byte(expression.StringValue())
		}
		got[query["id"].StringValue()] = string(text)
		require.Equal(t, query["id"].StringValue() == "backlog", query["returnData"].BoolValue())
	}
	stat := func(namespace, metric string, dimensions ...string) string {
		var list []string
		for _, each := range dimensions {
			name, value, _ := strings.Cut(each, "=")
			list = append(list, fmt.Sprintf(`{"name":%q,"value":%q}`, name, value))
		}
		return fmt.Sprintf(`{"metric":{"dimensions":[%s],"metricName":%q,"namespace":%q},"stat":"Average"}`,
			strings.Join(list, ","), metric, namespace)
	}
	require.Equal(t, map[string]string{
		"waiting": stat("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName=jobs"),
		"working": stat("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName=jobs"),
		"desired": stat("ECS/ContainerInsights", "DesiredTaskCount", "ClusterName=shop-dev", "ServiceName=worker"),
		"tasks":   "FILL(FILL(desired, REPEAT), 0)",
		"backlog": "IF(tasks > 0, (waiting + working) / IF(tasks > 0, tasks, 1), " +
			"IF(waiting > 25, waiting, IF(waiting > 0, 26, 0)))",
	}, got)
	require.Empty(t, recorded.all("aws:cloudwatch/metricAlarm:MetricAlarm"), "AWS makes those of a target itself")
}

func TestStepsAreCountedFromTheAlarmsThreshold(t *testing.T) {
	t.Parallel()
	const metric = `"namespace": "Shop", "metric": "jobs", "dimensions": {"queue": "a"}, `
	recorded := scaledBy(t, `{"max": 9, "scaleInCooldown": 600, "scaleOutCooldown": 30, "steps": {
		"up": {`+metric+`"adjust": [{"from": 10, "add": 1}, {"from": 10.5, "add": 2}, {"from": 2000010, "add": 5}]},
		"percent": {`+metric+`"statistic": "Sum", "adjust": [{"from": 5, "percent": -50}]},
		"down": {`+metric+`"statistic": "Minimum", "when": "below", "period": 120, "periods": 5,
			"adjust": [{"from": 3, "set": 2}, {"from": -1, "set": 0}]}}}`)
	for name, want := range map[string]string{
		"up": `{"adjustmentType":"ChangeInCapacity","cooldown":30,"metricAggregationType":"Average","stepAdjustments":[` +
			`{"metricIntervalLowerBound":"0","metricIntervalUpperBound":"0.5","scalingAdjustment":1},` +
			`{"metricIntervalLowerBound":"0.5","metricIntervalUpperBound":"2e+06","scalingAdjustment":2},` +
			`{"metricIntervalLowerBound":"2e+06","scalingAdjustment":5}]}`,
		"percent": `{"adjustmentType":"PercentChangeInCapacity","cooldown":600,"metricAggregationType":"Average",` +
			`"minAdjustmentMagnitude":1,"stepAdjustments":[{"metricIntervalLowerBound":"0","scalingAdjustment":-50}]}`,
		"down": `{"adjustmentType":"ExactCapacity","cooldown":600,"metricAggregationType":"Minimum","stepAdjustments":[` +
			`{"metricIntervalLowerBound":"-4","metricIntervalUpperBound":"0","scalingAdjustment":2},` +
			`{"metricIntervalUpperBound":"-4","scalingAdjustment":0}]}`,
	} {
		policy := recorded.named(t, "aws:appautoscaling/policy:Policy", "worker-steps."+name).Inputs
		got, err := json.Marshal(policy["stepScalingPolicyConfiguration"].Mappable())
		require.NoError(t, err)
		require.JSONEq(t, want, string(got), name)
		require.Equal(t, "StepScaling", policy["policyType"].StringValue())
		alarm := recorded.named(t, "aws:cloudwatch/metricAlarm:MetricAlarm", "worker-steps."+name).Inputs
		require.Equal(t, []any{"arn:worker-steps." + name}, alarm["alarmActions"].Mappable(), "it has the policy act")
		require.Equal(t, "shop-dev-worker."+name, alarm["name"].StringValue())
		require.Equal(t, map[string]any{"queue": "a"}, alarm["dimensions"].Mappable())
	}
	down := recorded.named(t, "aws:cloudwatch/metricAlarm:MetricAlarm", "worker-steps.down").Inputs
	require.Equal(t, "jobs is 3 or less: the service worker scales by steps", down["alarmDescription"].StringValue())
	require.Equal(t, []any{"LessThanOrEqualToThreshold", "Minimum", 3.0, 120.0, 5.0}, []any{
		down["comparisonOperator"].StringValue(), down["statistic"].StringValue(), down["threshold"].NumberValue(),
		down["period"].NumberValue(), down["evaluationPeriods"].NumberValue()})
}
