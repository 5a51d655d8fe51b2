package timeline

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/pulumiconfig"
	"slipway/stage"
)

// Asked is the stage that an update was run with, as the program would load it today. Secrets that could not be
// decrypted are there by name.
func (e *Entry) Asked(project, name string) (*stage.Stage, error) {
	in := stage.Input{Project: project, Stage: name, Config: map[string]string{}}
	for key, value := range e.config {
		path, own := pulumiconfig.OwnKey(project, key)
		if value.Secret {
			in.SecretKeys = append(in.SecretKeys, key)
		}
		switch {
		case value.Value != nil:
			in.Config[key] = *value.Value
		case own && path == "secrets":
			in.Config[key] = e.namesOfSecrets()
		default:
			in.Config[key] = stagefile.HiddenValue
		}
	}
	return stage.Load(in)
}

// namesOfSecrets is a configuration of secrets for those that containers name, with hidden values.
func (e *Entry) namesOfSecrets() string {
	names := map[string]string{}
	for path, value := range e.Settings {
		var listed []string
		if strings.HasSuffix(path, ".secrets") && json.Unmarshal([]byte(value.Text), &listed) == nil {
			for _, name := range listed {
				names[name] = stagefile.HiddenValue
			}
		}
	}
	encoded, err := json.Marshal(names)
	if err != nil {
		panic(err) // plain text
	}
	return string(encoded)
}

// Subject is the first line of the message of the update.
func (e *Entry) Subject() string {
	subject, _, _ := strings.Cut(strings.TrimSpace(e.Message), "\n")
	return subject
}

// Describe is a revision's number with the tag of its image.
func (p *DeployedRevision) Describe() string {
	if p.Unknown != "" {
		return "unknown"
	}
	if p.Revision == 0 {
		return "none"
	}
	text := fmt.Sprintf("%d", p.Revision)
	if p.Pinned {
		text += " pinned"
	}
	if p.InECS == nil {
		return text + " (gone)"
	}
	return text + " (" + p.Image.Describe() + ")" + p.outcome()
}

// compareRevisions says which revisions an update put in place that the one before it had not.
func (e *Entry) compareRevisions(before *Entry) {
	for part, put := range Parts(e.Services, e.Tasks) {
		last := &DeployedRevision{}
		if before != nil && before.Of(part.Kind)[part.Name] != nil {
			last = before.Of(part.Kind)[part.Name]
		}
		put.Changed = put.Revision != last.Revision && put.Revision != 0 && last.Unknown == ""
	}
}

// DeclaresImage tells whether an update's configuration has an image of that name.
func (e *Entry) DeclaresImage(name string) bool {
	for path := range e.Settings {
		if strings.HasPrefix(strings.TrimPrefix(path, "defaults."), pulumiconfig.Path("images", name)+".") {
			return true
		}
	}
	return false
}

// Value is one of an update's configuration, from the stage file or else from the defaults.
func (e *Entry) Value(path string) string {
	if own, ok := e.Settings[path]; ok {
		return own.Text
	}
	return e.Settings["defaults."+path].Text
}

// Differs tells whether two updates asked for different things, or put different images in place.
func (e *Entry) Differs(other *Entry) bool {
	if len(flatconfig.Changes(e.Settings, other.Settings)) > 0 {
		return true
	}
	for part, put := range Parts(e.Services, e.Tasks) {
		if there := other.Of(part.Kind)[part.Name]; there != nil && !there.Same(put.Images) {
			return true
		}
	}
	return false
}

// Entry is one update of a stage, with what it put in place.
type Entry struct {
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
	Services map[string]*DeployedRevision `json:"services"`
	// Tasks are what each task was to run from then on, by name.
	Tasks map[string]*DeployedRevision `json:"tasks"`
	// Changes are the keys of the stage's configuration that differ from the update before.
	Changes []flatconfig.Change `json:"changes"`
	// Outside are the variables of which the update put another value in place that the stage file does not have.
	Outside []flatconfig.Change `json:"outside,omitempty"`

	Index    int  `json:"-"` // its place in the history, 0 for the newest
	resolved bool // what it put in place was looked for
	exact    bool // in its state, too, where that takes a command of the CLI
	config   map[string]pulumicli.ConfigValue
	Settings flatconfig.Config `json:"-"`
}

// Deploys tells whether it changed what runs: a refresh does not.
func (e *Entry) Deploys() bool { return e.Kind == "update" || e.Kind == "destroy" }

// Of are what an update put in place for the stage's services, or for its tasks.
func (e *Entry) Of(kind string) map[string]*DeployedRevision {
	if kind == TaskKind {
		return e.Tasks
	}
	return e.Services
}

// DeployedRevision is the revision that an update put in place for a service or a task.
type DeployedRevision struct {
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
	awsreader.Images

	// InECS is nil where ECS does not have it any more.
	InECS *awsreader.Revision `json:"-"`
}

func newEntry(project string, u pulumicli.Update, number, i int) *Entry {
	env := u.Environment
	e := &Entry{
		Index: i, config: u.Config, Number: number, Kind: u.Kind, Result: u.Result, Start: pulumicli.Time(u.StartTime),
		Commit: env["git.head"], Author: env["git.author"], Message: u.Message, By: ranBy(env),
		Dirty:    env["git.dirty"] == "true",
		Services: map[string]*DeployedRevision{}, Tasks: map[string]*DeployedRevision{}, Changes: []flatconfig.Change{},
		Settings: flatconfig.Of(project, u.Config),
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

// outcome is what became of the revision, where ECS serves another one.
func (p *DeployedRevision) outcome() string {
	switch {
	case p.Serving == 0:
		return ""
	case p.RolledBack:
		return fmt.Sprintf(", rolled back; serving revision %d", p.Serving)
	}
	return fmt.Sprintf(", but serving revision %d", p.Serving)
}
