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

	"golang.org/x/sync/errgroup"
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
	containerImages

	revision *revision
}

// timeline is a stage's history, oldest first.
type timeline struct {
	entries []*entry
	// withSecrets says whether secret values could be compared.
	withSecrets bool
	// cloud is where its revisions and images are.
	cloud *cloud
}

// registrationSlack is how far the clocks of AWS and of who ran the update may be apart.
const registrationSlack = 5 * time.Second

// readTimeline joins what Pulumi knows of a stack's updates, ECS of its revisions and ECR of their images. It describes
// the revisions of the newest updates only, as many as limit says (0 for all).
func readTimeline(ctx context.Context, pulumi pulumiCLI, project *project, stack string, config map[string]string, limit int) (*timeline, error) {
	updates, withSecrets, err := pulumi.History(ctx, stack)
	if err != nil {
		return nil, err
	}
	slices.Reverse(updates)
	found := &timeline{withSecrets: withSecrets}
	before := map[string]leaf{}
	for i, each := range updates {
		next := newEntry(project.Name, each, i+1)
		if each.Kind == "update" {
			next.Changes = keyChanges(before, next.leaves)
			before = next.leaves
		}
		found.entries = append(found.entries, next)
	}
	if len(updates) == 0 {
		return found, nil
	}
	if found.cloud, err = connect(ctx, stack, config); err != nil {
		return nil, err
	}
	oldest := found.entries[0]
	if limit > 0 && limit < len(found.entries) {
		oldest = found.entries[len(found.entries)-limit]
	}
	return found, found.place(ctx, project.Name+"-"+stageName(stack)+"-", oldest.Start)
}

func newEntry(project string, u update, number int) *entry {
	env := u.Environment
	e := &entry{
		Number: cmp.Or(u.Version, number), Kind: u.Kind, Result: u.Result, Start: pulumiTime(u.StartTime),
		Commit: env["git.head"], Author: env["git.author"], Message: u.Message, By: ranBy(env), Dirty: env["git.dirty"] == "true",
		Services: map[string]*placed{}, Tasks: map[string]*placed{}, Changes: []keyChange{}, leaves: leaves(project, u.Config),
	}
	if u.EndTime != "" {
		end := pulumiTime(u.EndTime)
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

// knew tells whether a revision was registered before the update ended. That includes what an update has registered that
// was killed: some backends have no record of it, and the next update runs what it finds.
func (e *entry) knew(at time.Time) bool {
	return e.End == nil || !at.After(e.End.Add(registrationSlack))
}

// place finds out which revision of each service and each task an update put in place: the pinned one, else the newest one
// that was registered by then.
func (t *timeline) place(ctx context.Context, familyPrefix string, since time.Time) error {
	for _, kind := range []string{serviceKind, taskKind} {
		if err := t.placeAll(ctx, kind, familyPrefix, since); err != nil {
			return err
		}
	}
	return nil
}

func (t *timeline) placeAll(ctx context.Context, kind, familyPrefix string, since time.Time) error {
	names := map[string]bool{}
	for _, e := range t.entries {
		for _, name := range e.declared(kind) {
			names[name] = true
		}
	}
	sorted := slices.Sorted(maps.Keys(names))
	revisions := make([][]*revision, len(sorted))
	running, group := errgroup.WithContext(ctx)
	running.SetLimit(2) // each makes several calls at once
	for i, name := range sorted {
		running.Go(func() (err error) {
			revisions[i], err = t.cloud.revisions(group, familyPrefix+name, since)
			return err
		})
	}
	if err := running.Wait(); err != nil {
		return err
	}
	for i, name := range sorted {
		if err := t.placeOne(ctx, kind, name, familyPrefix+name, revisions[i]); err != nil {
			return err
		}
	}
	return nil
}

func (t *timeline) placeOne(ctx context.Context, kind, name, family string, revisions []*revision) error {
	byNumber := map[int]*revision{}
	for _, each := range revisions {
		byNumber[each.number] = each
	}
	var newest *revision // of those that the updates so far have registered
	last := 0            // what the update before has put in place
	for i, e := range t.entries {
		if e.Kind != "update" && e.Kind != "destroy" {
			continue
		}
		declared := slices.Contains(e.declared(kind), name) && e.Kind == "update"
		if !declared {
			last = 0
			continue
		}
		for _, each := range revisions {
			if e.knew(each.registeredAt) && !t.overtaken(i, each.registeredAt) {
				newest = each
			}
		}
		put := &placed{}
		var err error
		if newest != nil {
			put.Revision, put.revision = newest.number, newest
		}
		if pinned := e.pinned(name); pinned != 0 && kind == serviceKind {
			put.Revision, put.Pinned, put.revision = pinned, true, byNumber[pinned]
			if put.revision == nil {
				if put.revision, err = t.cloud.revision(ctx, fmt.Sprintf("%s:%d", family, pinned)); err != nil {
					return err
				}
				byNumber[pinned] = put.revision
			}
		}
		if put.containerImages, err = t.cloud.images(ctx, put.revision, name); err != nil {
			return err
		}
		put.Changed = put.Revision != last && put.Revision != 0
		last = put.Revision
		e.of(kind)[name] = put
	}
	return nil
}

// overtaken tells whether a later update ran at that time, too: of two that follow each other closely, the later has
// registered what lies between them.
func (t *timeline) overtaken(i int, at time.Time) bool {
	for _, later := range t.entries[i+1:] {
		if later.Kind == "update" && !at.Before(later.Start) {
			return true
		}
	}
	return false
}
