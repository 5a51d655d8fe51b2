package api

import (
	"net/url"

	"slipway/sandbox/account"
	"slipway/sandbox/account/scheduler"
)

// getQueueURL tells where a queue is, and so that it is there.
func getQueueURL(a *account.Account, region string, form url.Values) (any, error) {
	name := form.Get("QueueName")
	queue, err := a.Object(scheduler.Queue, account.ARN(a.ID, "sqs", region, name))
	if err != nil {
		return nil, err
	}
	if owner := form.Get("QueueOwnerAWSAccountId"); queue == nil || owner != "" && owner != a.ID {
		return nil, &account.Error{Code: "AWS.SimpleQueueService.NonExistentQueue",
			Message: "The specified queue does not exist."}
	}
	return struct{ QueueUrl string }{"https://sqs." + region + ".amazonaws.com/" + a.ID + "/" + name}, nil
}
