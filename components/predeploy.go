package components

import (
	"encoding/json"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/components/predeploy"
	"slipway/stage"
)

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
//
// In the state it is a Stash, which the engine itself keeps. What replaces it is another revision of one of the
// services, and a hook runs the task before the new Stash counts as created. So where the task fails, the state still
// has the former one, and the next update runs the task again; and once it has succeeded, no update runs it again for
// these revisions, also where a later step of this one fails.
func newPredeploy(ctx *pulumi.Context, w *Workload, revisions pulumi.StringMap, earlier []pulumi.Resource) (
	pulumi.Resource, error) {
	settings := w.Stage.Tasks[w.name]
	run := &predeploy.Run{
		Account: w.Preflight.Account, Key: w.Stage.Key(w.name), Services: settings.Before, Timeout: settings.TimeLimit(),
		// On the task: the Stash has no URN yet while its hook runs.
		Say: func(text string) error { return ctx.Log.Info(text, &pulumi.LogArgs{Resource: w}) },
	}
	trigger := make(chan string, 1)
	revisions.ToStringMapOutput().ApplyT(func(known map[string]string) map[string]string {
		trigger <- predeploy.Trigger(known)
		return known
	})
	hook, err := ctx.RegisterResourceHook(run.Key, func(args *pulumi.ResourceHookArgs) error {
		if ctx.DryRun() {
			return run.Announce()
		}
		stash, err := json.Marshal(args.NewInputs["input"].Mappable())
		if err != nil {
			return err
		}
		select {
		case revisions := <-trigger: // known by now, as the Stash's own inputs are
			return run.ToEnd(ctx.Context(), stash, revisions)
		case <-ctx.Context().Done():
			return ctx.Context().Err()
		}
	}, &pulumi.ResourceHookOptions{OnDryRun: true})
	if err != nil {
		return nil, err
	}
	return pulumi.NewStash(ctx, w.name, &pulumi.StashArgs{Input: w.runInput()}, pulumi.Parent(w),
		pulumi.DependsOn(slices.Concat(w.ready, earlier)), pulumi.ReplacementTrigger(revisions),
		// Another revision of the task alone is no reason to run it, and so nothing that a preview should show.
		pulumi.IgnoreChanges([]string{"input"}),
		pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: []*pulumi.ResourceHook{hook}}))
}
