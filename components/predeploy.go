package components

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

// predeploy runs a task to its end before services move to another revision.
//
// In the state it is a Stash, which the engine itself keeps. What replaces it is another revision of one of the
// services, and a hook runs the task before the new Stash counts as created. So where the task fails, the state still
// has the former one, and the next update runs the task again; and once it has succeeded, no update runs it again for
// these revisions, also where a later step of this one fails.
type predeploy struct {
	ctx       *pulumi.Context
	account   *Account
	component pulumi.Resource // where progress is shown: the Stash has no URN yet while its hook runs
	key       string          // what the user wrote: tasks.migrate
	services  []string
	// trigger is a digest of the revisions for which the task is run, once they are known.
	trigger chan string
	timeout time.Duration // of the task, and of the wait for one that runs already
}

// NewPredeploys declares the runs of tasks before deployments, and returns those that each service waits for. Of tasks
// that one service waits for, the next begins when the one before it has ended: they may change the same database.
func NewPredeploys(ctx *pulumi.Context, settings *stage.Stage,
	workloads map[string]*Workload) (map[string][]pulumi.Resource, error) {
	runs := map[string][]pulumi.Resource{}
	for _, name := range sortedKeys(settings.Tasks) {
		services := settings.Tasks[name].Before
		if len(services) == 0 {
			continue
		}
		var earlier []pulumi.Resource
		revisions := pulumi.StringMap{}
		for _, service := range services {
			earlier = append(earlier, runs[service]...)
			revisions[service] = workloads[service].targetRevision
		}
		run, err := newPredeploy(ctx, workloads[name], revisions, earlier)
		if err != nil {
			return nil, err
		}
		for _, service := range services {
			runs[service] = append(runs[service], run)
		}
	}
	return runs, nil
}

// newPredeploy declares the run of a task before services move to these revisions, after earlier runs.
func newPredeploy(ctx *pulumi.Context, w *Workload, revisions pulumi.StringMap,
	earlier []pulumi.Resource) (pulumi.Resource, error) {
	settings, trigger := w.Stage.Tasks[w.name], make(chan string, 1)
	p := &predeploy{ctx: ctx, account: w.Preflight.Account, component: w, key: w.Stage.Key(w.name),
		services: settings.Before,
		trigger:  trigger, timeout: settings.TimeLimit()}
	revisions.ToStringMapOutput().ApplyT(func(known map[string]string) map[string]string {
		trigger <- digestOfRevisions(known)
		return known
	})
	hook, err := ctx.RegisterResourceHook(p.key, p.run, &pulumi.ResourceHookOptions{OnDryRun: true})
	if err != nil {
		return nil, err
	}
	return pulumi.NewStash(ctx, w.name, &pulumi.StashArgs{Input: w.runInput()}, pulumi.Parent(w),
		pulumi.DependsOn(slices.Concat(w.ready, earlier)), pulumi.ReplacementTrigger(revisions),
		// Another revision of the task alone is no reason to run it, and so nothing that a preview should show.
		pulumi.IgnoreChanges([]string{"input"}),
		pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: []*pulumi.ResourceHook{hook}}))
}

// digestOfRevisions is short, and the same for the same revisions: fmt prints maps in the order of their keys.
func digestOfRevisions(revisions map[string]string) string {
	return fmt.Sprintf("%.4x", sha256.Sum256(fmt.Append(nil, revisions)))
}
