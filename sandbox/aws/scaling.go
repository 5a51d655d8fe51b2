package aws

import (
	"fmt"

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
		"stepScalingPolicyConfiguration": {unsupported: true},
		"targetTrackingScalingPolicyConfiguration": {fields: properties{
			"customizedMetricSpecification": {unsupported: true},
			"disableScaleIn":                {standard: false},
			"predefinedMetricSpecification": {fields: properties{"predefinedMetricType": {required: true},
				"resourceLabel": {empty: ""}}},
			"scaleInCooldown":  optional,
			"scaleOutCooldown": optional,
			"targetValue":      {required: true},
		}},
	},
	validate: func(path string, inputs values, fail func(string)) {
		scalesServices(path, inputs, fail)
		if kind := text(inputs, "policyType"); kind != "TargetTrackingScaling" && kind != unknown {
			fail(fmt.Sprintf("The sandbox has TargetTrackingScaling only. Examine values at '%s.policyType'.", path))
		}
	},
	custom: putting(func(c *call, newID func(int) string) account.Object {
		name, resource := text(c.state, "name"), text(c.state, "resourceId")
		alarms := []any{}
		for _, side := range []string{"High", "Low"} {
			alarms = append(alarms, c.arn("cloudwatch", "alarm:TargetTracking-"+resource+"-Alarm"+side+"-"+newID(32)))
		}
		return account.Object{"alarmArns": alarms,
			"arn": c.arn("autoscaling", "scalingPolicy:"+newID(32)+":resource/ecs/"+resource+":policyName/"+name)}
	}, nil),
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
