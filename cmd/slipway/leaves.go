package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"slipway/cmd/slipway/internal/awsclient"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/stage"
)

// leaf is one value of a stage's configuration that is no map. Lists are leaves, as JSON.
type leaf struct {
	text string
	// secret values are compared and never shown.
	secret bool
}

// leaves are a configuration's values by path, as people write it: services.web.environment.GREETING, aws:region.
func leaves(project string, config map[string]pulumicli.ConfigValue) map[string]leaf {
	found := map[string]leaf{}
	for key, value := range config {
		if value.Value == nil {
			found[pathOf(project, key)] = leaf{stagefile.HiddenValue, true}
			continue
		}
		path := pathOf(project, key)
		var object map[string]any
		if json.Unmarshal([]byte(*value.Value), &object) != nil || object == nil {
			found[path] = leaf{*value.Value, value.Secret}
			continue
		}
		// In the stage's secrets some are the ARNs of values that are kept elsewhere; in any other key all is secret.
		secret := func(text string) bool { return value.Secret && (path != "secrets" || !stage.IsSecretARN(text)) }
		addLeaves(found, path, object, secret)
	}
	return found
}

// pathOf leaves out the namespace of the project's own keys, as messages about the stage file do.
func pathOf(project, key string) string { return strings.TrimPrefix(key, project+":") }

func addLeaves(found map[string]leaf, path string, object map[string]any, secret func(string) bool) {
	for key, value := range object {
		at := stage.Below(path, key)
		if inner, ok := value.(map[string]any); ok && len(inner) > 0 {
			addLeaves(found, at, inner, secret)
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
		found[at] = leaf{text, secret(text)}
	}
}

// keyChange is a value that differs between two configurations. Old is nil where only the second has it, New where only
// the first does; both stay nil for a secret.
type keyChange struct {
	Key    string  `json:"key"`
	Old    *string `json:"old,omitempty"`
	New    *string `json:"new,omitempty"`
	Secret bool    `json:"secret,omitempty"`
	// What became of it: added, removed or changed.
	What string `json:"what"`
}

// keyChanges are the differences between two configurations, by path.
func keyChanges(old, new map[string]leaf) []keyChange {
	changes := []keyChange{}
	for _, path := range union(old, new) {
		before, was := old[path]
		after, is := new[path]
		if before.text == after.text && was == is || hiddenIn(old, path) && anyAt(new, path) || hiddenIn(new, path) &&
			anyAt(old, path) {
			continue
		}
		change := keyChange{Key: path, What: "changed", Secret: before.secret || after.secret}
		if !was {
			change.What = "added"
		} else if !is {
			change.What = "removed"
		}
		if !change.Secret && was {
			change.Old = &before.text
		}
		if !change.Secret && is {
			change.New = &after.text
		}
		changes = append(changes, change)
	}
	return changes
}

// hidden tells whether values in a configuration could not be decrypted.
func hidden(values map[string]leaf) bool {
	for _, each := range values {
		if each == (leaf{stagefile.HiddenValue, true}) {
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
func hiddenIn(values map[string]leaf, path string) bool {
	return values[rootOf(path)] == leaf{stagefile.HiddenValue, true}
}

// anyAt tells whether a configuration has anything under the first part of a path.
func anyAt(values map[string]leaf, path string) bool {
	for each := range values {
		if rootOf(each) == rootOf(path) {
			return true
		}
	}
	return false
}

// describe is a change in one line: the key, and what it was and is.
func (c keyChange) describe() string {
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

// containerLeaves are the values in the container definitions of a revision by path, such as web.environment.GREETING.
func containerLeaves(r *awsclient.Revision) map[string]leaf {
	found := map[string]leaf{}
	if r == nil {
		return found
	}
	found["cpu"] = leaf{text: aws.ToString(r.Definition.Cpu)}
	found["memory"] = leaf{text: aws.ToString(r.Definition.Memory)}
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
func addFields(found map[string]leaf, at string, fields map[string]any) {
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
				found[key] = leaf{text: string(encoded)}
			}
		default:
			found[key] = leaf{text: fmt.Sprint(value)}
		}
	}
}
