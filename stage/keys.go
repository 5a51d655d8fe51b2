package stage

import "reflect"

// document has the keys of a stage, in the shape that the file has them. Struct tags say what a key is
// called (json), what it is when absent (default) and what it counts (unit); the decoder and the test of
// docs/configuration.md go by them.
type document struct {
	Environment map[string]string          `json:"environment"`
	Images      map[string]imageDocument   `json:"images"`
	Secrets     map[string]string          `json:"secrets"`
	Services    map[string]serviceDocument `json:"services"`
	Network     Network                    `json:"network"`
	Repository  Repository                 `json:"repository"`
}

type imageDocument struct {
	Build    *Build `json:"build"`
	Ref      string `json:"ref"`
	Platform string `json:"platform"`
}

// serviceDocument differs from Service in its secrets, which are names in the file and ARNs once loaded.
type serviceDocument struct {
	Service
	Secrets []string `json:"secrets"`
}

// defaultsKey holds, in Pulumi.yaml, an object of document's shape.
const defaultsKey = "defaults"

// fieldsOf lists the fields of a struct that are keys in the file, with those of an embedded struct.
func fieldsOf(t reflect.Type) []reflect.StructField {
	var fields []reflect.StructField
	for _, field := range reflect.VisibleFields(t) {
		if field.Tag.Get("json") != "" {
			fields = append(fields, field)
		}
	}
	return fields
}

// keyNames are the names of a struct's keys.
func keyNames(t reflect.Type) []string {
	var names []string
	for _, field := range fieldsOf(t) {
		names = append(names, field.Tag.Get("json"))
	}
	return names
}
