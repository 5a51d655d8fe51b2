package status

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/internal/awslimits"
	"slipway/internal/ecsread"
)

type runningService struct {
	Revision       int    `json:"revision"`
	TaskDefinition string `json:"taskDefinition"`
	awsreader.Images
	Desired int `json:"desired"`
	Running int `json:"running"`
	Pending int `json:"pending"`
	// Capacity is what its tasks run on.
	Capacity string `json:"capacity"`
	// Inactive says that the revision was deregistered.
	Inactive bool `json:"inactive,omitempty"`
	// Rollout is IN_PROGRESS, COMPLETED or FAILED: the primary deployment's.
	Rollout string         `json:"rollout"`
	Reason  string         `json:"reason,omitempty"`
	Events  []serviceEvent `json:"events"`
	// Failure says why the service is not on the revision that ECS was asked for last; nil where it is, or that is not
	// known.
	Failure *ecsread.Failure `json:"failure,omitempty"`

	steady     bool
	serves     bool   // tasks run, and not only of the revision that failed
	urn        string // of the service in the state
	cluster    string
	registered int // the newest revision that the stack has registered for it; 0 where none is known
}

type serviceEvent struct {
	Time    time.Time `json:"time"`
	Message string    `json:"message"`
}

const (
	// mostEvents is how many of a service's events are read.
	mostEvents = 5
	// mostStopped is how many reasons are shown for which tasks stopped.
	mostStopped = 3
)

// running reads what ECS has of the services. The stack's state has the revisions that ECS was asked for last.
func (s *Stage) running(ctx context.Context, cloud *awsreader.Client, loaded *snapshot.Stage) error {
	cluster, state := loaded.Cluster(), loaded.State
	services, err := ecsread.Services(ctx, cloud.ECS, cluster, slices.Sorted(maps.Keys(s.Services)))
	if err != nil {
		return err
	}
	var began time.Time
	if s.LastUpdate != nil {
		began = s.LastUpdate.Start
	}
	for name, found := range services {
		primary := ecsread.Primary(found)
		now := &runningService{
			Revision:       ecsread.RevisionNumber(aws.ToString(found.TaskDefinition)),
			TaskDefinition: aws.ToString(found.TaskDefinition),
			Desired:        int(found.DesiredCount), Running: int(found.RunningCount), Pending: int(found.PendingCount),
			Capacity: capacityOf(found), Rollout: string(primary.RolloutState), Reason: aws.ToString(primary.RolloutStateReason),
			Events: []serviceEvent{}, cluster: cluster,
			steady: ecsread.Judge(found, aws.ToString(primary.TaskDefinition)) == ecsread.Steady,
		}
		for _, event := range found.Events[:min(mostEvents, len(found.Events))] {
			now.Events = append(now.Events, serviceEvent{aws.ToTime(event.CreatedAt), aws.ToString(event.Message)})
		}
		now.registered = state.Registered(loaded.Family(name))
		var target string
		now.urn, target = state.Service(cluster, name)
		now.serves = len(ecsread.Serving(found, target)) > 0
		if max(ecsread.RevisionNumber(target), now.registered) >= now.Revision {
			now.Failure = ecsread.FailureSince(found, target, began) // ECS never goes back to what the state does not know yet
		}
		if now.Failure != nil {
			stopped := ecsread.StoppedByReason(ctx, cloud.ECS, cluster, name, target)
			for _, each := range stopped[:min(mostStopped, len(stopped))] {
				now.Failure.Stopped = append(now.Failure.Stopped, strings.TrimSuffix(each.String(), "."))
			}
		}
		definition, err := cloud.Revision(ctx, now.TaskDefinition)
		if err != nil {
			return err
		}
		now.Inactive = definition == nil || !definition.Active
		if now.Images, err = cloud.Images(ctx, definition, name); err != nil {
			return err
		}
		s.Services[name].Running = now
	}
	return nil
}

// usualCapacity is that of a service whose stage file says nothing of it.
var usualCapacity = ecsread.CapacityInWords(nil, awslimits.Fargate)

// capacityOf is what a service's tasks run on: shares of capacity providers in the order of their names, or a launch
// type.
func capacityOf(service types.Service) string {
	shares := ecsread.SortedCapacity(service.CapacityProviderStrategy)
	return ecsread.CapacityInWords(shares, cmp.Or(string(service.LaunchType), awslimits.Fargate))
}

// compare tells how what was deployed differs from what runs.
func (s *Stage) compare(name string, service *serviceStatus) {
	differ := func(format string, args ...any) { s.differ("services."+name+": "+format, args...) }
	asked, deployed, now := service.Asked, service.Deployed, service.Running
	if asked != nil && now != nil && asked.Revision != 0 && now.registered > asked.Revision {
		s.Notes = append(s.Notes, fmt.Sprintf("services.%s of %s: pinned to revision %d; newer revision %d is registered "+
			"and does not run: remove services.%[1]s.revision to deploy it", name, s.Stage, asked.Revision, now.registered))
	}
	switch {
	case deployed == nil && now == nil:
		return // not deployed yet, which the keys show
	case now != nil && now.Failure != nil:
		differ("%s", now.failed(s.Stage, name))
	case deployed == nil && (s.runsNothing() || s.lost):
		break // which was said before
	case now == nil:
		if s.destroying() {
			differ("ECS no longer has it: a destroy was under way")
			return
		}
		differ("ECS has no such service, though revision %d was deployed: it was deleted by hand; run `pulumi up --refresh "+
			"--stack %s`", deployed.Revision, s.Stage)
		return
	case deployed == nil && s.LastUpdate.Result == "succeeded":
		differ("runs revision %d, and the stack has no outputs, as after `slipway recover %s`: run `pulumi up --stack %[2]s`",
			now.Revision, s.Stage)
	case deployed == nil:
		differ("runs revision %d, though no update has succeeded with it", now.Revision)
	case deployed.TaskDefinition != now.TaskDefinition:
		differ("runs revision %d, and the last update that succeeded deployed %d", now.Revision, deployed.Revision)
	}
	if now.Inactive {
		differ("its revision %d is INACTIVE, as it was deregistered: ECS keeps running it, and nothing can go back to it; "+
			"run `pulumi up --refresh --stack %s`", now.Revision, s.Stage)
	}
	if asked != nil && !asked.Scaled && !asked.Daemon && deployed != nil && asked.Replicas == deployed.Replicas &&
		now.Desired != asked.Replicas {
		differ("ECS keeps %s, and %d were asked for: run `pulumi up --refresh --stack %s`", console.Counted(now.Desired,
			"replica"), asked.Replicas, s.Stage)
	}
	failed := now.Failure != nil && !now.Failure.RolledBack // which was said before
	if !failed && !now.steady {
		differ("is not steady: %d of %d running, %d pending, rollout %s", now.Running, now.Desired, now.Pending, now.Rollout)
	}
	s.compareImages("services."+name, now.Images)
}

// failed says in a sentence what became of the deployment, and what to do.
func (r *runningService) failed(stack, name string) string {
	failure := r.Failure
	text := fmt.Sprintf("the deployment of revision %d failed, with %d of %d replicas running", failure.Revision,
		r.Running, r.Desired)
	if failure.RolledBack {
		text = fmt.Sprintf("revision %d was asked for, and ECS rolled back; serving revision %d, with %d of %d replicas",
			failure.Revision, r.Revision, r.Running, r.Desired)
	}
	if failure.Reason != "" {
		text += ". ECS says: " + strings.TrimSuffix(failure.Reason, ".")
	}
	for _, reason := range failure.Stopped {
		text += "; " + reason
	}
	return text + fmt.Sprintf(". Fix the cause and run `pulumi up --stack %s`. Where nothing in the stage changes by "+
		"that, %s", stack, r.again(stack, name))
}

// again is how to have ECS try the same revision once more, as the error of the update says it.
func (r *runningService) again(stack, name string) string {
	switch {
	case r.Failure.RolledBack:
		return fmt.Sprintf("`pulumi up --refresh --stack %s` tries again", stack)
	case !r.serves:
		return fmt.Sprintf("`pulumi up --stack %s --replace '%s'` tries again", stack, r.urn)
	}
	return fmt.Sprintf("`aws ecs update-service --cluster %s --service %s --force-new-deployment` tries again, and "+
		"`pulumi up --stack %s` watches it", r.cluster, name, stack)
}
