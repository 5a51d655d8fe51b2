// Package rollback finds what takes a stage back to an earlier update, and whether all that it needs is there still.
package rollback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/cmd/slipway/internal/timeline"
	"slipway/internal/git"
	"slipway/stage"
)

// Plan is what takes a stage back, as --json prints it.
type Plan struct {
	Stage string `json:"stage"`
	// From is the stage's last update, To the one to go back to.
	From int `json:"from"`
	To   int `json:"to"`
	// File is the stage file's path.
	File string `json:"file"`
	// Changes are those of the configuration that is deployed next.
	Changes []flatconfig.Change `json:"changes"`
	// Services that the earlier update had, by name.
	Services map[string]Service `json:"services"`
	// Tasks that the earlier update had, by name; with --pin none, as they do not change.
	Tasks map[string]Service `json:"tasks"`
	// Notes say what does not come back.
	Notes []string `json:"notes"`
	// Commit is the short hash of the commit that was made; empty where the file was like that already.
	Commit string `json:"commit,omitempty"`

	pinned bool
	target *timeline.Entry
	now    stagefile.Text  // the stage file as it was read
	next   *stagefile.Text // that it gets; nil where it stays

	decrypts bool              // secrets are compared by their values
	read     flatconfig.Config // the configuration that readFrom gives
	readFrom []byte
}

// Service is what a service, or a task, was to run after the last update, and what it is to run again. Where
// the stage file is restored, that is another revision with the same content.
type Service struct {
	Now  *timeline.DeployedRevision `json:"now"`
	Then *timeline.DeployedRevision `json:"then"`
}

// Prepare finds out what takes a stage back, and whether all that it needs is there. It writes nothing.
func Prepare(ctx context.Context, pulumi pulumicli.CLI, project *stagefile.Project, stack string, to int,
	pin bool) (*Plan,
	error) {
	file := project.StageFile(stack)
	if _, err := os.Stat(file); err != nil {
		return nil, exit.Refuse("there is no %s: name a stage of this project", file)
	}
	file, err := stagefile.FileIn(project.Directory, file) // git would show a link
	if err != nil {
		return nil, err
	}
	if err := stagefile.CheckBranch(ctx, filepath.Dir(file)); errors.Is(err, git.ErrNoRepository) {
		return nil, exit.Refuse("%s is in no git repository, and rollback takes it from an earlier commit and commits it: "+
			"put the project into git "+
			"before its next update; until then edit the file by hand. What --pin would write is services.NAME.revision, with "+
			"a number that "+
			"`slipway history %s` shows", file, stack)
	} else if err != nil {
		return nil, err
	}
	if err := pulumicli.CheckLock(ctx, project, stack); err != nil {
		return nil, err
	}
	// Before anything is asked, as pulumi itself may write into the file.
	source, dirty, err := stagefile.ReadText(ctx, project.Directory, file)
	if err != nil {
		return nil, err
	}
	if dirty {
		return nil, exit.Refuse("%s has changes that are not committed: commit them or `git stash` them, and roll back again",
			file)
	}
	history, config, err := timeline.Open(ctx, pulumi, project, stack, newestUpdates)
	if err != nil {
		return nil, err
	}
	last, err := lastOf(ctx, history)
	if err != nil {
		return nil, err
	}
	if err := history.Connect(ctx, config.Config); err != nil {
		return nil, err
	}
	target, err := chooseTarget(ctx, history, last, to)
	if err != nil {
		return nil, err
	}
	if err := history.ResolveRevisions(ctx, true, last, target); err != nil {
		return nil, err
	}
	planned := &Plan{Stage: stack, From: last.Number, To: target.Number, File: file,
		Services: map[string]Service{},
		Tasks:    map[string]Service{}, Notes: []string{}, Changes: []flatconfig.Change{}, pinned: pin, target: target,
		now:      source,
		decrypts: history.Past.WithSecrets}
	if note := history.Past.Backend.Unread(); note != "" {
		planned.Notes = append(planned.Notes, note)
	}
	for name, then := range target.Services {
		planned.Services[name] = Service{last.Services[name], then}
	}
	for name, then := range target.Tasks {
		planned.Tasks[name] = Service{last.Tasks[name], then}
	}
	now := flatconfig.Of(project.Name, config.Values)
	if pin {
		planned.leaveOut(now.Declared(timeline.ServiceKind))
		planned.leaveTasks()
	}
	if err := checkAvailable(ctx, history.Cloud, planned, history.Cluster+"-"); err != nil {
		return nil, err
	}
	if pin {
		if err := planned.checkRevisions(project.Name); err != nil {
			return nil, err
		}
	}
	if pin {
		err = planned.pin(project, now, len(flatconfig.Changes(last.Settings, now)) > 0)
	} else {
		err = planned.restore(ctx, pulumi, project, history, last)
	}
	if err != nil || planned.next == nil {
		return planned, err
	}
	after, err := planned.leaves(ctx, pulumi, project)
	if err != nil {
		return nil, err
	}
	planned.Changes = flatconfig.Changes(now, after)
	if len(planned.Changes) == 0 {
		planned.next = nil
	}
	return planned, nil
}

// newestUpdates is how many updates a rollback reads first: the one to go back to is rarely older.
const newestUpdates = 10

// lastOf is a stage's newest update, which a rollback starts from.
func lastOf(ctx context.Context, t *timeline.Timeline) (*timeline.Entry, error) {
	for i := 0; ; i++ {
		e, err := t.At(ctx, i)
		if err != nil {
			return nil, err
		}
		switch {
		case e == nil:
			return nil, exit.Refuse("%s has never been deployed: there is nothing to go back to", t.Stack)
		case e.Result == "in-progress":
			return nil, exit.Refuse("the last %s of %s has not ended: wait for it, and roll back again", e.Kind, t.Stack)
		case e.Kind == "destroy":
			return nil, exit.Refuse("the last thing that happened to %s was a destroy, which %s: `pulumi up --stack %[1]s` "+
				"recreates it from its file",
				t.Stack, e.Result)
		case e.Kind == "update":
			return e, nil
		}
	}
}

// chooseTarget is the update with this number, or the last that succeeded with something else than the last one if that
// is 0.
func chooseTarget(ctx context.Context, t *timeline.Timeline, last *timeline.Entry, number int) (*timeline.Entry,
	error) {
	if number != 0 {
		found, err := t.Find(ctx, number)
		switch {
		case err != nil:
			return nil, err
		case found.Kind != "update":
			return nil, exit.Refuse("%d of %s is a %s and no update: `slipway history %s` lists them", number, t.Stack,
				found.Kind,
				t.Stack)
		case found.Result != "succeeded":
			return nil, exit.Refuse("update %d of %s %s: go back to one that succeeded; `slipway history %s` lists them", number,
				t.Stack, found.Result, t.Stack)
		}
		return found, nil
	}
	for i := last.Index + 1; ; i++ {
		e, err := t.At(ctx, i)
		if err != nil {
			return nil, err
		}
		if e == nil {
			return nil, exit.Refuse("no earlier update of %s has succeeded with anything else: there is nothing to go back to",
				t.Stack)
		}
		if e.Kind != "update" || e.Result != "succeeded" {
			continue
		}
		if len(flatconfig.Changes(e.Settings, last.Settings)) == 0 { // then only what they run can differ
			if err := t.ResolveRevisions(ctx, false, e, last); err != nil {
				return nil, err
			}
		}
		if e.Differs(last) {
			return e, nil
		}
	}
}

// checkAvailable refuses a rollback that something it needs is gone for. A restored stage file registers other
// revisions, with the values of its own secrets; a pin needs the revisions themselves, and the versions of secrets that
// they name.
func checkAvailable(ctx context.Context, c *awsreader.Client, planned *Plan, familyPrefix string) error {
	var gone []error
	for _, kind := range []string{timeline.ServiceKind, timeline.TaskKind} {
		for _, name := range slices.Sorted(maps.Keys(planned.of(kind))) {
			missing, err := missingOf(ctx, c, planned, planned.of(kind)[name].Then, familyPrefix+name)
			if err != nil {
				return err
			}
			for _, one := range missing {
				gone = append(gone, fmt.Errorf("%s.%s: %s", kind, name, one))
			}
		}
	}
	if len(gone) > 0 {
		return exit.Found(errors.Join(gone...))
	}
	return nil
}

// missingOf says what is gone of what a revision of a family, or one like it, needs.
func missingOf(ctx context.Context, c *awsreader.Client, planned *Plan, then *timeline.DeployedRevision,
	family string) (missing []string,
	err error) {
	fixed := planned.pinned || then.Pinned // the revision itself is needed, not one like it
	switch {
	case fixed && then.Revision == 0:
		why := cmp.Or(then.Unknown, "nothing tells")
		missing = append(missing,
			fmt.Sprintf("which revision update %d put in place is not known: %s; go back without --pin, or write the revision "+
				"that you mean into the stage file", planned.To, why))
	case fixed && (then.InECS == nil || !then.InECS.Active):
		missing = append(missing,
			fmt.Sprintf("revision %d is gone: it was deregistered; go back to another update, or without --pin where that had none",
				then.Revision))
	}
	for _, gone := range then.Gone() {
		missing = append(missing, gone+": choose an update whose image is there (slipway history shows it)")
	}
	if then.InECS == nil {
		return missing, nil
	}
	for _, reference := range then.InECS.Secrets() {
		if kept, _ := stage.ParseSecretReference(reference); kept.IsOf(family) && !fixed {
			continue
		}
		reason, err := secretGone(ctx, c, reference)
		if err != nil {
			return nil, err
		}
		if reason != "" {
			missing = append(missing, fmt.Sprintf("its revision %d is given %s, and %s", then.Revision, reference, reason))
		}
	}
	return missing, nil
}

// of are the services, or the tasks.
func (r *Plan) of(kind string) map[string]Service {
	if kind == timeline.TaskKind {
		return r.Tasks
	}
	return r.Services
}

// Apply writes the stage file and commits it. Where git refuses, the file is as it was.
func (r *Plan) Apply(ctx context.Context, project *stagefile.Project) error {
	if r.next == nil {
		return nil
	}
	before, err := os.ReadFile(r.File)
	if err != nil {
		return err
	}
	if !stagefile.SameButSalt(before, r.now.Written) {
		return exit.Refuse("%s was changed meanwhile: roll back again", r.File)
	}
	r.Commit, err = r.next.Commit(ctx, project.Directory, r.File, before, r.Subject()+"\n\n"+r.body())
	return err
}

func (r *Plan) Subject() string {
	if r.pinned {
		return fmt.Sprintf("Pin %s to the revisions of update %d", r.Stage, r.To)
	}
	return fmt.Sprintf("Roll %s back to update %d", r.Stage, r.To)
}

func (r *Plan) body() string {
	body := fmt.Sprintf("What that update deployed on %s, commit %.7s: %s\n",
		r.target.Start.UTC().Format("2006-01-02 15:04:05 UTC"),
		r.target.Commit, r.target.Subject())
	for _, name := range slices.Sorted(maps.Keys(r.Services)) {
		body += fmt.Sprintf("%s: %s\n", name, r.Services[name].Then.Describe())
	}
	for _, name := range slices.Sorted(maps.Keys(r.Tasks)) {
		body += fmt.Sprintf("task %s: %s\n", name, r.Tasks[name].Then.Describe())
	}
	return body
}

func (r *Plan) Print(report *console.Report) {
	report.Printf("Back to update %d of %s, from %d: %s, commit %.7s by %s: %s\n", r.To, r.Stage, r.From,
		r.target.Start.Local().Format("2006-01-02 15:04:05"), r.target.Commit, r.target.Author, r.target.Subject())
	if r.next == nil {
		report.Printf("%s has all of that already.\n", console.ShortenPaths(r.File))
	}
	for _, change := range r.Changes {
		report.Printf("  %s\n", change.Describe())
	}
	rows := [][]string{}
	for _, name := range slices.Sorted(maps.Keys(r.Services)) {
		rows = append(rows, r.row(name, r.Services[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Tasks)) {
		rows = append(rows, r.row("task "+name, r.Tasks[name]))
	}
	report.Table([]string{"", "", "", ""}, rows)
	for _, note := range r.Notes {
		report.Printf("  %s %s\n", report.Bad("!"), note)
	}
}

// row is what becomes of one service or task.
func (r *Plan) row(title string, service Service) []string {
	now, then := "none", service.Then.Describe()
	if service.Now != nil {
		now = service.Now.Describe()
	}
	if !r.pinned && !service.Then.Pinned {
		then = "as " + then
	}
	return []string{"  " + title, now, "→", then}
}
