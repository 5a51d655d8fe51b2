package comparison

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"slipway/cmd/slipway/internal/timeline"
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
	Key    string `json:"key"`
	Values [2]any `json:"values"`
}

// differences are what differs between two values of generic JSON, by path. What is left out (null) is the same as an
// empty list or object.
func differences(key string, a, b any) []unequalSetting {
	x, isX := a.(map[string]any)
	y, isY := b.(map[string]any)
	switch {
	case isX && isY:
		var found []unequalSetting
		for _, name := range timeline.Union(x, y) {
			valueX, inX := x[name]
			valueY, inY := y[name]
			below := stage.Below(key, name)
			switch {
			case inX && inY:
				found = append(found, differences(below, valueX, valueY)...)
			default: // an entry of a map, whatever its value: an empty variable is one, too
				found = append(found, oneSided(below, valueX, valueY)...)
			}
		}
		return found
	case empty(a) && empty(b), reflect.DeepEqual(a, b):
		return nil
	case (isX && b == nil) || (isY && a == nil):
		return oneSided(key, a, b)
	}
	return []unequalSetting{{key, [2]any{a, b}}}
}

// oneSided lists what is set below a value that only one of two stages has: what is left at zero there says nothing.
func oneSided(key string, a, b any) []unequalSetting {
	side, value := 0, a
	if a == nil {
		side, value = 1, b
	}
	var found []unequalSetting
	var add func(key string, value any)
	add = func(key string, value any) {
		object, is := value.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(object)) {
			add(stage.Below(key, name), object[name])
		}
		if !is && !zero(value) {
			each := unequalSetting{Key: key}
			each.Values[side] = value
			found = append(found, each)
		}
	}
	add(key, value)
	if len(found) == 0 {
		each := unequalSetting{Key: key}
		each.Values[side] = value
		found = append(found, each)
	}
	return found
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

func zero(value any) bool {
	return empty(value) || value == "" || value == false || value == json.Number("0")
}

// valueText is a value in one line.
func valueText(value any) string {
	text, isText := value.(string)
	if isText {
		plain := text != "" && strings.TrimSpace(text) == text &&
			!strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
		if plain {
			return text
		}
		return strconv.Quote(text)
	}
	var encoded strings.Builder
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // it was decoded from JSON
	}
	return strings.TrimSpace(encoded.String())
}
