package components

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/components/internal/predeploy"
	"slipway/internal/taskrun"
	"slipway/stage"
)

// newPredeploys declares the runs of tasks before deployments, and returns those that each service waits for. Of tasks
// that one service waits for, the next begins when the one before it has ended: they may change the same database.
func newPredeploys(ctx *pulumi.Context, settings *stage.Stage,
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
		Account: w.Preflight.account, Key: w.Stage.Key(w.name), Services: settings.Before, Timeout: settings.TimeLimit(),
		LogsElsewhere: settings.LogsElsewhere(w.name),
		// On the task: the Stash has no URN yet while its hook runs.
		Say: func(text string) error { return ctx.Log.Info(text, &pulumi.LogArgs{Resource: w}) },
	}
	ready := make(chan taskrun.Task, 1)
	pulumi.All(revisions, w.targetRevision, w.Cluster.Name, w.securityGroups(),
		w.Preflight.Network.subnets()).ApplyT(func(known []any) bool {
		ready <- run.Task(known[0].(map[string]string), taskrun.Task{
			TaskDefinition: known[1].(string), Container: w.name, Cluster: known[2].(string), LogGroup: w.logGroup(),
			Subnets: known[4].([]string), SecurityGroups: known[3].([]string),
			AssignPublicIP: w.Preflight.Network.AssignPublicIP,
		})
		return true
	})
	hook, err := ctx.RegisterResourceHook(run.Key, func(*pulumi.ResourceHookArgs) error {
		if ctx.DryRun() {
			return run.Announce()
		}
		select {
		case task := <-ready:
			return run.ToEnd(ctx.Context(), task)
		case <-ctx.Context().Done():
			return ctx.Context().Err()
		}
	}, &pulumi.ResourceHookOptions{OnDryRun: true})
	if err != nil {
		return nil, err
	}
	// It holds the revision alone, as a preview shows all of it, and twice. It depends on all that its hook waits for.
	return pulumi.NewStash(ctx, w.name, &pulumi.StashArgs{Input: w.targetRevision}, pulumi.Parent(w),
		pulumi.DependsOn(slices.Concat(w.ready, earlier, []pulumi.Resource{w.Cluster, w.group})),
		pulumi.ReplacementTrigger(revisions),
		// Another revision of the task alone is no reason to run it, and so nothing that a preview should show.
		pulumi.IgnoreChanges([]string{"input"}),
		pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: []*pulumi.ResourceHook{hook}}))
}
