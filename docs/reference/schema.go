package reference

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"

	"slipway/stage/fields"
)

type object = map[string]any

// Schema is the JSON Schema of a stage file (draft-07, which editors know). The keys in it begin with one of
// the namespaces.
func Schema(namespaces []string, document reflect.Type, keys []Key) (string, error) {
	s := schema{}
	for _, key := range keys {
		s[key.Path] = key
	}
	properties, names := object{}, []any{}
	for _, field := range fields.Of(document) {
		name := field.Tag.Get("json")
		property, err := s.ofField(name, field)
		if err != nil {
			return "", err
		}
		for i, namespace := range namespaces {
			key := namespace + ":" + name
			names = append(names, key)
			if properties[key] = property; i > 0 {
				properties[key] = object{"$ref": "#/properties/config/properties/" + namespaces[0] + ":" + name}
			}
		}
	}
	whole := object{
		"$schema":     "http://json-schema.org/draft-07/schema#",
		"title":       "A stage of slipway",
		"description": "Pulumi.<stage>.yaml. Nothing is required, as the defaults in Pulumi.yaml may have it.",
		"type":        "object",
		"properties": object{
			"config": object{
				"type":       []any{"object", "null"},
				"properties": properties,
				"propertyNames": object{"anyOf": []any{
					object{"enum": names}, object{"not": object{"pattern": "^(" + strings.Join(namespaces, "|") + "):"}},
				}},
			},
			"environment":     true, // Pulumi's own keys
			"encryptedkey":    object{"type": "string"},
			"encryptionsalt":  object{"type": "string"},
			"secretsprovider": object{"type": "string"},
		},
		"additionalProperties": false,
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(whole)
	return text.String(), err
}

// schema has what the keys' fields say, by path.
type schema map[string]Key

func (s schema) ofField(path string, field reflect.StructField) (object, error) {
	made, err := s.ofType(path, field.Type)
	if err != nil {
		return nil, err
	}
	key := s[path]
	made["description"] = key.Text
	if prose := key.Prose["Allowed"]; prose != "" {
		made["description"] = key.Text + " Allowed: " + prose + "."
	}
	example, err := key.Example()
	if err != nil {
		return nil, err
	}
	made["examples"] = []any{example}
	literal := func(text string) any {
		if made["type"] == "integer" || made["type"] == "boolean" {
			return json.RawMessage(text)
		}
		return text
	}
	if standard, given := field.Tag.Lookup("default"); given {
		made["default"] = literal(standard)
	}
	switch minimum, maximum, enum := fields.Limits(field); {
	case enum != nil:
		var values []any
		for _, value := range enum {
			values = append(values, literal(value))
		}
		made["enum"] = values
	case maximum > 0:
		made["minimum"], made["maximum"] = minimum, maximum
	}
	if field.Tag.Get("outputs") != "" {
		made = orOutput(made)
	}
	if path == "secrets" {
		encrypted := object{"type": "object", "properties": object{"secure": object{"type": "string"}},
			"required": []any{"secure"}, "additionalProperties": false}
		made["additionalProperties"] = object{"anyOf": []any{object{"type": "string", "pattern": "^arn:"}, encrypted,
			outputUse}}
	}
	return made, nil
}

// outputUse stands for a value of another stack.
var outputUse = object{"type": "object", "properties": object{"output": object{"type": "string"}},
	"required": []any{"output"}, "additionalProperties": false}

// orOutput lets an output stand for a text, and for a list of texts.
func orOutput(of object) object {
	switch of["type"] {
	case "object":
		of["additionalProperties"] = orOutput(of["additionalProperties"].(object))
		return of
	case "array":
		of["items"] = orOutput(of["items"].(object))
	}
	either := object{"anyOf": []any{of, outputUse}}
	for _, about := range []string{"description", "examples"} {
		if text, has := of[about]; has {
			either[about] = text
			delete(of, about)
		}
	}
	return either
}

func (s schema) ofType(path string, of reflect.Type) (object, error) {
	below, step := inner(of, path)
	switch of.Kind() {
	case reflect.Pointer:
		return s.ofType(path, of.Elem())
	case reflect.Map:
		values, err := s.ofType(path+step, below)
		return object{"type": "object", "additionalProperties": values}, err
	case reflect.Slice:
		items, err := s.ofType(path+step, below)
		return object{"type": "array", "items": items}, err
	case reflect.Struct:
		properties := object{}
		for _, field := range fields.Of(of) {
			name := field.Tag.Get("json")
			property, err := s.ofField(path+"."+name, field)
			if err != nil {
				return nil, err
			}
			properties[name] = property
		}
		return object{"type": "object", "properties": properties, "additionalProperties": false}, nil
	case reflect.Int:
		return object{"type": "integer"}, nil
	case reflect.Float64:
		return object{"type": "number"}, nil
	case reflect.Bool:
		return object{"type": "boolean"}, nil
	default:
		return object{"type": "string"}, nil
	}
}
