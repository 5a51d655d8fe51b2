package awsreader

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"slipway/internal/taskrun"
)

// RolloutFailure is why a service is not on the revision that ECS was asked for last.
type RolloutFailure struct {
	// Revision that failed.
	Revision int `json:"revision"`
	// RolledBack says that ECS has gone back to another one.
	RolledBack bool `json:"rolledBack"`
	// Reason is ECS's own.
	Reason string `json:"reason,omitempty"`
	// Stopped are the reasons why tasks of the revision stopped, as far as ECS still has them.
	Stopped []string `json:"stopped,omitempty"`

	Target string `json:"-"` // the revision's ARN
}

const (
	// mostStopped is how many reasons are told.
	mostStopped = 3
	// clockSlack is how far an event may be before the update by the clocks of AWS and of who ran that.
	clockSlack = 5 * time.Minute
)

// FailureOf finds out by what ECS has of a service whether the deployment of a revision failed; nil where nothing says
// so. An event does not name the revision: it counts where it came after the update had begun that asked for it, and so
// not where no such update is known.
func FailureOf(service types.Service, target string, began time.Time) *RolloutFailure {
	if target == "" {
		return nil
	}
	primary := PrimaryDeployment(service)
	failure := &RolloutFailure{Revision: RevisionNumber(target),
		RolledBack: aws.ToString(primary.TaskDefinition) != target, Target: target}
	for _, deployment := range service.Deployments {
		if aws.ToString(deployment.TaskDefinition) == target &&
			deployment.RolloutState == types.DeploymentRolloutStateFailed {
			failure.Reason = aws.ToString(deployment.RolloutStateReason)
			return failure
		}
	}
	if !failure.RolledBack || began.IsZero() {
		return nil
	}
	since := began.Add(-clockSlack)
	for _, event := range service.Events { // newest first
		if message := aws.ToString(event.Message); strings.Contains(message, "deployment failed") &&
			aws.ToTime(event.CreatedAt).After(since) {
			failure.Reason = message
			return failure
		}
	}
	if reason := aws.ToString(primary.RolloutStateReason); strings.Contains(reason, "rolling back") &&
		aws.ToTime(primary.CreatedAt).After(since) {
		failure.Reason = reason
		return failure
	}
	return nil
}

// PrimaryDeployment is the deployment that ECS is at; empty where there is none.
func PrimaryDeployment(service types.Service) types.Deployment {
	i := slices.IndexFunc(service.Deployments,
		func(d types.Deployment) bool { return aws.ToString(d.Status) == "PRIMARY" })
	if i < 0 {
		return types.Deployment{}
	}
	return service.Deployments[i]
}

// StoppedReasons says why tasks of a service's revision stopped: each reason once, with how many did. What cannot be
// read is left out: the verdict stands without.
func (c *Client) StoppedReasons(ctx context.Context, service types.Service, target string) (reasons []string) {
	stopped := taskrun.StoppedByReason(ctx, c.ECS, aws.ToString(service.ClusterArn),
		aws.ToString(service.ServiceName), target)
	for _, each := range stopped[:min(mostStopped, len(stopped))] {
		reasons = append(reasons, fmt.Sprintf("%d stopped: %s", each.Count, strings.TrimSuffix(each.Reason, ".")))
	}
	return reasons
}
