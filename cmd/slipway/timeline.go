package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"slipway/cmd/slipway/internal/awsclient"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
)

// entry is one update of a stage, with what it put in place.
type entry struct {
	// Number counts the stack's updates from 1; on Pulumi Cloud it is the update's version.
	Number int `json:"number"`
	// Kind is update, refresh, destroy, …
	Kind string `json:"kind"`
	// Result is succeeded, failed or in-progress.
	Result string     `json:"result"`
	Start  time.Time  `json:"start"`
	End    *time.Time `json:"end,omitempty"`
	// Commit is the one that was checked out, with its Author and the update's Message, which is the commit's unless the
	// update was given another.
	Commit  string `json:"commit,omitempty"`
	Author  string `json:"author,omitempty"`
	Message string `json:"message,omitempty"`
	// Dirty says that the work tree had changes that were not committed, in whatever file.
	Dirty bool `json:"dirty,omitempty"`
	// By is the CI run that made the update, where Pulumi knows one.
	By string `json:"by,omitempty"`
	// Services are what each service was to run from then on, by name.
	Services map[string]*placed `json:"services"`
	// Tasks are what each task was to run from then on, by name.
	Tasks map[string]*placed `json:"tasks"`
	// Changes are the keys of the stage's configuration that differ from the update before.
	Changes []keyChange `json:"changes"`

	i      int  // its place in the history, 0 for the newest
	placed bool // what it put in place was looked for
	exact  bool // in its state, too, where that takes a command of the CLI
	config map[string]pulumicli.ConfigValue
	leaves map[string]leaf
}

// What a stage file declares that has task definitions, by its keys.
const (
	serviceKind = "services"
	taskKind    = "tasks"
)

// of are what an update put in place for the stage's services, or for its tasks.
func (e *entry) of(kind string) map[string]*placed {
	if kind == taskKind {
		return e.Tasks
	}
	return e.Services
}

// placed is the revision that an update put in place for a service or a task.
type placed struct {
	// Revision is its number; 0 where none is known.
	Revision int `json:"revision"`
	// Pinned says that the stage file named it.
	Pinned bool `json:"pinned,omitempty"`
	// Changed says that this update put it there, and none before.
	Changed bool `json:"changed"`
	// Serving is the revision that ECS serves now, where that is another one; only of the newest update. RolledBack says
	// that ECS has gone back to it.
	Serving    int  `json:"serving,omitempty"`
	RolledBack bool `json:"rolledBack,omitempty"`
	// Unknown says why the revision is not known, if there is reason to think that there was one.
	Unknown string `json:"unknown,omitempty"`
	awsclient.Images

	revision *awsclient.Revision
}

// timeline is a stage's history, newest first, of which no more is read than is asked for.
type timeline struct {
	stack string
	// cluster is the stage's, and what the names of its families begin with.
	cluster string
	project string
	past    *pulumicli.History
	entries []*entry // those that were made, newest first
	// cloud is where its revisions and images are.
	cloud *awsclient.Client
	// revisions are those that were described, by family:number; nil for one that is gone.
	revisions map[string]*awsclient.Revision
	// registered are a family's own revisions, oldest first, as far back as was asked for.
	registered map[string][]*awsclient.Revision
	// deployed are the stack's outputs: what the newest update that succeeded put in place.
	deployed *pulumicli.Outputs
}

// openTimeline reads what is asked of a stage's history first: its configuration, and the newest updates.
func openTimeline(ctx context.Context, pulumi pulumicli.CLI, project *stagefile.Project, stack string,
	newest int) (*timeline,
	*pulumicli.StageConfig, error) {
	if _, err := stagefile.Read(project.StageFile(stack)); err != nil { // whose mistakes pulumi tells without its name
		return nil, nil, err
	}
	files, err := pulumicli.OpenBackend(ctx, project, stack)
	if err != nil {
		return nil, nil, err
	}
	config := &pulumicli.StageConfig{}
	found := newTimeline(project.Name, stack)
	asking, asked := errgroup.WithContext(ctx)
	asking.Go(func() (err error) {
		config, err = pulumicli.ReadStageConfig(asked, pulumi, project, stack, files)
		return err
	})
	asking.Go(func() (err error) {
		found.past, err = pulumicli.OpenHistory(asked, pulumi, files, stack, project.Encrypts(stack) || files == nil, newest)
		return err
	})
	return found, config, asking.Wait()
}

func newTimeline(project, stack string) *timeline {
	return &timeline{stack: stack, cluster: project + "-" + stagefile.StageName(stack), project: project,
		revisions:  map[string]*awsclient.Revision{},
		registered: map[string][]*awsclient.Revision{}}
}

// connect prepares calls to AWS.
func (t *timeline) connect(ctx context.Context, config map[string]string) (err error) {
	t.cloud, err = awsclient.Connect(ctx, t.stack, config)
	return err
}

// at is an update by its place in the history, 0 for the newest; nil where there are fewer.
func (t *timeline) at(ctx context.Context, i int) (*entry, error) {
	for len(t.entries) <= i {
		next := len(t.entries)
		read, err := t.past.At(ctx, next)
		if err != nil || read == nil {
			return nil, err
		}
		number := read.Version
		if number == 0 {
			count, err := t.past.Count(ctx)
			if err != nil {
				return nil, err
			}
			number = count - next
		}
		t.entries = append(t.entries, newEntry(t.project, *read, number, next))
	}
	return t.entries[i], nil
}

// updateBefore is the update before one; nil where there is none. Destroys and refreshes ask for nothing.
func (t *timeline) updateBefore(ctx context.Context, e *entry) (*entry, error) {
	for i := e.i + 1; ; i++ {
		found, err := t.at(ctx, i)
		if err != nil || found == nil || found.Kind == "update" {
			return found, err
		}
	}
}

// compare finds out which keys an update has changed.
func (t *timeline) compare(ctx context.Context, e *entry) error {
	if e.Kind != "update" {
		return nil
	}
	before, err := t.updateBefore(ctx, e)
	if err != nil {
		return err
	}
	earlier := map[string]leaf{}
	if before != nil {
		earlier = before.leaves
	}
	e.Changes = keyChanges(earlier, e.leaves)
	return nil
}

func newEntry(project string, u pulumicli.Update, number, i int) *entry {
	env := u.Environment
	e := &entry{
		i: i, config: u.Config, Number: number, Kind: u.Kind, Result: u.Result, Start: pulumicli.Time(u.StartTime),
		Commit: env["git.head"], Author: env["git.author"], Message: u.Message, By: ranBy(env),
		Dirty:    env["git.dirty"] == "true",
		Services: map[string]*placed{}, Tasks: map[string]*placed{}, Changes: []keyChange{},
		leaves: leaves(project, u.Config),
	}
	if u.EndTime != "" {
		end := pulumicli.Time(u.EndTime)
		e.End = &end
	}
	return e
}

// ranBy names the CI run that an update was made by.
func ranBy(env map[string]string) string {
	run := cmp.Or(env["ci.build.number"], env["ci.build.id"])
	if run != "" {
		run = "#" + run
	}
	return strings.TrimSpace(env["ci.system"] + " " + run)
}

// declared are the names of the services, or of the tasks, in an update's configuration: in the stage's own and in the
// defaults.
func (e *entry) declared(kind string) []string {
	names := map[string]bool{}
	for path := range e.leaves {
		path = strings.TrimPrefix(path, "defaults.")
		if rest, ok := strings.CutPrefix(path, kind+"."); ok {
			name, _, _ := strings.Cut(rest, ".")
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// pinned is the revision that an update's configuration names for a service, 0 for none.
func (e *entry) pinned(service string) int {
	for _, at := range []string{"services.", "defaults.services."} {
		if number, err := strconv.Atoi(e.leaves[at+service+".revision"].text); err == nil {
			return number
		}
	}
	return 0
}

// markOutcome notes at the newest update which services ECS serves with another revision than that update put in place.
// Of earlier updates nobody keeps that. What cannot be read marks nothing.
func (t *timeline) markOutcome(ctx context.Context, entries []*entry) {
	i := slices.IndexFunc(entries, func(e *entry) bool { return e.Kind == "update" || e.Kind == "destroy" })
	if i < 0 || entries[i].Kind == "destroy" || entries[i].Result == "in-progress" || !t.isNewest(entries[i]) {
		return
	}
	services, err := t.cloud.Services(ctx, t.cluster, slices.Sorted(maps.Keys(entries[i].Services)))
	if err != nil {
		return
	}
	for name, put := range entries[i].Services {
		service, there := services[name]
		serving := aws.ToString(awsclient.PrimaryDeployment(service).TaskDefinition)
		if there && put.revision != nil && serving != "" && serving != put.revision.ARN {
			put.Serving = awsclient.RevisionNumber(serving)
			put.RolledBack = awsclient.FailureOf(service, put.revision.ARN, entries[i].Start) != nil
		}
	}
}

// isNewest tells whether no update or destroy came after one.
func (t *timeline) isNewest(e *entry) bool {
	return !slices.ContainsFunc(t.entries[:e.i], func(later *entry) bool {
		return later.Kind == "update" ||
			later.Kind == "destroy"
	})
}

// outcome is what became of the revision, where ECS serves another one.
func (p *placed) outcome() string {
	switch {
	case p.Serving == 0:
		return ""
	case p.RolledBack:
		return fmt.Sprintf(", rolled back; serving revision %d", p.Serving)
	}
	return fmt.Sprintf(", but serving revision %d", p.Serving)
}
