// Package rollout watches a deployment of an ECS service to its end.
package rollout

import (
	"context"
	"fmt"
	"strings"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	smithytime "github.com/aws/smithy-go/time"

	"slipway/internal/awsclient"
	"slipway/internal/ecsread"
)

const (
	// usualLimit is how long a rollout may go without a verdict of ECS, whose circuit breaker gives one
	// much sooner unless tasks neither start nor fail.
	usualLimit = 20 * time.Minute
	// confirmations is how many reads in a row, over some five seconds, must show another revision, or no service, before
	// that counts: right after an update, ECS may still answer with the state before it.
	confirmations = 7
	// clockSlack is how far the clocks of AWS and of who watches may differ.
	clockSlack = time.Minute
	// agreements is how many reads in a row must show a service as steady that this update has changed, where none
	// has shown its rollout under way, for the same reason.
	agreements = 3
)

// Rollout is one service on its way to the target revision.
type Rollout struct {
	// Key is what the user wrote: services.web. URN is that of the service.
	Key, URN string
	// Service is the ARN of the service, and TargetRevision that of the revision that it is to run.
	Service, TargetRevision string
	// Replicas is the desired count; nil where a scaler decides it.
	Replicas *int
	// Capacity is what its tasks are to run on.
	Capacity Capacity
	// Connection is how it is to take part in Service Connect.
	Connection Connection
	// AssignPublicIP tells whether its tasks are to have a public address.
	AssignPublicIP bool
	// Alarms tells whether any alarm is to take a deployment back.
	Alarms bool
	// LogGroup is where its containers' output is.
	LogGroup string
	// LogsElsewhere says which of the output is not there; empty where all is.
	LogsElsewhere string
	// ExtraTime is how much longer than usual it may take, by the service's own settings.
	ExtraTime time.Duration
	// Changed tells whether this update has changed the service.
	Changed bool
	// Progress gets what ECS says.
	Progress func(message string)

	reader *ecsread.Reader
	// began is when the watch did.
	began time.Time
	// deployment is the id of the target revision's deployment, once it was seen to be the primary one.
	deployment string
	// doubts and agreed are how many reads in a row have shown what may be from before the update: another state, or a
	// steady one.
	doubts, agreed int
	// shown are the ids of the events that were passed on, or are older than the deployment.
	shown map[string]bool
}

// Follow reads the service until ECS's verdict: nil once it is steady on the target revision, and otherwise which
// revision failed, why, and which one serves. A read that fails is no verdict, unless AWS refuses it for good.
func Follow(ctx context.Context, reader *ecsread.Reader, rollout Rollout) error {
	rollout.reader, rollout.began = reader, time.Now()
	return rollout.follow(ctx)
}

func (r *Rollout) follow(ctx context.Context) error {
	limit := usualLimit + r.ExtraTime
	reading, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var service types.Service
	var reads awsclient.Reads
	for wait := awsclient.FirstPoll; ; wait = min(wait*3/2, awsclient.LastPoll) {
		read, err := r.reader.Read(reading, r.Service)
		unread := reads.After(err)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("%s: reading the rollout from ECS: %w", r.Key, ctx.Err())
		case unread != nil:
			return fmt.Errorf("%s: the deployment of %s may go on, and cannot be watched: %w. `pulumi up` goes on watching it",
				r.Key, short(r.TargetRevision), unread)
		case err == nil:
			service = read
			if ended, err := r.look(ctx, service); ended {
				return err
			}
		}
		if smithytime.SleepWithContext(reading, wait) != nil && ctx.Err() == nil {
			return r.unsettled(service, limit, reads.Unread())
		}
	}
}

// look tells what one read says, and whether that is the end.
func (r *Rollout) look(ctx context.Context, service types.Service) (ended bool, err error) {
	if primary := ecsread.Primary(service); awssdk.ToString(primary.TaskDefinition) == r.TargetRevision {
		r.deployment = awssdk.ToString(primary.Id)
	}
	verdict := ecsread.Judge(service, r.TargetRevision)
	if verdict != ecsread.Missing && (verdict != ecsread.Steady || r.shown != nil) {
		r.showEvents(service)
	}
	switch verdict {
	case ecsread.Steady:
		if moved, err := r.move(ctx, service); moved || err != nil {
			return err != nil, err
		}
		if what, advice := r.differs(service); what != "" {
			if r.doubts++; r.doubts < confirmations {
				return false, nil
			}
			return true, fmt.Errorf("%s.%s%s. %s", r.Key, what, r.failedDeployment(ctx, service), advice)
		}
		r.agreed++
		return !r.Changed || r.shown != nil || r.agreed == agreements, nil
	case ecsread.Failed:
		return true, r.explain(ctx, service)
	case ecsread.Superseded:
		if r.doubts++; r.doubts == confirmations || r.deployment != "" {
			return true, r.explain(ctx, service)
		}
	case ecsread.Missing:
		if r.doubts++; r.doubts == confirmations {
			return true, fmt.Errorf("%s: ECS has no such service any more: it was deleted outside of this program. "+
				"`pulumi up --refresh` creates it again", r.Key)
		}
	case ecsread.UnderWay:
		r.doubts, r.agreed = 0, 0
	}
	return false, nil
}

// unsettled says that the limit has passed without a verdict. unread is why the last read failed, if it did.
func (r *Rollout) unsettled(service types.Service, limit time.Duration, unread error) error {
	last := fmt.Sprintf("%d of %d replicas run", service.RunningCount, service.DesiredCount)
	if unread != nil {
		last = fmt.Sprintf("it cannot be read now (%v), and when it was last, %s", unread, last)
	}
	return fmt.Errorf("%s: %s is not steady after %s and ECS has not given up on it: %s. "+
		"Look at the events of the service; `pulumi up` goes on waiting", r.Key, short(r.TargetRevision), limit, last)
}

// move moves a service that this update leaves alone, and that runs on another capacity than it is to: somebody changed
// it, or ECS took the move back. It tells whether it did so now; what it says of one that this update has moved, and
// ECS does not show yet, is differs' to judge.
func (r *Rollout) move(ctx context.Context, service types.Service) (moved bool, err error) {
	has, differs := r.Capacity.Differs(service)
	if !differs || r.Changed {
		return false, nil
	}
	r.Progress(fmt.Sprintf("%s.capacity: ECS runs it on %s; moving it to %s", r.Key, has, r.Capacity))
	r.Changed = true
	if err := r.Capacity.Move(ctx, r.reader, service, "", r.AssignPublicIP); err != nil {
		return false, fmt.Errorf("%s.capacity: moving the service to %s: %w", r.Key, r.Capacity, err)
	}
	return true, nil
}

// failedDeployment says why a deployment failed by which this update changed the service alone, and which ECS rolled
// back; empty where none failed.
func (r *Rollout) failedDeployment(ctx context.Context, service types.Service) string {
	reason, failed := ecsread.FailedBecause(service, r.TargetRevision, func(event types.ServiceEvent) bool {
		return awssdk.ToTime(event.CreatedAt).After(r.began.Add(-clockSlack))
	})
	if !failed {
		return ""
	}
	lines := append([]string{": a deployment failed", "ECS says: " + reason}, r.stoppedReasons(ctx)...)
	return strings.Join(append(lines, "Fix the cause"), "\n  ")
}

// differs says what a steady service is not as it was asked for, which its deployments do not tell, and what to do.
func (r *Rollout) differs(service types.Service) (what, advice string) {
	if r.Replicas != nil && int(service.DesiredCount) != *r.Replicas {
		return fmt.Sprintf("replicas: ECS keeps %d replicas, and the stage asks for %d: the count was changed outside of "+
				"this program, or by scaling that the stage no longer has", service.DesiredCount, *r.Replicas),
			"`pulumi up --refresh` sets it"
	}
	if has, differs := r.Capacity.Differs(service); differs {
		return fmt.Sprintf("capacity: ECS runs the service on %s, and it is to run on %s", has, r.Capacity),
			"`pulumi up` again moves it"
	}
	if what, advice := r.Connection.differs(service); what != "" {
		return what, advice
	}
	if config := service.DeploymentConfiguration; !r.Alarms && config != nil && config.Alarms != nil &&
		config.Alarms.Enable {
		return fmt.Sprintf("deployment.alarms: ECS still takes deployments back when one of these goes off: %s. They "+
				"could not be read before this update, to be switched off", strings.Join(config.Alarms.AlarmNames, ", ")),
			"`pulumi up` again does"
	}
	return "", ""
}
