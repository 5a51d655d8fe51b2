package timeline

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/internal/ecsread"
)

// Which revision an update put in place is read from what was recorded, in this order: a number that its configuration
// names; the stack's state as the update left it; the outputs, for the newest update that succeeded. Only where none of
// these is at hand it is inferred from when revisions were registered, and only where a single one can be meant.

// exports is how many commands of the CLI are under way at once.
const exports = 4

// ResolveRevisions finds out which revisions updates put in place. exact reads their states even where each takes a
// command of the CLI.
func (t *Timeline) ResolveRevisions(ctx context.Context, exact bool, entries ...*Entry) error {
	var needed []*Entry // with those before them, which tell what changed
	for _, e := range entries {
		before, err := t.deploymentBefore(ctx, e)
		if err != nil {
			return err
		}
		for _, each := range []*Entry{e, before} {
			if each != nil && each.Kind == "update" && !(each.resolved && (each.exact || !exact)) &&
				!slices.Contains(needed, each) {
				needed = append(needed, each)
			}
		}
	}
	states := make([]*pulumicli.State, len(needed))
	unread := make([]error, len(needed)) // what cannot be read is no evidence, and ends nothing
	reading, group := errgroup.WithContext(ctx)
	reading.SetLimit(exports)
	for i, e := range needed {
		reading.Go(func() error {
			states[i], unread[i] = t.History.State(group, e.Index, !exact)
			return nil
		})
	}
	_ = reading.Wait()
	for i, e := range needed {
		e.resolved, e.exact = true, exact
		for _, kind := range []string{ServiceKind, TaskKind} {
			for _, name := range e.Settings.Declared(kind) {
				put, err := t.resolveRevision(ctx, e, states[i], unread[i], kind, name)
				if err != nil {
					return err
				}
				e.Of(kind)[name] = put
			}
		}
	}
	if err := t.describe(ctx, needed); err != nil {
		return err
	}
	for _, e := range entries {
		before, err := t.deploymentBefore(ctx, e)
		if err != nil {
			return err
		}
		e.compareRevisions(before)
		e.compareOutside(before, t.Family)
	}
	return nil
}

// deploymentBefore is the update or the destroy before one; nil where there is none.
func (t *Timeline) deploymentBefore(ctx context.Context, e *Entry) (*Entry, error) {
	return t.First(ctx, e.Index+1, (*Entry).Deploys)
}

// resolveRevision finds the number of a revision by the evidence that there is.
func (t *Timeline) resolveRevision(ctx context.Context, e *Entry, state *pulumicli.State, unread error, kind,
	name string) (*DeployedRevision, error) {
	if pinned := e.Settings.Pinned(name); pinned != 0 && kind == ServiceKind {
		return &DeployedRevision{Revision: pinned, Pinned: true}, nil
	}
	if state != nil {
		return &DeployedRevision{Revision: t.revisionIn(state, kind, name)}, nil
	}
	outputs, err := t.outputs(ctx, e)
	if err != nil {
		return nil, err
	}
	if outputs != nil {
		if kind == TaskKind {
			return &DeployedRevision{Revision: outputs.Tasks[name].Revision}, nil
		}
		return &DeployedRevision{Revision: ecsread.RevisionNumber(outputs.Services[name].TaskDefinition)}, nil
	}
	put, err := t.infer(ctx, e, kind, name)
	if err == nil && put.Unknown != "" && unread != nil {
		put.Unknown += fmt.Sprintf(" (and the stack's state after it cannot be read: %v)", unread)
	}
	return put, err
}

// revisionIn is the number of the revision that a state has of a service, or of a task; 0 where it has none. A service
// has the one that ECS was last asked for.
func (t *Timeline) revisionIn(s *pulumicli.State, kind, name string) int {
	if kind == ServiceKind {
		_, target := s.Service(t.Cluster(), name)
		return ecsread.RevisionNumber(target)
	}
	return s.Registered(t.Family(name))
}

// outputs are the stack's, where it is this update that they are from; nil where not.
func (t *Timeline) outputs(ctx context.Context, e *Entry) (*pulumicli.Outputs, error) {
	if e.Result != "succeeded" {
		return nil, nil
	}
	for i := range e.Index {
		later, err := t.At(ctx, i)
		if err != nil {
			return nil, err
		}
		if later.Kind == "destroy" || later.Kind == "update" && later.Result != "failed" {
			return nil, nil
		}
	}
	err := t.ReadOutputs(ctx)
	return t.Outputs, err
}

// describe reads the revisions that updates put in place, each once, and what they run.
func (t *Timeline) describe(ctx context.Context, entries []*Entry) error {
	revision := func(of Part, put *DeployedRevision) string {
		return t.Family(of.Name) + ":" + strconv.Itoa(put.Revision)
	}
	var missing []string
	for _, e := range entries {
		for part, put := range Parts(e.Services, e.Tasks) {
			name := revision(part, put)
			if _, known := t.revisions[name]; put.Revision != 0 && !known && !slices.Contains(missing, name) {
				missing = append(missing, name)
			}
		}
	}
	found, err := t.Cloud.DescribeAll(ctx, missing)
	if err != nil {
		return err
	}
	for i, name := range missing {
		t.revisions[name] = found[i]
	}
	for _, e := range entries {
		for part, put := range Parts(e.Services, e.Tasks) {
			put.InECS = t.revisions[revision(part, put)]
			if put.Images, err = t.Cloud.Images(ctx, put.InECS, part.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// registrationSlack is how far times of AWS and of an update may be apart beside the difference of the clocks: those of
// Pulumi are whole seconds.
const registrationSlack = 5 * time.Second

// window is when what an update did may have been, by AWS's clock. How far that was from the clock of the machine that
// ran the update nobody has recorded: this machine's is taken to be either as wrong or right.
type window struct{ before, after time.Duration }

func windowOf(c *awsreader.Client) window {
	skew := c.Skew()
	return window{min(skew, 0) - registrationSlack, max(skew, 0) + registrationSlack}
}

// infer finds the revision that a stack had when an update ended from the times at which the program's own revisions
// were registered, and from what they have. Where more than one can be meant, none is named.
func (t *Timeline) infer(ctx context.Context, e *Entry, kind, name string) (*DeployedRevision, error) {
	if e.End == nil {
		return &DeployedRevision{Unknown: "it has not ended"}, nil
	}
	own, err := t.ownRevisions(ctx, e, kind, name)
	if err != nil {
		return nil, err
	}
	slack := windowOf(t.Cloud)
	var candidates []*awsreader.Revision // newest first
	var by *Entry                        // the update that registered the last of them
	for _, each := range slices.Backward(own) {
		if each.RegisteredAt.After(e.End.Add(slack.after)) {
			continue
		}
		var registered *Entry
		if !each.RegisteredAt.After(e.End.Add(slack.before)) { // otherwise it was before or after the end
			if registered, err = t.registeredBy(ctx, e, each.RegisteredAt, slack); err != nil {
				return nil, err
			}
		}
		// An update registers one. Of several at its time the others are somebody's; and of one at no update's time,
		// which an update that was killed may have left, or somebody, nothing tells whether it or the one before is
		// meant.
		if by != nil && registered != by {
			break
		}
		candidates, by = append(candidates, each), registered
	}
	if len(candidates) == 0 {
		return &DeployedRevision{}, nil
	}
	none := by == nil // it may have put none in place
	if asked, err := e.Asked(t.Project.Name, t.Name()); err == nil && e.Result == "succeeded" {
		none = false
		candidates = slices.DeleteFunc(candidates,
			func(r *awsreader.Revision) bool { return len(Mismatches(asked, name, r)) > 0 })
	}
	if len(candidates) == 1 && !none {
		return &DeployedRevision{Revision: candidates[0].Number}, nil
	}
	if len(candidates) == 0 {
		return &DeployedRevision{Unknown: "no revision that was registered by its end has what it asked for"}, nil
	}
	var names []string
	for _, each := range slices.Backward(candidates) {
		names = append(names, strconv.Itoa(each.Number))
	}
	return &DeployedRevision{Unknown: "by the times at which they were registered it may be any of " +
			strings.Join(names, ", ")},
		nil
}

// registeredBy is the update that ran when a revision was registered: that one or one before it; nil where none did.
func (t *Timeline) registeredBy(ctx context.Context, e *Entry, at time.Time, slack window) (*Entry, error) {
	ended := func(e *Entry) bool { return e.End != nil && e.End.Add(slack.after).Before(at) }
	found, err := t.First(ctx, e.Index, func(e *Entry) bool {
		return ended(e) || e.Kind == "update" && !at.Before(e.Start.Add(slack.before))
	})
	if found != nil && ended(found) {
		found = nil
	}
	return found, err
}

// ownRevisions are the revisions of a family that carry the program's tags, oldest first: those since an update began,
// and some before.
func (t *Timeline) ownRevisions(ctx context.Context, e *Entry, kind, name string) ([]*awsreader.Revision, error) {
	family := t.Family(name)
	tags := t.Named().AllTags()
	tags[strings.TrimSuffix(kind, "s")] = name
	own := func(r *awsreader.Revision) bool {
		for key, value := range tags {
			if r.Tags[key] != value {
				return false
			}
		}
		return true
	}
	known := t.registered[family]
	if len(known) > 0 && known[0].RegisteredAt.Before(e.Start.Add(windowOf(t.Cloud).before)) {
		return known, nil
	}
	found, err := t.Cloud.Revisions(ctx, family, e.Start.Add(windowOf(t.Cloud).before), own)
	t.registered[family] = found
	return found, err
}
