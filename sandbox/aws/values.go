package aws

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
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
