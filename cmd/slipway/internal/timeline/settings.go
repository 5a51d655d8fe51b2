package timeline

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/stage"
)

// Setting is one value of a stage's configuration that is no map. Lists are leaves, as JSON.
type Setting struct {
	Text string
	// Secret values are compared and never shown.
	Secret bool
}

// Settings are the values of a configuration by path: the flat configuration.
type Settings map[string]Setting

// Flatten are a configuration's values by path, as people write it: services.web.environment.GREETING, aws:region.
func Flatten(project string, config map[string]pulumicli.ConfigValue) Settings {
	found := Settings{}
	for key, value := range config {
		if value.Value == nil {
			found[pathOf(project, key)] = Setting{stagefile.HiddenValue, true}
			continue
		}
		path := pathOf(project, key)
		var object map[string]any
		if json.Unmarshal([]byte(*value.Value), &object) != nil || object == nil {
			found[path] = Setting{*value.Value, value.Secret}
			continue
		}
		// In the stage's secrets some are the ARNs of values that are kept elsewhere; in any other key all is secret.
		secret := func(text string) bool { return value.Secret && (path != "secrets" || !stage.IsSecretARN(text)) }
		addSettings(found, path, object, secret)
	}
	return found
}

// pathOf leaves out the namespace of the project's own keys, as messages about the stage file do.
func pathOf(project, key string) string { return strings.TrimPrefix(key, project+":") }

func addSettings(found Settings, path string, object map[string]any, secret func(string) bool) {
	for key, value := range object {
		at := stage.Below(path, key)
		if inner, ok := value.(map[string]any); ok && len(inner) > 0 {
			addSettings(found, at, inner, secret)
			continue
		}
		text, isText := value.(string)
		if !isText {
			encoded, err := json.Marshal(value)
			if err != nil {
				panic(err) // it was decoded from JSON
			}
			text = string(encoded)
		}
		found[at] = Setting{text, secret(text)}
	}
}

// Change is a value that differs between two configurations. Old is nil where only the second has it, New where only
// the first does; both stay nil for a secret.
type Change struct {
	Key    string  `json:"key"`
	Old    *string `json:"old,omitempty"`
	New    *string `json:"new,omitempty"`
	Secret bool    `json:"secret,omitempty"`
	// What became of it: added, removed or changed.
	What string `json:"what"`
}

// Changes are the differences between two configurations, by path.
func Changes(old, new Settings) []Change {
	changes := []Change{}
	for _, path := range Union(old, new) {
		before, was := old[path]
		after, is := new[path]
		if before.Text == after.Text && was == is || hiddenIn(old, path) && anyAt(new, path) || hiddenIn(new, path) &&
			anyAt(old, path) {
			continue
		}
		change := Change{Key: path, What: "changed", Secret: before.Secret || after.Secret}
		if !was {
			change.What = "added"
		} else if !is {
			change.What = "removed"
		}
		if !change.Secret && was {
			change.Old = &before.Text
		}
		if !change.Secret && is {
			change.New = &after.Text
		}
		changes = append(changes, change)
	}
	return changes
}

// Hidden tells whether values in a configuration could not be decrypted.
func Hidden(values Settings) bool {
	for _, each := range values {
		if each == (Setting{stagefile.HiddenValue, true}) {
			return true
		}
	}
	return false
}

// rootOf is the first part of a path.
func rootOf(path string) string {
	if end := strings.IndexAny(path, ".["); end >= 0 {
		return path[:end]
	}
	return path
}

// hiddenIn tells whether what stands at a path could not be decrypted: then nobody knows whether it differs.
func hiddenIn(values Settings, path string) bool {
	return values[rootOf(path)] == Setting{stagefile.HiddenValue, true}
}

// anyAt tells whether a configuration has anything under the first part of a path.
func anyAt(values Settings, path string) bool {
	for each := range values {
		if rootOf(each) == rootOf(path) {
			return true
		}
	}
	return false
}

// Describe is a change in one line: the key, and what it was and is.
func (c Change) Describe() string {
	switch {
	case c.Secret:
		return c.Key + ": " + c.What + " (secret)"
	case c.Old == nil:
		return c.Key + ": + " + shown(*c.New)
	case c.New == nil:
		return c.Key + ": - " + shown(*c.Old)
	}
	return c.Key + ": " + shown(*c.Old) + " → " + shown(*c.New)
}

func shown(text string) string {
	if text == "" {
		return `""`
	}
	return text
}

// ContainerSettings are the values in the container definitions of a revision by path, such as
// web.environment.GREETING.
func ContainerSettings(r *awsreader.Revision) Settings {
	found := Settings{}
	if r == nil {
		return found
	}
	found["cpu"] = Setting{Text: aws.ToString(r.Definition.Cpu)}
	found["memory"] = Setting{Text: aws.ToString(r.Definition.Memory)}
	for _, container := range r.Definition.ContainerDefinitions {
		encoded, err := json.Marshal(container)
		if err != nil {
			panic(err) // plain data
		}
		var fields map[string]any
		if err := json.Unmarshal(encoded, &fields); err != nil {
			panic(err) // it was just encoded
		}
		fields["Environment"] = byName(fields["Environment"], "Value")
		fields["Secrets"] = byName(fields["Secrets"], "ValueFrom")
		addFields(found, aws.ToString(container.Name), fields)
	}
	return found
}

// byName makes a map of a list of names and values.
func byName(list any, value string) map[string]any {
	named := map[string]any{}
	entries, _ := list.([]any)
	for _, entry := range entries {
		if fields, ok := entry.(map[string]any); ok {
			if name, ok := fields["Name"].(string); ok {
				named[name] = fields[value]
			}
		}
	}
	return named
}

// addFields adds what is set of an SDK's structure, with names as the API writes them.
func addFields(found Settings, at string, fields map[string]any) {
	for name, value := range fields {
		key := stage.Below(at, name)
		if strings.Count(at, ".") == 0 {
			key = at + "." + strings.ToLower(name[:1]) + name[1:]
		}
		switch value := value.(type) {
		case nil:
		case map[string]any:
			addFields(found, key, value)
		case []any:
			if len(value) > 0 {
				encoded, err := json.Marshal(value)
				if err != nil {
					panic(err) // it was decoded from JSON
				}
				found[key] = Setting{Text: string(encoded)}
			}
		default:
			found[key] = Setting{Text: fmt.Sprint(value)}
		}
	}
}

// Union are the keys that either map has, sorted.
func Union[V any, M ~map[string]V](a, b M) []string {
	all := maps.Clone(a)
	if all == nil {
		all = M{}
	}
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

// Declared are the names of the services, or of the tasks, in a configuration: in the stage's own and in the
// defaults.
func (s Settings) Declared(kind string) []string {
	names := map[string]bool{}
	for path := range s {
		path = strings.TrimPrefix(path, "defaults.")
		if rest, ok := strings.CutPrefix(path, kind+"."); ok {
			name, _, _ := strings.Cut(rest, ".")
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// Pinned is the revision that a configuration names for a service, 0 for none.
func (s Settings) Pinned(service string) int {
	for _, at := range []string{"services.", "defaults.services."} {
		if number, err := strconv.Atoi(s[at+service+".revision"].Text); err == nil {
			return number
		}
	}
	return 0
}
