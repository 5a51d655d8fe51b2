// Package fields reads the fields of a struct that stands for an object of a stage file. A field's tags say what its
// key is called (json), what it is when absent (default), what it counts (unit), and what is allowed (min and max of a
// number, enum of a text or number).
package fields

import (
	"reflect"
	"strconv"
	"strings"
)

// Of lists the fields of a struct that are keys in the file, with those of an embedded struct.
func Of(t reflect.Type) []reflect.StructField {
	var found []reflect.StructField
	for _, field := range reflect.VisibleFields(t) {
		if key := field.Tag.Get("json"); key != "" && key != "-" {
			found = append(found, field)
		}
	}
	return found
}

// Names are the names of a struct's keys.
func Names(t reflect.Type) []string {
	var names []string
	for _, field := range Of(t) {
		names = append(names, field.Tag.Get("json"))
	}
	return names
}

// Limits are what a field's tags allow: a range where maximum is not 0, the values of enum where that is not nil.
func Limits(field reflect.StructField) (minimum, maximum int, enum []string) {
	if text, given := field.Tag.Lookup("enum"); given {
		return 0, 0, strings.Split(text, ",")
	}
	text, given := field.Tag.Lookup("max")
	if !given {
		return 0, 0, nil
	}
	maximum, errMaximum := strconv.Atoi(text)
	minimum, errMinimum := strconv.Atoi(field.Tag.Get("min"))
	if errMinimum != nil || errMaximum != nil {
		panic("stage: the min and max of " + field.Name + " are no numbers")
	}
	return minimum, maximum, nil
}
