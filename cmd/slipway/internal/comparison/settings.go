package comparison

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/stage"
)

// settings are the effective settings of a stage, or a part of them, by the keys that a stage file has.
type settings map[string]any

// settingsOf are a stage's settings as generic JSON, made from all that was loaded, so that no key can be forgotten.
// Left out is what is compared otherwise: secrets, of which a container has the names here; the settings of providers;
// and the stage's variables, which every container has among its own.
func settingsOf(loaded *stage.Stage) (settings, error) {
	encoded, err := json.Marshal(loaded)
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	var fields settings
	if err := decoder.Decode(&fields); err != nil {
		return nil, err
	}
	for _, name := range []string{"Project", "Name", "Environment", "Secrets", "AWS"} {
		delete(fields, name)
	}
	withoutNulls(map[string]any(fields), false)
	found := fields.lowered()
	found["cluster"] = map[string]any(found.take("clusterSettings"))
	for name, image := range found.object("images") {
		found.object("images")[name] = map[string]any(settings(image.(map[string]any)).lowered())
	}
	for name, service := range loaded.Services {
		nameSecrets(found.object("services").object(name), service.TaskDefinition)
	}
	for name, task := range loaded.Tasks {
		nameSecrets(found.object("tasks").object(name), task.TaskDefinition)
	}
	return found, nil
}

// withoutNulls removes from objects in lists, which are compared and shown as a whole, the keys that nobody wrote.
func withoutNulls(value any, inList bool) {
	switch value := value.(type) {
	case []any:
		for _, each := range value {
			withoutNulls(each, true)
		}
	case map[string]any:
		for key, each := range value {
			if inList && each == nil {
				delete(value, key)
			}
			withoutNulls(each, inList)
		}
	}
}

// nameSecrets leaves of the secrets of a task's containers their names.
func nameSecrets(fields settings, definition stage.TaskDefinition) {
	name := func(fields settings, container stage.Container) {
		delete(fields, "Secrets")
		names := []any{}
		for _, secret := range slices.Sorted(maps.Keys(container.Secrets)) {
			names = append(names, secret)
		}
		fields["secrets"] = names
	}
	name(fields, definition.Container)
	for sidecar, container := range definition.Containers {
		name(fields.object("containers").object(sidecar), container.Container)
	}
}

// lowered has the names of Go's fields as the file has its keys.
func (s settings) lowered() settings {
	lowered := settings{}
	for name, value := range s {
		lowered[strings.ToLower(name[:1])+name[1:]] = value
	}
	return lowered
}

// object is the value of a key, nil where it is none.
func (s settings) object(key string) settings {
	object, _ := s[key].(map[string]any)
	return object
}

// take removes an object and returns it.
func (s settings) take(key string) settings {
	object := s.object(key)
	delete(s, key)
	return object
}

// unequalSetting is a value that differs. The value of a stage that does not have it is nil.
type unequalSetting struct {
	Key    string                 `json:"key"`
	Values [2]*flatconfig.Setting `json:"values"`
	// Origins are where the values come from that the stage files do not have.
	Origins *[2]string `json:"origins,omitempty"`
}

// differences are what differs between two parts of the settings, by path.
func differences(a, b settings) []unequalSetting {
	align(a, b)
	flat := [2]flatconfig.Config{{}, {}}
	flat[0].Add("", a, nil)
	flat[1].Add("", b, nil)
	return unequal(flat)
}

// unequal are the settings that differ, without those that are secret in one of the two.
func unequal(flat [2]flatconfig.Config) []unequalSetting {
	found := []unequalSetting{}
	for _, change := range flatconfig.Changes(flat[0], flat[1]) {
		each := unequalSetting{Key: change.Key}
		for i := range flat {
			if value, there := flat[i][change.Key]; there {
				each.Values[i] = &value
			}
		}
		if !change.Secret {
			found = append(found, each)
		}
	}
	return found
}

// align removes from two objects what is no difference: what is null or empty in both, and below an object that only
// one of them has, what is left at zero there.
func align(a, b map[string]any) {
	for _, name := range flatconfig.Union(a, b) {
		x, isX := a[name].(map[string]any)
		y, isY := b[name].(map[string]any)
		switch {
		case isX && isY:
			align(x, y)
		case isX:
			prune(x)
		case isY:
			prune(y)
		}
		bothEmpty := empty(a[name]) && empty(b[name])
		for _, each := range []map[string]any{a, b} {
			if each[name] == nil || bothEmpty || isX && isY && empty(each[name]) {
				delete(each, name)
			}
		}
	}
}

// prune removes what is left at zero.
func prune(object map[string]any) {
	for name, value := range object {
		if inner, is := value.(map[string]any); is {
			prune(inner)
		}
		if empty(value) || value == "" || value == false || value == json.Number("0") {
			delete(object, name)
		}
	}
}

// empty tells what stands for nothing.
func empty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	}
	return false
}
