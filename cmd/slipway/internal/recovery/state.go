package recovery

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// stackState is a stack's state as `pulumi stack export` has it. Only what recovery reads and changes is looked at; all
// else goes back as it came, secrets encrypted.
type stackState struct {
	document map[string]any
}

// stateResource is a resource of a state, or that of a pending operation.
type stateResource map[string]any

func parseState(export []byte) (*stackState, error) {
	decoder := json.NewDecoder(bytes.NewReader(export))
	decoder.UseNumber()
	state := &stackState{}
	if err := decoder.Decode(&state.document); err != nil {
		return nil, fmt.Errorf("the exported state cannot be read: %w", err)
	}
	if state.deployment() == nil && state.document["version"] == nil {
		return nil, fmt.Errorf("the exported state has no deployment")
	}
	if state.deployment() == nil { // of a stack that has not been updated yet
		state.document["deployment"] = map[string]any{"manifest": map[string]any{"time": time.Time{}, "magic": "",
			"version": ""}}
	}
	return state, nil
}

func (s *stackState) deployment() map[string]any {
	deployment, _ := s.document["deployment"].(map[string]any)
	return deployment
}

func (s *stackState) json() ([]byte, error) { return json.MarshalIndent(s.document, "", "    ") }

func (s *stackState) resources() (found []stateResource) {
	list, _ := s.deployment()["resources"].([]any)
	for _, each := range list {
		if resource, ok := each.(map[string]any); ok {
			found = append(found, resource)
		}
	}
	return found
}

func (s *stackState) setResources(resources []stateResource) {
	list := make([]any, len(resources))
	for i, each := range resources {
		list[i] = map[string]any(each)
	}
	s.deployment()["resources"] = list
}

// pendingOperation is what an update had begun when it was cut off.
type pendingOperation struct {
	kind     string // creating, updating, deleting, reading, importing
	resource stateResource
}

func (s *stackState) pending() (found []pendingOperation) {
	list, _ := s.deployment()["pending_operations"].([]any)
	for _, each := range list {
		operation, _ := each.(map[string]any)
		kind, _ := operation["type"].(string)
		resource, _ := operation["resource"].(map[string]any)
		if resource != nil {
			found = append(found, pendingOperation{kind, resource})
		}
	}
	return found
}

func (s *stackState) clearPending() { delete(s.deployment(), "pending_operations") }

func (r stateResource) text(key string) string { text, _ := r[key].(string); return text }
func (r stateResource) urn() string            { return r.text("urn") }
func (r stateResource) token() string          { return r.text("type") }
func (r stateResource) id() string             { return r.text("id") }

// isAWS tells whether the AWS provider has the resource.
func (r stateResource) isAWS() bool { return strings.HasPrefix(r.token(), "aws:") }

// name is the resource's own in the program.
func (r stateResource) name() string { return r.urn()[strings.LastIndex(r.urn(), "::")+2:] }

func (r stateResource) is(mark string) bool { set, _ := r[mark].(bool); return set }

// live tells whether it is the one of its URN that the program knows, and not one that an update is to delete.
func (r stateResource) live() bool { return !r.is("delete") && !r.is("pendingReplacement") }

func (r stateResource) properties(key string) map[string]any {
	properties, _ := r[key].(map[string]any)
	return properties
}

// unread tells of a resource that a recovery has put into the state, and that was not read any more.
func (r stateResource) unread() bool {
	outputs := r.properties("outputs")
	return r.isAWS() && r.id() != "" && (len(outputs) == 0 || r.token() == scheduledAction && outputs["arn"] == nil)
}

// given is what a read has found of a resource, its inputs first.
func (r stateResource) given() map[string]any {
	found := map[string]any{}
	maps.Copy(found, r.properties("outputs"))
	maps.Copy(found, r.properties("inputs"))
	return found
}

// liveOf is the resource that the program knows by a URN; nil where the state has none.
func (s *stackState) liveOf(urn string) stateResource {
	for _, each := range s.resources() {
		if each.urn() == urn && each.live() {
			return each
		}
	}
	return nil
}

// holds tells whether the state has a resource of this type and id: as the provider has it, or as an import takes it.
// One that was deleted, to be replaced, does not count.
func (s *stackState) holds(token, id string) bool {
	derive := kinds[token].id
	return slices.ContainsFunc(s.resources(), func(r stateResource) bool {
		return r.token() == token && !r.is("pendingReplacement") && (r.id() == id || r.properties("outputs")["arn"] == id ||
			derive != nil && derive(r.properties("inputs")) == id)
	})
}

// adopt puts into the state what an operation has created, as the operation itself would have done: one that it
// replaces is deleted by the next update, and its id is returned. Its outputs come from AWS, by a refresh, as a read
// without outputs is an import.
func (s *stackState) adopt(made stateResource, id string) (replaced string) {
	var kept []stateResource
	for _, each := range s.resources() {
		if each.urn() == made.urn() && each.is("pendingReplacement") {
			continue // it was deleted before this one was made
		}
		if each.urn() == made.urn() && each.live() {
			each["delete"], replaced = true, each.id()
		}
		kept = append(kept, each)
	}
	s.setResources(kept)
	s.insert(made, id, false)
	return replaced
}

// takeBack makes the resource that adopt has marked for deletion the program's again, where AWS has nothing in its
// place.
func (s *stackState) takeBack(urn, id string) {
	for _, each := range s.resources() {
		if each.urn() == urn && each.id() == id && each.is("delete") {
			delete(each, "delete")
			return
		}
	}
}

// leave puts into the state what an operation has created and the program does not know any more: the next update
// deletes it.
func (s *stackState) leave(made stateResource, id string) { s.insert(made, id, true) }

// insert puts a resource behind all that it depends on, in whose order Pulumi wants a state.
func (s *stackState) insert(made stateResource, id string, toDelete bool) {
	added := maps.Clone(made)
	added["id"], added["custom"], added["outputs"] = id, true, map[string]any{}
	added["inputs"] = filled(made["inputs"], nil)
	if made.token() == scheduledAction { // by these it is read
		added["outputs"] = withoutDefaults(added["inputs"])
	}
	if toDelete {
		added["delete"] = true
	}
	resources, at := s.resources(), 0
	for _, urn := range added.references() {
		at = max(at, 1+slices.IndexFunc(resources, func(other stateResource) bool { return other.urn() == urn }))
	}
	s.setResources(slices.Insert(resources, at, added))
	s.forgetMissing()
}

// references are the URNs of all that a resource stands on.
func (r stateResource) references() []string {
	provider, _ := cutProvider(r.text("provider"))
	urns := []string{provider, r.text("parent"), r.text("deletedWith")}
	lists := append(slices.Collect(maps.Values(r.properties("propertyDependencies"))), r["dependencies"])
	for _, each := range lists {
		list, _ := each.([]any)
		for _, urn := range list {
			urns = append(urns, fmt.Sprint(urn))
		}
	}
	return urns
}

// forgetMissing has resources depend on nothing that the state does not have: Pulumi would take it for broken.
func (s *stackState) forgetMissing() {
	there := map[string]bool{}
	for _, each := range s.resources() {
		there[each.urn()] = true
	}
	keep := func(list any) []any {
		urns, _ := list.([]any)
		return slices.DeleteFunc(slices.Clone(urns), func(urn any) bool { return !there[fmt.Sprint(urn)] })
	}
	for _, each := range s.resources() {
		if each["dependencies"] != nil {
			each["dependencies"] = keep(each["dependencies"])
		}
		if byProperty := maps.Clone(each.properties("propertyDependencies")); byProperty != nil {
			for property, list := range byProperty {
				byProperty[property] = keep(list)
			}
			each["propertyDependencies"] = byProperty
		}
		for _, key := range []string{"parent", "deletedWith"} {
			if urn := each.text(key); urn != "" && !there[urn] {
				delete(each, key)
			}
		}
	}
}

// unknownToAWS are the settings that the provider has from the program alone: no read finds them, and a deletion goes
// by them.
var unknownToAWS = []string{"allowOverwrite", "forceDelete", "forceDetachPolicies", "forceNewDeployment",
	"forceOverwriteReplicaSecret", "recoveryWindowInDays", "revokeRulesOnDelete", "skipDestroy", "trackLatest",
	"waitForSteadyState"}

// withoutDefaults are inputs without the provider's own notes of what it has filled in.
func withoutDefaults(value any) any {
	inputs, isObject := value.(map[string]any)
	if !isObject {
		return value
	}
	bare := map[string]any{}
	for key, inner := range inputs {
		if key != "__defaults" {
			bare[key] = withoutDefaults(inner)
		}
	}
	return bare
}

// madeTwice tells whether two resources were asked for in the same way, but for a name that the provider has made up.
// Versions of a secret are not: which one counts, AWS says.
func madeTwice(one, other stateResource) bool {
	bare := func(r stateResource) map[string]any {
		inputs := maps.Clone(r.properties("inputs"))
		delete(inputs, "name")
		delete(inputs, "__defaults")
		return inputs
	}
	return one.properties("inputs")["secretId"] == nil && reflect.DeepEqual(bare(one), bare(other))
}

// account is that of the resources in the state; empty where none of them tells.
func (s *stackState) account() string {
	for _, each := range s.resources() {
		arn, _ := each.properties("outputs")["arn"].(string)
		if parts := strings.Split(arn, ":"); each.isAWS() && len(parts) > 5 && parts[4] != "" {
			return parts[4]
		}
	}
	return ""
}
