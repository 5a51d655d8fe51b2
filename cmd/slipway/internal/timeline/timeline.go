// Package timeline joins a stage's history with the revisions and the images that its updates put in place, and tells
// how the configurations of two updates differ.
package timeline

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/ecsread"
)

// What a stage file declares that has task definitions, by its keys.
const (
	ServiceKind = "services"
	TaskKind    = "tasks"
)

// Timeline is a stage's history, newest first, of which no more is read than is asked for.
type Timeline struct {
	Stack string
	// Cluster is the stage's, and what the names of its families begin with.
	Cluster string
	project string
	Past    *pulumicli.History
	Entries []*Entry // those that were made, newest first
	// Cloud is where its revisions and images are.
	Cloud *awsreader.Client
	// revisions are those that were described, by family:number; nil for one that is gone.
	revisions map[string]*awsreader.Revision
	// registered are a family's own revisions, oldest first, as far back as was asked for.
	registered map[string][]*awsreader.Revision
	// deployed are the stack's outputs: what the newest update that succeeded put in place.
	deployed *pulumicli.Outputs
}

// Open reads what is asked of a stage's history first: its configuration, and the newest updates.
func Open(ctx context.Context, pulumi pulumicli.CLI, project *stagefile.Project, stack string,
	newest int) (*Timeline,
	*pulumicli.StageConfig, error) {
	if _, err := stagefile.Read(project.StageFile(stack)); err != nil { // whose mistakes pulumi tells without its name
		return nil, nil, err
	}
	files, err := pulumicli.OpenBackend(ctx, project, stack)
	if err != nil {
		return nil, nil, err
	}
	config := &pulumicli.StageConfig{}
	found := New(project.Name, stack)
	asking, asked := errgroup.WithContext(ctx)
	asking.Go(func() (err error) {
		config, err = pulumicli.ReadStageConfig(asked, pulumi, project, stack, files)
		return err
	})
	asking.Go(func() (err error) {
		found.Past, err = pulumicli.OpenHistory(asked, pulumi, files, stack, project.Encrypts(stack) || files == nil, newest)
		return err
	})
	return found, config, asking.Wait()
}

func New(project, stack string) *Timeline {
	return &Timeline{Stack: stack, Cluster: project + "-" + stagefile.StageName(stack), project: project,
		revisions:  map[string]*awsreader.Revision{},
		registered: map[string][]*awsreader.Revision{}}
}

// Connect prepares calls to AWS.
func (t *Timeline) Connect(ctx context.Context, config map[string]string) (err error) {
	t.Cloud, err = awsreader.Connect(ctx, t.Stack, config)
	return err
}

// At is an update by its place in the history, 0 for the newest; nil where there are fewer.
func (t *Timeline) At(ctx context.Context, i int) (*Entry, error) {
	for len(t.Entries) <= i {
		next := len(t.Entries)
		read, err := t.Past.At(ctx, next)
		if err != nil || read == nil {
			return nil, err
		}
		number := read.Version
		if number == 0 {
			count, err := t.Past.Count(ctx)
			if err != nil {
				return nil, err
			}
			number = count - next
		}
		t.Entries = append(t.Entries, newEntry(t.project, *read, number, next))
	}
	return t.Entries[i], nil
}

// updateBefore is the update before one; nil where there is none. Destroys and refreshes ask for nothing.
func (t *Timeline) updateBefore(ctx context.Context, e *Entry) (*Entry, error) {
	for i := e.Index + 1; ; i++ {
		found, err := t.At(ctx, i)
		if err != nil || found == nil || found.Kind == "update" {
			return found, err
		}
	}
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
	i := slices.IndexFunc(entries, func(e *Entry) bool { return e.Kind == "update" || e.Kind == "destroy" })
	if i < 0 || entries[i].Kind == "destroy" || entries[i].Result == "in-progress" || !t.isNewest(entries[i]) {
		return
	}
	services, err := ecsread.Services(ctx, t.Cloud.ECS, t.Cluster, slices.Sorted(maps.Keys(entries[i].Services)))
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
	return !slices.ContainsFunc(t.Entries[:e.Index], func(later *Entry) bool {
		return later.Kind == "update" ||
			later.Kind == "destroy"
	})
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
	for i := newest.Number - number; number <= newest.Number; i++ { // where none is missing, the first is it
		e, err := t.At(ctx, i)
		if err != nil {
			return nil, err
		}
		if e == nil || e.Number < number {
			break
		}
		if e.Number == number {
			return e, nil
		}
	}
	oldest := newest
	for i := 0; ; i++ {
		e, err := t.At(ctx, i)
		if err != nil {
			return nil, err
		}
		if e == nil {
			return nil, fmt.Errorf("%s has no update %d: `slipway history %[1]s --limit 0` lists them, %[3]d to %[4]d",
				t.Stack, number, oldest.Number, newest.Number)
		}
		oldest = e
	}
}

// Before is what an earlier update had put in place for a service or a task last.
func (t *Timeline) Before(ctx context.Context, e *Entry, kind, name string) (*DeployedRevision, error) {
	for {
		earlier, err := t.updateBefore(ctx, e)
		if err != nil || earlier == nil {
			return nil, err
		}
		if slices.Contains(earlier.Settings.Declared(kind), name) {
			err := t.ResolveRevisions(ctx, true, earlier)
			return earlier.Of(kind)[name], err
		}
		e = earlier
	}
}
