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

// checkQueues looks for the queues to which schedules are to send the starts that were given up, and for those by which
// services scale. AWS takes any name: a queue that is not there is missed only once a start is lost, or never.
func (v *verifier) checkQueues() {
	for _, name := range slices.Sorted(maps.Keys(v.stage.Tasks)) {
		schedule := v.stage.Tasks[name].Schedule
		if schedule == nil || schedule.DeadLetterQueue == "" {
			continue
		}
		v.add("queue", v.stage.Where("tasks", name, "schedule", "deadLetterQueue"),
			func(ctx context.Context) (string, error) {
				queue, err := arn.Parse(schedule.DeadLetterQueue) // which was checked to be one
				if err != nil {
					return "", err
				}
				return v.queue(ctx, queue.Resource, url.Values{"QueueOwnerAWSAccountId": {queue.AccountID}})
			})
	}
	for _, name := range slices.Sorted(maps.Keys(v.stage.Services)) {
		scaling := v.stage.Services[name].Scaling
		if scaling == nil || scaling.Queue == nil {
			continue
		}
		v.add("queue", v.stage.Where("services", name, "scaling", "queue", "name"),
			func(ctx context.Context) (string, error) { return v.queue(ctx, scaling.Queue.Queue(), url.Values{}) })
	}
}

func (v *verifier) queue(ctx context.Context, name string, query url.Values) (string, error) {
	var answer struct {
		URL string `xml:"GetQueueUrlResult>QueueUrl"`
	}
	query.Set("QueueName", name)
	err := v.Query.Call(ctx, "sqs", "GetQueueUrl", query, &answer)
	if awsreader.IsCode(err, "AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist") {
		return "", exit.Refuse("there is no queue %s: create it with `aws sqs create-queue --queue-name %[1]s`, or name "+
			"another", name)
	}
	return "the queue is there", err
}
