package account

import (
	"encoding/json"
	"regexp"
	"strings"

	"slipway/internal/awslimits"
	"slipway/internal/schedule"
)

// Schedule is the kind of EventBridge Scheduler's schedules, each by GROUP/NAME. They are kept, and start nothing.
const Schedule = "schedule"

// DefaultScheduleGroup is the one group that every account has.
const DefaultScheduleGroup = "default"

// schedulerService is who a schedule's role has to trust.
const schedulerService = "scheduler.amazonaws.com"

var (
	clusterTarget = regexp.MustCompile(`^arn:aws:ecs:[a-z0-9-]+:` + ID + `:cluster/[A-Za-z0-9_-]{1,255}$`)
	scheduledARN  = regexp.MustCompile(`^arn:aws:ecs:[a-z0-9-]+:` + ID +
		`:task-definition/[A-Za-z0-9_-]{1,255}(:[1-9]\d*)?$`)
	queueARN = regexp.MustCompile(`^arn:aws:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,80}$`)
)

// checkSchedule refuses what EventBridge Scheduler refuses. It looks at names and forms, and not whether the target is
// there.
func (t *tx) checkSchedule(o Object) error {
	invalid := func(format string, args ...any) error { return refuse("ValidationException", format, args...) }
	target := o.object("target")
	task := target.object("ecsParameters")
	window := o.object("flexibleTimeWindow")
	_, long := window["maximumWindowInMinutes"].(float64)
	long = long && window["maximumWindowInMinutes"] != 0.0
	role := get[Object](t, Role, afterSlash(target.text("roleArn")))
	switch {
	case !awslimits.ScheduleName.MatchString(o.text("name")):
		return invalid("1 validation error detected: Value '%s' at 'name' failed to satisfy constraint: Member must "+
			"satisfy regular "+
			"expression pattern: [0-9a-zA-Z-_.]+", o.text("name"))
	case o.text("groupName") != DefaultScheduleGroup:
		return refuse("ResourceNotFoundException", "Schedule group %s does not exist.", o.text("groupName"))
	case !takesExpression(o.text("scheduleExpression")):
		return invalid("Invalid Schedule Expression %s.", o.text("scheduleExpression"))
	case !validZone(o.text("scheduleExpressionTimezone")):
		return invalid("Invalid Schedule Expression Timezone %s.", o.text("scheduleExpressionTimezone"))
	case window.text("mode") == "FLEXIBLE" && !long:
		return invalid("MaximumWindowInMinutes must be provided when the flexible time window mode is FLEXIBLE.")
	case window.text("mode") == "OFF" && long:
		return invalid("MaximumWindowInMinutes must not be provided when the flexible time window mode is OFF.")
	case !clusterTarget.MatchString(target.text("arn")):
		return invalid("Provided Arn is not in correct format. The sandbox's schedules have clusters of account %s as "+
			"targets: %s", ID,
			target.text("arn"))
	case role == nil || role.text("arn") != "" && role.text("arn") != target.text("roleArn") ||
		!strings.Contains(role.text("assumeRolePolicy"), schedulerService):
		// How young the role is does not matter: the official provider tries again for two minutes.
		return invalid("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")
	case task == nil:
		return invalid("EcsParameters must be provided for a target that is an ECS cluster.")
	case !scheduledARN.MatchString(task.text("taskDefinitionArn")):
		return invalid("Provided TaskDefinitionArn is not in correct format.")
	case task.text("launchType") == "FARGATE" && task.object("networkConfiguration") == nil:
		return invalid("NetworkConfiguration must be provided for launch type FARGATE.")
	case target.text("input") != "" && !json.Valid([]byte(target.text("input"))):
		return invalid("Invalid RequestJson provided. Reason: Input is not valid JSON.")
	}
	if queue := target.object("deadLetterConfig"); queue != nil && !queueARN.MatchString(queue.text("arn")) {
		return invalid("Provided dead-letter queue Arn is not in correct format.")
	}
	return nil
}

func takesExpression(text string) bool {
	_, err := schedule.Parse(text)
	return err == nil
}

// Queue is the kind of the queues that keep what schedules have given up, each by its ARN. Programs name them, and make
// none.
const Queue = "queue"
