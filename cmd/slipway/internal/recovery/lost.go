package recovery

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/console"
)

// A state that was lost has no operations that were cut off. What a stage is to have, a preview says: whatever the next
// update would create is looked for in AWS, as if its creation had been cut off. Much of it is known only once other
// things are in the state (a rule by its listener, a listener by its load balancer), so there are rounds, until one
// finds nothing more.

// lost is the operation of what a state does not have.
const lost = "lost"

// What becomes of what is lost, beside what becomes of a creation that was cut off.
const (
	again = "made again"       // AWS does not have it, or it cannot be imported: the next update makes it
	later = "looked for later" // as a dry run does not come to it
)

// search looks for what a state has lost.
type search struct {
	*Recovery
	find   *finder
	looked map[string]*recovered // by URN
}

// findLost brings into the state what AWS has and the state has not. With dryRun it says what the first round finds.
func (r *Recovery) findLost(ctx context.Context, report *console.Report, dryRun bool) error {
	find, err := r.finder(ctx)
	if err != nil {
		return err
	}
	s := &search{r, find, map[string]*recovered{}}
	inState := find.holds
	find.holds = func(token, id string) bool { return s.found(token, id) || inState(token, id) }
	for round := 1; ; round++ {
		done := report.Progress("Looking for what %s has in AWS, round %d", r.Stage, round)
		missing, found, err := s.look(ctx)
		if err != nil && s.Backup != "" {
			err = fmt.Errorf("%w\nWhat was found before is in the state. Once that is fixed, run slipway recover %s --lost; "+
				"the state as it was before is in %s", err, s.Stage, s.Backup)
		}
		more := false
		if err == nil && len(found) > 0 && !dryRun {
			more, err = s.takeIn(ctx, missing, found)
		}
		done()
		if err != nil {
			return err
		}
		if !more {
			s.conclude(missing, dryRun)
			return nil
		}
	}
}

// found tells whether something was found already: nothing in AWS is two resources.
func (s *search) found(token, id string) bool {
	return slices.ContainsFunc(s.Operations, func(o *recovered) bool {
		return o.Result == imported && o.ID == id && o.made.token() == token
	})
}

// look asks AWS for what a preview would create, as far as enough of it is known and it was not looked for before.
func (s *search) look(ctx context.Context) (missing []stateResource, found []*recovered, err error) {
	if err := s.readState(ctx); err != nil {
		return nil, nil, err
	}
	if missing, err = creations(ctx, s.pulumi, s.Stage); err != nil {
		return nil, nil, err
	}
	for _, each := range missing {
		if s.looked[each.urn()] != nil || !each.isAWS() || each.token() == validation || !s.identified(each) {
			continue
		}
		o := &recovered{URN: each.urn(), Operation: lost, made: each}
		if err := o.lookFor(ctx, s.find); err != nil {
			return nil, nil, fmt.Errorf("looking for %s in AWS: %w", o.URN, err)
		}
		s.looked[o.URN] = o
		s.Operations = append(s.Operations, o)
		if o.Result == imported {
			found = append(found, o)
		}
	}
	return missing, found, nil
}

// identified tells whether enough is known of a resource to look for it, and to tell whose it is.
func (s *search) identified(made stateResource) bool {
	token, in := made.token(), inputs(made.properties("inputs"))
	if derive := kinds[token].id; derive != nil && !in.hasMadeUpName() && strings.Contains(derive(in), unknownValue) {
		return false
	}
	if hasHole(in[kinds[token].needs]) || targetOf(in) == unknownValue {
		return false
	}
	key := kinds[token].owner
	if key == "" {
		return true
	}
	owners, _ := made.properties("propertyDependencies")[key].([]any)
	return !isHole(in[key]) &&
		!slices.ContainsFunc(owners, func(urn any) bool { return s.state.liveOf(fmt.Sprint(urn)) == nil })
}

// lookFor finds the id under which AWS knows a resource. Where the id comes from the inputs alone, AWS is asked when it
// is read.
func (o *recovered) lookFor(ctx context.Context, find *finder) (err error) {
	token, in := o.made.token(), inputs(o.made.properties("inputs"))
	kind := kinds[token]
	o.Result = imported
	switch {
	case in.hasMadeUpName() && kind.list != nil:
		var all []candidate
		if all, err = findMadeUp(ctx, find, token, o.made.name(), in); len(all) > 0 {
			o.ID, in["name"] = all[0].id, all[0].name
		}
		if len(all) > 1 {
			o.several, o.Note = true, fmt.Sprintf("AWS has %d of them: see whether the others are needed", len(all))
		}
	case in.hasMadeUpName() || kind.id == nil && kind.find == nil:
		o.Result, o.Note = unknown, cannotLook(token)
		return nil
	case kind.id != nil:
		o.ID = kind.id(in)
	default:
		o.ID, err = kind.find(ctx, find, in)
	}
	switch {
	case o.ID == "":
		o.Result, o.Note = again, "AWS has none"
	case find.holds(token, o.ID): // and of two that are one, the next update would delete the other
		o.Result, o.Note = again, "the state has it"
	}
	return err
}

// takeIn puts into the state what a round has found, and has it read from AWS. Where AWS has nothing of it that is the
// stage's, the state is put back as it was. more tells whether another round may find more.
func (s *search) takeIn(ctx context.Context, missing []stateResource, found []*recovered) (more bool, err error) {
	if err := s.state.scaffold(missing, s.config, s.secretKeys); err != nil {
		return false, err
	}
	round := &Recovery{Stage: s.Stage, Operations: found, Backup: s.Backup, pulumi: s.pulumi, project: s.project,
		state: s.state, export: s.export}
	before, first := s.export, s.Backup == ""
	nothingYet := !slices.ContainsFunc(s.state.resources(), stateResource.isAWS)
	err = round.apply(ctx)
	s.Backup, s.state = round.Backup, round.state
	for _, o := range found {
		if o.Result == forgotten {
			o.Result = again
		}
		more = more || o.Result == imported && (!nothingYet || o.made.token() != taskDefinition)
	}
	if more || err != nil {
		return more, err
	}
	for _, o := range found {
		if o.Result == imported { // its revisions are all that a stage leaves behind which was removed
			o.Result, o.Note = again, "AWS has nothing else of the stage"
		}
	}
	if s.state, err = parseState(before); err != nil {
		return false, err
	}
	if err = s.writeState(ctx); err == nil && first {
		err = os.Remove(s.Backup)
		s.Backup = ""
	}
	return false, err
}

// conclude says what of the rest the next update makes. Where AWS has nothing at all, that is the whole stage, and
// nothing to tell.
func (s *search) conclude(missing []stateResource, dryRun bool) {
	reported := func(o *recovered) bool { return o.Operation != lost || o.Result != again }
	if !slices.ContainsFunc(s.Operations, reported) {
		s.Operations = s.Operations[:0]
		return
	}
	for _, each := range missing {
		if !each.is("custom") || s.looked[each.urn()] != nil {
			continue
		}
		o := &recovered{URN: each.urn(), Operation: lost, Result: again, made: each}
		switch token := each.token(); {
		case strings.HasPrefix(token, "docker:"):
			o.Note = "the next update builds it, under a tag of its own, and its services move to revisions with that"
		case token == validation:
			o.Note = "it is nothing in AWS"
		case token == stash:
			o.Note = "the next update runs the task"
		case !each.isAWS():
			o.Result, o.Note = unknown, "slipway looks in AWS only: `pulumi import` it where it is there"
		case dryRun:
			o.Result, o.Note = later, "once what it belongs to is in the state"
		default:
			o.Note = "what it belongs to is not in the state"
		}
		s.Operations = append(s.Operations, o)
	}
}

// stash is the type of the engine's own with which a task runs before a deployment.
const stash = "pulumi:index:Stash"

func cannotLook(token string) string {
	return fmt.Sprintf("slipway cannot look for a %s: look in AWS, and `pulumi import` what is there, or remove it", token)
}
