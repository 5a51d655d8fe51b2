package aws

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
)

// property is what the provider knows of one property of a resource type, or of a field of one.
type property struct {
	required bool // the program must give it
	replaces bool // a change replaces the resource
	output   bool // AWS decides it: never an input
	computed bool // AWS decides it where the program does not: unknown in a preview, and leaving it out is no change
	kept     bool // leaving it out is no change
	planned  bool // a preview, too, says what it is where it is left out
	silent   bool // the provider neither reports nor compares it: AWS has it for another kind of the type
	// unsupported marks what AWS has and the sandbox does not: giving it is refused.
	unsupported bool
	with        string // compared only where this field beside it is true
	set         bool   // a list whose order means nothing
	secret      bool   // marked as a secret whether or not the program did
	// same compares two JSON documents by meaning.
	same func(one, other string) bool
	// standard is what Check fills in where the program leaves it out.
	standard any
	// empty is what AWS reports where there is nothing; nil is null.
	empty any
	// fields are those of an object, or of each object in a list.
	fields properties
}

type properties map[string]property

// names are the properties' names, sorted.
func (ps properties) names() []string { return slices.Sorted(maps.Keys(ps)) }

// Shorthands that most types share.
var (
	optional = property{}
	texts    = []any{} // an empty list
	given    = property{required: true, replaces: true}
	tags     = property{}
	tagsAll  = property{computed: true, empty: map[string]any{}}
	result   = property{output: true}
	document = property{required: true, same: sameJSON}
)

// values are properties as the engine sends them: JSON values, with unknowns and secrets marked by the engine's
// signatures.
type values = map[string]any

const defaultsKey = "__defaults"

// unknowns are the engine's marks for values that a preview cannot know, one per type.
var unknowns = []string{
	unknown,
	"1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
	"3eeb2bf0-c639-47a8-9e75-3b44932eb421",
	"6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
	"dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
}

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

func isUnknown(v any) bool {
	s, ok := v.(string)
	return ok && slices.Contains(unknowns, s)
}

// reveal is a value without its secret marks, and whether it had any.
func reveal(v any) (plain any, secret bool) {
	switch v := v.(type) {
	case values:
		if v[sig.Key] == sig.Secret {
			plain, _ = reveal(v["value"])
			return plain, true
		}
		object := values{}
		for key, field := range v {
			var inner bool
			object[key], inner = reveal(field)
			secret = secret || inner
		}
		return object, secret
	case []any:
		list := make([]any, len(v))
		for i, element := range v {
			var inner bool
			list[i], inner = reveal(element)
			secret = secret || inner
		}
		return list, secret
	}
	return v, false
}

func plain(v any) any {
	revealed, _ := reveal(v)
	return revealed
}

func plainValues(v values) values { return plain(v).(values) }

func conceal(v any) any { return values{sig.Key: sig.Secret, "value": v} }

// conceal marks a value of a property that is always secret.
func (p property) conceal(v any) any {
	if _, marked := reveal(v); !p.secret || marked || v == nil {
		return v
	}
	return conceal(v)
}

// text is a string property, "" where it is missing.
func text(v values, key string) string {
	s, _ := plain(v[key]).(string)
	return s
}

func isTrue(v values, key string) bool { return plain(v[key]) == true }

func number(v values, key string) int {
	n, _ := plain(v[key]).(float64)
	return int(n)
}

func textList(v any) []string {
	list, _ := plain(v).([]any)
	found := []string{}
	for _, element := range list {
		found = append(found, fmt.Sprint(element))
	}
	return found
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case values:
		return len(v) == 0
	case []any:
		return len(v) == 0
	}
	return reflect.ValueOf(v).IsZero()
}

// canonical is a value without what is empty, so that a field that AWS reports as "" equals one that was not given.
func canonical(v any) any {
	switch v := v.(type) {
	case values:
		object := values{}
		for key, field := range v {
			if field = canonical(field); key != defaultsKey && !isEmpty(field) {
				object[key] = field
			}
		}
		return object
	case []any:
		list := make([]any, len(v))
		for i, element := range v {
			list[i] = canonical(element)
		}
		return list
	}
	return v
}

func sortSet(list []any) []any {
	return slices.SortedFunc(slices.Values(list), func(x, y any) int { return cmp.Compare(toJSON(x), toJSON(y)) })
}

func toJSON(v any) string {
	body, err := json.Marshal(v)
	if err != nil {
		panic(err) // every value came from JSON
	}
	return string(body)
}

// normalJSON is a document with its keys sorted, as the provider keeps it in the state.
func normalJSON(document string) string {
	var v any
	if json.Unmarshal([]byte(document), &v) != nil {
		return document
	}
	return toJSON(v)
}

func sameJSON(one, other string) bool { return normalJSON(one) == normalJSON(other) }

var capital = regexp.MustCompile(`[A-Z]`)

// argument is a property's name as the Terraform provider's messages have it: image_tag_mutability.
func argument(name string) string {
	return capital.ReplaceAllStringFunc(name, func(c string) string { return "_" + strings.ToLower(c) })
}

// check fills in defaults, and collects what is missing or not known. path is where the values stand, in messages.
func (ps properties) check(path string, news values, fail func(string)) values {
	inputs, defaults := values{}, []any{}
	for key, value := range news {
		p, known := ps[key]
		if key == defaultsKey {
			continue
		}
		if !known || p.output {
			fail(fmt.Sprintf("Invalid or unknown key. Examine values at '%s.%s'.", path, key))
		}
		if p.unsupported {
			fail(fmt.Sprintf("The sandbox does not support this property. Examine values at '%s.%s'.", path, key))
		}
		inputs[key] = p.conceal(value)
		if p.fields == nil {
			continue
		}
		switch value := value.(type) {
		case values:
			if value[sig.Key] == nil {
				inputs[key] = p.fields.check(path+"."+key, value, fail)
			}
		case []any:
			list := make([]any, len(value))
			for i, element := range value {
				list[i] = element
				if object, ok := element.(values); ok && object[sig.Key] == nil {
					list[i] = p.fields.check(fmt.Sprintf("%s.%s[%d]", path, key, i), object, fail)
				}
			}
			inputs[key] = list
		}
	}
	for _, key := range ps.names() {
		if p := ps[key]; inputs[key] == nil && p.standard != nil {
			inputs[key] = p.standard
			defaults = append(defaults, key)
		} else if inputs[key] == nil && p.required {
			fail(fmt.Sprintf("Missing required argument. The argument %q is required, but no definition was found.. Examine "+
				"values "+
				"at '%s.%s'.", argument(key), path, key))
		}
	}
	inputs[defaultsKey] = defaults
	return inputs
}

// outputs are the properties of a resource that has these inputs: olds is what it had before, nil where it is new.
// preview is for a resource that does not exist yet.
func (ps properties) outputs(olds, inputs values, preview bool) values {
	state := values{}
	for key, p := range ps {
		value, secret := reveal(inputs[key])
		switch old, had := olds[key]; {
		case p.silent:
			state[key] = nil
		case value != nil:
			state[key] = p.report(old, value, preview)
		case had && (p.output || p.computed || p.kept):
			state[key] = old
		case preview && (p.output || p.computed):
			state[key] = unknown
		case preview && !p.planned && (p.values() || !reflect.DeepEqual(p.empty, texts)):
			state[key] = nil
		default:
			state[key] = p.empty
		}
		if secret || p.secret {
			state[key] = conceal(plain(state[key]))
		}
	}
	if _, tagged := ps["tagsAll"]; tagged && inputs["tagsAll"] == nil && (olds != nil || !preview) {
		if state["tagsAll"] = inputs["tags"]; inputs["tags"] == nil {
			state["tagsAll"] = values{}
		}
	}
	return state
}

// values reports whether it is a set of plain values, of which a preview knows all or nothing.
func (p property) values() bool { return p.set && p.fields == nil }

// report is a given value as the provider gives it back.
func (p property) report(old, value any, preview bool) any {
	switch value := value.(type) {
	case string:
		if before, ok := plain(old).(string); ok && p.same != nil && p.same(before, value) {
			return before
		}
		if p.same != nil && !preview && !isUnknown(value) {
			return normalJSON(value)
		}
	case values:
		if p.fields != nil {
			return p.fields.outputs(nil, value, preview)
		}
		for _, field := range value {
			if isUnknown(field) {
				return unknown
			}
		}
	case []any:
		if p.values() && slices.ContainsFunc(value, isUnknown) {
			return unknown
		}
		list := make([]any, len(value))
		for i, element := range value {
			list[i] = property{fields: p.fields}.report(nil, element, preview)
		}
		if p.set {
			return sortSet(list)
		}
		return list
	}
	return value
}
