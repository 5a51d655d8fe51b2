package verify

import (
	"context"
	"maps"
	"net/url"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/exit"
)

// checkQueues looks for the queues to which schedules are to send the starts that were given up. Scheduler takes any
// name: a queue that is not there is missed only once a start is lost.
func (v *verifier) checkQueues() {
	for _, name := range slices.Sorted(maps.Keys(v.stage.Tasks)) {
		schedule := v.stage.Tasks[name].Schedule
		if schedule == nil || schedule.DeadLetterQueue == "" {
			continue
		}
		v.add("queue", v.stage.Where("tasks", name, "schedule", "deadLetterQueue"),
			func(ctx context.Context) (string, error) {
				return v.queue(ctx, schedule.DeadLetterQueue)
			})
	}
}

func (v *verifier) queue(ctx context.Context, text string) (string, error) {
	queue, err := arn.Parse(text) // which was checked to be one
	if err != nil {
		return "", err
	}
	var answer struct {
		URL string `xml:"GetQueueUrlResult>QueueUrl"`
	}
	err = v.Query.Call(ctx, "sqs", "GetQueueUrl", url.Values{"QueueName": {queue.Resource},
		"QueueOwnerAWSAccountId": {queue.AccountID}}, &answer)
	if awsreader.IsCode(err, "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist") {
		return "", exit.Refuse("there is no queue %s: create it with `aws sqs create-queue --queue-name %[1]s`, or name "+
			"another", queue.Resource)
	}
	return "the queue is there", err
}
