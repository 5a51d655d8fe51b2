package components

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/components/internal/build"
	"slipway/components/internal/mirror"
	"slipway/internal/awsclient"
	"slipway/stage"
)

// Preflight is what a stage is made in and from: what has to be known before anything is built or changed.
type Preflight struct {
	// Stage is what the stage file says.
	Stage *stage.Stage
	// account that everything is made in.
	account *stageAccount
	// Network that the services' tasks run in.
	Network *Network
	// ingress is where the stage's load balancer stands, or the existing one, and internalIngress where the internal one
	// does; nil where no service has a route from it.
	ingress, internalIngress *ingressLookup
	// revisions are the ARNs of the revisions that services are pinned to, by service.
	revisions map[string]string
	// copies are of the images that are run from the stage's own repositories, and come from others, by name.
	copies map[string]*mirror.Copy
	// builds are the images to build, by name.
	builds map[string]*build.Plan
	// rollouts watches the services' deployments.
	rollouts *serviceRollouts
	// kept is what ECS has of the services and would keep.
	kept keptByECS
}

// RunPreflight loads the stage file, asks AWS and reads the build contexts. Its error has all that is wrong, so that
// nothing of it is found out only once half of the stage is there.
func RunPreflight(ctx *pulumi.Context, input stage.Input) (*Preflight, error) {
	input.Outputs = stackOutputs(ctx, stackPause)
	settings, err := stage.Load(input)
	if err != nil {
		return nil, err
	}
	account, err := lookupAccount(ctx)
	if err != nil {
		return nil, err
	}
	if err := settings.CheckIn(account.Region, account.ID); err != nil {
		return nil, err
	}
	errSizes := checkSizes(account, settings)
	found := &Preflight{Stage: settings, account: account, rollouts: newRollouts(ctx, account, settings.Cluster())}
	var errServices, errTasks, errOwners, errNetwork, errIngress, errInternal, errBuilds error
	var asking sync.WaitGroup
	asking.Go(func() { found.kept, errServices = found.rollouts.preflight(settings) })
	var warnings []string
	asking.Go(func() { warnings = managedChanges(ctx.Context(), account, settings) })
	asking.Go(func() { errOwners = checkOwners(ctx.Context(), account, settings) })
	asking.Go(func() { errTasks = preflightTasks(ctx.Context(), account, settings) })
	found.Network, errNetwork = lookupNetwork(ctx, settings)
	found.ingress, errIngress = lookupIngress(ctx, settings, found.Network)
	found.internalIngress, errInternal = lookupInternalIngress(ctx, settings, found.Network)
	pinned, errPinned := lookupPinned(ctx, account, settings)
	found.revisions, found.copies = pinned.Revisions, pinned.Copies
	found.builds, errBuilds = build.Prepare(ctx.Log, settings, input.Root)
	asking.Wait()
	if found.Network != nil {
		warnings = append(warnings, found.kept.withoutWayOut(settings, found.Network)...)
	}
	for _, warning := range append(warnings, pinned.Warnings...) {
		if err := ctx.Log.Warn(warning, nil); err != nil {
			return nil, err
		}
	}
	return found, errors.Join(errSizes, errServices, errTasks, errOwners, errNetwork, errIngress, errInternal,
		errPinned, errBuilds)
}

// preflightTasks finds out whether tasks that run before a deployment may be looked at, which is needed once the update
// has begun. Only a refusal is an error.
func preflightTasks(ctx context.Context, account *stageAccount, settings *stage.Stage) error {
	names := slices.DeleteFunc(sortedKeys(settings.Tasks),
		func(name string) bool { return len(settings.Tasks[name].Before) == 0 })
	if len(names) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, existingLimit)
	defer cancel()
	clients, err := account.Clients(ctx)
	if err != nil {
		return nil // what matters of it, the services say
	}
	cluster := settings.Cluster()
	family := settings.Family(names[0])
	nobody := account.ARN("ecs", "task/"+cluster+"/"+strings.Repeat("0", 32))
	var errList, errDescribe error
	var asking sync.WaitGroup
	asking.Go(func() {
		_, errList = clients.ECS.ListTasks(ctx, &ecs.ListTasksInput{Cluster: &cluster, Family: &family})
	})
	asking.Go(func() {
		_, errDescribe = clients.ECS.DescribeTasks(ctx, &ecs.DescribeTasksInput{Cluster: &cluster, Tasks: []string{nobody}})
	})
	asking.Wait()
	for _, err := range []error{errList, errDescribe} {
		if awsclient.Denied(err) {
			return fmt.Errorf("%s: the task could not be watched, so nothing is changed. Whoever previews and updates the "+
				"stage needs ecs:ListTasks, ecs:DescribeTasks, ecs:RunTask and ecs:StopTask: %w",
				settings.Where("tasks", names[0], "before"), err)
		}
	}
	return nil
}
