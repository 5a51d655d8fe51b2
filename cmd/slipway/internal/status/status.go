// Package status tells what a stage asks for, what was deployed last, and what runs now.
package status

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"golang.org/x/sync/errgroup"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/stage"
)

// Stage is a stage as the three know it.
type Stage struct {
	Stage string `json:"stage"`
	// LastUpdate is the newest update in the stack's history; nil where there is none.
	LastUpdate *lastUpdate `json:"lastUpdate"`
	// Slipway is the version of slipway that made the last update that succeeded; empty where that did not say it.
	Slipway string `json:"slipway,omitempty"`
	// Services by name: those of the stage file, and those that were deployed.
	Services map[string]*serviceStatus `json:"services"`
	// Tasks by name: those of the stage file, and those that were deployed.
	Tasks map[string]*taskStatus `json:"tasks"`
	// SecretsCompared is false where the stage has secrets that could not be decrypted: then nobody knows whether those of
	// the stage file were deployed.
	SecretsCompared bool `json:"secretsCompared"`
	// Differences are in sentences, each beginning with what it is about.
	Differences []string `json:"differences"`

	// Notes are what could not be found out, or is to be known, and is no difference.
	Notes []string `json:"notes,omitempty"`

	// unread is why schedules could not be read; nil where all were.
	unread error
	// lost says that AWS has the stage, and that there is no state, or an empty one.
	lost bool
	// kept says that the state has services, and no operation that was cut off: it has been deployed.
	kept bool
}

// serviceStatus is a service as the three know it; what one does not know of is nil.
type serviceStatus struct {
	Asked    *askedService              `json:"asked"`
	Deployed *pulumicli.DeployedService `json:"deployed"`
	Running  *runningService            `json:"running"`
}

// ReadAll reads stages, several at once, and tells for each what kept it from being read.
func ReadAll(ctx context.Context, pulumi pulumicli.CLI, project *stagefile.Project, stacks []string) ([]*Stage, error) {
	stages, errs := make([]*Stage, len(stacks)), make([]error, len(stacks))
	var running errgroup.Group
	running.SetLimit(awsreader.Lookups)
	for i, stack := range stacks {
		running.Go(func() error {
			stages[i], errs[i] = Read(ctx, pulumi, project, stack)
			return nil
		})
	}
	_ = running.Wait() // the errors have places of their own, so that all are reported, in the same order always
	return slices.DeleteFunc(stages, func(s *Stage) bool { return s == nil }), errors.Join(errs...)
}

// Verdict is the command's with --exit-code: exit.Difference where anything differs, another error where that could not
// be found out.
func Verdict(stages []*Stage) error {
	if slices.ContainsFunc(stages, func(s *Stage) bool { return len(s.Differences) > 0 }) {
		return exit.Difference
	}
	var undecrypted []error
	for _, stage := range stages {
		if !stage.SecretsCompared {
			undecrypted = append(undecrypted, fmt.Errorf("the secrets of %s could not be decrypted: whether those of the "+
				"stage file were deployed is not known", stage.Stage))
		}
	}
	return errors.Join(undecrypted...)
}

// Read reads a stage, and tells what it asks for, what was deployed last, and what runs now.
func Read(ctx context.Context, pulumi pulumicli.CLI, project *stagefile.Project, stack string) (*Stage, error) {
	loaded, err := snapshot.Load(ctx, pulumi, project, stack,
		snapshot.Parts{Secrets: true, Updates: 1, Outputs: true, State: true})
	_, withoutFile := os.Stat(project.StageFile(stack))
	if missing := (pulumicli.NoStack{}); errors.As(err, &missing) && withoutFile == nil {
		status := newStage(stack)
		status.withoutStack(ctx, project)
		return status, nil
	}
	if err != nil {
		return nil, err
	}
	return of(ctx, loaded, withoutFile == nil)
}

func newStage(stack string) *Stage {
	return &Stage{Stage: stack, Services: map[string]*serviceStatus{}, Tasks: map[string]*taskStatus{},
		SecretsCompared: true, Differences: []string{}}
}

// of tells the status of a stage that was loaded.
func of(ctx context.Context, loaded *snapshot.Stage, hasFile bool) (*Stage, error) {
	status := newStage(loaded.Stack)
	last, state, locked := loaded.Last, loaded.State, loaded.Lock != nil
	if note := loaded.History.Backend.Unread(); note != "" {
		status.Notes = append(status.Notes, note)
	}
	if locked {
		status.differ("%s", loaded.Lock.Describe(loaded.Stack))
	} else if pending := state.Pending(); len(pending) > 0 {
		status.differ("%s", cutOff(loaded.Stack, pending))
	}
	undeployed := status.askedBy(loaded, hasFile)
	if last != nil {
		status.LastUpdate = &lastUpdate{last.Kind, last.Result, pulumicli.Time(last.StartTime), last.Environment["git.head"],
			last.Environment["git.author"], last.Message, last.Environment["git.dirty"] == "true"}
	}
	status.Slipway = loaded.Outputs.Slipway.Version
	for name, service := range loaded.Outputs.Services {
		status.service(name).Deployed = &service
	}
	for name, task := range loaded.Outputs.Tasks {
		status.task(name).Deployed = &taskRevision{Revision: task.Revision, TaskDefinition: task.TaskDefinition,
			schedule: task.Schedule}
	}
	cloud, err := loaded.Connect(ctx)
	if err != nil && status.runsNothing() { // then there is next to nothing to ask about
		status.updated(last, locked)
		status.differ("whether AWS has anything of it is not known: %v", err)
		return status, nil
	}
	if err != nil {
		return nil, err
	}
	cluster := loaded.Cluster()
	if err := status.running(ctx, cloud, loaded); err != nil {
		return nil, err
	}
	status.lost = !locked && !wasDestroyed(last) && !state.HasAWS() && len(state.Pending()) == 0 &&
		cloud.HasCluster(ctx, cluster, loaded.Project.Name, loaded.Name())
	status.kept = len(state.Pending()) == 0 && status.inState(cluster, state)
	status.updated(last, locked)
	for _, name := range slices.Sorted(maps.Keys(status.Services)) {
		status.compare(name, status.Services[name])
	}
	if err := status.readyTasks(ctx, cloud); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(status.Tasks)) {
		status.compareTask(name, status.Tasks[name], undeployed)
	}
	return status, status.unread
}

// inState tells whether the state has one of the stage's services.
func (s *Stage) inState(cluster string, state *pulumicli.State) bool {
	for name := range s.Services {
		if _, target := state.Service(cluster, name); target != "" {
			return true
		}
	}
	return false
}

// withoutStack says what a stage asks for that has a file and no stack, and what to do first.
func (s *Stage) withoutStack(ctx context.Context, project *stagefile.Project) {
	name := stagefile.StageName(s.Stage)
	if config, secretKeys, err := project.ConfigOfFiles(s.Stage); err == nil {
		s.askedFor(stagefile.Load(project, s.Stage, config, secretKeys, nil))
		cloud, err := awsreader.Connect(ctx, s.Stage, config)
		cluster := (&stage.Stage{Project: project.Name, Name: name}).Cluster()
		s.lost = err == nil && cloud.HasCluster(ctx, cluster, project.Name, name)
	}
	if s.lost {
		s.differ("there is no stack %s here, and AWS has its ECS cluster: sign in to the backend that has its state "+
			"(`pulumi login`), or, where that was lost, run `pulumi stack init %s` and `slipway recover %[2]s` (%s)", name,
			s.Stage, lostChapter)
		return
	}
	first := ""
	if len(s.Differences) > 0 {
		first = "correct that, "
	}
	s.differ("there is no stack %s yet: %srun `pulumi stack init %s`, and `pulumi up --stack %[3]s`", name, first, s.Stage)
}

// lostChapter is where the documentation says more.
const lostChapter = "docs/operations.md, \"get back a state that was lost\""

func (s *Stage) differ(format string, args ...any) {
	s.Differences = append(s.Differences, fmt.Sprintf(format, args...))
}

func (s *Stage) service(name string) *serviceStatus { return entryOf(s.Services, name) }

// entryOf is what a map has by a name, made where there is none yet.
func entryOf[T any](entries map[string]*T, name string) *T {
	if entries[name] == nil {
		entries[name] = new(T)
	}
	return entries[name]
}

// compareImages tells which images are gone without which no task starts.
func (s *Stage) compareImages(key string, images awsreader.Images) {
	for _, gone := range images.Gone() {
		s.differ("%s: %s: a task that has to start will fail", key, gone)
	}
}

// found are the services that ECS has.
func (s *Stage) found() (keys []string) {
	for _, name := range slices.Sorted(maps.Keys(s.Services)) {
		if s.Services[name].Running != nil {
			keys = append(keys, "services."+name)
		}
	}
	return keys
}

// runsNothing tells a stage of which no update has left anything that runs.
func (s *Stage) runsNothing() bool {
	return s.LastUpdate == nil || s.LastUpdate.Kind == "destroy" && s.LastUpdate.Result == "succeeded"
}
