package aws

import (
	"fmt"
	"slices"
	"strconv"

	"slipway/sandbox/account"
	"slipway/sandbox/account/scaling"
)

const scalerRole = "role/aws-service-role/ecs.application-autoscaling.amazonaws.com/" +
	"AWSServiceRoleForApplicationAutoScaling_ECSService"

var scalableTarget = &resourceType{
	kind: scaling.ScalableTarget, noun: "Application AutoScaling Target", key: "resourceId",
	properties: properties{
		"arn":         result,
		"maxCapacity": {required: true}, "minCapacity": {required: true},
		"resourceId": given, "scalableDimension": given, "serviceNamespace": given,
		"roleArn": {computed: true},
		"tags":    tags, "tagsAll": tagsAll,
	},
	validate: scalesServices,
	custom: putting(func(c *call, newID func(int) string) account.Object {
		return account.Object{"arn": c.arn("application-autoscaling", "scalable-target/"+newID(36)),
			"roleArn": account.ARN(c.account.ID, "iam", "", scalerRole)}
	}, func(c *call) error { return scaling.DeleteScalableTarget(c.account, c.id) }),
}

var scalingPolicy = &resourceType{
	kind: scaling.ScalingPolicy, noun: "Application Auto Scaling Scaling Policy", key: "name", autoname: true,
	objectKey: ofTarget,
	properties: properties{
		"alarmArns": {output: true, empty: texts}, "arn": result,
		"name":       {replaces: true},
		"policyType": {standard: "StepScaling"},
		"resourceId": given, "scalableDimension": given, "serviceNamespace": given,
		"stepScalingPolicyConfiguration": {fields: properties{
			"adjustmentType": {empty: ""}, "cooldown": optional, "metricAggregationType": {empty: ""},
			"minAdjustmentMagnitude": optional,
			"stepAdjustments": {set: true, fields: properties{"metricIntervalLowerBound": {empty: ""},
				"metricIntervalUpperBound": {empty: ""}, "scalingAdjustment": {required: true}}},
		}},
		"targetTrackingScalingPolicyConfiguration": {fields: properties{
			"customizedMetricSpecification": {fields: properties{
				"dimensions": metricDimensions, "metricName": {empty: ""}, "namespace": {empty: ""}, "statistic": {empty: ""},
				"unit": {empty: ""},
				"metrics": {set: true, fields: properties{
					"expression": {empty: ""}, "id": {required: true}, "label": {empty: ""}, "returnData": {standard: true},
					"metricStat": {fields: properties{"stat": {required: true}, "unit": {empty: ""},
						"metric": {required: true, fields: properties{"dimensions": metricDimensions,
							"metricName": {required: true}, "namespace": {required: true}}}}},
				}},
			}},
			"disableScaleIn": {standard: false},
			"predefinedMetricSpecification": {fields: properties{"predefinedMetricType": {required: true},
				"resourceLabel": {empty: ""}}},
			"scaleInCooldown":  optional,
			"scaleOutCooldown": optional,
			"targetValue":      {required: true},
		}},
	},
	validate: func(path string, inputs values, fail func(string)) {
		scalesServices(path, inputs, fail)
		if kind := text(inputs, "policyType"); !slices.Contains([]string{"TargetTrackingScaling", "StepScaling", unknown},
			kind) {
			fail(fmt.Sprintf("The sandbox has TargetTrackingScaling and StepScaling only. Examine values at '%s.policyType'.",
				path))
		}
		checkTracking(path, inputs, fail)
		checkBounds(path, inputs, fail)
	},
	custom: putting(func(c *call, newID func(int) string) account.Object {
		name, resource := text(c.state, "name"), text(c.state, "resourceId")
		alarms, sides := []any{}, []string{"High", "Low"}
		if text(c.state, "policyType") == "StepScaling" {
			sides = nil // its alarms are the program's
		}
		for _, side := range sides {
			alarms = append(alarms, c.arn("cloudwatch", "alarm:TargetTracking-"+resource+"-Alarm"+side+"-"+newID(32)))
		}
		return account.Object{"alarmArns": alarms,
			"arn": c.arn("autoscaling", "scalingPolicy:"+newID(32)+":resource/ecs/"+resource+":policyName/"+name)}
	}, nil),
}

var metricDimensions = property{set: true, fields: properties{"name": {required: true}, "value": {required: true}}}

// checkTracking refuses what the provider's schema has conflict.
func checkTracking(path string, inputs values, fail func(string)) {
	const where = "target_tracking_scaling_policy_configuration.0."
	conflict := func(at, one, other string) {
		fail(fmt.Sprintf("Conflicting configuration arguments. %q: conflicts with %s. Examine values at '%s.%s'.",
			where+argument(one), where+argument(other), path, at))
	}
	tracking, _ := inputs["targetTrackingScalingPolicyConfiguration"].(values)
	customized, _ := tracking["customizedMetricSpecification"].(values)
	if customized == nil {
		return
	}
	const at = "targetTrackingScalingPolicyConfiguration.customizedMetricSpecification"
	if tracking["predefinedMetricSpecification"] != nil {
		conflict(at, "customizedMetricSpecification", "predefinedMetricSpecification")
	}
	for _, key := range []string{"dimensions", "metricName", "namespace", "statistic", "unit"} {
		if customized["metrics"] != nil && customized[key] != nil {
			conflict(at+"."+key, "customizedMetricSpecification.0."+key, "customizedMetricSpecification.0.metrics")
		}
	}
	allowed := []string{"Average", "Minimum", "Maximum", "SampleCount", "Sum"}
	if value := text(customized, "statistic"); value != "" && value != unknown && !slices.Contains(allowed, value) {
		fail(fmt.Sprintf("expected statistic to be one of %q, got %s. Examine values at '%s.%s.statistic'.", allowed, value,
			path, at))
	}
}

// checkBounds holds the bounds of steps to how the provider reads them back, as any other text would differ for ever.
func checkBounds(path string, inputs values, fail func(string)) {
	steps, _ := inputs["stepScalingPolicyConfiguration"].(values)
	adjustments, _ := steps["stepAdjustments"].([]any)
	for i, each := range adjustments {
		adjustment, _ := each.(values)
		for _, key := range []string{"metricIntervalLowerBound", "metricIntervalUpperBound"} {
			number, err := strconv.ParseFloat(text(adjustment, key), 64)
			if written := text(adjustment, key); err == nil && fmt.Sprintf("%g", number) != written {
				fail(fmt.Sprintf("The provider reads %s back as %g. Examine values at '%s.stepScalingPolicyConfiguration."+
					"stepAdjustments[%d].%s'.", written, number, path, i, key))
			}
		}
	}
}

var scheduledAction = &resourceType{
	kind: scaling.ScheduledAction, noun: "Application Auto Scaling Scheduled Action", key: "name", autoname: true,
	objectKey: ofTarget,
	properties: properties{
		"arn":        result,
		"endTime":    {unsupported: true},
		"name":       {replaces: true},
		"resourceId": given, "scalableDimension": given, "serviceNamespace": given,
		"scalableTargetAction": {required: true, fields: properties{"maxCapacity": optional, "minCapacity": optional}},
		"schedule":             {required: true},
		"startTime":            {unsupported: true},
		"timezone":             {standard: "UTC"},
	},
	identify: func(c *call) (string, error) {
		return text(c.state, "name") + "-" + text(c.state, "serviceNamespace") + "-" + text(c.state, "resourceId"), nil
	},
	validate: func(path string, inputs values, fail func(string)) {
		scalesServices(path, inputs, fail)
		if action, known := inputs["scalableTargetAction"].(values); known && action["minCapacity"] == nil &&
			action["maxCapacity"] == nil {
			const either = "scalable_target_action.0.max_capacity,scalable_target_action.0.min_capacity"
			fail(fmt.Sprintf("one of `%s` must be specified. Examine values at '%s.scalableTargetAction'.", either, path))
		}
	},
	custom: putting(func(c *call, newID func(int) string) account.Object {
		return account.Object{"arn": c.arn("autoscaling", "scheduledAction:"+newID(32)+":resource/ecs/"+text(c.state,
			"resourceId")+
			":scheduledActionName/"+text(c.state, "name"))}
	}, nil),
}

// ofTarget is the account's key of what belongs to a target, and has a name among its own.
func ofTarget(c *call) string { return text(c.state, "resourceId") + ":" + text(c.state, "name") }

func scalesServices(path string, inputs values, fail func(string)) {
	for key, only := range map[string]string{"serviceNamespace": "ecs", "scalableDimension": "ecs:service:DesiredCount"} {
		if value := text(inputs, key); value != only && value != unknown {
			fail(fmt.Sprintf("The sandbox scales ECS services only. Examine values at '%s.%s'.", path, key))
		}
	}
}

// putting are the operations of a type that AWS puts, whether it exists or not. decided is what AWS adds to a new one.
func putting(decided func(c *call, newID func(int) string) account.Object, del func(*call) error) *operations {
	put := func(c *call) error {
		return c.account.PutObject(c.kind.kind, c.objectID(), c.state,
			func(newID func(int) string) account.Object { return decided(c, newID) })
	}
	create := func(c *call) (err error) {
		if c.id, err = c.identify(); err != nil {
			return err
		}
		return put(c)
	}
	return &operations{create: create, update: put, delete: del}
}
