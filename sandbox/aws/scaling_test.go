package aws

import (
	"maps"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

const (
	targetToken = "aws:appautoscaling/target:Target"
	policyToken = "aws:appautoscaling/policy:Policy"
	actionToken = "aws:appautoscaling/scheduledAction:ScheduledAction"
	alarmToken  = "aws:cloudwatch/metricAlarm:MetricAlarm"
)

// scalingOf is inputs for the scaling of the service shop-dev/web.
func scalingOf(more values) values {
	inputs := values{"resourceId": "service/shop-dev/web", "scalableDimension": "ecs:service:DesiredCount",
		"serviceNamespace": "ecs"}
	maps.Copy(inputs, more)
	return inputs
}

func tracking(metric, label string) values {
	specification := values{"predefinedMetricType": metric}
	if label != "" {
		specification["resourceLabel"] = label
	}
	return scalingOf(values{"policyType": "TargetTrackingScaling", "targetTrackingScalingPolicyConfiguration": values{
		"targetValue": 60.0, "scaleInCooldown": 120.0, "predefinedMetricSpecification": specification}})
}

func TestServiceScalesWithItsTarget(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.serviceOf(nil)
	target := c.create(targetToken, "web",
		scalingOf(values{"minCapacity": 1.0, "maxCapacity": 4.0, "tags": values{"Stage": "dev"}}))
	require.Equal(t, "service/shop-dev/web", target.id)
	require.Equal(t, "arn:aws:iam::123456789012:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/"+
		"AWSServiceRoleForApplicationAutoScaling_ECSService", target.outputs["roleArn"])
	require.Regexp(t, "^arn:aws:application-autoscaling:ap-northeast-2:123456789012:scalable-target/[0-9a-f]{36}$",
		target.outputs["arn"])
	c.update(target, scalingOf(values{"minCapacity": 0.0, "maxCapacity": 6.0}))
	require.Equal(t, 6.0, target.outputs["maxCapacity"])
	c.refresh(target)
	require.Empty(t, c.diff(target, target.inputs).GetDiffs())
	again := c.create(targetToken, "web", scalingOf(values{"minCapacity": 2.0, "maxCapacity": 6.0}))
	require.Equal(t, target.outputs["arn"], again.outputs["arn"], "registering again changes the one target")

	cpu := c.create(policyToken, "cpu", tracking("ECSServiceAverageCPUUtilization", ""))
	require.Regexp(t, "^cpu-[0-9a-f]{7}$", cpu.id)
	require.Len(t, cpu.outputs["alarmArns"], 2)
	c.create(policyToken, "memory", tracking("ECSServiceAverageMemoryUtilization", ""))
	requests := c.create(policyToken, "requests", tracking("ALBRequestCountPerTarget",
		"app/shop/5f199ffa0882b300/targetgroup/web/b60b03723de28181"))
	require.NoError(t, c.remove(requests))
	action := c.create(actionToken, "night",
		scalingOf(values{"name": "night", "schedule": "cron(0 22 * * ? *)", "timezone": "Europe/Berlin",
			"scalableTargetAction": values{"minCapacity": 0.0, "maxCapacity": 0.0}}))
	require.Equal(t, "night-ecs-service/shop-dev/web", action.id)
	for _, schedule := range []string{"at(2026-11-24T22:00:00)", "rate(12 hours)"} {
		c.create(actionToken, "once",
			scalingOf(values{"schedule": schedule, "scalableTargetAction": values{"maxCapacity": 3.0}}))
	}

	require.NoError(t, c.remove(again))
	c.refresh(cpu)
	require.Empty(t, cpu.id, "a target takes its policies with it")
	c.refresh(action)
	require.Empty(t, action.id)
	require.NoError(t, c.remove(cpu))
}

func TestScalingThatIsRefused(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	const unregistered = "ObjectNotFoundException: No scalable target registered for service namespace: ecs, resource ID: " +
		"service/shop-dev/web, scalable dimension: ecs:service:DesiredCount"
	_, err := c.tryCreate(targetToken, "web", scalingOf(values{"minCapacity": 1.0, "maxCapacity": 4.0}))
	require.EqualError(t, err,
		"1 error occurred:\n\t* creating Application AutoScaling Target (service/shop-dev/web): ValidationException: "+
			"ECS service doesn't exist: service/shop-dev/web\n\n")
	c.serviceOf(nil)
	_, err = c.tryCreate(policyToken, "web", tracking("ECSServiceAverageCPUUtilization", ""))
	require.ErrorContains(t, err, unregistered)
	action := values{"schedule": "rate(1 day)", "scalableTargetAction": values{"minCapacity": 3.0, "maxCapacity": 2.0}}
	_, err = c.tryCreate(actionToken, "web", scalingOf(action))
	require.ErrorContains(t, err, unregistered)
	_, err = c.tryCreate(targetToken, "web", scalingOf(values{"minCapacity": 5.0, "maxCapacity": 4.0}))
	require.ErrorContains(t, err, "ValidationException: Minimum capacity cannot be greater than maximum capacity")
	c.create(targetToken, "web", scalingOf(values{"minCapacity": 1.0, "maxCapacity": 4.0}))
	for name, refused := range map[string]struct {
		token  string
		inputs values
		want   string
	}{
		"no label": {policyToken, tracking("ALBRequestCountPerTarget", ""), "Resource label is required"},
		"half a label": {policyToken, tracking("ALBRequestCountPerTarget", "app/shop/1"),
			"Resource label is not of the form"},
		"a label": {policyToken, tracking("ECSServiceAverageCPUUtilization", "app/shop/1/targetgroup/web/1"),
			"Resource label is not allowed"},
		"a metric":    {policyToken, tracking("DynamoDBReadCapacityUtilization", ""), "Unsupported predefined metric type"},
		"upside down": {actionToken, scalingOf(action), "Minimum capacity cannot be greater than maximum capacity"},
		"a schedule": {actionToken,
			scalingOf(values{"schedule": "daily", "scalableTargetAction": values{"minCapacity": 3.0}}),
			"Invalid schedule expression: daily"},
		"short of cron": {actionToken,
			scalingOf(values{"schedule": "cron(0 22 * * *)", "scalableTargetAction": values{"minCapacity": 3.0}}),
			"Invalid schedule expression"},
		"a zone": {actionToken,
			scalingOf(values{"schedule": "rate(1 day)", "timezone": "Mars", "scalableTargetAction": values{"minCapacity": 3.0}}),
			"Unsupported time zone: Mars"},
	} {
		_, err := c.tryCreate(refused.token, "web", refused.inputs)
		require.ErrorContains(t, err, "ValidationException: "+refused.want, name)
	}
}

func stepsOf(adjustments ...any) values {
	return scalingOf(values{"policyType": "StepScaling", "stepScalingPolicyConfiguration": values{
		"adjustmentType": "ChangeInCapacity", "cooldown": 60.0, "metricAggregationType": "Average",
		"stepAdjustments": adjustments}})
}

func TestPoliciesOfMetricsAndStepsStayAsTheyAre(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	c.serviceOf(nil)
	c.create(targetToken, "web", scalingOf(values{"minCapacity": 0.0, "maxCapacity": 4.0}))
	dimension := []any{values{"name": "QueueName", "value": "jobs"}}
	steps := stepsOf(values{"metricIntervalLowerBound": "100", "scalingAdjustment": 5.0},
		values{"metricIntervalLowerBound": "0", "metricIntervalUpperBound": "100", "scalingAdjustment": 1.0})
	for name, inputs := range map[string]values{
		"steps": steps,
		"metric": scalingOf(values{"policyType": "TargetTrackingScaling", "targetTrackingScalingPolicyConfiguration": values{
			"targetValue": 0.5, "customizedMetricSpecification": values{"namespace": "Shop", "metricName": "waiting",
				"statistic": "Average", "dimensions": dimension}}}),
		"math": scalingOf(values{"policyType": "TargetTrackingScaling", "targetTrackingScalingPolicyConfiguration": values{
			"targetValue": 10.0, "customizedMetricSpecification": values{"metrics": []any{
				values{"id": "waiting", "returnData": false, "metricStat": values{"stat": "Average", "metric": values{
					"namespace": "AWS/SQS", "metricName": "x", "dimensions": dimension}}},
				values{"id": "each", "expression": "waiting / 2"}}}}}),
	} {
		inputs["name"] = name
		policy := c.create(policyToken, name, inputs)
		c.refresh(policy)
		require.Empty(t, c.diff(policy, policy.inputs).GetDiffs(), name)
		require.Len(t, policy.outputs["alarmArns"], map[string]int{"steps": 0, "metric": 2, "math": 2}[name])
	}
	policy := c.create(policyToken, "steps", steps)
	changed := stepsOf(values{"metricIntervalLowerBound": "0", "scalingAdjustment": 2.0})
	changed["name"] = "steps"
	require.Equal(t, []string{"stepScalingPolicyConfiguration"}, c.diff(policy, changed).GetDiffs())
	c.update(policy, changed)
	_, err := c.tryCreate(policyToken, "gap", stepsOf(
		values{"metricIntervalLowerBound": "0", "metricIntervalUpperBound": "10", "scalingAdjustment": 1.0},
		values{"metricIntervalLowerBound": "20", "scalingAdjustment": 2.0}))
	require.ErrorContains(t, err, "ValidationException: The step adjustment intervals cannot have a gap between them")
	_, err = c.tryCreate(alarmToken, "web", values{"comparisonOperator": "LessThanThreshold", "evaluationPeriods": 25.0,
		"metricName": "x", "namespace": "y", "period": 3600.0, "statistic": "Average", "threshold": 0.0})
	require.ErrorContains(t, err, "EvaluationPeriods * Period must be <= 86400")
}

func TestAlarmIsPutInPlace(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	inputs := values{"name": "shop-dev-web-5xx", "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1.0,
		"metricName": "HTTPCode_Target_5XX_Count", "namespace": "AWS/ApplicationELB", "period": 60.0, "statistic": "Sum",
		"threshold":  5.0,
		"dimensions": values{"LoadBalancer": "app/shop/1"}, "treatMissingData": "notBreaching"}
	alarm := c.create(alarmToken, "web", inputs)
	require.Equal(t, "shop-dev-web-5xx", alarm.id)
	require.Equal(t, "arn:aws:cloudwatch:ap-northeast-2:123456789012:alarm:shop-dev-web-5xx", alarm.outputs["arn"])
	inputs["threshold"] = 10.0
	c.update(alarm, inputs)
	c.refresh(alarm)
	require.Equal(t, 10.0, alarm.outputs["threshold"])
	require.Empty(t, c.diff(alarm, alarm.inputs).GetDiffs())
	inputs["name"] = "other"
	require.Equal(t, []string{"name"}, c.diff(alarm, inputs).GetReplaces())
	require.NoError(t, c.remove(alarm))
	c.refresh(alarm)
	require.Empty(t, alarm.id)
	require.Regexp(t, "^web-[0-9a-f]{7}$", c.create(alarmToken, "web", values{"comparisonOperator": "LessThanThreshold",
		"evaluationPeriods": 2.0, "metricName": "x", "namespace": "y", "period": 60.0, "statistic": "Average",
		"threshold": 0.0}).id)
}

func TestContainerInsightsAreSwitchedInPlace(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	insights := func(value string) values {
		return values{"name": "shop-dev", "settings": []any{values{"name": "containerInsights", "value": value}}}
	}
	cluster := c.create("aws:ecs/cluster:Cluster", "web", values{"name": "shop-dev"})
	for _, value := range []string{"enhanced", "enabled"} {
		require.Empty(t, c.diff(cluster, insights(value)).GetReplaces())
		c.update(cluster, insights(value))
		require.Equal(t, []any{values{"name": "containerInsights", "value": value}}, cluster.outputs["settings"])
		c.refresh(cluster)
		require.Empty(t, c.diff(cluster, cluster.inputs).GetDiffs())
	}
	d, err := c.Diff(t.Context(), &pulumirpc.DiffRequest{Urn: cluster.urn, Id: cluster.id,
		Olds: c.structure(cluster.outputs),
		News: c.structure(values{"name": "shop-dev"})})
	require.NoError(t, err)
	require.Empty(t, d.GetDiffs(), "leaving settings out leaves them as they are")
	c.update(cluster, insights("disabled"))
	require.Equal(t, []any{values{"name": "containerInsights", "value": "disabled"}}, cluster.outputs["settings"])
}

func TestValuesThatCheckRefuses(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	const role = "aws:iam/role:Role"
	for name, want := range map[string]struct {
		token  string
		inputs values
		want   string
	}{
		"a retention": {"aws:cloudwatch/logGroup:LogGroup", values{"retentionInDays": 31.0},
			"expected retention_in_days to be one of [0 1 3 5 7 14 30 60 " +
				"90 120 150 180 365 400 545 731 1096 1827 2192 2557 2922 3288 3653], got 31. Examine values at " +
				"'web.retentionInDays'."},
		"a boundary": {role, values{"assumeRolePolicy": trustPolicy, "permissionsBoundary": "boundary"},
			`"permissions_boundary" (boundary) is an invalid ARN: arn: invalid prefix. Examine values at ` +
				`'web.permissionsBoundary'.`},
		"a boundary that is a role": {role, values{"assumeRolePolicy": trustPolicy,
			"permissionsBoundary": "arn:aws:iam::123456789012:role/x"},
			`"permissions_boundary" (arn:aws:iam::123456789012:role/x) is an invalid ARN: is no policy. Examine values at ` +
				`'web.permissionsBoundary'.`},
		"insights": {"aws:ecs/cluster:Cluster", values{"settings": []any{values{"name": "containerInsights", "value": "on"}}},
			`expected setting.0.value to be one of ["enhanced" "enabled" "disabled"], got on. Examine values at ` +
				`'web.settings[0].value'.`},
		"another namespace": {targetToken,
			scalingOf(values{"minCapacity": 1.0, "maxCapacity": 1.0, "serviceNamespace": "dynamodb"}),
			"The sandbox scales ECS services only. Examine values at 'web.serviceNamespace'."},
		"a prediction": {policyToken, scalingOf(values{"policyType": "PredictiveScaling"}),
			"The sandbox has TargetTrackingScaling and StepScaling only. Examine values at 'web.policyType'."},
		"two metrics": {policyToken, scalingOf(values{"policyType": "TargetTrackingScaling",
			"targetTrackingScalingPolicyConfiguration": values{"targetValue": 1.0, "customizedMetricSpecification": values{
				"namespace": "x", "metrics": []any{values{"id": "m", "expression": "1"}}}}}),
			`Conflicting configuration arguments. "target_tracking_scaling_policy_configuration.0.` +
				`customized_metric_specification.0.namespace": conflicts with target_tracking_scaling_policy_configuration.0.` +
				`customized_metric_specification.0.metrics. Examine values at 'web.targetTrackingScalingPolicyConfiguration.` +
				`customizedMetricSpecification.namespace'.`},
		"a percentile": {policyToken, scalingOf(values{"policyType": "TargetTrackingScaling",
			"targetTrackingScalingPolicyConfiguration": values{"targetValue": 1.0, "customizedMetricSpecification": values{
				"statistic": "p99"}}}),
			`expected statistic to be one of ["Average" "Minimum" "Maximum" "SampleCount" "Sum"], got p99. Examine values at ` +
				`'web.targetTrackingScalingPolicyConfiguration.customizedMetricSpecification.statistic'.`},
		"a bound": {policyToken, stepsOf(values{"metricIntervalLowerBound": "1000000", "scalingAdjustment": 1.0}),
			"The provider reads 1000000 back as 1e+06. Examine values at 'web.stepScalingPolicyConfiguration." +
				"stepAdjustments[0].metricIntervalLowerBound'."},
		"a step's unit": {policyToken, stepsOf(values{"unit": "x", "scalingAdjustment": 1.0}),
			"Invalid or unknown key. Examine values at 'web.stepScalingPolicyConfiguration.stepAdjustments[0].unit'."},
		"an action without one": {actionToken, scalingOf(values{"schedule": "rate(1 day)", "scalableTargetAction": values{}}),
			"one of `scalable_target_action." +
				"0.max_capacity,scalable_target_action.0.min_capacity` must be specified. Examine values at " +
				"'web.scalableTargetAction'."},
		"a comparison": {alarmToken, values{"comparisonOperator": ">", "evaluationPeriods": 1.0},
			`expected comparison_operator to be one of ["Greater` +
				`ThanOrEqualToThreshold" "GreaterThanThreshold" "LessThanThreshold" "LessThanOrEqualToThreshold"], got >. Examine ` +
				`values at 'web.comparisonOperator'.`},
	} {
		_, reasons := c.check(want.token, "web", nil, want.inputs)
		require.Equal(t, []string{want.want}, reasons, name)
	}
	boundary := "arn:aws:iam::" + account.DefaultID + ":policy/team/boundary"
	own := c.create(role, "web", values{"name": "web", "assumeRolePolicy": trustPolicy, "path": "/shop/dev/",
		"permissionsBoundary": boundary})
	require.Equal(t, "arn:aws:iam::123456789012:role/shop/dev/web", own.outputs["arn"])
	require.Equal(t, boundary, own.outputs["permissionsBoundary"])
	_, err := c.tryCreate(role, "web", values{"name": "other", "assumeRolePolicy": trustPolicy, "path": "shop"})
	require.ErrorContains(t, err,
		"creating IAM Role (other): ValidationError: The specified value for path is invalid. It must begin and end with / ")
}
