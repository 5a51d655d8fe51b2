package components

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// predeploy runs a task to its end before services move to another revision.
//
// In the state it is a Stash, which the engine itself keeps. What replaces it is another revision of one of the services, and a
// hook runs the task before the new Stash counts as created. So where the task fails, the state still has the former one, and
// the next update runs the task again; and once it has succeeded, no update runs it again for these revisions, also
// where a later step of this one fails.
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

// declare declares the run of a task, which needs ready, and makes the services wait for it. Of tasks that one service waits
// for, the next begins when the one before it has ended: they may change the same database.
func (p *predeploy) declare(name string, task pulumi.Map, ready []pulumi.Resource, services map[string]*Service, parent pulumi.ResourceOption) error {
	revisions := pulumi.StringMap{}
	for _, service := range p.services {
		revisions[service] = services[service].workload.targetRevision
		ready = append(ready, services[service].before...)
	}
	p.trigger = make(chan string, 1)
	revisions.ToStringMapOutput().ApplyT(func(known map[string]string) map[string]string {
		p.trigger <- digestOfRevisions(known)
		return known
	})
	hook, err := p.ctx.RegisterResourceHook(p.key, p.run, &pulumi.ResourceHookOptions{OnDryRun: true})
	if err != nil {
		return err
	}
	input := pulumi.Map{}
	for _, key := range []string{"taskDefinition", "container", "cluster", "logGroup", "subnets", "securityGroups", "assignPublicIp"} {
		input[key] = task[key]
	}
	stash, err := pulumi.NewStash(p.ctx, name, &pulumi.StashArgs{Input: input}, parent, pulumi.DependsOn(ready),
		pulumi.ReplacementTrigger(revisions),
		// Another revision of the task alone is no reason to run it, and so nothing that a preview should show.
		pulumi.IgnoreChanges([]string{"input"}),
		pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: []*pulumi.ResourceHook{hook}}))
	if err != nil {
		return err
	}
	for _, service := range p.services {
		services[service].before = append(services[service].before, stash)
	}
	return nil
}

// digestOfRevisions is short, and the same for the same revisions: fmt prints maps in the order of their keys.
func digestOfRevisions(revisions map[string]string) string {
	return fmt.Sprintf("%.4x", sha256.Sum256(fmt.Append(nil, revisions)))
}
