// Package rollback finds what takes a stage back to an earlier update, and whether all that it needs is there still.
package rollback

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/cmd/slipway/internal/timeline"
	"slipway/internal/git"
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

	stage  *snapshot.Stage
	pinned bool
	last   *timeline.Entry // From
	target *timeline.Entry // To
	now    stagefile.Text  // the stage file as it was read
	next   *stagefile.Text // that it gets; nil where it stays
	from   string          // the commit that it is restored from

	read     map[string]pulumicli.ConfigValue // the configuration that readFrom gives
	readFrom []byte
}

// File is the stage file that a rollback changes, as it was before Pulumi was asked: that may write into it.
type File struct {
	path string
	text stagefile.Text
}

// Service is what a service, or a task, was to run after the last update, and what it is to run again. Where
// the stage file is restored, that is another revision with the same content.
type Service struct {
	Now  *timeline.DeployedRevision `json:"now"`
	Then *timeline.DeployedRevision `json:"then"`
}

// Open reads the stage file, and refuses one that cannot be committed, and a stage that is being updated: what else is
// wrong may come from that.
func Open(ctx context.Context, project *stagefile.Project, stack string) (*File, error) {
	path := project.StageFile(stack)
	if _, err := os.Stat(path); err != nil {
		return nil, exit.Refuse("there is no %s: name a stage of this project", path)
	}
	if err := pulumicli.CheckLock(ctx, project, stack); err != nil {
		return nil, err
	}
	path, err := stagefile.FileIn(project.Directory, path) // git would show a link
	if err != nil {
		return nil, err
	}
	if err := stagefile.CheckBranch(ctx, filepath.Dir(path)); errors.Is(err, git.ErrNoRepository) {
		return nil, exit.Refuse("%s is in no git repository, and rollback takes it from an earlier commit and commits it: "+
			"put the project into git before its next update; until then edit the file by hand. What --pin would write is "+
			"services.NAME.revision, with a number that `slipway history %s` shows", path, stack)
	} else if err != nil {
		return nil, err
	}
	text, dirty, err := stagefile.ReadText(ctx, project.Directory, path)
	if dirty {
		return nil, exit.Refuse("%s has changes that are not committed: commit them or `git stash` them, and roll back again",
			path)
	}
	return &File{path, text}, err
}

// Parts are what a rollback needs of a stage. The update to go back to is rarely older than the newest ten.
var Parts = snapshot.Parts{Secrets: true, Updates: 10}

// Prepare finds out what takes a stage back, and whether all that it needs is there. It writes nothing.
func Prepare(ctx context.Context, of *snapshot.Stage, file *File, to int, pin bool) (*Plan, error) {
	if of.Lock != nil { // an update has begun meanwhile
		return nil, exit.Refuse("%s", of.Lock.Describe(of.Stack))
	}
	history := timeline.New(of, nil)
	last, err := lastOf(ctx, history)
	if err != nil {
		return nil, err
	}
	if history.Cloud, err = of.Connect(ctx); err != nil {
		return nil, err
	}
	target, err := chooseTarget(ctx, history, last, to, pin)
	if err != nil {
		return nil, err
	}
	if err := history.ResolveRevisions(ctx, true, last, target); err != nil {
		return nil, err
	}
	planned := newPlan(of, file, last, target, pin)
	now := of.Flat()
	if pin {
		planned.leaveOut(now.Declared(timeline.ServiceKind))
		planned.leaveTasks()
	}
	planned.noteOutside()
	if err := planned.checkAvailable(ctx, history.Cloud); err != nil {
		return nil, err
	}
	if pin {
		err = planned.pin(now)
	} else {
		err = planned.restore(ctx)
	}
	if err != nil || planned.next == nil {
		return planned, err
	}
	after, err := planned.configuration(ctx)
	if err != nil {
		return nil, err
	}
	planned.Changes = flatconfig.Changes(now, after)
	if len(planned.Changes) == 0 {
		planned.next = nil
		return planned, nil
	}
	return planned, planned.checkLoads()
}

func newPlan(of *snapshot.Stage, file *File, last, target *timeline.Entry, pin bool) *Plan {
	planned := &Plan{Stage: of.Stack, From: last.Number, To: target.Number, File: file.path,
		Services: map[string]Service{}, Tasks: map[string]Service{}, Notes: []string{}, Changes: []flatconfig.Change{},
		stage: of, pinned: pin, last: last, target: target, now: file.text}
	if unread := of.History.Backend.Unread(); unread != "" {
		planned.note("%s", unread)
	}
	for name, then := range target.Services {
		planned.Services[name] = Service{last.Services[name], then}
	}
	for name, then := range target.Tasks {
		planned.Tasks[name] = Service{last.Tasks[name], then}
	}
	return planned
}

func (r *Plan) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// parts are the services and the tasks that go back.
func (r *Plan) parts() iter.Seq2[timeline.Part, Service] { return timeline.Parts(r.Services, r.Tasks) }

// Apply writes the stage file and commits it. Where git refuses, the file is as it was.
func (r *Plan) Apply(ctx context.Context) error {
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
	r.Commit, err = r.next.Commit(ctx, r.stage.Project.Directory, r.File, before, r.Subject()+"\n\n"+r.body())
	return err
}

// Subject is the first line of the commit's message.
func (r *Plan) Subject() string {
	if r.pinned {
		return fmt.Sprintf("Pin %s to the revisions of update %d", r.Stage, r.To)
	}
	return fmt.Sprintf("Roll %s back to update %d", r.Stage, r.To)
}

func (r *Plan) body() string {
	body := fmt.Sprintf("What that update deployed on %s, commit %.7s: %s\n",
		r.target.Start.UTC().Format("2006-01-02 15:04:05 UTC"), r.target.Commit, r.target.Subject())
	for part, service := range r.parts() {
		body += fmt.Sprintf("%s: %s\n", part.Title(), service.Then.Describe())
	}
	return body
}

// Print shows what becomes of the stage.
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
	for part, service := range r.parts() {
		rows = append(rows, r.row(part.Title(), service))
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
