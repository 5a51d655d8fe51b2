package rollout

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"slipway/internal/ecsread"
)

// showEvents passes on what ECS tells since the target deployment began, oldest first and each once.
func (r *Rollout) showEvents(service types.Service) {
	if r.shown == nil {
		r.shown = map[string]bool{}
		began := time.Now()
		if own, found := ecsread.DeploymentOf(service, r.TargetRevision); found {
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
	primary := ecsread.Primary(service)
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
	if r.LogsElsewhere != "" {
		fmt.Fprintf(&text, "; %s", r.LogsElsewhere)
	}
	text.WriteString("\n  Fix the cause and run `pulumi up`. Where nothing in the stage changes by that, ")
	switch {
	case stays && r.serving(service) == nothing:
		fmt.Fprintf(&text, "`pulumi up --replace '%s'` tries again", r.URN)
	case stays: // and a replacement would delete what serves
		fmt.Fprintf(&text, "`aws ecs update-service --cluster %s --service %s --force-new-deployment` tries again, "+
			"and `pulumi up` watches it", r.reader.Cluster, path.Base(r.Service))
	default:
		text.WriteString("`pulumi up --refresh` tries again")
	}
	return errors.New(text.String())
}

// failure tells whether ECS gave up on the target revision's deployment, and its reason. Where that deployment was
// never seen, the reason is of the latest that failed, which may be another's.
func (r *Rollout) failure(service types.Service) (reason string, failed bool) {
	reason, failed = ecsread.FailedBecause(service, r.TargetRevision, func(event types.ServiceEvent) bool {
		return r.deployment != "" && strings.Contains(awssdk.ToString(event.Message), r.deployment)
	})
	if !failed && r.deployment == "" {
		reason, _ = ecsread.FailedBecause(service, r.TargetRevision, func(types.ServiceEvent) bool { return true })
	}
	return reason, failed
}

// serving names the revisions of which tasks run.
func (r *Rollout) serving(service types.Service) string {
	var running []string
	for _, d := range ecsread.Serving(service, r.TargetRevision) {
		running = append(running, fmt.Sprintf("%s, %d of %d replicas", short(awssdk.ToString(d.TaskDefinition)),
			d.RunningCount, service.DesiredCount))
	}
	return cmp.Or(strings.Join(running, "; "), nothing)
}

// nothing serves where no task runs that is not about to be given up.
const nothing = "nothing"

// short is a revision as people name it: family:number.
func short(arn string) string { return path.Base(arn) }
