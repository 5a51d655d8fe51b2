package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
)

// update is one entry of a stack's history, as `pulumi stack history --json` has it.
type update struct {
	// Version is its number on Pulumi Cloud; other backends say 0.
	Version int `json:"version"`
	// Kind is update, refresh, destroy, import, …
	Kind string `json:"kind"`
	// StartTime and EndTime have whole seconds; EndTime is empty while it goes on.
	StartTime string `json:"startTime"`
	EndTime   string `json:"endTime"`
	Message   string `json:"message"`
	// Environment is what the CLI knew of git, of CI and of itself.
	Environment map[string]string `json:"environment"`
	// Config by full key.
	Config map[string]configValue `json:"config"`
	// Result is succeeded, failed or in-progress.
	Result string `json:"result"`
}

// configValue is the value of one key: JSON text for an object. None is given where it is secret, or holds a secret,
// and was not asked for.
type configValue struct {
	Value  *string `json:"value"`
	Secret bool    `json:"secret"`
}

// pulumiTime reads a time as the CLI writes it.
func pulumiTime(text string) time.Time {
	at, _ := time.Parse("2006-01-02T15:04:05.000Z", text) // the zero time where it is none
	return at
}

// stacks is what promote asks about a stack.
type stacks interface {
	// Outputs returns the stack's outputs, with secret ones blinded.
	Outputs(ctx context.Context, stack string) (map[string]json.RawMessage, error)
	// LastUpdate returns the newest update or destroy in the stack's history, or nil if there is none. A refresh changes
	// nothing that runs, so one that succeeded does not hide a failed update before it.
	LastUpdate(ctx context.Context, stack string) (*update, error)
}

// pulumiCLI asks the `pulumi` on the PATH, in the project's directory, by way of the Automation API's command. Its
// stacks are not used: they select a stack, write stage files and decrypt secrets, none of which a question should do.
type pulumiCLI struct {
	directory string
	command   func() (auto.PulumiCommand, error)
	limit     time.Duration // of a command that only reads; zero for readLimit
}

// readLimit is how long a command of the CLI may take that only reads.
const readLimit = 5 * time.Minute

func newPulumiCLI(directory string) pulumiCLI {
	var mutex sync.Mutex
	var known auto.PulumiCommand
	return pulumiCLI{directory: directory, command: func() (auto.PulumiCommand, error) {
		mutex.Lock()
		defer mutex.Unlock()
		if known != nil {
			return known, nil
		}
		command, err := auto.NewPulumiCommand(nil)
		if errors.Is(err, exec.ErrNotFound) {
			return nil, errors.New("there is no pulumi on the PATH: install the Pulumi CLI")
		}
		if err == nil {
			known = command
		}
		return command, err
	}}
}

func (p pulumiCLI) Outputs(ctx context.Context, stack string) (map[string]json.RawMessage, error) {
	var outputs map[string]json.RawMessage
	return outputs, p.ask(ctx, &outputs, "stack", "output", "--json", "--stack", stack)
}

// state is a stack's as it is now: the operations that an update has begun and not ended, and what the stack has.
func (p pulumiCLI) state(ctx context.Context, stack string) (pending []pendingOperation, left *leftState, err error) {
	export, err := p.output(ctx, "stack", "export", "--stack", stack)
	if err != nil {
		return nil, nil, err
	}
	var exported struct{ Deployment *leftState }
	whole := &stackState{}
	if err := errors.Join(json.Unmarshal(export, &exported), json.Unmarshal(export, &whole.document)); err != nil {
		return nil, nil, fmt.Errorf("the state of %s cannot be read: %w", stack, err)
	}
	return whole.pending(), exported.Deployment, nil
}

// LastUpdate reads the newest update first, and more only where that is a refresh or the like.
func (p pulumiCLI) LastUpdate(ctx context.Context, stack string) (*update, error) {
	newest := &past{pulumi: p, stack: stack, sealed: true} // what is secret does not matter here
	return newest.last(ctx)
}

func (p pulumiCLI) page(ctx context.Context, stack string, page, size int, more ...string) (updates []update,
	err error) {
	args := []string{"stack", "history", "--json", "--stack", stack, "--page-size", strconv.Itoa(size), "--page",
		strconv.Itoa(page)}
	err = p.ask(ctx, &updates, append(args, more...)...)
	for _, each := range updates {
		for key, value := range each.Config {
			if value.Secret && value.Value != nil && *value.Value == undecryptable {
				each.Config[key] = configValue{Secret: true}
			}
		}
	}
	return updates, err
}

// undecryptable is what the CLI shows for a value that was encrypted with a key that the stack no longer has.
const undecryptable = "ERROR_UNABLE_TO_DECRYPT"

// hasSecrets tells whether an update's configuration has any.
func (u update) hasSecrets() bool {
	for _, value := range u.Config {
		if value.Secret {
			return true
		}
	}
	return false
}

// Config is what the stage's file and Pulumi.yaml say now, by full key, without what is secret or holds a secret. file
// is the path of another file to read in place of the stage's own, if not empty.
func (p pulumiCLI) Config(ctx context.Context, stack, file string, more ...string) (map[string]configValue, error) {
	args := []string{"config", "--json", "--stack", stack}
	if file != "" {
		args = append(args, "--config-file", file)
	}
	var values map[string]configValue
	return values, p.ask(ctx, &values, append(args, more...)...)
}

// noStack is the error of a command about a stack that is not there.
type noStack struct{ error }

// ask decodes what one pulumi command prints as JSON.
func (p pulumiCLI) ask(ctx context.Context, answer any, args ...string) error {
	output, err := p.output(ctx, args...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(output, answer); err != nil {
		return fmt.Errorf("pulumi %s: its answer is no JSON that is known here: update slipway or pulumi",
			strings.Join(args, " "))
	}
	return nil
}

// output is what a pulumi command prints that only reads.
func (p pulumiCLI) output(ctx context.Context, args ...string) ([]byte, error) {
	limit := cmp.Or(p.limit, readLimit)
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	output, err := p.write(within, nil, args...)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("pulumi %s did not end within %s, and was stopped: run it yourself to see what it waits "+
			"for, in %s",
			strings.Join(args, " "), limit, p.directory)
	}
	return output, err
}

// write runs a pulumi command that may change something, and so takes as long as it takes. It returns what that prints.
// input is what the command reads; nil for nothing.
func (p pulumiCLI) write(ctx context.Context, input io.Reader, args ...string) ([]byte, error) {
	command, err := p.find(ctx)
	if err != nil {
		return nil, err
	}
	stdout, stderr, _, err := command.Run(ctx, p.directory, input, nil, nil, nil, args...)
	if err != nil {
		said := strings.TrimPrefix(strings.TrimSpace(stderr), "error: ")
		if said == "" { // an update's own display has its errors
			_, diagnostics, _ := strings.Cut(stdout, "Diagnostics:")
			said = strings.TrimSpace(diagnostics)
		}
		err = fmt.Errorf("pulumi %s: %s (%w)", strings.Join(args, " "), said, err)
		if strings.Contains(said, "no stack named") {
			err = noStack{fmt.Errorf("%w: correct the name, or make the stack with `pulumi stack init`", err)}
		}
		return nil, err
	}
	return []byte(stdout), nil
}

// find is the CLI, which is asked for its version first: that is waited for as long as for the command itself.
func (p pulumiCLI) find(ctx context.Context) (command auto.PulumiCommand, err error) {
	found := make(chan struct{})
	var cli auto.PulumiCommand
	var failed error
	go func() {
		cli, failed = p.command()
		close(found)
	}()
	select {
	case <-found:
		return cli, failed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
