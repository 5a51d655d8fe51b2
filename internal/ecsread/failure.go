package ecsread

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// Failure is why a service is not on the revision that ECS was asked for last.
type Failure struct {
	// Revision that failed.
	Revision int `json:"revision"`
	// RolledBack says that ECS has gone back to another one.
	RolledBack bool `json:"rolledBack"`
	// Reason is ECS's own.
	Reason string `json:"reason,omitempty"`
	// Stopped are the reasons why tasks of the revision stopped, as far as ECS still has them.
	Stopped []string `json:"stopped,omitempty"`
}

// clockSlack is how far an event may be before the update by the clocks of AWS and of who ran that.
const clockSlack = 5 * time.Minute

// FailureSince finds out whether the deployment of a revision, given its ARN, failed; nil where nothing says so. An
// event does not name the revision: it counts where it came after the update had begun that asked for it, and so not
// where no such update is known.
func FailureSince(service types.Service, revision string, began time.Time) *Failure {
	if revision == "" {
		return nil
	}
	primary := Primary(service)
	rolledBack := aws.ToString(primary.TaskDefinition) != revision
	inTime := func(at *time.Time) bool {
		return rolledBack && !began.IsZero() && aws.ToTime(at).After(began.Add(-clockSlack))
	}
	reason, failed := FailedBecause(service, revision,
		func(event types.ServiceEvent) bool { return inTime(event.CreatedAt) })
	if own := aws.ToString(primary.RolloutStateReason); !failed && strings.Contains(own, "rolling back") &&
		inTime(primary.CreatedAt) {
		reason, failed = own, true
	}
	if !failed {
		return nil
	}
	return &Failure{Revision: RevisionNumber(revision), RolledBack: rolledBack, Reason: reason}
}

// FailedBecause tells whether ECS gave up on the deployment of a revision, and its reason. A deployment that was rolled
// back is soon gone from the list; the event that says so stays. isIts tells whether an event is of that deployment.
func FailedBecause(service types.Service, revision string,
	isIts func(types.ServiceEvent) bool) (reason string, failed bool) {
	own, found := DeploymentOf(service, revision)
	if found && own.RolloutState == types.DeploymentRolloutStateFailed {
		return aws.ToString(own.RolloutStateReason), true
	}
	for _, event := range service.Events { // newest first
		if message := aws.ToString(event.Message); strings.Contains(message, "deployment failed") && isIts(event) {
			return message, true
		}
	}
	return "", false
}

// Serving are the deployments of which tasks run, without that of a revision, given its ARN, where ECS has given it up.
// What failed before it and was not rolled back still serves.
func Serving(service types.Service, revision string) (serving []types.Deployment) {
	for _, deployment := range service.Deployments {
		givenUp := aws.ToString(deployment.TaskDefinition) == revision &&
			deployment.RolloutState == types.DeploymentRolloutStateFailed
		if deployment.RunningCount > 0 && !givenUp {
			serving = append(serving, deployment)
		}
	}
	return serving
}

// RevisionNumber is the number in the ARN of a revision; 0 for what is none.
func RevisionNumber(arn string) int {
	var number int
	_, _ = fmt.Sscan(arn[strings.LastIndex(arn, ":")+1:], &number)
	return number
}
