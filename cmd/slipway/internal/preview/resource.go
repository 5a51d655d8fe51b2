package preview

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/pulumicli"
)

// Resource is what the update would do to a resource.
type Resource struct {
	// What is the operation: created, updated, replaced or deleted.
	What string `json:"what"`
	// Type is Pulumi's, such as aws:iam/role:Role; Name its name in the program.
	Type string `json:"type"`
	Name string `json:"name"`
	// Settings that differ, by name; nil where it is created or deleted.
	Settings []flatconfig.Change `json:"settings,omitempty"`
	// Because are the properties for which it is replaced.
	Because []string `json:"because,omitempty"`

	// above is the component that it stands in: its type and name; empty where it stands alone.
	above, aboveName string
	old, new         map[string]any // inputs
	oldOutputs       map[string]any
	differ           []string // properties
}

// operations are the engine's of which a preview tells, in the past tense.
var operations = map[string]string{"create": "created", "update": "updated", "replace": "replaced", "delete": "deleted",
	"import": "imported", "discard": "forgotten"}

// newResource is what a step does; nil where it does nothing that anybody would look for.
func newResource(step pulumicli.Step) *Resource {
	what := operations[step.Op]
	state := step.NewState
	if state == nil {
		state = step.OldState
	}
	token, name := partsOf(step.URN)
	switch {
	case what == "" || state == nil, token == stackType, strings.HasPrefix(token, "pulumi:providers:"):
		return nil
	case !custom(step) && (step.Op == "update" || kinds[token] == ""): // it stands for what it is made of
		return nil
	}
	r := &Resource{What: what, Type: token, Name: name, old: properties(step.OldState, "inputs"),
		new: properties(step.NewState, "inputs"), oldOutputs: properties(step.OldState, "outputs"),
		differ: propertiesOf(step.DiffReasons)}
	r.above, r.aboveName = topOf(step.URN), name
	if parent := text(state["parent"]); custom(step) && parent != "" {
		_, r.aboveName = partsOf(parent) // which has the name of the service, as all components in one have
	}
	if step.Op == "update" || step.Op == "replace" {
		r.Settings = changesIn(r.old, r.new, r.differ)
		r.Because = step.ReplaceReasons
	}
	return r
}

// partsOf are the type and the name in a URN.
func partsOf(urn string) (token, name string) {
	parts := strings.SplitN(urn, "::", 4)
	if len(parts) < 4 {
		return "", urn
	}
	return parts[2][strings.LastIndex(parts[2], "$")+1:], parts[3]
}

// topOf is the type of the topmost component that a resource stands in.
func topOf(urn string) string {
	parts := strings.SplitN(urn, "::", 4)
	if len(parts) < 4 {
		return ""
	}
	top, _, _ := strings.Cut(parts[2], "$")
	return top
}

func properties(state map[string]any, part string) map[string]any {
	found, _ := state[part].(map[string]any)
	return found
}

// changesIn are the differences between a resource's inputs, in the properties that the provider says differ. Where one
// of those is the same in both, it is secret, or AWS has another value.
func changesIn(old, new map[string]any, differ []string) (changes []flatconfig.Change) {
	for _, property := range differ {
		before, after := old[property], new[property]
		if after == pulumicli.UnknownValue && property == containerDefinitions {
			changes = append(changes, flatconfig.Change{Key: property, What: "changed, to what only the update knows"})
			continue
		}
		found := flatconfig.Changes(flat(property, before), flat(property, after))
		if len(found) == 0 {
			change := flatconfig.Change{Key: property, What: "changed in AWS"}
			if hasSecret(before) || hasSecret(after) {
				change.What, change.Secret = "changed", true
			}
			found = append(found, change)
		}
		for i, change := range found {
			if isSecret(change.Old) || isSecret(change.New) { // also the plain text of what is secret from now on
				found[i] = flatconfig.Change{Key: change.Key, What: change.What, Secret: true}
			}
		}
		changes = append(changes, found...)
	}
	return changes
}

// propertiesOf are the properties that paths such as tags.team or rules[0].port begin with, without tagsAll: those are
// the tags again.
func propertiesOf(paths []string) (found []string) {
	for _, path := range paths {
		if root := flatconfig.Root(path); root != "tagsAll" {
			found = append(found, root)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// containerDefinitions is the property of a task definition that is JSON.
const containerDefinitions = "containerDefinitions"

// flat has the values of a property by name; those of container definitions as history has them, such as
// web.environment.GREETING.
func flat(property string, value any) flatconfig.Config {
	found := flatconfig.Config{}
	if value == nil {
		return found
	}
	var document any // container definitions, or a policy
	if text, isText := value.(string); isText && strings.ContainsAny(text, "{[") &&
		json.Unmarshal([]byte(text), &document) == nil {
		value = document
	}
	containers, _ := readable(value).(map[string]any)
	if property != containerDefinitions || containers == nil {
		found.Add("", map[string]any{property: readable(value)}, nil)
		return found
	}
	found.Add("", containers, nil)
	for path, setting := range found {
		if _, of, _ := strings.Cut(path, "."); strings.HasPrefix(of, "secrets.") || strings.HasPrefix(of, "secrets[") {
			setting.Secret = true
			found[path] = setting
		}
	}
	return found
}

// readable has lists of named things as maps by name, so that one more of them is one difference.
func readable(value any) any {
	switch value := value.(type) {
	case string:
		return strings.ReplaceAll(value, pulumicli.UnknownValue, "(known in the update)")
	case map[string]any:
		found := map[string]any{}
		for key, inner := range value {
			if key != "__defaults" {
				found[key] = readable(inner)
			}
		}
		return found
	case []any:
		if named := byName(value); named != nil {
			return named
		}
		found := make([]any, len(value))
		for i, inner := range value {
			found[i] = readable(inner)
		}
		return found
	}
	return value
}

// byName is a list of objects by their names, with what is left of each; nil for any other list.
func byName(list []any) map[string]any {
	named := map[string]any{}
	for _, each := range list {
		object, _ := each.(map[string]any)
		key := "name"
		if _, isStatement := object["Sid"]; isStatement { // of a policy
			key = "Sid"
		}
		name := text(object[key])
		if _, twice := named[name]; name == "" || twice {
			return nil
		}
		rest, _ := readable(object).(map[string]any)
		delete(rest, key)
		named[name] = rest
		for _, only := range []string{"value", "valueFrom"} {
			if value, ok := rest[only]; ok && len(rest) == 1 {
				named[name] = value
			}
		}
	}
	if len(named) == 0 {
		return nil
	}
	return named
}

func isSecret(text *string) bool {
	return text != nil && strings.Contains(*text, pulumicli.SecretValue)
}

func hasSecret(value any) bool {
	switch value := value.(type) {
	case string:
		return strings.Contains(value, pulumicli.SecretValue)
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(value)), hasSecret)
	case []any:
		return slices.ContainsFunc(value, hasSecret)
	}
	return false
}
