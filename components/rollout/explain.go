package rollout

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// showEvents passes on what ECS tells since the target deployment began, oldest first and each once.
func (r *Rollout) showEvents(service types.Service) {
	if r.shown == nil {
		r.shown = map[string]bool{}
		began := time.Now()
		if own, found := deploymentOf(service, r.TargetRevision); found {
			began = awssdk.ToTime(own.CreatedAt)
		}
		for _, event := range service.Events {
			r.shown[awssdk.ToString(event.Id)] = awssdk.ToTime(event.CreatedAt).Before(began)
		}
	}
	for _, event := range slices.Backward(service.Events) {
		if id := awssdk.ToString(event.Id); !r.shown[id] {
			r.shown[id] = true
			r.Progress(awssdk.ToString(event.Message))
		}
	}
}

// explain says which revision failed, why, what serves now, and how to try again.
func (r *Rollout) explain(ctx context.Context, service types.Service) error {
	var text strings.Builder
	primary := primaryOf(service)
	stays := awssdk.ToString(primary.TaskDefinition) == r.TargetRevision
	reason, failed := r.failure(service)
	switch {
	case failed && stays:
		fmt.Fprintf(&text, "%s: the deployment of %s failed", r.Key, short(r.TargetRevision))
	case failed:
		fmt.Fprintf(&text, "%s: the deployment of %s failed and was rolled back", r.Key, short(r.TargetRevision))
	default:
		fmt.Fprintf(&text, "%s: the service is not on %s, but on %s: an earlier deployment was rolled back, or somebody "+
			"changed the service",
			r.Key, short(r.TargetRevision), short(awssdk.ToString(primary.TaskDefinition)))
	}
	if reason != "" {
		fmt.Fprintf(&text, "\n  ECS says: %s", reason)
	}
	for _, line := range r.stoppedReasons(ctx) {
		fmt.Fprintf(&text, "\n  %s", line)
	}
	fmt.Fprintf(&text, "\n  Serving now: %s", r.serving(service))
	fmt.Fprintf(&text, "\n  The containers' output is in the log group %s", r.LogGroup)
	text.WriteString("\n  Fix the cause and run `pulumi up`. Where nothing in the stage changes by that, ")
	switch {
	case stays && r.serving(service) == nothing:
		fmt.Fprintf(&text, "`pulumi up --replace '%s'` tries again", r.URN)
	case stays: // and a replacement would delete what serves
		fmt.Fprintf(&text, "`aws ecs update-service --cluster %s --service %s --force-new-deployment` tries again, "+
			"and `pulumi up` watches it", r.reader.cluster, path.Base(r.Service))
	default:
		text.WriteString("`pulumi up --refresh` tries again")
	}
	return errors.New(text.String())
}

// failure tells whether ECS gave up on the target revision's deployment, and its reason. A deployment that was rolled
// back is soon gone from the list; the event that says so stays.
func (r *Rollout) failure(service types.Service) (reason string, failed bool) {
	own, found := deploymentOf(service, r.TargetRevision)
	if found && own.RolloutState == types.DeploymentRolloutStateFailed {
		return awssdk.ToString(own.RolloutStateReason), true
	}
	for _, event := range service.Events {
		message := awssdk.ToString(event.Message)
		if !strings.Contains(message, "deployment failed") {
			continue
		}
		if r.deployment == "" {
			return message, false // the latest that failed; whether it was of the target revision, ECS no longer tells
		}
		if strings.Contains(message, r.deployment) {
			return message, true
		}
	}
	return "", false
}

// serving names the revisions of which tasks run.
func (r *Rollout) serving(service types.Service) string {
	var running []string
	for _, d := range service.Deployments {
		if d.RunningCount > 0 && !(awssdk.ToString(d.TaskDefinition) == r.TargetRevision &&
			d.RolloutState == types.DeploymentRolloutStateFailed) {
			running = append(running, fmt.Sprintf("%s, %d of %d replicas", short(awssdk.ToString(d.TaskDefinition)),
				d.RunningCount, service.DesiredCount))
		}
	}
	if len(running) == 0 {
		return nothing
	}
	return strings.Join(running, "; ")
}

// nothing serves where no task runs that is not about to be given up.
const nothing = "nothing"

// short is a revision as people name it: family:number.
func short(arn string) string { return path.Base(arn) }
