package aws

import (
	"regexp"

	"slipway/internal/awslimits"
	expression "slipway/internal/schedule"
	"slipway/sandbox/account/scheduler"
)

var schedule = &resourceType{
	kind: scheduler.Schedule, noun: "EventBridge Scheduler Schedule", key: "name", autoname: true, nameLimit: 64,
	existing: "ConflictException: Schedule %s already exists.",
	properties: properties{
		"arn":         result,
		"description": {empty: ""},
		"endDate":     {unsupported: true, empty: ""},
		"flexibleTimeWindow": {required: true, fields: properties{"maximumWindowInMinutes": {empty: 0.0},
			"mode": {required: true}}},
		"groupName":                  {replaces: true, computed: true, empty: scheduler.DefaultScheduleGroup},
		"kmsKeyArn":                  {unsupported: true, empty: ""},
		"name":                       {replaces: true},
		"namePrefix":                 {replaces: true, computed: true, unsupported: true, empty: ""},
		"scheduleExpression":         {required: true},
		"scheduleExpressionTimezone": {standard: "UTC"},
		"startDate":                  {unsupported: true, empty: ""},
		"state":                      {standard: "ENABLED"},
		"target": {required: true, fields: properties{
			"arn":                         {required: true},
			"deadLetterConfig":            {fields: properties{"arn": {required: true}}},
			"ecsParameters":               {fields: scheduledTask},
			"eventbridgeParameters":       {unsupported: true},
			"input":                       {empty: ""},
			"kinesisParameters":           {unsupported: true},
			"sagemakerPipelineParameters": {unsupported: true},
			"sqsParameters":               {unsupported: true},
			"roleArn":                     {required: true},
			"retryPolicy": {kept: true, empty: values{"maximumEventAgeInSeconds": 86400.0, "maximumRetryAttempts": 185.0},
				fields: properties{"maximumEventAgeInSeconds": {standard: 86400.0}, "maximumRetryAttempts": {standard: 185.0}}},
		}},
	},
	validate: validateSchedule,
	identify: func(c *call) (string, error) { return text(c.state, "groupName") + "/" + text(c.state, "name"), nil },
	fill:     func(c *call) { c.state["arn"] = c.arn("scheduler", "schedule/"+c.id) },
}

var scheduledTask = properties{
	"capacityProviderStrategies": {unsupported: true, empty: texts},
	"enableEcsManagedTags":       {empty: false},
	"enableExecuteCommand":       {empty: false},
	"group":                      {empty: ""},
	"launchType":                 {empty: ""},
	"networkConfiguration": {fields: properties{"assignPublicIp": {standard: false},
		"securityGroups": {set: true, empty: texts},
		"subnets":        {required: true, set: true}}},
	"placementConstraints": {unsupported: true, empty: texts},
	"placementStrategies":  {unsupported: true, empty: texts},
	"platformVersion":      {empty: ""},
	"propagateTags":        {empty: ""},
	"referenceId":          {unsupported: true, empty: ""},
	"tags":                 optional,
	"taskCount":            {standard: 1.0},
	"taskDefinitionArn":    {required: true},
}

var scheduleName = regexp.MustCompile(`^[0-9A-Za-z_.-]+$`)

func validateSchedule(path string, inputs values, fail func(string)) {
	c := checker{path, fail}
	if name := text(inputs, "name"); !isUnknown(name) && !scheduleName.MatchString(name) {
		c.refuse("name", "invalid value for name (The name must consist of alphanumerics, hyphens, and underscores.)")
	}
	for key, longest := range map[string]int{"name": 64, "groupName": 64, "description": 512,
		"scheduleExpression":         expression.Longest,
		"scheduleExpressionTimezone": 50} {
		if given := text(inputs, key); len(given) > longest && !isUnknown(given) {
			c.refuse(key, "expected length of %s to be in the range (1 - %d), got %s", argument(key), longest, given)
		}
	}
	c.oneOf(inputs, "state", "ENABLED", "DISABLED")
	if window, ok := inputs["flexibleTimeWindow"].(values); ok {
		c.in("flexibleTimeWindow").oneOf(window, "mode", "OFF", "FLEXIBLE")
		c.in("flexibleTimeWindow").between(window, "maximumWindowInMinutes", 1, 1440)
	}
	target, _ := inputs["target"].(values)
	c = c.in("target")
	c.arn(target, "arn")
	c.arn(target, "roleArn")
	if queue, ok := target["deadLetterConfig"].(values); ok {
		c.in("deadLetterConfig").arn(queue, "arn")
	}
	if retry, ok := target["retryPolicy"].(values); ok {
		c.in("retryPolicy").between(retry, "maximumEventAgeInSeconds", 60, 86400)
		c.in("retryPolicy").between(retry, "maximumRetryAttempts", 0, 185)
	}
	if task, ok := target["ecsParameters"].(values); ok {
		c := c.in("ecsParameters")
		c.arn(task, "taskDefinitionArn")
		c.between(task, "taskCount", 0, 10)
		c.oneOf(task, "launchType", "EC2", awslimits.Fargate, "EXTERNAL")
		c.oneOf(task, "propagateTags", "TASK_DEFINITION")
	}
}
