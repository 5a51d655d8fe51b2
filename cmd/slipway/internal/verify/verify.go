// Package verify checks what an update of a stage needs in AWS, and would only miss once it is under way.
package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/internal/awsclient"
	"slipway/internal/registries"
	"slipway/stage"
)

// Result is what verify found, as --json prints it.
type Result struct {
	Stage   string  `json:"stage"`
	Account string  `json:"account"`
	Region  string  `json:"region"`
	Checks  []Check `json:"checks"`
}

// Check is one of its lines.
type Check struct {
	// About is what kind of thing was checked: configuration, image, revision, secret, role, network, certificate or
	// queue.
	About string `json:"about"`
	// Key is the key of the stage that the thing belongs to, and its file.
	Key string `json:"key"`
	// Status is ok, note, wrong or unknown.
	Status  string `json:"status"`
	Message string `json:"message"`
}

const (
	statusOK      = "ok"
	statusNote    = "note"
	statusWrong   = "wrong"
	statusUnknown = "unknown"
)

// note ends a check that has nothing to look at yet, or cannot look further from here.
type note struct{ error }

func noted(format string, args ...any) error { return note{fmt.Errorf(format, args...)} }

// verifier has a stage and what checks it against AWS.
type verifier struct {
	*awsreader.Client
	stage *stage.Stage
	stack string
	// registries hold the stage's images. The secrets with their passwords are not read.
	registries *registries.Registries

	// pending are the checks to make, in the order of their lines.
	pending []func(context.Context) []Check
}

// Run makes all checks of a stage, whose secrets need not be decrypted.
func Run(ctx context.Context, of *snapshot.Stage) (*Result, error) {
	settings, err := of.DeclaredWithOutputs(ctx)
	if err != nil {
		return nil, exit.Refuse("%w", err)
	}
	client, err := of.Connect(ctx)
	if err != nil {
		return nil, err
	}
	if err := settings.CheckIn(client.Region, client.Account); err != nil {
		return nil, exit.Refuse("%w", err)
	}
	v := &verifier{Client: client, stage: settings, stack: of.Stack, registries: client.Registries(settings.Credentials())}
	v.registries.KeepSecrets = true
	if err := v.checkFiles(of.Project, of.Config); err != nil {
		return nil, err
	}
	v.checkImages()
	v.checkReferences()
	v.checkRevisions()
	v.checkSecrets()
	v.checkRoles()
	v.checkNetwork()
	v.checkIngress()
	v.checkQueues()
	return &Result{Stage: of.Stack, Account: client.Account, Region: client.Region, Checks: v.run(ctx)}, nil
}

// run makes the pending checks, several at a time. Their lines keep their order.
func (v *verifier) run(ctx context.Context) []Check {
	results := make([][]Check, len(v.pending))
	var running errgroup.Group
	running.SetLimit(awsreader.Lookups)
	for i, do := range v.pending {
		running.Go(func() error {
			results[i] = do(ctx)
			return nil
		})
	}
	_ = running.Wait() // a check that cannot be made is a line, too
	return slices.Concat(results...)
}

// add has a check made that is one line. do returns what is well, or else an error: a finding for what is wrong, a
// note, or any other for what could not be found out.
func (v *verifier) add(about, key string, do func(context.Context) (string, error)) {
	v.pending = append(v.pending, func(ctx context.Context) []Check {
		said, err := do(ctx)
		return []Check{newCheck(about, key, said, err)}
	})
}

func newCheck(about, key, said string, err error) Check {
	warning := (*registries.Warning)(nil)
	switch {
	case err == nil:
		return Check{about, key, statusOK, said}
	case errors.As(err, &exit.Finding{}), errors.As(err, new(*registries.Refusal)):
		return Check{about, key, statusWrong, err.Error()}
	case errors.As(err, &note{}), errors.As(err, &warning) && warning.Cause == nil:
		return Check{about, key, statusNote, err.Error()}
	default:
		return Check{about, key, statusUnknown, "could not be checked: " + awsreader.Reason(err)}
	}
}

// Print shows the checks, one in a line.
func (f *Result) Print(r *console.Report) {
	const width = 7 // of the longest status
	for _, each := range f.Checks {
		status := fmt.Sprintf("%-*s", width, each.Status)
		switch each.Status {
		case statusOK:
			status = r.Good(status)
		case statusNote:
			status = r.Dim(status)
		case statusWrong:
			status = r.Bad(status)
		}
		r.Printf("%s  %s: %s\n", status, each.Key, each.Message)
	}
}

// Verdict ends the command with 1 where something is wrong, or with 2 where something could not be found out.
func (f *Result) Verdict() error {
	count := map[string]int{}
	for _, each := range f.Checks {
		count[each.Status]++
	}
	if wrong := count[statusWrong]; wrong > 0 {
		return exit.Refuse("%d of %d checks of %s found something wrong", wrong, len(f.Checks), f.Stage)
	}
	if unknown := count[statusUnknown]; unknown > 0 {
		for _, each := range f.Checks {
			if advice := awsclient.RoleAdvice(errors.New(each.Message), f.Stage); advice != "" {
				return fmt.Errorf("%d of %d checks of %s could not be made. %s", unknown, len(f.Checks), f.Stage, advice)
			}
		}
		return fmt.Errorf("%d of %d checks of %s could not be made", unknown, len(f.Checks), f.Stage)
	}
	return nil
}
