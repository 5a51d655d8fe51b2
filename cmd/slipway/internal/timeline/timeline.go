// Package timeline joins a stage's history with the revisions and the images that its updates put in place, and tells
// how the configurations of two updates differ.
package timeline

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/internal/ecsread"
)

// What a stage file declares that has task definitions, by its keys.
const (
	ServiceKind = "services"
	TaskKind    = "tasks"
)

// Part is a service or a task of a stage.
type Part struct{ Kind, Name string }

// String is its key in the stage file.
func (p Part) String() string { return p.Kind + "." + p.Name }

// Title is how people call it: a service by its name.
func (p Part) Title() string {
	if p.Kind == TaskKind {
		return "task " + p.Name
	}
	return p.Name
}

// Parts are services, and then tasks, each in the order of their names.
func Parts[V any](services, tasks map[string]V) iter.Seq2[Part, V] {
	return func(yield func(Part, V) bool) {
		for _, of := range []struct {
			kind  string
			named map[string]V
		}{{ServiceKind, services}, {TaskKind, tasks}} {
			for _, name := range slices.Sorted(maps.Keys(of.named)) {
				if !yield(Part{of.kind, name}, of.named[name]) {
					return
				}
			}
		}
	}
}

// Timeline is a stage's history, newest first, of which no more is read than is asked for.
type Timeline struct {
	*snapshot.Stage
	Entries []*Entry // those that were made, newest first
	// Cloud is where its revisions and images are.
	Cloud *awsreader.Client
	// revisions are those that were described, by family:number; nil for one that ECS no longer has.
	revisions map[string]*awsreader.Revision
	// registered are a family's own revisions, oldest first, as far back as was asked for.
	registered map[string][]*awsreader.Revision
}

// New is the timeline of a stage, whose history was loaded.
func New(of *snapshot.Stage, cloud *awsreader.Client) *Timeline {
	return &Timeline{Stage: of, Cloud: cloud, revisions: map[string]*awsreader.Revision{},
		registered: map[string][]*awsreader.Revision{}}
}

// At is an update by its place in the history, 0 for the newest; nil where there are fewer.
func (t *Timeline) At(ctx context.Context, i int) (*Entry, error) {
	for len(t.Entries) <= i {
		next := len(t.Entries)
		read, err := t.History.At(ctx, next)
		if err != nil || read == nil {
			return nil, err
		}
		number := read.Version
		if number == 0 {
			count, err := t.History.Count(ctx)
			if err != nil {
				return nil, err
			}
			number = count - next
		}
		t.Entries = append(t.Entries, newEntry(t.Project.Name, *read, number, next))
	}
	return t.Entries[i], nil
}

// First is the newest update from a place on that is as wanted; nil where there is none.
func (t *Timeline) First(ctx context.Context, from int, wanted func(*Entry) bool) (*Entry, error) {
	for i := from; ; i++ {
		found, err := t.At(ctx, i)
		if err != nil || found == nil || wanted(found) {
			return found, err
		}
	}
}

// updateBefore is the update before one; nil where there is none. Destroys and refreshes ask for nothing.
func (t *Timeline) updateBefore(ctx context.Context, e *Entry) (*Entry, error) {
	return t.First(ctx, e.Index+1, func(e *Entry) bool { return e.Kind == "update" })
}

// Compare finds out which keys an update has changed.
func (t *Timeline) Compare(ctx context.Context, e *Entry) error {
	if e.Kind != "update" {
		return nil
	}
	before, err := t.updateBefore(ctx, e)
	if err != nil {
		return err
	}
	earlier := flatconfig.Config{}
	if before != nil {
		earlier = before.Settings
	}
	e.Changes = flatconfig.Changes(earlier, e.Settings)
	return nil
}

// MarkOutcome notes at the newest update which services ECS serves with another revision than that update put in place.
// Of earlier updates nobody keeps that. What cannot be read marks nothing.
func (t *Timeline) MarkOutcome(ctx context.Context, entries []*Entry) {
	i := slices.IndexFunc(entries, (*Entry).Deploys)
	if i < 0 || entries[i].Kind == "destroy" || entries[i].Result == "in-progress" || !t.isNewest(entries[i]) {
		return
	}
	services, err := ecsread.Services(ctx, t.Cloud.ECS, t.Cluster(), slices.Sorted(maps.Keys(entries[i].Services)))
	if err != nil {
		return
	}
	for name, put := range entries[i].Services {
		service, there := services[name]
		serving := aws.ToString(ecsread.Primary(service).TaskDefinition)
		if there && put.InECS != nil && serving != "" && serving != put.InECS.ARN {
			put.Serving = ecsread.RevisionNumber(serving)
			put.RolledBack = ecsread.FailureSince(service, put.InECS.ARN, entries[i].Start) != nil
		}
	}
}

// isNewest tells whether no update or destroy came after one.
func (t *Timeline) isNewest(e *Entry) bool {
	return !slices.ContainsFunc(t.Entries[:e.Index], (*Entry).Deploys)
}

// Find returns an update by its number.
func (t *Timeline) Find(ctx context.Context, number int) (*Entry, error) {
	newest, err := t.At(ctx, 0)
	if err != nil {
		return nil, err
	}
	if newest == nil {
		return nil, fmt.Errorf("%s has never been updated: run `pulumi up --stack %[1]s` first", t.Stack)
	}
	// Where none is missing, the first that is looked at is it.
	from := max(newest.Number-number, 0)
	e, err := t.First(ctx, from, func(e *Entry) bool { return e.Number <= number })
	if err != nil || e != nil && e.Number == number {
		return e, err
	}
	if _, err := t.First(ctx, from, func(*Entry) bool { return false }); err != nil { // to the oldest
		return nil, err
	}
	return nil, fmt.Errorf("%s has no update %d: `slipway history %[1]s --limit 0` lists them, %[3]d to %[4]d", t.Stack,
		number, t.Entries[len(t.Entries)-1].Number, newest.Number)
}

// Before is what an earlier update had put in place for a service or a task last.
func (t *Timeline) Before(ctx context.Context, e *Entry, part Part) (*DeployedRevision, error) {
	for {
		earlier, err := t.updateBefore(ctx, e)
		if err != nil || earlier == nil {
			return nil, err
		}
		if slices.Contains(earlier.Settings.Declared(part.Kind), part.Name) {
			err := t.ResolveRevisions(ctx, true, earlier)
			return earlier.Of(part.Kind)[part.Name], err
		}
		e = earlier
	}
}
