package components

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/components/internal/rollout"
	"slipway/internal/awsclient"
	"slipway/internal/ecsread"
	"slipway/stage"
)

// errReported is returned for a failure that was already shown on the resource it belongs to.
var errReported = errors.New("a deployment did not reach steady state")

// existingLimit is how long a read of what is there before an update may take, before that does without.
const existingLimit = 5 * time.Second

// serviceRollouts watches deployments to their end. The provider's own wait calls a rolled-back deployment a success,
// waits 20 minutes for a first one that has failed already, and does not wait at all when nothing changed. So each
// update reads every service from ECS, once if it is steady and until ECS's verdict if it is not, whether this update
// changed it or an earlier one was cut short.
type serviceRollouts struct {
	ctx            *pulumi.Context
	account        *stageAccount
	reader         *ecsread.Reader
	changed        sync.Map // keys of the services that this update has created or updated
	leavesCapacity sync.Map // keys of those among them that leave a capacity of which the preflight could not know
}

// newRollouts prepares watching the services of a cluster with the provider's own settings.
func newRollouts(ctx *pulumi.Context, account *stageAccount, cluster string) *serviceRollouts {
	return &serviceRollouts{ctx: ctx, account: account, reader: ecsread.NewReader(account, cluster)}
}

// Watch returns the ARN of the target revision once the service is steady on it. Otherwise it reports on the service
// which revision failed, why, and which one serves, and makes the update fail. A preview reads nothing.
func (r *serviceRollouts) Watch(service *ecs.Service, revision pulumi.StringOutput,
	target rollout.Rollout) pulumi.StringOutput {
	if r.ctx.DryRun() {
		return revision
	}
	return pulumi.All(service.URN(), service.ID(), revision, service.Tags,
		service.ServiceConnectConfiguration).ApplyT(func(known []any) (string, error) {
		target.URN, target.Service = string(known[0].(pulumi.URN)), string(known[1].(pulumi.ID))
		target.TargetRevision = known[2].(string)
		_, target.Changed = r.changed.Load(target.Key)
		if known[3].(map[string]string)[stage.CapacityTag] != target.Capacity.String() {
			target.Capacity = nil // an update of other targets, which moves nothing
		}
		if _, leaves := r.leavesCapacity.Load(target.Key); leaves {
			target.Capacity = rollout.OnDemand
		}
		target.Connection = connectionOf(known[4].(*ecs.ServiceServiceConnectConfiguration))
		target.Progress = func(message string) { _ = r.ctx.Log.Info(message, &pulumi.LogArgs{Resource: service}) }
		if err := rollout.Follow(r.ctx.Context(), r.reader, target); err != nil {
			return "", errors.Join(errReported, r.ctx.Log.Error(err.Error(), &pulumi.LogArgs{Resource: service}))
		}
		return target.TargetRevision, nil
	}).(pulumi.StringOutput)
}

// Hooks are bound to a service for Watch. They note that an update changes it; and they warn where one is created that
// exists. They move it to its capacity, too. The key is what the user wrote; component is where the warning is shown.
func (r *serviceRollouts) Hooks(key, arn string, capacity rollout.Capacity, component pulumi.Resource) (
	*pulumi.ResourceHookBinding, error) {
	warn, err := r.ctx.RegisterResourceHook(key+" replacement", func(*pulumi.ResourceHookArgs) error {
		service, err := r.existing(arn)
		if err != nil || !ecsread.IsActive(service) {
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
	move, err := r.moveHook(key, arn, capacity)
	if err != nil {
		return nil, err
	}
	type hooks = []*pulumi.ResourceHook
	return &pulumi.ResourceHookBinding{BeforeCreate: hooks{warn}, BeforeUpdate: hooks{move},
		AfterCreate: hooks{note, move}, AfterUpdate: hooks{note}}, nil
}

// whereItExists says what follows where a service exists that is about to be created. A preview cannot tell one that is
// replaced, and so deleted first, from one that the state does not have; by the time of the update, the former is gone.
func whereItExists(preview bool, stage string) string {
	recover := fmt.Sprintf("`slipway recover %s` takes it into the state", stage)
	if preview {
		return "Where this update replaces it, it deletes it first: until the new one runs, nothing serves. Where it only " +
			"creates it, the service is not in this stack's state, and ECS refuses a second one of its name: " + recover
	}
	return "It is not in this stack's state, and ECS refuses a second one of its name unless both are the same: " + recover
}

// keptByECS is what ECS has of services, and keeps where it is only left out: the alarms of those for which the stage
// has none, for which ones it knows Service Connect, and which ones an update has moved to a capacity, by service.
type keptByECS struct {
	alarms    map[string][]string
	connected map[string]bool
	moved     map[string]bool
	// onProviders is set where any is on one of the stage's capacity providers, and leave where one of these is no more in
	// the stage.
	onProviders, leave bool
	// arriving are the services that go to instances.
	arriving []string
}

// preflight reads the services before the update, and returns what ECS would keep of them, so that it is switched off.
// A service that cannot be read has nothing for now; differs finds out once it is there. What would keep every
// deployment from being watched is an error.
func (r *serviceRollouts) preflight(settings *stage.Stage) (keptByECS, error) {
	var mutex sync.Mutex
	var asking sync.WaitGroup
	kept := keptByECS{alarms: map[string][]string{}, connected: map[string]bool{}, moved: map[string]bool{}}
	refused, others := map[string]error{}, map[string]error{} // by service
	owners := map[string]string{}                             // of names, in ECS
	on := map[string][]string{}                               // capacity providers, by service
	var moving []string
	for name, service := range settings.Services {
		asking.Go(func() {
			found, err := r.existing(serviceARN(r.account, settings.Cluster(), name))
			var taken error
			if found.Status == nil { // an unchanged stage asks nothing
				taken = checkOwner(r.ctx.Context(), r.account, settings, name)
			}
			mutex.Lock()
			defer mutex.Unlock()
			others[name] = errors.Join(taken, checkScheduling(settings, name, found))
			kept.moved[name] = hasMoved(found)
			moving = append(moving, moves(settings.Key(name), found, kept.targetCapacity(settings, name))...)
			if awsclient.Denied(err) || errors.Is(err, awsclient.ErrOtherAccount) {
				refused[name] = err
			}
			if config := found.DeploymentConfiguration; !service.Deployment.HasAlarms() && config != nil &&
				config.Alarms != nil && len(config.Alarms.AlarmNames) > 0 {
				kept.alarms[name] = slices.Sorted(slices.Values(config.Alarms.AlarmNames))
			}
			kept.connected[name] = hasConnection(found)
			for _, share := range found.CapacityProviderStrategy {
				on[name] = append(on[name], *share.CapacityProvider)
			}
			for _, taken := range rollout.ConnectionOf(found).Names {
				owners[taken] = name
			}
		})
	}
	asking.Wait()
	slices.Sort(moving)
	for _, move := range moving {
		if err := r.ctx.Log.Info(move, nil); err != nil {
			return kept, err
		}
	}
	taken := append(checkNamesFree(settings, owners), kept.noteProviders(settings, on)...)
	for _, name := range sortedKeys(others) {
		taken = append(taken, others[name])
	}
	for _, name := range sortedKeys(refused) { // one stands for all: they lack the same
		return kept, fmt.Errorf("%s: its deployment could not be watched, so nothing is changed. Whoever previews and "+
			"updates the stage needs ecs:DescribeServices for its services: %w", settings.Where("services", name), refused[name])
	}
	return kept, errors.Join(taken...)
}

// existing reads a service before it is changed, which a network that is slow or down should not stop or delay.
func (r *serviceRollouts) existing(arn string) (types.Service, error) {
	ctx, cancel := context.WithTimeout(r.ctx.Context(), existingLimit)
	defer cancel()
	return r.reader.Read(ctx, arn)
}
