package components

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/provider"
	"slipway/stage"
	"slipway/taskrun"
)

// errReported is returned for a failure that was already shown on the resource it belongs to.
var errReported = errors.New("a deployment did not reach steady state")

const (
	// rolloutLimit is how long a rollout may go without a verdict of ECS, whose circuit breaker gives one
	// much sooner unless tasks neither start nor fail.
	rolloutLimit = 20 * time.Minute
	// firstPoll and lastPoll bound the time between two reads of a service: short at first, for an update that is done at
	// once.
	firstPoll, lastPoll = 250 * time.Millisecond, 3 * time.Second
	// confirmations is how many reads in a row, over some five seconds, must show another revision, or no service, before
	// that counts: right after an update, ECS may still answer with the state before it.
	confirmations = 7
	// agreements is how many reads in a row must show a service as steady that this update has changed, where none
	// has shown its rollout under way, for the same reason.
	agreements = 3
	// existingLimit is how long a read of what is there before an update may take, before that does without.
	existingLimit = 5 * time.Second
)

// Rollouts watches deployments to their end. The provider's own wait calls a rolled-back deployment a success, waits
// 20 minutes for a first one that has failed already, and does not wait at all when nothing changed. So each update
// reads every service from ECS, once if it is steady and until ECS's verdict if it is not, whether this update
// changed it or an earlier one was cut short.
type Rollouts struct {
	ctx     *pulumi.Context
	account *Account
	reader  *serviceReader
	changed sync.Map // keys of the services that this update has created or updated
}

// NewRollouts prepares watching the services of a cluster with the provider's own settings.
func NewRollouts(ctx *pulumi.Context, account *Account, cluster string) *Rollouts {
	return &Rollouts{ctx: ctx, account: account, reader: &serviceReader{connect: account.ECS, cluster: cluster}}
}

// logs reads what the containers of a failed deployment wrote.
func (r *Rollouts) logs(ctx context.Context) (taskrun.Logs, error) {
	runner, err := taskrun.Of(ctx, r.account)
	return runner.Logs, err
}

// Watched is a service, and what was asked for.
type Watched struct {
	// Key is what the user wrote: services.web.
	Key string
	// Service to watch.
	Service *ecs.Service
	// Revision is the ARN of the task definition that it is to run.
	Revision pulumi.StringOutput
	// Replicas is the desired count; nil where a scaler decides it.
	Replicas *int
	// Alarms tells whether any alarm is to take a deployment back.
	Alarms bool
	// LogGroup is where its containers' output is.
	LogGroup string
	// ExtraRolloutTime is how much longer than usual its rollout may take, by its own settings.
	ExtraRolloutTime time.Duration
}

// Watch returns the ARN of the target revision once the service is steady on it. Otherwise it reports on the service
// which revision failed, why, and which one serves, and makes the update fail. A preview reads nothing.
func (r *Rollouts) Watch(watched Watched) pulumi.StringOutput {
	if r.ctx.DryRun() {
		return watched.Revision
	}
	service := watched.Service
	return pulumi.All(service.URN(), service.ID(), watched.Revision).ApplyT(func(known []any) (string, error) {
		_, changed := r.changed.Load(watched.Key)
		rollout := &rollout{
			serviceReader:  r.reader,
			Watched:        watched,
			urn:            string(known[0].(pulumi.URN)),
			service:        string(known[1].(pulumi.ID)),
			targetRevision: known[2].(string),
			changed:        changed,
			logs:           r.logs,
			progress: func(message string) {
				_ = r.ctx.Log.Info(message, &pulumi.LogArgs{Resource: service})
			},
		}
		if err := rollout.follow(r.ctx.Context()); err != nil {
			return "", errors.Join(errReported, r.ctx.Log.Error(err.Error(), &pulumi.LogArgs{Resource: service}))
		}
		return rollout.targetRevision, nil
	}).(pulumi.StringOutput)
}

// Hooks are bound to a service for Watch. They note that an update changes it; and they warn where one is created that
// exists. The key is what the user wrote; component is where the warning is shown.
func (r *Rollouts) Hooks(key, arn string, component pulumi.Resource) (*pulumi.ResourceHookBinding, error) {
	warn, err := r.ctx.RegisterResourceHook(key+" replacement", func(*pulumi.ResourceHookArgs) error {
		service, err := r.existing(arn)
		if err != nil || awssdk.ToString(service.Status) != "ACTIVE" {
			return nil
		}
		return r.ctx.Log.Warn(fmt.Sprintf("%s: the service exists, with %d replicas running. %s", key, service.RunningCount,
			whereItExists(r.ctx.DryRun(), path.Base(r.ctx.Stack()))), &pulumi.LogArgs{Resource: component})
	}, &pulumi.ResourceHookOptions{OnDryRun: true})
	if err != nil {
		return nil, err
	}
	note, err := r.ctx.RegisterResourceHook(key+" change", func(*pulumi.ResourceHookArgs) error {
		r.changed.Store(key, true)
		return nil
	}, nil)
	if err != nil {
		return nil, err
	}
	hooks := []*pulumi.ResourceHook{note}
	return &pulumi.ResourceHookBinding{BeforeCreate: []*pulumi.ResourceHook{warn}, AfterCreate: hooks, AfterUpdate: hooks},
		nil
}

// whereItExists says what follows where a service exists that is about to be created. A preview cannot tell one that is
// replaced, and so deleted first, from one that the state does not have; by the time of the update, the former is gone.
func whereItExists(preview bool, stage string) string {
	recover := fmt.Sprintf("`slipway recover %s` takes it into the state", stage)
	if preview {
		return "Where this update replaces it, it deletes it first: until the new one runs, nothing serves. Where it only " +
			"creates it, the service " +
			"is not in this stack's state, and ECS refuses a second one of its name: " + recover
	}
	return "It is not in this stack's state, and ECS refuses a second one of its name unless both are the same: " + recover
}

// preflight reads the services before the update, and returns the alarms of those for which the stage has none: ECS
// keeps those that are only left out, so they have to be switched off. A service that cannot be read has none for now;
// differs finds out once it is there. What would keep every deployment from being watched is an error.
func (r *Rollouts) preflight(settings *stage.Stage) (map[string][]string, error) {
	var mutex sync.Mutex
	var asking sync.WaitGroup
	kept := map[string][]string{}
	refused, others := map[string]error{}, map[string]error{} // by service
	for name, service := range settings.Services {
		asking.Go(func() {
			found, err := r.existing(serviceARN(r.account, settings.Cluster(), name))
			var taken error
			if found.Status == nil { // an unchanged stage asks nothing
				taken = checkOwner(r.ctx.Context(), r.account, settings, name)
			}
			mutex.Lock()
			defer mutex.Unlock()
			others[name] = taken
			if provider.Denied(err) || errors.Is(err, provider.ErrOtherAccount) {
				refused[name] = err
			}
			if config := found.DeploymentConfiguration; !service.Deployment.HasAlarms() && config != nil &&
				config.Alarms != nil &&
				len(config.Alarms.AlarmNames) > 0 {
				kept[name] = slices.Sorted(slices.Values(config.Alarms.AlarmNames))
			}
		})
	}
	asking.Wait()
	var taken []error
	for _, name := range sortedKeys(others) {
		taken = append(taken, others[name])
	}
	for _, name := range sortedKeys(refused) { // one stands for all: they lack the same
		return kept, fmt.Errorf("%s: its deployment could not be watched, so nothing is changed. Whoever previews and "+
			"updates the stage needs "+
			"ecs:DescribeServices for its services: %w", settings.Where("services", name), refused[name])
	}
	return kept, errors.Join(taken...)
}

// existing reads a service before it is changed, which a network that is slow or down should not stop or delay.
func (r *Rollouts) existing(arn string) (types.Service, error) {
	ctx, cancel := context.WithTimeout(r.ctx.Context(), existingLimit)
	defer cancel()
	return r.reader.read(ctx, arn)
}

// rollout is one service on its way to the target revision.
type rollout struct {
	*serviceReader
	Watched
	urn            string
	service        string                                      // its ARN
	targetRevision string                                      // the ARN of the revision
	changed        bool                                        // by this update
	logs           func(context.Context) (taskrun.Logs, error) // for a failed one
	progress       func(message string)

	// deployment is the id of the target revision's deployment, once it was seen to be the primary one.
	deployment string
	// doubts and agreed are how many reads in a row have shown what may be from before the update: another state, or a
	// steady one.
	doubts, agreed int
	// shown are the ids of the events that were passed on, or are older than the deployment.
	shown map[string]bool
}

// follow reads the service until ECS's verdict. A read that fails is no verdict, unless AWS refuses it for good.
func (r *rollout) follow(ctx context.Context) error {
	limit := rolloutLimit + r.ExtraRolloutTime
	reading, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var service types.Service
	var reads provider.Reads
	for wait := firstPoll; ; wait = min(wait*3/2, lastPoll) {
		read, err := r.read(reading, r.service)
		unread := reads.After(err)
		switch {
		case ctx.Err() != nil:
			return fmt.Errorf("%s: reading the rollout from ECS: %w", r.Key, ctx.Err())
		case unread != nil:
			return fmt.Errorf("%s: the deployment of %s may go on, and cannot be watched: %w. `pulumi up` goes on watching it",
				r.Key, r.short(r.targetRevision), unread)
		case err == nil:
			service = read
			if ended, err := r.look(ctx, service); ended {
				return err
			}
		}
		select {
		case <-time.After(wait):
		case <-reading.Done():
		}
		if reading.Err() != nil && ctx.Err() == nil {
			return r.unsettled(service, limit, reads.Unread())
		}
	}
}

// look tells what one read says, and whether that is the end.
func (r *rollout) look(ctx context.Context, service types.Service) (ended bool, err error) {
	if primary := primaryOf(service); awssdk.ToString(primary.TaskDefinition) == r.targetRevision {
		r.deployment = awssdk.ToString(primary.Id)
	}
	verdict := judge(service, r.targetRevision)
	if verdict != missing && (verdict != steady || r.shown != nil) {
		r.showEvents(service)
	}
	switch verdict {
	case steady:
		if err := r.differs(service); err != nil {
			r.doubts++
			return r.doubts == confirmations, err
		}
		r.agreed++
		return !r.changed || r.shown != nil || r.agreed == agreements, nil
	case failed:
		return true, r.explain(ctx, service)
	case superseded:
		if r.doubts++; r.doubts == confirmations || r.deployment != "" {
			return true, r.explain(ctx, service)
		}
	case missing:
		if r.doubts++; r.doubts == confirmations {
			return true, fmt.Errorf("%s: ECS has no such service any more: it was deleted outside of this program. "+
				"`pulumi up --refresh` creates it again", r.Key)
		}
	case underWay:
		r.doubts, r.agreed = 0, 0
	}
	return false, nil
}

// unsettled says that the limit has passed without a verdict. unread is why the last read failed, if it did.
func (r *rollout) unsettled(service types.Service, limit time.Duration, unread error) error {
	last := fmt.Sprintf("%d of %d replicas run", service.RunningCount, service.DesiredCount)
	if unread != nil {
		last = fmt.Sprintf("it cannot be read now (%v), and when it was last, %s", unread, last)
	}
	return fmt.Errorf("%s: %s is not steady after %s and ECS has not given up on it: %s. "+
		"Look at the events of the service; `pulumi up` goes on waiting", r.Key, r.short(r.targetRevision), limit, last)
}

// differs says what a steady service is not as it was asked for, which its deployments do not tell.
func (r *rollout) differs(service types.Service) error {
	if r.Replicas != nil && int(service.DesiredCount) != *r.Replicas {
		return fmt.Errorf("%s.replicas: ECS keeps %d replicas, and the stage asks for %d: the count was changed outside of "+
			"this program, or by scaling "+
			"that the stage no longer has. `pulumi up --refresh` sets it", r.Key, service.DesiredCount, *r.Replicas)
	}
	if config := service.DeploymentConfiguration; !r.Alarms && config != nil && config.Alarms != nil &&
		config.Alarms.Enable {
		return fmt.Errorf("%s.deployment.alarms: ECS still takes deployments back when one of these goes off: %s. They "+
			"could not be read before "+
			"this update, to be switched off: `pulumi up` again does", r.Key, strings.Join(config.Alarms.AlarmNames, ", "))
	}
	return nil
}

type verdict int

const (
	underWay   verdict = iota // the target revision's deployment has no end yet
	steady                    // it is COMPLETED and all replicas run
	failed                    // ECS gave up on it
	superseded                // ECS is at another revision
	missing                   // there is no such service, or it is being deleted
)

// judge tells how far a service is on the way to the target revision.
func judge(service types.Service, targetRevision string) verdict {
	if awssdk.ToString(service.Status) != "ACTIVE" {
		return missing
	}
	primary := primaryOf(service)
	if primary.Id == nil {
		return underWay
	}
	if awssdk.ToString(primary.TaskDefinition) != targetRevision {
		own, found := deployment(service,
			func(d types.Deployment) bool { return awssdk.ToString(d.TaskDefinition) == targetRevision })
		if found && own.RolloutState == types.DeploymentRolloutStateFailed {
			return failed
		}
		return superseded
	}
	switch primary.RolloutState {
	case types.DeploymentRolloutStateFailed:
		return failed
	case types.DeploymentRolloutStateInProgress:
		return underWay
	case "": // not told for every kind of service: then the others must be gone
		if len(service.Deployments) > 1 {
			return underWay
		}
	}
	if primary.RunningCount == service.DesiredCount && service.RunningCount == service.DesiredCount {
		return steady
	}
	return underWay
}

// primaryOf is the deployment that ECS is at; without an id where it has none yet.
func primaryOf(service types.Service) types.Deployment {
	primary, _ := deployment(service, func(d types.Deployment) bool { return awssdk.ToString(d.Status) == "PRIMARY" })
	return primary
}

func deployment(service types.Service, is func(types.Deployment) bool) (types.Deployment, bool) {
	i := slices.IndexFunc(service.Deployments, is)
	if i < 0 {
		return types.Deployment{}, false
	}
	return service.Deployments[i], true
}

// showEvents passes on what ECS tells since the target deployment began, oldest first and each once.
func (r *rollout) showEvents(service types.Service) {
	if r.shown == nil {
		r.shown = map[string]bool{}
		began := time.Now()
		if own, found := deployment(service,
			func(d types.Deployment) bool { return awssdk.ToString(d.TaskDefinition) == r.targetRevision }); found {
			began = awssdk.ToTime(own.CreatedAt)
		}
		for _, event := range service.Events {
			r.shown[awssdk.ToString(event.Id)] = awssdk.ToTime(event.CreatedAt).Before(began)
		}
	}
	for _, event := range slices.Backward(service.Events) {
		if id := awssdk.ToString(event.Id); !r.shown[id] {
			r.shown[id] = true
			r.progress(awssdk.ToString(event.Message))
		}
	}
}

// explain says which revision failed, why, what serves now, and how to try again.
func (r *rollout) explain(ctx context.Context, service types.Service) error {
	var text strings.Builder
	primary := primaryOf(service)
	stays := awssdk.ToString(primary.TaskDefinition) == r.targetRevision
	reason, failed := r.failure(service)
	switch {
	case failed && stays:
		fmt.Fprintf(&text, "%s: the deployment of %s failed", r.Key, r.short(r.targetRevision))
	case failed:
		fmt.Fprintf(&text, "%s: the deployment of %s failed and was rolled back", r.Key, r.short(r.targetRevision))
	default:
		fmt.Fprintf(&text, "%s: the service is not on %s, but on %s: an earlier deployment was rolled back, or somebody "+
			"changed the service",
			r.Key, r.short(r.targetRevision), r.short(awssdk.ToString(primary.TaskDefinition)))
	}
	if reason != "" {
		fmt.Fprintf(&text, "\n  ECS says: %s", reason)
	}
	for _, line := range r.stoppedReasons(ctx) {
		fmt.Fprintf(&text, "\n  %s", line)
	}
	fmt.Fprintf(&text, "\n  Serving now: %s", r.serving(service))
	fmt.Fprintf(&text, "\n  The containers' output is in the log group %s", r.LogGroup)
	switch {
	case stays && r.serving(service) == nothing:
		fmt.Fprintf(&text, "\n  Fix the cause and run `pulumi up`. Where nothing in the stage changes by that, `pulumi up "+
			"--replace '%s'` tries again", r.urn)
	case stays: // and a replacement would delete what serves
		fmt.Fprintf(&text, "\n  Fix the cause and run `pulumi up`. Where nothing in the stage changes by that, "+
			"`aws ecs update-service --cluster %s --service %s --force-new-deployment` tries again, and `pulumi up` watches it",
			r.cluster, path.Base(r.service))
	default:
		text.WriteString("\n  Fix the cause and run `pulumi up`. Where nothing in the stage changes by that, `pulumi up " +
			"--refresh` tries again")
	}
	return errors.New(text.String())
}

// failure tells whether ECS gave up on the target revision's deployment, and its reason. A deployment that was rolled
// back is soon gone from the list; the event that says so stays.
func (r *rollout) failure(service types.Service) (reason string, failed bool) {
	own, found := deployment(service,
		func(d types.Deployment) bool { return awssdk.ToString(d.TaskDefinition) == r.targetRevision })
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
func (r *rollout) serving(service types.Service) string {
	var running []string
	for _, d := range service.Deployments {
		if d.RunningCount > 0 && !(awssdk.ToString(d.TaskDefinition) == r.targetRevision &&
			d.RolloutState == types.DeploymentRolloutStateFailed) {
			running = append(running, fmt.Sprintf("%s, %d of %d replicas", r.short(awssdk.ToString(d.TaskDefinition)),
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
func (r *rollout) short(arn string) string { return path.Base(arn) }
