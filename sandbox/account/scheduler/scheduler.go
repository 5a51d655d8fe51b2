// Package scheduler is EventBridge Scheduler.
package scheduler

import (
	"encoding/json"
	"regexp"
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
)

// Schedule is the kind of EventBridge Scheduler's schedules, each by GROUP/NAME. They are kept, and start nothing.
const Schedule = "schedule"

// DefaultScheduleGroup is the one group that every account has.
const DefaultScheduleGroup = "default"

// schedulerService is who a schedule's role has to trust.
const schedulerService = "scheduler.amazonaws.com"

var (
	clusterTarget = regexp.MustCompile(`^arn:aws:ecs:[a-z0-9-]+:\d{12}:cluster/[A-Za-z0-9_-]{1,255}$`)
	scheduledARN  = regexp.MustCompile(`^arn:aws:ecs:[a-z0-9-]+:\d{12}:task-definition/[A-Za-z0-9_-]{1,255}(:[1-9]\d*)?$`)
	queueARN      = regexp.MustCompile(`^arn:aws:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}$`)
)

func init() {
	account.Register(Schedule, account.Rules{Check: checkSchedule})
}

// checkSchedule refuses what EventBridge Scheduler refuses. It looks at names and forms, and not whether the target is
// there.
func checkSchedule(t *account.Tx, _ string, o account.Object) error {
	invalid := func(format string, args ...any) error { return account.Refuse("ValidationException", format, args...) }
	target := o.Object("target")
	task := target.Object("ecsParameters")
	window := o.Object("flexibleTimeWindow")
	_, long := window["maximumWindowInMinutes"].(float64)
	long = long && window["maximumWindowInMinutes"] != 0.0
	role := account.Get[account.Object](t, iam.Role, account.AfterSlash(target.Text("roleArn")))
	switch {
	case !awslimits.ScheduleName.MatchString(o.Text("name")):
		return invalid("1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must "+
			"satisfy regular "+
			"expression pattern: [0-9a-zA-Z-_.]+", o.Text("name"))
	case o.Text("groupName") != DefaultScheduleGroup:
		return account.Refuse("ResourceNotFoundException", "Schedule group %s does not exist.", o.Text("groupName"))
	case !account.TakesExpression(o.Text("scheduleExpression")):
		return invalid("Invalid Schedule Expression %s.", o.Text("scheduleExpression"))
	case !account.ValidZone(o.Text("scheduleExpressionTimezone")):
		return invalid("Invalid Schedule Expression Timezone %s.", o.Text("scheduleExpressionTimezone"))
	case window.Text("mode") == "FLEXIBLE" && !long:
		return invalid("MaximumWindowInMinutes must be provided when the flexible time window mode is FLEXIBLE.")
	case window.Text("mode") == "OFF" && long:
		return invalid("MaximumWindowInMinutes must not be provided when the flexible time window mode is OFF.")
	case !clusterTarget.MatchString(target.Text("arn")) || account.Owner(target.Text("arn")) != t.ID:
		return invalid("Provided Arn is not in correct format. The sandbox's schedules have clusters of account %s as "+
			"targets: %s", t.ID,
			target.Text("arn"))
	case role == nil || role.Text("arn") != "" && role.Text("arn") != target.Text("roleArn") ||
		!strings.Contains(role.Text("assumeRolePolicy"), schedulerService):
		// How young the role is does not matter: the official provider tries again for two minutes.
		return invalid("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")
	case task == nil:
		return invalid("EcsParameters must be provided for a target that is an ECS cluster.")
	case !scheduledARN.MatchString(task.Text("taskDefinitionArn")) ||
		account.Owner(task.Text("taskDefinitionArn")) != t.ID:
		return invalid("Provided TaskDefinitionArn is not in correct format.")
	case task.Text("launchType") == awslimits.Fargate && task.Object("networkConfiguration") == nil:
		return invalid("NetworkConfiguration must be provided for launch type FARGATE.")
	case target.Text("input") != "" && !json.Valid([]byte(target.Text("input"))):
		return invalid("Invalid RequestJson provided. Reason: Input is not valid JSON.")
	}
	if queue := target.Object("deadLetterConfig"); queue != nil && !queueARN.MatchString(queue.Text("arn")) {
		return invalid("Provided dead-letter queue Arn is not in correct format.")
	}
	return nil
}

// Queue is the kind of the queues that keep what schedules have given up, each by its ARN. Programs name them, and make
// none.
const Queue = "queue"
