// Package flatconfig has a stage's configuration as values by path, and tells how two of them differ.
package flatconfig

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/pulumiconfig"
	"slipway/internal/secretref"
)

// Setting is one value of a configuration that is no map: text, or all else as JSON.
type Setting struct {
	Text string
	// Secret values are compared and never shown.
	Secret bool
	// JSON says that Text is JSON: a list, a number, true or false.
	JSON bool
	// Origin is where a revision has the value from, if not from the stage file.
	Origin string
}

// hidden is a setting that could not be decrypted.
var hidden = Setting{Text: stagefile.HiddenValue, Secret: true}

// Config is a configuration by path: the flat configuration.
type Config map[string]Setting

// Of is a configuration by path, as people write it: services.web.environment.GREETING, aws:region.
func Of(project string, config map[string]pulumicli.ConfigValue) Config {
	found := Config{}
	for key, value := range config {
		path := key
		if own, is := pulumiconfig.OwnKey(project, key); is {
			path = own // as messages about the stage file have it
		}
		if value.Value == nil {
			found[path] = hidden
			continue
		}
		var object map[string]any
		if json.Unmarshal([]byte(*value.Value), &object) != nil || object == nil {
			found[path] = Setting{Text: *value.Value, Secret: value.Secret}
			continue
		}
		// In the stage's secrets some are the ARNs of values that are kept elsewhere; in any other key all is secret.
		found.Add(path, object, func(text string) bool {
			return value.Secret && (path != "secrets" || !secretref.IsARN(text))
		})
	}
	return found
}

// Declares is what stands at a path, in the stage's own or else in the defaults; empty where neither has it.
func (c Config) Declares(path string) string {
	if own, ok := c[path]; ok {
		return own.Text
	}
	return c["defaults."+path].Text
}

// Add adds the values of an object below a path. secret tells by their texts which are secret; nil for none.
func (c Config) Add(path string, object map[string]any, secret func(string) bool) {
	for key, value := range object {
		at := pulumiconfig.Below(path, key)
		if inner, ok := value.(map[string]any); ok && len(inner) > 0 {
			c.Add(at, inner, secret)
			continue
		}
		text, isText := value.(string)
		if !isText {
			var encoded strings.Builder
			encoder := json.NewEncoder(&encoded)
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(value); err != nil {
				panic(err) // it was decoded from JSON
			}
			text = strings.TrimSpace(encoded.String())
		}
		c[at] = Setting{Text: text, Secret: secret != nil && secret(text), JSON: !isText}
	}
}

// MarshalJSON has a value as the configuration has it.
func (s Setting) MarshalJSON() ([]byte, error) {
	if s.JSON {
		return []byte(s.Text), nil
	}
	return json.Marshal(s.Text)
}

// String is a value in one line.
func (s Setting) String() string {
	plain := s.Text != "" && strings.TrimSpace(s.Text) == s.Text &&
		!strings.ContainsFunc(s.Text, func(r rune) bool { return !unicode.IsPrint(r) })
	if plain || s.JSON {
		return s.Text
	}
	return strconv.Quote(s.Text)
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
	// Origin is where the value comes from, if not from the stage file.
	Origin string `json:"origin,omitempty"`

	before, after Setting
}

// Changes are the differences between two configurations, by path.
func Changes(old, new Config) []Change {
	changes := []Change{}
	for _, path := range Union(old, new) {
		before, was := old[path]
		after, is := new[path]
		if before.Text == after.Text && was == is || old.hides(path) && new.hasBeside(path) ||
			new.hides(path) && old.hasBeside(path) {
			continue
		}
		change := Change{Key: path, What: "changed", Secret: before.Secret || after.Secret,
			Origin: cmp.Or(after.Origin, before.Origin), before: before, after: after}
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
func (c Config) Hidden() bool {
	return slices.Contains(slices.Collect(maps.Values(c)), hidden)
}

// Root is the first part of a path.
func Root(path string) string {
	if end := strings.IndexAny(path, ".["); end >= 0 {
		return path[:end]
	}
	return path
}

// hides tells whether what stands at a path could not be decrypted: then nobody knows whether it differs.
func (c Config) hides(path string) bool { return c[Root(path)] == hidden }

// hasBeside tells whether a configuration has anything under the first part of a path.
func (c Config) hasBeside(path string) bool {
	for each := range c {
		if Root(each) == Root(path) {
			return true
		}
	}
	return false
}

// Describe is a change in one line: the key, and what it was and is.
func (c Change) Describe() string {
	key := c.Key
	if c.Origin != "" {
		key += " (" + c.Origin + ")"
	}
	switch {
	case c.Secret:
		return key + ": " + c.What + " (secret)"
	case c.Old == nil:
		return key + ": + " + c.after.String()
	case c.New == nil:
		return key + ": - " + c.before.String()
	}
	return key + ": " + c.before.String() + " → " + c.after.String()
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
func (c Config) Declared(kind string) []string {
	names := map[string]bool{}
	for path := range c {
		path = strings.TrimPrefix(path, "defaults.")
		if rest, ok := strings.CutPrefix(path, kind+"."); ok {
			name, _, _ := strings.Cut(rest, ".")
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// Pinned is the revision that a configuration names for a service, 0 for none.
func (c Config) Pinned(service string) int {
	number, _ := strconv.Atoi(c.Declares(pulumiconfig.Path("services", service, "revision")))
	return number
}
