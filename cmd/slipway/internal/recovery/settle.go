package recovery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// readTargets has Pulumi read from AWS what was put into the state.
func (r *Recovery) readTargets(ctx context.Context, targets []string) error {
	arguments := append([]string{"refresh", "--stack", r.Stage, "--yes", "--skip-preview", "--non-interactive",
		"--suppress-outputs"}, targets...)
	_, unread := r.pulumi.Write(ctx, nil, arguments...)
	// Also where it failed or is interrupted: what was read may be others', and no later recovery looks at it again.
	if err := r.settleAll(context.WithoutCancel(ctx), unread != nil); err != nil {
		return fmt.Errorf("%w\nThe state of %s may have what is not the stage's: put it back with `pulumi stack import "+
			"--stack %[2]s --file %s`, and run slipway recover %[2]s again", errors.Join(unread, err), r.Stage, r.Backup)
	}
	if unread == nil {
		return nil
	}
	for _, o := range r.Operations {
		if o.Result == foreign {
			unread = fmt.Errorf("%w\n%s: %s", unread, o.URN, o.Note)
		}
	}
	return fmt.Errorf("%w\nRun slipway recover %s again once that is fixed; the state as it was before is in %s", unread,
		r.Stage, r.Backup)
}

// settleAll looks at what was read of the operations. Where not all was read, the next recovery reads the rest.
func (r *Recovery) settleAll(ctx context.Context, partly bool) error {
	if err := r.readState(ctx); err != nil {
		return err
	}
	for _, o := range r.Operations {
		waits := partly && slices.ContainsFunc(r.state.resources(),
			func(each stateResource) bool { return each.urn() == o.URN && each.unread() })
		if !waits {
			o.settle(r.state)
		}
	}
	r.state.forgetMissing()
	return r.writeState(ctx)
}

// settle looks at what was read of an operation.
func (o *recovered) settle(state *stackState) {
	if o.Result != imported && o.Result != leftOver {
		return
	}
	var kept []stateResource
	there := false
	for _, each := range state.resources() {
		// What is left over is of a type whose id is the one that an import takes.
		if each.urn() != o.URN || (o.Result == imported) != each.live() || !each.live() && each.id() != o.ID {
			kept = append(kept, each)
			continue
		}
		there = true
		if owner := o.owner(each.properties("outputs")); owner != "" {
			o.Result, o.Note = foreign, owner+": it stays as it is; see whose it is, and remove one of the two"
			continue
		}
		if each.properties("outputs") == nil {
			each["outputs"] = map[string]any{}
		}
		// With what the provider knows and AWS does not, such as that it has made up the name.
		each["inputs"] = filled(o.made["inputs"], each.given())
		for _, key := range unknownToAWS {
			if value, given := o.made.properties("inputs")[key]; given {
				each.properties("outputs")[key] = value
			}
		}
		kept = append(kept, each)
	}
	state.setResources(kept)
	if !there {
		o.Result, o.Note = forgotten, "AWS has none"
	}
	if o.Result != imported && o.replaces != "" {
		state.takeBack(o.URN, o.replaces)
	}
}

// owner says whose something is, where it is not the stage's; else it is empty.
func (o *recovered) owner(outputs map[string]any) string {
	in := inputs(o.made.properties("inputs"))
	if wanted := in.tags(); wanted != nil {
		tags, _ := outputs["tags"].(map[string]any)
		if all, ok := outputs["tagsAll"].(map[string]any); ok && len(tags) == 0 {
			tags = all
		}
		if !sameOwner(wanted, tags) {
			return fmt.Sprintf("AWS has %s, which does not carry the tags project=%v and stage=%v", o.ID, wanted["project"],
				wanted["stage"])
		}
	}
	for _, leadsTo := range []func(inputs) string{aliasOf, recordsOf, targetOf} {
		wanted, found := leadsTo(in), leadsTo(outputs)
		if wanted != "" && wanted != unknownValue &&
			!strings.EqualFold(strings.TrimSuffix(wanted, "."), strings.TrimSuffix(found, ".")) {
			return fmt.Sprintf("AWS has %s, which leads to %s", o.ID, found)
		}
	}
	return ""
}

// aliasOf is where a record that is an alias leads to. Records have no tags.
func aliasOf(properties inputs) string {
	aliases, _ := properties["aliases"].([]any)
	if len(aliases) == 0 {
		return ""
	}
	alias, _ := aliases[0].(map[string]any)
	return strings.TrimPrefix(strings.ToLower(inputs(alias).text("name")), "dualstack.")
}

// recordsOf are the values of a record that is no alias.
func recordsOf(properties inputs) string {
	values := properties.list("records")
	for i, value := range values {
		values[i] = strings.ToLower(strings.TrimSuffix(value, "."))
	}
	slices.Sort(values)
	return strings.Join(values, " ")
}

// targetOf is the cluster of a schedule. Schedules have no tags.
func targetOf(properties inputs) string {
	target, _ := properties["target"].(map[string]any)
	return inputs(target).text("arn")
}
