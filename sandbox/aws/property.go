package aws

import (
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

// conceal marks a value of a property that is always secret.
func (p property) conceal(v any) any {
	if _, marked := reveal(v); !p.secret || marked || v == nil {
		return v
	}
	return conceal(v)
}

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
			before, _ := plain(old).(values)
			return p.fields.outputs(before, value, preview)
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
