package stage

import (
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"slipway/internal/awslimits"
)

// Task is what runs once and ends: by hand, on a schedule, or before a deployment.
type Task struct {
	TaskDefinition

	// Schedule runs the task again and again.
	//
	// Default: none; it runs when somebody runs it
	// Example: schedule: {when: rate(1 day)}
	// Rule: [EventBridge Scheduler](https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html)
	Schedule *TaskSchedule `json:"schedule"`

	// Before names the services whose deployments wait for the task: it runs to its end when a service is to run another
	// revision, before that moves. Where it fails, the update stops, and the services stay as they are.
	//
	// Allowed: names in `services`, each once
	// Example: before: [web]
	// Rule: [ECS RunTask](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html)
	Before []string `json:"before"`

	// Timeout is how long the task may run, when it runs before a deployment or by `slipway run`. After that it is
	// stopped, and has failed. What its schedule starts has no limit.
	//
	// Default: 3600 where the task has `before`; otherwise none
	// Example: timeout: 900
	// Rule: [ECS StopTask](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopTask.html)
	Timeout int `json:"timeout" min:"10" max:"604800" unit:"seconds"`
}

// longestBefore is how long a task may run before a deployment, where it does not say.
const longestBefore = time.Hour

// TimeLimit is how long the task may run that somebody waits for; zero for as long as it takes.
//
// Example: TimeLimit() is 10m0s where the task has timeout: 600
func (t Task) TimeLimit() time.Duration {
	if t.Timeout == 0 && len(t.Before) > 0 {
		return longestBefore
	}
	return time.Duration(t.Timeout) * time.Second
}

// TaskSchedule is when a task runs.
type TaskSchedule struct {
	// When is the expression by which EventBridge Scheduler starts the task.
	//
	// Default: none; required
	// Allowed: `rate(VALUE UNIT)`, `cron(MINUTE HOUR DAY-OF-MONTH MONTH DAY-OF-WEEK YEAR)`, `at(YYYY-MM-DDTHH:MM:SS)`
	// Example: when: "cron(0 6 ? * MON-FRI *)"
	// Rule: [Schedule types](https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html)
	When string `json:"when"`

	// TimeZone is that of the expression.
	//
	// Allowed: a name of the IANA database
	// Example: timeZone: Asia/Seoul
	// Rule: [Schedule types](https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html)
	TimeZone string `json:"timeZone" default:"UTC"`

	// Retries is how often a start that failed is tried again.
	//
	// Example: retries: 3
	// Rule: [RetryPolicy](https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html)
	Retries int `json:"retries" default:"185" min:"0" max:"185"`

	// MaxAge is how long a start that failed is tried again.
	//
	// Example: maxAge: 3600
	// Rule: [RetryPolicy](https://docs.aws.amazon.com/scheduler/latest/APIReference/API_RetryPolicy.html)
	MaxAge int `json:"maxAge" default:"86400" min:"60" max:"86400" unit:"seconds"`

	// DeadLetterQueue is where starts go that were given up.
	//
	// Default: none; they are dropped
	// Allowed: the ARN of a standard SQS queue of the stage's region and account
	// Example: deadLetterQueue: arn:aws:sqs:ap-northeast-2:123456789012:failed-tasks
	// Rule: [Dead-letter queues](https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html)
	DeadLetterQueue string `json:"deadLetterQueue"`

	// Enabled switches the schedule on.
	//
	// Example: enabled: false
	// Rule: [Schedule](https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html)
	Enabled bool `json:"enabled" default:"true"`
}

// queueName is that of a standard queue
// (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html).
var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func (c *checker) checkTask(name string, task Task) {
	here := c.at("tasks", name)
	if _, isService := c.document.Services[name]; isService {
		here.fail("is the name of a service, too; use another one")
	}
	c.checkTaskDefinition(here, name, task.TaskDefinition)
	c.checkPorts(here, name, 0, task.AllContainers(name))
	c.checkBefore(here.at("before"), task.Before)
	if schedule := here.at("schedule"); task.Schedule != nil && !schedule.bad {
		checkWhen(schedule, task.Schedule.When, task.Schedule.TimeZone)
		c.checkDeadLetterQueue(schedule.at("deadLetterQueue"), task.Schedule.DeadLetterQueue)
	}
}

func (c *checker) checkBefore(here place, services []string) {
	declared := slices.Sorted(maps.Keys(c.document.Services))
	for i, service := range services {
		switch {
		case c.at("services").bad:
		case !slices.Contains(declared, service):
			here.at(i).fail("names %q, which is no service; declare services.%s%s", service, service, orOneOf(declared))
		case slices.Contains(services[:i], service):
			here.at(i).fail("duplicates %s; remove it", service)
		}
	}
}

func (c *checker) checkDeadLetterQueue(here place, queue string) {
	if !here.present {
		return
	}
	parsed, err := arn.Parse(queue)
	switch {
	case err != nil || parsed.Service != "sqs" || !awslimits.AccountID.MatchString(parsed.AccountID):
		here.fail("is %q; write the ARN of an SQS queue, as in arn:aws:sqs:ap-northeast-2:123456789012:failed-tasks",
			shorten(queue))
	case !queueName.MatchString(parsed.Resource):
		here.fail("names the queue %q; EventBridge Scheduler takes standard queues, whose names have up to 80 "+
			"letters, digits, - and _ (no .fifo)", shorten(parsed.Resource))
	default:
		here.failIf(c.foreign(parsed))
	}
}
