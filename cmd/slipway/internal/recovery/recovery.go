// Package recovery brings the state of a stage in line with AWS after an update was cut off, or the state was lost.
package recovery

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
)

// Recovery is what becomes of a stage's pending operations and of what its state has lost, as --json prints it.
type Recovery struct {
	Stage string `json:"stage"`
	// Operations that were cut off, and what was lost.
	Operations []*recovered `json:"operations"`
	// Backup is the path of the state as it was before; empty where nothing was changed.
	Backup string `json:"backup,omitempty"`

	pulumi  pulumicli.CLI
	project *stagefile.Project
	state   *stackState
	export  []byte
	// config is the stage's, by which AWS is asked, and secretKeys are those of its keys that hold secrets.
	config     map[string]string
	secretKeys []string
	lost       bool // the state has nothing, or not all that an earlier recovery was to put there
}

// What becomes of a pending operation.
const (
	imported  = "imported"  // what it made is in the state
	leftOver  = "left over" // it is in the state, and the next update deletes it
	read      = "read"      // what was changed, or deleted, is in the state as AWS has it
	forgotten = "forgotten" // there is nothing in AWS to import
	foreign   = "foreign"   // AWS has it, and it belongs to others
	unknown   = "unknown"   // slipway cannot look for it
)

// recovered is a pending operation or something that the state has lost, and what becomes of it.
type recovered struct {
	URN string `json:"urn"`
	// Operation is creating, updating, deleting, reading or importing; lost where there was none.
	Operation string `json:"operation"`
	// Result is imported, left over, read, forgotten, foreign, unknown, made again or looked for later.
	Result string `json:"result"`
	// ID by which AWS knows it, as an import takes it; empty where there is none.
	ID string `json:"id,omitempty"`
	// Note says more of the result.
	Note string `json:"note,omitempty"`

	made     stateResource
	replaces string // the id of the resource that it makes one to delete
	several  bool   // AWS has others that it may be, too
	kept     bool   // an earlier recovery has put it into the state, and did not come to its end
}

// Run brings the state of a stage in line with AWS: what was cut off, and what the state has lost, where it has
// nothing or that is asked for. With dryRun it changes nothing.
func Run(ctx context.Context, report *console.Report, project *stagefile.Project, stack string,
	dryRun, alsoLost bool) (*Recovery, error) {
	done := report.Progress("Reading the state of %s", stack)
	r, err := planRecovery(ctx, pulumicli.New(project.Directory), project, stack)
	done()
	if err == nil && !dryRun && len(r.Operations) > 0 {
		done = report.Progress("Bringing the state of %s in line", stack)
		err = r.apply(ctx)
		done()
	}
	if err == nil && (alsoLost || r.lost) {
		r.lost = true
		err = r.findLost(ctx, report, dryRun)
	}
	return r, err
}

// planRecovery reads the pending operations, and asks AWS what it has of them. It changes nothing.
func planRecovery(ctx context.Context, pulumi pulumicli.CLI, project *stagefile.Project, stack string) (*Recovery,
	error) {
	r := &Recovery{Stage: stack, Operations: []*recovered{}, pulumi: pulumi, project: project}
	if err := pulumicli.CheckLock(ctx, project, stack); err != nil {
		return nil, err
	}
	if err := r.readState(ctx); err != nil {
		return nil, err
	}
	for _, each := range r.state.resources() {
		if each.unread() {
			o := &recovered{URN: each.urn(), Operation: "importing", Result: imported, ID: each.id(), made: each, kept: true}
			if !each.live() {
				o.Result = leftOver
			}
			r.Operations = append(r.Operations, o)
		}
	}
	pending := r.state.pending()
	if len(pending) == 0 {
		r.lost = len(r.Operations) > 0 || !slices.ContainsFunc(r.state.resources(), stateResource.isAWS)
		return r, nil
	}
	find, err := r.finder(ctx)
	if err != nil {
		return nil, err
	}
	for _, operation := range pending {
		one := &recovered{URN: operation.resource.urn(), Operation: operation.kind, made: operation.resource}
		if err := one.plan(ctx, find, r.state); err != nil {
			return nil, fmt.Errorf("looking for %s in AWS: %w", one.URN, err)
		}
		r.Operations = append(r.Operations, one)
	}
	return r, nil
}

func (r *Recovery) readState(ctx context.Context) (err error) {
	if r.export, err = r.pulumi.Read(ctx, "stack", "export", "--stack", r.Stage); err == nil {
		r.state, err = parseState(r.export)
	}
	return err
}

// finder asks AWS in the account that the state is of.
func (r *Recovery) finder(ctx context.Context) (*finder, error) {
	config, err := pulumicli.ReadConfig(ctx, r.pulumi, r.project, r.Stage, false)
	if err != nil {
		return nil, err
	}
	r.config, r.secretKeys = config.Config, config.SecretKeys
	client, err := awsreader.Connect(ctx, r.Stage, r.config)
	if err != nil {
		return nil, err
	}
	if of := r.state.account(); of != "" && of != client.Account {
		return nil, exit.Refuse("the credentials belong to account %s, and what %s has is in %s: sign in to that one",
			client.Account, r.Stage, of)
	}
	return &finder{client, func(token, id string) bool { return r.state.holds(token, id) }}, nil
}

// plan decides what becomes of an operation, as far as that is known before what it made is read.
func (o *recovered) plan(ctx context.Context, find *finder, state *stackState) (err error) {
	const again = "the next update does it again"
	token, in := o.made.token(), inputs(o.made.properties("inputs"))
	derive, ask := kinds[token].id, kinds[token].find
	live := state.liveOf(o.URN)
	switch {
	case o.Operation != "creating" && o.made.isAWS():
		o.Result = read
	case strings.HasPrefix(token, "docker:"):
		o.Result, o.Note = forgotten, again+", under a tag of its own; an image that was pushed stays in the repository"
	case !o.made.isAWS() || token == validation:
		o.Result, o.Note = forgotten, again
	case derive != nil:
		o.Result, o.ID = imported, derive(in)
		switch {
		case live != nil && derive(live.properties("inputs")) == o.ID:
			o.Result = read // a later update has got it done
		case state.holds(token, o.ID): // and of two that are one, the next update would delete the other
			o.Result, o.Note = forgotten, "the state has it"
		}
	case ask == nil:
		o.Result, o.Note = unknown, cannotLook(token)
	default:
		o.ID, err = ask(ctx, find, in)
		switch {
		case o.ID == "":
			o.Result, o.Note = forgotten, "AWS has none"
		case find.holds(token, o.ID):
			o.Result, o.Note = forgotten, "the state has it"
		case live != nil && madeTwice(live, o.made):
			o.Result, o.Note = leftOver, "a later update has made another one; the next one deletes this"
		default:
			o.Result = imported
		}
	}
	return err
}

// Left tells whether something is left for somebody to look at.
func (r *Recovery) Left() bool {
	return slices.ContainsFunc(r.Operations, func(o *recovered) bool {
		return o.Result == foreign || o.Result == unknown || o.several
	})
}

// Print says what became of each operation, and what is left to do.
func (r *Recovery) Print(report *console.Report, dryRun bool) {
	if len(r.Operations) == 0 {
		report.Printf("No operation of %s was cut off", r.Stage)
		if r.lost {
			report.Printf(", and AWS has nothing of it that its state lacks")
		}
		report.Printf(": there is nothing to recover.\n")
		if !r.lost {
			report.Printf("Where AWS has what the state lacks (\"already exists\"): slipway recover %s --lost\n", r.Stage)
		}
		return
	}
	rows := [][]string{}
	for _, o := range r.Operations {
		result := o.Result
		if dryRun && (o.Result == imported || o.Result == leftOver) {
			result += ", if it is there"
		}
		rows = append(rows, []string{o.Operation, o.made.token(), o.made.name(), result,
			strings.TrimSpace(o.ID + " " + o.Note)})
	}
	report.Table([]string{"WAS", "TYPE", "NAME", "RESULT", ""}, rows)
	if r.Backup == "" {
		return
	}
	fmt.Fprintf(report.Err, "\nThe state as it was before: %s\n", r.Backup)
	fmt.Fprintf(report.Err, "Next: pulumi up --stack %s\n", r.Stage)
}
