package stage

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// scaled is a sound stage but for what stands in its service's scaling.
func scaled(scaling string) string { return oneService("      scaling: " + scaling) }

// scheduled is a sound stage but for one schedule of its service's scaling.
func scheduled(schedule string) string {
	return scaled("{max: 4, schedules: {night: " + schedule + "}}")
}

// deployed is a sound stage but for what stands in its service's deployment.
func deployed(deployment string) string { return oneService("      deployment: " + deployment) }

// checked is a sound stage but for its container's health check.
func checked(check string) string { return oneService("      healthCheck: " + check) }

// permitted is a sound stage but for the only permission of its service.
func permitted(permission string) string {
	return oneService("      permissions: [" + permission + "]")
}

const (
	readUploads = `actions: ["s3:GetObject"], resources: ["arn:aws:s3:::uploads/*"]`
	uploads     = `resources: ["arn:aws:s3:::uploads/*"]`
)

func TestMistakesInOptions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stage, path string
		says        []string
	}{
		// scaling
		"scaling that is a number": {
			scaled("4"), "services.web.scaling", []string{"is the number 4; it must be an object"}},
		"an unknown key of scaling": {
			scaled("{max: 4, cpus: 60, memory: 70}"), "services.web.scaling.cpus", []string{`did you mean "cpu"?`}},
		"scaling without a largest count": {
			scaled("{cpu: 60}"), "services.web.scaling.max",
			[]string{"is missing; write the largest number of tasks that the service may have"}},
		"scaling without a largest count, with replicas": {
			oneService("      replicas: 2\n      scaling: {cpu: 60}"), "services.web.scaling.max", []string{"is missing"}},
		"a largest count below the smallest": {
			scaled("{min: 5, max: 4, cpu: 60}"), "services.web.scaling.max",
			[]string{"is 4, less than min, which is 5; raise max, or lower min"}},
		"a largest count below the smallest, with replicas": {
			oneService("      replicas: 9\n      scaling: {min: 5, max: 4, cpu: 60}"), "services.web.scaling.max",
			[]string{"is 4, less than min, which is 5"}},
		"a largest count of nothing": {
			scaled("{min: 0, max: 0, cpu: 60}"), "services.web.scaling.max", []string{"is 0; allowed: 1 to 5000, or remove it"}},
		"a largest count that is text, with replicas": {
			oneService("      replicas: 2\n      scaling: {max: '4', cpu: 60}"), "services.web.scaling.max",
			[]string{"must be a whole number of tasks, without quotes"}},
		"a largest count beyond ECS's": {
			scaled("{max: 5001, cpu: 60}"), "services.web.scaling.max", []string{"is 5001; allowed: 1 to 5000"}},
		"a negative smallest count": {
			scaled("{min: -1, max: 4, cpu: 60}"), "services.web.scaling.min", []string{"is -1; allowed: 0 to 5000"}},
		"a smallest count beyond ECS's": {
			scaled("{min: 6000, max: 5000, cpu: 60}"), "services.web.scaling.min", []string{"is 6000; allowed: 0 to 5000"}},
		"nothing to scale by": {
			scaled("{max: 4}"), "services.web.scaling",
			[]string{"has nothing to scale by; write cpu, memory, requests or schedules, or remove scaling"}},
		"no schedules to scale by": {
			scaled("{max: 4, schedules: {}}"), "services.web.scaling", []string{"has nothing to scale by"}},
		"no CPU to scale by": {
			scaled("{max: 4, cpu: 0}"), "services.web.scaling.cpu", []string{"is 0; allowed: 1 to 100, or remove it"}},
		"more CPU than there is": {
			scaled("{max: 4, cpu: 101}"), "services.web.scaling.cpu", []string{"is 101; allowed: 1 to 100"}},
		"CPU with its unit": {
			scaled("{max: 4, cpu: 60%}"), "services.web.scaling.cpu",
			[]string{`is the text "60%"; it must be a whole number of percent`}},
		"no memory to scale by": {
			scaled("{max: 4, memory: 0}"), "services.web.scaling.memory", []string{"allowed: 1 to 100"}},
		"half a percent of memory": {
			scaled("{max: 4, memory: 70.5}"), "services.web.scaling.memory", []string{"whole number of percent"}},
		"requests without a route": {
			scaled("{max: 4, requests: 1000}"), "services.web.scaling.requests",
			[]string{"counts what the load balancer sends, and the service has no route; write route, or remove requests"}},
		"no requests": {
			oneService("      port: 80\n      route: {}\n      scaling: {max: 4, requests: 0}"), "services.web.scaling.requests",
			[]string{"is 0; allowed: 1 to 100000000"}},
		"a negative cooldown": {
			scaled("{max: 4, cpu: 60, scaleInCooldown: -1}"), "services.web.scaling.scaleInCooldown",
			[]string{"allowed: 0 to 86400"}},
		"a cooldown of more than a day": {
			scaled("{max: 4, cpu: 60, scaleInCooldown: 86401}"), "services.web.scaling.scaleInCooldown",
			[]string{"is 86401; allowed: 0 to 86400"}},
		"a cooldown out that is text": {
			scaled("{max: 4, cpu: 60, scaleOutCooldown: 1m}"), "services.web.scaling.scaleOutCooldown",
			[]string{"whole number of seconds"}},
		"a cooldown out of more than a day": {
			scaled("{max: 4, cpu: 60, scaleOutCooldown: 86401}"), "services.web.scaling.scaleOutCooldown",
			[]string{"allowed: 0 to 86400"}},
		"replicas below scaling": {
			oneService("      replicas: 1\n      scaling: {min: 2, max: 4, cpu: 60}"), "services.web.replicas",
			[]string{"is 1, and scaling keeps the service between 2 and 4; write a count in between for the service to start " +
				"with, or remove replicas"}},
		"replicas beyond scaling": {
			oneService("      replicas: 5\n      scaling: {min: 2, max: 4, cpu: 60}"), "services.web.replicas",
			[]string{"is 5, and scaling keeps the service between 2 and 4"}},

		// schedules
		"schedules that are a list": {
			scaled("{max: 4, cpu: 60, schedules: [night]}"), "services.web.scaling.schedules",
			[]string{"is a list; it must be an object"}},
		"an unknown key of a schedule": {
			scheduled("{cron: '0 22 * * ? *', when: rate(1 day), min: 0}"), "services.web.scaling.schedules.night.cron",
			[]string{`did you mean "when"? The keys here are when, timeZone, min, max`}},
		"a schedule without a time": {
			scheduled("{min: 0}"), "services.web.scaling.schedules.night.when",
			[]string{`is missing; write when, as in "cron(0 6 ? * MON-FRI *)"`}},
		"a schedule of the usual cron": {
			scheduled("{when: '0 22 * * *', min: 0}"), "services.web.scaling.schedules.night.when",
			[]string{`is "0 22 * * *"; write "at(2026-12-24T18:00:00)", "rate(1 day)" or "cron(0 6 ? * MON-FRI *)"`}},
		"a schedule of five fields": {
			scheduled("{when: 'cron(0 22 * * ?)', min: 0}"), "services.web.scaling.schedules.night.when",
			[]string{"write six fields: cron(MINUTE HOUR DAY-OF-MONTH"}},
		"a schedule at an hour that no day has": {
			scheduled("{when: 'cron(0 24 * * ? *)', min: 0}"), "services.web.scaling.schedules.night.when",
			[]string{"its HOUR takes 0 to 23"}},
		"a schedule that is a time": {
			scheduled("{when: 2026-12-24 18:00:00, min: 0}"), "services.web.scaling.schedules.night.when",
			[]string{"is a date; write it as text"}},
		"a schedule that changes nothing": {
			scheduled("{when: rate(1 day)}"), "services.web.scaling.schedules.night",
			[]string{"changes nothing; write min or max"}},
		"a schedule whose largest count is below its smallest": {
			scheduled("{when: rate(1 day), min: 3, max: 2}"), "services.web.scaling.schedules.night.max",
			[]string{"is 2, less than min, which is 3"}},
		"a schedule with a smallest count beyond ECS's": {
			scheduled("{when: rate(1 day), min: 5001, max: 2}"), "services.web.scaling.schedules.night.min",
			[]string{"is 5001; allowed: 0 to 5000, or remove it"}},
		"a schedule with a smallest count that is text": {
			scheduled("{when: rate(1 day), min: none}"), "services.web.scaling.schedules.night.min", []string{"whole number"}},
		"a schedule with a largest count beyond ECS's": {
			scheduled("{when: rate(1 day), max: 5001}"), "services.web.scaling.schedules.night.max",
			[]string{"allowed: 0 to 5000"}},
		"a schedule with a negative largest count": {
			scheduled("{when: rate(1 day), max: -1}"), "services.web.scaling.schedules.night.max",
			[]string{"allowed: 0 to 5000"}},
		"a time zone that is none": {
			scheduled("{when: rate(1 day), min: 0, timeZone: Seoul}"), "services.web.scaling.schedules.night.timeZone",
			[]string{`is "Seoul"; write the name of a time zone, as in Asia/Seoul`}},
		"a time zone by its offset": {
			scheduled("{when: rate(1 day), min: 0, timeZone: '+09:00'}"), "services.web.scaling.schedules.night.timeZone",
			[]string{"as in Asia/Seoul"}},
		"the time zone of the machine": {
			scheduled("{when: rate(1 day), min: 0, timeZone: Local}"), "services.web.scaling.schedules.night.timeZone",
			[]string{`is "Local"`}},
		"an empty time zone": {
			scheduled("{when: rate(1 day), min: 0, timeZone: ''}"), "services.web.scaling.schedules.night.timeZone",
			[]string{`is ""`}},
		"a schedule's name with a space": {
			scaled("{max: 4, schedules: {by night: {when: rate(1 day), min: 0}}}"), `services.web.scaling.schedules["by night"]`,
			[]string{"cannot name a schedule; use up to 64 letters, digits, - and _"}},
		"a schedule's name that is too long": {
			scaled("{max: 4, schedules: {" + strings.Repeat("n", 65) + ": {when: rate(1 day), min: 0}}}"),
			"services.web.scaling.schedules." + strings.Repeat("n", 65),
			[]string{"up to 64"}},

		// deployments
		"a deployment that is text": {
			deployed("stop"), "services.web.deployment", []string{"it must be an object"}},
		"an unknown key of a deployment": {
			deployed("{minimum: 50}"), "services.web.deployment.minimum", []string{"maximum", "minimumHealthy"}},
		"more healthy than all": {
			deployed("{minimumHealthy: 101}"), "services.web.deployment.minimumHealthy", []string{"is 101; allowed: 0 to 100"}},
		"more healthy than all, of the maximum": {
			deployed("{minimumHealthy: 150, maximum: 100}"), "services.web.deployment.minimumHealthy",
			[]string{"is 150; allowed: 0 to 100"}},
		"a share with its unit": {
			deployed("{minimumHealthy: 50%}"), "services.web.deployment.minimumHealthy", []string{"whole number of percent"}},
		"a maximum below the desired count": {
			deployed("{maximum: 99}"), "services.web.deployment.maximum", []string{"is 99; allowed: 100 to 200"}},
		"a maximum beyond AWS's": {
			deployed("{maximum: 201}"), "services.web.deployment.maximum", []string{"allowed: 100 to 200"}},
		"all healthy and none more": {
			deployed("{minimumHealthy: 100, maximum: 100}"), "services.web.deployment.maximum",
			[]string{"is 100 with a minimumHealthy of 100, so no task could be replaced; raise maximum, or lower minimumHealthy"}},
		"all healthy by default and none more": {
			deployed("{maximum: 100}"), "services.web.deployment.maximum", []string{"is 100 with a minimumHealthy of 100"}},
		"no room for two tasks": {
			oneService("      replicas: 2\n      deployment: {minimumHealthy: 100, maximum: 125}"),
			"services.web.deployment.maximum",
			[]string{"is 125 with a minimumHealthy of 100, which with 2 replicas leaves no room to replace a task; raise " +
				"maximum, or lower minimumHealthy"}},
		"no room for one task by rounding": {
			deployed("{minimumHealthy: 50, maximum: 150}"), "services.web.deployment.maximum",
			[]string{"which with 1 replicas leaves no room to replace a task"}},
		"no room for the fewest tasks": {
			oneService("      scaling: {min: 3, max: 9, cpu: 60}\n      deployment: {minimumHealthy: 90, maximum: 110}"),
			"services.web.deployment.maximum", []string{"which with 3 replicas leaves no room"}},
		"no room for the first task after none": {
			oneService("      scaling: {min: 0, max: 9, cpu: 60}\n      deployment: {minimumHealthy: 50, maximum: 150}"),
			"services.web.deployment.maximum", []string{"which with 1 replicas leaves no room"}},
		"a circuit breaker that is a boolean": {
			deployed("{circuitBreaker: true}"), "services.web.deployment.circuitBreaker",
			[]string{"is the boolean true; it must be text"}},
		"a circuit breaker of another kind": {
			deployed("{circuitBreaker: rollBack}"), "services.web.deployment.circuitBreaker",
			[]string{`is "rollBack"; allowed: rollback, stop, off`}},
		"eleven alarms": {
			deployed("{alarms: [a, b, c, d, e, f, g, h, i, j, k]}"), "services.web.deployment.alarms",
			[]string{"has 11 alarms; allowed: up to 10"}},
		"an alarm without a name": {
			deployed("{alarms: [a, ' ']}"), "services.web.deployment.alarms[1]",
			[]string{"is not the name of an alarm; write 1 to 255 characters"}},
		"an alarm's name that is too long": {
			deployed("{alarms: [" + strings.Repeat("a", 256) + "]}"), "services.web.deployment.alarms[0]",
			[]string{"write 1 to 255 characters"}},
		"an alarm twice": {
			deployed("{alarms: [latency, latency]}"), "services.web.deployment.alarms[1]",
			[]string{"duplicates latency; remove it"}},
		"errors without a route": {
			deployed("{maxErrors: 5}"), "services.web.deployment.maxErrors",
			[]string{"counts the service's 5xx responses at the load balancer, and the service has no route; write route, or " +
				"remove maxErrors"}},
		"no errors": {
			oneService("      port: 80\n      route: {}\n      deployment: {maxErrors: 0}"), "services.web.deployment.maxErrors",
			[]string{"is 0; allowed: 1 to 1000000, or remove it"}},

		// the container's health check
		"a health check without a command": {
			checked("{interval: 5}"), "services.web.healthCheck.command",
			[]string{`is missing; write ["CMD", "/app", "-healthcheck"], or ["CMD-SHELL"`}},
		"a health check without parts": {
			checked("{command: []}"), "services.web.healthCheck.command", []string{"is missing"}},
		"a health check that is text": {
			checked("{command: /app -healthcheck}"), "services.web.healthCheck.command", []string{"it must be a list"}},
		"a health check that is no object": {
			checked("[CMD, /app]"), "services.web.healthCheck", []string{"is a list; it must be an object"}},
		"a health check by the command alone": {
			checked("{command: [/app, -healthcheck]}"), "services.web.healthCheck.command",
			[]string{`begins with "/app", and not with CMD or CMD-SHELL; write ["CMD", "/app"`}},
		"a health check that begins with a number": {
			checked("{command: [1, /app]}"), "services.web.healthCheck.command[0]", []string{`write "1" in quotes`}},
		"a health check of nothing": {
			checked("{command: [CMD]}"), "services.web.healthCheck.command", []string{"has nothing behind CMD; write"}},
		"a health check of an empty line": {
			checked("{command: [CMD-SHELL, ' ']}"), "services.web.healthCheck.command",
			[]string{"has nothing behind CMD-SHELL"}},
		"a line in parts": {
			checked("{command: [CMD-SHELL, curl, -f, 'http://localhost/']}"), "services.web.healthCheck.command",
			[]string{"has 3 parts behind CMD-SHELL, which takes one line"}},
		"NONE": {
			checked("{command: [NONE]}"), "services.web.healthCheck.command", []string{`begins with "NONE"`}},
		"an interval that is too short": {
			checked("{command: [CMD, /app], interval: 4}"), "services.web.healthCheck.interval",
			[]string{"is 4; allowed: 5 to 300"}},
		"an interval that is too long": {
			checked("{command: [CMD, /app], interval: 301}"), "services.web.healthCheck.interval",
			[]string{"allowed: 5 to 300"}},
		"a timeout that is too short": {
			checked("{command: [CMD, /app], timeout: 1}"), "services.web.healthCheck.timeout",
			[]string{"is 1; allowed: 2 to 60"}},
		"a timeout that is too long": {
			checked("{command: [CMD, /app], timeout: 61}"), "services.web.healthCheck.timeout", []string{"allowed: 2 to 60"}},
		"no retries": {
			checked("{command: [CMD, /app], retries: 0}"), "services.web.healthCheck.retries",
			[]string{"is 0; allowed: 1 to 10"}},
		"too many retries": {
			checked("{command: [CMD, /app], retries: 11}"), "services.web.healthCheck.retries", []string{"allowed: 1 to 10"}},
		"a negative start period": {
			checked("{command: [CMD, /app], startPeriod: -1}"), "services.web.healthCheck.startPeriod",
			[]string{"allowed: 0 to 300"}},
		"a start period that is too long": {
			checked("{command: [CMD, /app], startPeriod: 301}"), "services.web.healthCheck.startPeriod",
			[]string{"is 301; allowed: 0 to 300"}},

		// the rest of a service
		"a stop timeout that is too short": {
			oneService("      stopTimeout: 1"), "services.web.stopTimeout", []string{"is 1; allowed: 2 to 120"}},
		"a stop timeout beyond Fargate's": {
			oneService("      stopTimeout: 121"), "services.web.stopTimeout", []string{"allowed: 2 to 120"}},
		"exec that is a word": {
			oneService("      exec: yes"), "services.web.exec", []string{"must be true or false, without quotes"}},
		"exec that is a number": {
			oneService("      exec: 1"), "services.web.exec", []string{"is the number 1; it must be true or false"}},
		"a retention that CloudWatch lacks": {
			oneService("      logRetention: 31"), "services.web.logRetention",
			[]string{"is 31; allowed: 1, 3, 5, 7, 14, 30, 60, 90"}},
		"a retention for ever": {
			oneService("      logRetention: 0"), "services.web.logRetention", []string{"is 0; allowed: 1, 3, 5"}},
		"a retention in weeks": {
			oneService("      logRetention: 2w"), "services.web.logRetention", []string{"whole number of days"}},

		// permissions
		"permissions that are one": {
			oneService("      permissions: {" + readUploads + "}"), "services.web.permissions",
			[]string{"is an object; it must be a list"}},
		"a permission that is an action": {
			permitted("'s3:GetObject'"), "services.web.permissions[0]", []string{"it must be an object"}},
		"an unknown key of a permission": {
			permitted("{" + readUploads + ", effect: Allow}"), "services.web.permissions[0].effect",
			[]string{"the keys here are actions, resources, conditions"}},
		"the second permission": {
			permitted("{" + readUploads + "}, {" + uploads + "}"), "services.web.permissions[1].actions",
			[]string{"is missing; write at least one SERVICE:ACTION, as in s3:GetObject"}},
		"no action": {
			permitted("{actions: [], " + uploads + "}"), "services.web.permissions[0].actions",
			[]string{"is missing; write at least one SERVICE:ACTION"}},
		"an action for a list of them": {
			permitted("{actions: 's3:GetObject', " + uploads + "}"), "services.web.permissions[0].actions",
			[]string{"it must be a list"}},
		"an action without its service": {
			permitted("{actions: [GetObject], " + uploads + "}"), "services.web.permissions[0].actions[0]",
			[]string{`is "GetObject"; write SERVICE:ACTION, as in s3:GetObject`}},
		"an action without its name": {
			permitted("{actions: ['s3:'], " + uploads + "}"), "services.web.permissions[0].actions[0]",
			[]string{`is "s3:"; write SERVICE:ACTION`}},
		"an action of any service": {
			permitted("{actions: ['s*:GetObject'], " + uploads + "}"), "services.web.permissions[0].actions[0]",
			[]string{"write SERVICE:ACTION"}},
		"every action": {
			permitted("{actions: ['*'], " + uploads + "}"), "services.web.permissions[0].actions[0]",
			[]string{`is "*", which allows everything; name the actions that are needed`}},
		"every action of every service": {
			permitted("{actions: ['*:*'], " + uploads + "}"), "services.web.permissions[0].actions[0]",
			[]string{"which allows everything"}},
		"every action of a service": {
			permitted("{actions: ['s3:GetObject', 's3:*'], " + uploads + "}"), "services.web.permissions[0].actions[1]",
			[]string{`is "s3:*", which allows everything`}},
		"every action of a service in other words": {
			permitted("{actions: ['s3:?*'], " + uploads + "}"), "services.web.permissions[0].actions[0]",
			[]string{`is "s3:?*", which allows everything`}},
		"no resource": {
			permitted("{actions: ['s3:GetObject']}"), "services.web.permissions[0].resources",
			[]string{"is missing; write the ARNs of what the actions may be done to"}},
		"an empty list of resources": {
			permitted("{actions: ['s3:GetObject'], resources: []}"), "services.web.permissions[0].resources",
			[]string{"is missing"}},
		"a resource by its name": {
			permitted("{actions: ['s3:GetObject'], resources: [uploads]}"), "services.web.permissions[0].resources[0]",
			[]string{`is "uploads"; write an ARN, as in arn:aws:s3:::shop-uploads/*`}},
		"every resource": {
			permitted("{actions: ['s3:GetObject'], resources: ['*']}"), "services.web.permissions[0].resources[0]",
			[]string{`is "*", and s3:GetObject can be narrowed to resources; name their ARNs`}},
		"every resource beside others": {
			permitted("{actions: ['s3:GetObject'], resources: ['arn:aws:s3:::uploads/*', '*']}"),
			"services.web.permissions[0].resources[1]", []string{"can be narrowed"}},
		"every resource for a group of actions": {
			permitted("{actions: ['dynamodb:Get*'], resources: ['*']}"), "services.web.permissions[0].resources[0]",
			[]string{"dynamodb:Get* can be narrowed"}},
		"every resource for one action of several": {
			permitted("{actions: ['s3:ListAllMyBuckets', 'sqs:SendMessage'], resources: ['*']}"),
			"services.web.permissions[0].resources[0]", []string{"sqs:SendMessage can be narrowed"}},
		"every resource in other words": {
			permitted("{actions: ['s3:GetObject'], resources: ['arn:*:*:*:*:*']}"), "services.web.permissions[0].resources[0]",
			[]string{`is "arn:*:*:*:*:*", which is everything of every AWS service; name the service`}},
		"every resource of a service that is rarely used": {
			permitted("{actions: ['ecs:StopTask'], resources: ['*']}"), "services.web.permissions[0].resources[0]",
			[]string{"ecs:StopTask can be narrowed to resources; name their ARNs, or narrow it with conditions"}},
		"every resource for what ends instances, as a group": {
			permitted("{actions: ['ec2:Term*'], resources: ['*']}"), "services.web.permissions[0].resources[0]",
			[]string{"ec2:Term* can be narrowed"}},
		"every resource for a database": {
			permitted("{actions: ['rds:StopDBInstance'], resources: ['*']}"), "services.web.permissions[0].resources[0]",
			[]string{"can be narrowed"}},
		"every resource for an action in lower case": {
			permitted("{actions: ['sqs:sendmessage'], resources: ['*']}"), "services.web.permissions[0].resources[0]",
			[]string{"can be narrowed"}},
		"a resource of another partition": {
			permitted("{actions: ['s3:GetObject'], resources: ['arn:aws-cn:s3:::uploads/*']}") + "  aws:region: ap-northeast-2",
			"services.web.permissions[0].resources[0]",
			[]string{"is in the partition aws-cn, and the stage runs in ap-northeast-2, which is in aws; write arn:aws:"}},
		"a boundary of another account": {
			with("  aws:allowedAccountIds: ['123456789012']\n  slipway:roles: {permissionsBoundary: " +
				"'arn:aws:iam::210987654321:policy/boundary'}"),
			"roles.permissionsBoundary", []string{"is in account 210987654321, and the stage may use 123456789012"}},
		"a policy for anybody": {
			permitted("{actions: ['iam:Put*'], resources: ['*']}"), "services.web.permissions[0].actions[0]",
			[]string{"is iam:Put*, and iam:PutRolePermissionsBoundary on * lets the containers' own code make itself an " +
				"administrator", "set roles.permissionsBoundary"}},
		"a policy for any role of an account": {
			permitted("{actions: ['s3:GetObject', 'iam:?ttach*Policy'], resources: ['arn:aws:s3:::x', " +
				"'arn:aws:iam::123456789012:role/*']}"),
			"services.web.permissions[0].actions[1]", []string{"iam:AttachRolePolicy on arn:aws:iam::123456789012:role/* lets"}},
		"a policy for its own role": {
			permitted("{actions: ['iam:PutRolePolicy'], resources: ['arn:aws:iam::123456789012:role/slipway-dev-web-task']}"),
			"services.web.permissions[0].actions[0]", []string{"make itself an administrator"}},
		"its own role by a pattern": {
			permitted("{actions: ['iam:updateassumerolepolicy'], resources: ['arn:*:iam::*:role/slipway-*']}"),
			"services.web.permissions[0].actions[0]", []string{"iam:UpdateAssumeRolePolicy on arn:*:iam::*:role/slipway-*"}},
		"any role for whatever takes one": {
			permitted("{actions: ['iam:PassRole', 'lambda:CreateFunction'], resources: ['arn:aws:i*::*:*']}"),
			"services.web.permissions[0].actions[0]", []string{"iam:PassRole on arn:aws:i*::*:*"}},
		"any role of any account": {
			permitted("{actions: ['sts:Assume*'], resources: ['arn:aws:iam::*:role/?*']}"),
			"services.web.permissions[0].actions[0]", []string{"sts:AssumeRole on arn:aws:iam::*:role/?*"}},
		"any role, with conditions": {
			permitted("{actions: ['iam:CreatePolicyVersion'], resources: ['*'], conditions: {Bool: {'aws:SecureTransport': " +
				"['true']}}}"),
			"services.web.permissions[0].actions[0]", []string{"iam:CreatePolicyVersion on *"}},
		"the code of any function": {
			permitted("{actions: ['lambda:UpdateFunction*'], resources: ['arn:aws:lambda:*:*:function:*']}"),
			"services.web.permissions[0].actions[0]", []string{"lambda:UpdateFunctionCode"}},
		"conditions that are a list": {
			permitted("{" + readUploads + ", conditions: []}"), "services.web.permissions[0].conditions",
			[]string{"it must be an object"}},
		"a condition without its operator": {
			permitted("{" + readUploads + `, conditions: {"aws:SourceVpc": {x: [y]}}}`),
			`services.web.permissions[0].conditions["aws:SourceVpc"]`,
			[]string{"is no operator of IAM; write one such as StringEquals"}},
		"a condition without its key's service": {
			permitted("{" + readUploads + ", conditions: {StringEquals: {SourceVpc: [vpc-1]}}}"),
			"services.web.permissions[0].conditions.StringEquals.SourceVpc",
			[]string{"is no condition key of IAM; write one such as aws:SourceVpc"}},
		"a condition whose value is no list": {
			permitted("{" + readUploads + `, conditions: {StringEquals: {"aws:SourceVpc": vpc-1}}}`),
			`services.web.permissions[0].conditions.StringEquals["aws:SourceVpc"]`,
			[]string{"it must be a list"}},
		"a condition that is a boolean": {
			permitted("{" + readUploads + `, conditions: {Bool: {"aws:SecureTransport": [true]}}}`),
			`services.web.permissions[0].conditions.Bool["aws:SecureTransport"][0]`,
			[]string{`write "true" in quotes`}},

		// roles, cluster and tags
		"an unknown key of the roles": {
			with("  slipway:roles: {boundary: x}"), "roles.boundary", []string{"path, permissionsBoundary"}},
		"a path that does not begin": {
			with("  slipway:roles: {path: slipway/}"), "roles.path",
			[]string{`is "slipway/"; write a path of up to 512 characters that begins and ends with /, as in /slipway/`}},
		"a path that does not end": {
			with("  slipway:roles: {path: /slipway}"), "roles.path", []string{"begins and ends with /"}},
		"an empty path": {
			with("  slipway:roles: {path: ''}"), "roles.path", []string{`is ""`}},
		"a path with a space": {
			with("  slipway:roles: {path: /a b/}"), "roles.path", []string{`is "/a b/"`}},
		"a path that is too long": {
			with("  slipway:roles: {path: /" + strings.Repeat("a", 511) + "/}"), "roles.path",
			[]string{"…", "up to 512 characters"}},
		"a boundary by its name": {
			with("  slipway:roles: {permissionsBoundary: boundary}"), "roles.permissionsBoundary",
			[]string{`is "boundary"; write the ARN of a policy, as in arn:aws:iam::123456789012:policy/boundary`}},
		"a boundary that is a role": {
			with("  slipway:roles: {permissionsBoundary: 'arn:aws:iam::123456789012:role/boundary'}"),
			"roles.permissionsBoundary", []string{"write the ARN of a policy"}},
		"an unknown key of the cluster": {
			with("  slipway:cluster: {insights: enabled}"), "cluster.insights", []string{"containerInsights"}},
		"Container Insights by a boolean": {
			with("  slipway:cluster: {containerInsights: true}"), "cluster.containerInsights",
			[]string{"is the boolean true; it must be text"}},
		"Container Insights of another kind": {
			with("  slipway:cluster: {containerInsights: 'on'}"), "cluster.containerInsights",
			[]string{`is "on"; allowed: disabled, enabled, enhanced`}},
		"tags that are a list": {
			with("  slipway:tags: [team]"), "tags", []string{"it must be an object"}},
		"a tag that is a number": {
			with("  slipway:tags: {cost-center: 42}"), "tags.cost-center", []string{`write "42" in quotes`}},
		"a tag that slipway sets": {
			with("  slipway:tags: {stage: dev}"), "tags.stage", []string{"is a tag that slipway sets itself; use another key"}},
		"a tag that slipway sets on images": {
			with("  slipway:tags: {image: web}"), "tags.image", []string{"slipway sets itself"}},
		"a tag of AWS": {
			with("  slipway:tags: {'aws:team': shop}"), `tags["aws:team"]`,
			[]string{"begins with aws:, which AWS keeps for itself; use another key"}},
		"a tag of AWS in capitals": {
			with("  slipway:tags: {'AWS:team': shop}"), `tags["AWS:team"]`, []string{"which AWS keeps for itself"}},
		"a tag without a key": {
			with("  slipway:tags: {'': shop}"), `tags[""]`,
			[]string{"cannot be the key of a tag; use 1 to 128 letters, digits, spaces and + - = . _ : / @"}},
		"a tag's key that is too long": {
			with("  slipway:tags: {" + strings.Repeat("k", 129) + ": shop}"), "tags." + strings.Repeat("k", 129),
			[]string{"use 1 to 128"}},
		"a tag's key with an odd character": {
			with("  slipway:tags: {'team#1': shop}"), `tags["team#1"]`, []string{"cannot be the key of a tag"}},
		"a tag's value that is too long": {
			with("  slipway:tags: {team: " + strings.Repeat("v", 257) + "}"), "tags.team",
			[]string{"…", "use up to 256 letters"}},
		"a tag's value with an odd character": {
			with("  slipway:tags: {team: 'shop & co'}"), "tags.team",
			[]string{`is "shop & co"; use up to 256 letters, digits, spaces and + - = . _ : / @`}},
		"too many tags": {
			with("  slipway:tags: {" + manyTags(47) + "}"), "tags",
			[]string{"has 47 tags; AWS takes 50, of which 46 are left beside those of slipway"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", test.stage)
			requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says...)
		})
	}
}

func manyTags(count int) string {
	tags := make([]string, count)
	for i := range tags {
		tags[i] = fmt.Sprintf("tag%d: x", i)
	}
	return strings.Join(tags, ", ")
}

func TestMistakesOfOptionsInTheDefaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ defaults, stage, path, file, says string }{
		"a largest count of the defaults, below the stage's smallest": {
			"services: {web: {scaling: {max: 4, cpu: 60}}}", scaled("{min: 5}"), "defaults.services.web.scaling.max",
			"Pulumi.yaml", "is 4, less than min, which is 5"},
		"a largest count of the stage, below the smallest of the defaults": {
			"services: {web: {scaling: {min: 5, cpu: 60}}}", scaled("{max: 4}"), "services.web.scaling.max", "Pulumi.dev.yaml",
			"is 4, less than min, which is 5"},
		"a permission of the defaults": {
			"services: {web: {permissions: [{actions: ['s3:*'], " + uploads + "}]}}", oneService(""),
			"defaults.services.web.permissions[0].actions[0]", "Pulumi.yaml", "allows everything"},
		"a tag of the defaults": {
			"tags: {project: shop}", oneService(""), "defaults.tags.project", "Pulumi.yaml", "slipway sets itself"},
		"too many tags together": {
			"tags: {" + manyTags(46) + "}", with("  slipway:tags: {team: shop}"), "tags", "Pulumi.dev.yaml", "has 47 tags"},
		"a schedule of the defaults": {
			"services: {web: {scaling: {max: 4, schedules: {night: {when: daily, min: 0}}}}}", oneService(""),
			"defaults.services.web.scaling.schedules.night.when", "Pulumi.yaml", `is "daily"`},
		"a share of the defaults with the stage's": {
			"services: {web: {deployment: {minimumHealthy: 100}}}", deployed("{maximum: 100}"),
			"services.web.deployment.maximum", "Pulumi.dev.yaml", "no task could be replaced"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "config: {'slipway:defaults': {value: {"+test.defaults+"}}}", test.stage)
			requireMistake(t, err, test.path, test.file, test.says)
		})
	}
}

func TestGoodOptions(t *testing.T) {
	t.Parallel()
	for name, stage := range map[string]string{
		"scaling by one measure":     scaled("{max: 1, memory: 1}"),
		"scaling from none":          scaled("{min: 0, max: 5000, cpu: 100}"),
		"scaling by schedules alone": scheduled("{when: rate(1 day), max: 0}"),
		"scaling at once":            scaled("{max: 4, cpu: 60, scaleInCooldown: 0, scaleOutCooldown: 0}"),
		"scaling by requests": oneService("      port: 80\n      route: {}\n      scaling: {max: 4, " +
			"requests: 1}"),
		"replicas at scaling's ends": oneService("      replicas: 2\n      scaling: {min: 2, max: 2, cpu: 60}"),
		"a schedule once": scheduled("{when: 'at(2026-12-24T18:00:00)', timeZone: Asia/Seoul, min: 4, " +
			"max: 4}"),
		"a schedule of a half-hour zone": scheduled("{when: 'cron(0 22 ? * SUN-THU *)', timeZone: Asia/Kolkata, min: 0}"),
		"the longest schedule's name": scaled("{max: 4, schedules: {" + strings.Repeat("n", 64) +
			": {when: rate(2 hours), min: 0}}}"),
		"room for one more": oneService("      replicas: 2\n      deployment: {minimumHealthy: 100, " +
			"maximum: 150}"),
		"room for one less": oneService("      replicas: 2\n      deployment: {minimumHealthy: 50, " +
			"maximum: 100}"),
		"room for the only one to be gone": deployed("{minimumHealthy: 0, maximum: 100}"),
		"no task and no room": oneService("      replicas: 0\n      deployment: {minimumHealthy: 50, " +
			"maximum: 150}"),
		"ten alarms": deployed("{circuitBreaker: 'off', alarms: [a, b, c, d, e, f, g, h, i, j]}"),
		"no alarms":  deployed("{alarms: []}"),
		"errors of a service with a route": oneService("      port: 80\n      route: {}\n      deployment: {maxErrors: " +
			"1000000}"),
		"a health check by the shell": checked("{command: [CMD-SHELL, 'curl -f http://localhost/ || exit 1'], " +
			"startPeriod: 300}"),
		"a health check longer than its own": checked("{command: [CMD, /app], interval: 5, timeout: 60}"),
		"the longest stop and log":           oneService("      stopTimeout: 120\n      logRetention: 3653\n      exec: false"),
		"the shortest stop and log":          oneService("      stopTimeout: 2\n      logRetention: 1\n      exec: true"),
		"no permissions":                     oneService("      permissions: []"),
		"a group of actions": permitted("{actions: ['s3:Get*', 's3:?etObject', 'execute-api:Invoke'], " +
			uploads + "}"),
		"every bucket's name": permitted("{actions: ['s3:ListAllMyBuckets'], resources: ['*']}"),
		"metrics": permitted("{actions: ['cloudwatch:PutMetricData', 'xray:PutTraceSegments'], " +
			"resources: ['*']}"),
		"what AWS grants for every resource": permitted("{actions: ['states:SendTaskSuccess', 'ses:GetSendQuota', " +
			"'textract:AnalyzeDocument', " +
			"'rekognition:DetectLabels', 'ec2:Describe*', 'sns:Publish', 'ssm:GetCommandInvocation', 'iam:GetAccountSummary', " +
			"'lambda:CreateEventSourceMapping'], resources: ['*']}"),
		"what is not known here": permitted("{actions: ['tomorrow:DoWhatever', 'ec2:EnableFastLaunch', " +
			"'cloudwatch:Put*'], resources: ['*']}"),
		"what has no resources": permitted("{actions: ['sts:GetCallerIdentity', 'ecr:GetAuthorizationToken', " +
			"'logs:GetQueryResults', 'kms:GenerateRandom'], resources: ['*']}"),
		"what describes": permitted("{actions: ['logs:DescribeLogGroups', 'sqs:ListQueues', " +
			"'dynamodb:List*'], resources: ['*']}"),
		"every resource, with conditions": permitted("{actions: ['ec2:TerminateInstances'], resources: ['*'], conditions: " +
			"{StringEquals: {'aws:ResourceTag/team': [shop]}}}"),
		"IAM within a boundary": permitted("{actions: ['iam:Put*', 'sts:AssumeRole'], resources: "+
			"['arn:aws:iam::123456789012:role/*']}") +
			"  slipway:roles: {permissionsBoundary: 'arn:aws:iam::123456789012:policy/boundary'}",
		"roles of a name": permitted("{actions: ['iam:PassRole', 'iam:GetRole', 'sts:AssumeRole'], resources: " +
			"['arn:aws:iam::123456789012:role/deploy', 'arn:aws:iam::*:role/shop-*']}"),
		"what reads IAM": permitted("{actions: ['iam:Get*', 'iam:List*', 'iam:Simulate*'], resources: " +
			"['arn:aws:iam::123456789012:role/*']}"),
		"a boundary of AWS's own": with("  aws:allowedAccountIds: ['123456789012']\n  slipway:roles: {permissionsBoundary: " +
			"'arn:aws:iam::aws:policy/PowerUserAccess'}"),
		"ARNs of other regions, accounts and any partition": permitted("{actions: ['sqs:SendMessage'], resources: "+
			"['arn:aws:sqs:us-east-1:210987654321:x', 'arn:*:s3:::x']}") +
			"  aws:region: ap-northeast-2\n  aws:allowedAccountIds: ['123456789012']",
		"wildcards within ARNs": permitted("{actions: ['sqs:SendMessage'], resources: ['arn:aws:sqs:*:123456789012:shop-*']}"),
		"conditions of many kinds": permitted("{" + readUploads +
			`, conditions: {"ForAnyValue:StringLike": {"aws:TagKeys": ["a*", "b"]}, ` +
			`StringEqualsIfExists: {"s3:ExistingObjectTag/team": []}, NumericLessThan: {"s3:max-keys": ["10"]}, StringEquals: ` +
			`{"aws:PrincipalTag/a.b_c-d": ["${aws:username}"]}}}`),
		"a deep path":      with("  slipway:roles: {path: /a/b/c/}"),
		"the longest path": with("  slipway:roles: {path: /" + strings.Repeat("a", 510) + "/}"),
		"a boundary of AWS's": with("  slipway:roles: {path: /, permissionsBoundary: " +
			"'arn:aws:iam::aws:policy/PowerUserAccess'}"),
		"a boundary with a path":       with("  slipway:roles: {permissionsBoundary: 'arn:aws:iam::123456789012:policy/a/b'}"),
		"a cluster without insights":   with("  slipway:cluster: {containerInsights: disabled}"),
		"as many tags as there may be": with("  slipway:tags: {" + manyTags(46) + "}"),
		"tags of every character": with("  slipway:tags: {'Team +-=._:/@ 팀': 'é +-=._:/@ 1', " +
			strings.Repeat("k", 128) + ": " + strings.Repeat("v", 256) + ", Stages: ''}"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", stage)
			require.NoError(t, err)
		})
	}
}

func TestTheCountThatAServiceStartsWith(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		lines string
		want  int
	}{
		{"      replicas: 3", 3},
		{"      replicas: 0", 0},
		{"      scaling: {min: 2, max: 4, cpu: 60}", 2},
		{"      scaling: {min: 0, max: 4, cpu: 60}", 1},
		{"      replicas: 3\n      scaling: {min: 2, max: 4, cpu: 60}", 3},
	} {
		got, err := loadFiles(t, "dev", "", oneService(test.lines))
		require.NoError(t, err)
		require.Equal(t, test.want, got.Services["web"].StartReplicas(), test.lines)
	}
	// The replicas of all stages are not those of a stage that scales.
	got, err := loadFiles(t, "dev", "config: {'slipway:defaults': {value: {services: {web: {replicas: 9}}}}}",
		scaled("{min: 2, max: 4, cpu: 60}"))
	require.NoError(t, err)
	require.Equal(t, 4, got.Services["web"].StartReplicas())
}

func TestTagsOfAStageAndItsParts(t *testing.T) {
	t.Parallel()
	got, err := loadFiles(t, "dev", "config: {'slipway:defaults': {value: {tags: {team: shop, tier: '1'}}}}",
		with("  slipway:tags: {tier: '2'}"))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"project": "slipway", "stage": "dev", "team": "shop", "tier": "2"}, got.AllTags())
	require.Equal(t, map[string]string{"project": "slipway", "stage": "dev", "service": "web", "team": "shop",
		"tier": "2"}, got.TagsOf("web"))
	require.Equal(t, map[string]string{"project": "slipway", "stage": "dev", "image": "web", "team": "shop", "tier": "2"},
		got.ImageTags("web"))
	require.Equal(t, map[string]string{"team": "shop", "tier": "2"}, got.Tags, "what is asked for changes nothing")
}
