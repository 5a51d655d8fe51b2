// Package snapshot reads a stage from Pulumi once, for commands that are functions of what they find there.
package snapshot

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/stage"
)

// Stage is a stage as Pulumi has it at one time. What was not asked for is nil.
type Stage struct {
	Pulumi  pulumicli.CLI
	Project *stagefile.Project
	Stack   string
	// StageConfig is the configuration, as the stage's file and the defaults say it now.
	*pulumicli.StageConfig
	// History is read as far as was asked for; it reads on where more is needed.
	History *pulumicli.History
	// Last is the newest update or destroy; nil where there is none.
	Last *pulumicli.Update
	// Lock is held by an update that goes on, or was killed; nil where there is none.
	Lock    *pulumicli.Lock
	Outputs *pulumicli.Outputs
	State   *pulumicli.State
}

// Parts are what is read of a stage besides its configuration.
type Parts struct {
	// Secrets has the secrets decrypted, where what decrypts them is at hand.
	Secrets bool
	// Updates is how many of the newest updates are read; 0 for neither history nor lock.
	Updates int
	// Outputs and State are read, too.
	Outputs, State bool
}

// Load asks Pulumi for the parts, all at once: each takes the CLI some time.
func Load(ctx context.Context, pulumi pulumicli.CLI, project *stagefile.Project, stack string, parts Parts) (*Stage,
	error) {
	if _, err := stagefile.Read(project.StageFile(stack)); err != nil { // whose mistakes pulumi tells without its name
		return nil, err
	}
	s := &Stage{Pulumi: pulumi, Project: project, Stack: stack}
	var backend *pulumicli.Backend
	if parts.Secrets || parts.Updates > 0 {
		var err error
		if backend, err = pulumicli.OpenBackend(ctx, project, stack); err != nil {
			return nil, err
		}
	}
	decrypt := parts.Secrets && (project.Encrypts(stack) || backend == nil)
	asking, asked := errgroup.WithContext(ctx)
	asking.Go(func() (err error) {
		s.StageConfig, err = pulumicli.ReadConfig(asked, pulumi, project, stack, decrypt)
		return err
	})
	if parts.Updates > 0 {
		s.History = &pulumicli.History{Pulumi: pulumi, Stack: stack, Backend: backend, WithSecrets: decrypt,
			Undecrypted: !parts.Secrets}
		asking.Go(func() error { return s.History.Open(asked, parts.Updates) })
	}
	switch {
	case parts.State:
		asking.Go(func() (err error) {
			if s.State, err = pulumi.State(asked, stack); err == nil && parts.Outputs {
				s.Outputs, err = s.State.Outputs(stack)
			}
			return err
		})
	case parts.Outputs:
		asking.Go(func() error { return s.ReadOutputs(asked) })
	}
	if err := asking.Wait(); err != nil || s.History == nil {
		return s, err
	}
	var err error
	if s.Last, err = s.History.Last(ctx); err == nil {
		s.Lock, err = backend.Lock(ctx)
	}
	return s, err
}

// ReadOutputs reads the outputs, where they were not read yet.
func (s *Stage) ReadOutputs(ctx context.Context) (err error) {
	if s.Outputs == nil {
		s.Outputs, err = s.Pulumi.Outputs(ctx, s.Stack)
	}
	return err
}

// Name is the stage's own, without organization and project.
func (s *Stage) Name() string { return stagefile.StageName(s.Stack) }

// Named is the stage without what it declares, for its names in AWS.
func (s *Stage) Named() *stage.Stage { return &stage.Stage{Project: s.Project.Name, Name: s.Name()} }

// Cluster is the name of the stage's ECS cluster.
func (s *Stage) Cluster() string { return s.Named().Cluster() }

// Family is the name of the task definition family of a service or a task.
func (s *Stage) Family(name string) string { return s.Named().Family(name) }

// Declared is the stage as its configuration declares it, checked as `pulumi up` would, but for values of other stacks.
func (s *Stage) Declared() (*stage.Stage, error) {
	return stagefile.Load(s.Project, s.Stack, s.Config, s.SecretKeys, nil)
}

// LogsElsewhere says which output of a service or a task is not in its log group, by the stage file; empty for none, or
// where the file cannot be read, which is no reason not to show what there is.
func (s *Stage) LogsElsewhere(name string) string {
	settings, err := s.Declared()
	if err != nil {
		return ""
	}
	elsewhere := settings.TaskDefinition(name).LogsElsewhere(name)
	if elsewhere == "" {
		return ""
	}
	return fmt.Sprintf("By %s of the stage file, %s", settings.Key(name), elsewhere)
}

// DeclaredWithOutputs is as Declared, with the values of other stacks as they are now.
func (s *Stage) DeclaredWithOutputs(ctx context.Context) (*stage.Stage, error) {
	return stagefile.Load(s.Project, s.Stack, s.Config, s.SecretKeys,
		pulumicli.StackOutputs(ctx, s.Pulumi, s.Project, s.Stack, false))
}

// Flat is the configuration by path.
func (s *Stage) Flat() flatconfig.Config { return flatconfig.Of(s.Project.Name, s.Values) }

// Pinned says that the last update pinned a service, and what follows from that; empty where it did not.
func (s *Stage) Pinned(service string) string {
	if !s.Outputs.Services[service].Pinned {
		return ""
	}
	return fmt.Sprintf("services.%s of %s is pinned to an earlier revision, and may run an earlier image", service, s.Stack)
}

// Connect prepares calls to the stage's account in AWS.
func (s *Stage) Connect(ctx context.Context) (*awsreader.Client, error) {
	return awsreader.Connect(ctx, s.Stack, s.Config)
}
