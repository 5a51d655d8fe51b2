package stage

import (
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"slipway/internal/awslimits"
)

// ScalingQueue is an SQS queue by which a service scales: its backlog for each task.
//
// Rule: [Metrics of
// SQS](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html)
type ScalingQueue struct {
	// Name is the queue.
	//
	// Default: none; required
	// Allowed: the name or the ARN of a queue of the stage's region and account, or `{output: NAME}`
	// Example: name: shop-jobs
	Name string `json:"name" outputs:"text"`

	// Backlog is how many messages there should be for each task: how many seconds a message may wait, divided by the
	// seconds that a task needs for one. Messages that tasks work on count, too, so that no task is stopped because the
	// rest of the queue is empty.
	//
	// Default: none; required
	// Example: backlog: 100
	// Rule: [Backlog per
	// task](https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking-metric-math.html)
	Backlog int `json:"backlog" min:"1" max:"100000000" unit:"messages"`
}

// Queue is the queue's name, as CloudWatch has it.
//
// Example: shop-jobs, where the stage file has arn:aws:sqs:ap-northeast-2:123456789012:shop-jobs
func (q ScalingQueue) Queue() string {
	if parsed, err := arn.Parse(q.Name); err == nil {
		return parsed.Resource
	}
	return q.Name
}

var scalingQueueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,75}(\.fifo|[A-Za-z0-9_-]{0,5})$`)

func (c *checker) checkScalingQueue(here place, queue *ScalingQueue) {
	if queue == nil || here.bad {
		return
	}
	name, backlog, insights := here.at("name"), here.at("backlog"), c.at("cluster", "containerInsights")
	if !backlog.present {
		backlog.fail("is missing; write how many messages there should be for each task")
	}
	if c.document.Cluster.ContainerInsights == "disabled" && !insights.bad {
		here.fail("needs the number of tasks that the service has, which CloudWatch knows only with Container Insights; "+
			"write %s:cluster: {containerInsights: enabled}, or scale by steps of the queue's length, which need none",
			c.namespace)
	}
	parsed, err := arn.Parse(queue.Name)
	switch {
	case !name.present:
		name.fail("is missing; write the name of an SQS queue, as in shop-jobs")
	case err == nil && parsed.Service == "sqs" && awslimits.AccountID.MatchString(parsed.AccountID) &&
		scalingQueueName.MatchString(parsed.Resource):
		name.failIf(c.foreign(parsed))
	case !scalingQueueName.MatchString(queue.Name):
		name.fail("is %q; write the name of an SQS queue, as in shop-jobs, or its ARN", shorten(queue.Name))
	}
}
