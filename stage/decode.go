package stage

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"slipway/internal/awslimits"
	"slipway/internal/spelling"
	"slipway/stage/fields"
)

// decode fills a struct, map, list or scalar from a node. It goes on after a mistake, so that all are found.
func (c *checker) decode(n *node, into reflect.Value) {
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		c.decode(n, into.Elem())
	case reflect.Struct:
		c.decodeStruct(n, into)
	case reflect.Map:
		c.decodeMap(n, into)
	case reflect.Slice:
		c.decodeList(n, into)
	case reflect.String:
		c.decodeText(n, into)
	case reflect.Int:
		c.decodeNumber(n, into, "")
	case reflect.Float64:
		c.decodeDecimal(n, into)
	case reflect.Bool:
		c.decodeBoolean(n, into)
	default:
		panic("stage: no decoder for " + into.Type().String())
	}
}

func (c *checker) decodeStruct(n *node, into reflect.Value) {
	setDefaults(into)
	if !c.isObject(n) {
		return
	}
	byKey := map[string]reflect.StructField{}
	for _, field := range fields.Of(into.Type()) {
		byKey[field.Tag.Get("json")] = field
	}
	for _, key := range n.keys() {
		child := n.object[key]
		field, known := byKey[key]
		switch {
		case !known:
			if meant, is := byKey[c.rejectKey(n, key, into.Type())]; is && n.object[meant.Tag.Get("json")] == nil {
				// As if it had been called so: what others say of it is no mistake.
				n.object[meant.Tag.Get("json")] = child
				c.decode(child, into.FieldByIndex(meant.Index))
			}
		case field.Type.Kind() == reflect.Int:
			c.decodeNumber(child, into.FieldByIndex(field.Index), field.Tag.Get("unit"))
		default:
			c.decode(child, into.FieldByIndex(field.Index))
		}
		if known && !child.bad {
			c.checkAllowed(child, field, into.FieldByIndex(field.Index))
		}
	}
}

// checkAllowed holds a value against the min, max and enum of its field's tags.
func (c *checker) checkAllowed(n *node, field reflect.StructField, value reflect.Value) {
	if value = reflect.Indirect(value); value.Kind() != reflect.Int && value.Kind() != reflect.String {
		return
	}
	written := fmt.Sprint(value)
	if value.Kind() == reflect.String {
		written = strconv.Quote(written)
	}
	minimum, maximum, enum := fields.Limits(field)
	switch {
	case enum != nil && !slices.Contains(enum, fmt.Sprint(value)):
		c.reject(n, "is %s; allowed: %s", written, enumerate(enum))
	case maximum > 0 && (value.Int() < int64(minimum) || value.Int() > int64(maximum)):
		c.reject(n, "is %s; allowed: %d to %d%s", written, minimum, maximum, orRemove(field))
	}
}

// orRemove is advice for a number that may be left out.
func orRemove(field reflect.StructField) string {
	if _, given := field.Tag.Lookup("default"); given {
		return ""
	}
	return ", or remove it"
}

// setDefaults gives a struct's fields, and those of structs in it, what they are when the file does not say.
func setDefaults(into reflect.Value) {
	for _, field := range fields.Of(into.Type()) {
		if field.Type.Kind() == reflect.Struct {
			setDefaults(into.FieldByIndex(field.Index))
		}
		value, given := field.Tag.Lookup("default")
		if !given {
			continue
		}
		switch target := into.FieldByIndex(field.Index); target.Kind() {
		case reflect.String:
			target.SetString(value)
		case reflect.Int:
			number, err := strconv.Atoi(value)
			if err != nil {
				panic("stage: the default of " + field.Name + " is no number")
			}
			target.SetInt(int64(number))
		case reflect.Bool:
			target.SetBool(value == "true")
		}
	}
}

func (c *checker) decodeMap(n *node, into reflect.Value) {
	if !c.isObject(n) {
		return
	}
	into.Set(reflect.MakeMap(into.Type()))
	for _, key := range n.keys() {
		value := reflect.New(into.Type().Elem()).Elem()
		c.decode(n.object[key], value)
		into.SetMapIndex(reflect.ValueOf(key), value)
	}
}

func (c *checker) isObject(n *node) bool {
	if n.object != nil {
		return true
	}
	c.reject(n, "is %s; it must be an object: write its keys below it, indented, or remove it", n)
	return false
}

func (c *checker) decodeList(n *node, into reflect.Value) {
	if n.list == nil {
		c.reject(n, `is %s; it must be a list: write it as in ["first", "second"], or remove it`, n)
		return
	}
	into.Set(reflect.MakeSlice(into.Type(), len(n.list), len(n.list)))
	for i, element := range n.list {
		c.decode(element, into.Index(i))
	}
}

func (c *checker) decodeText(n *node, into reflect.Value) {
	text, isText := n.scalar.(string)
	switch {
	case isText:
		if original, isDate := n.date(); isDate && !n.encrypted && n.from == "" {
			if n.hidden {
				original = "\"…\""
			}
			c.reject(n, "is a date; write it as text, in quotes: %s", original)
			return
		}
		if strings.Contains(text, awslimits.NotInText) {
			c.reject(n, "holds a NUL character, with which programs are told that a text ends; remove it")
			return
		}
		into.SetString(text)
	case n.object != nil || n.list != nil:
		c.reject(n, "is %s; it must be text: write one value, in quotes", n)
	case n.hidden:
		c.reject(n, "is %s; it must be text: write it in quotes", n)
	case n.scalar == nil:
		c.reject(n, `is empty (null); write "" for empty text, or remove the key`)
	default:
		c.reject(n, `is %s; it must be text: write "%s" in quotes`, n, n.text())
	}
}

// date tells a date of YAML from text, and how to quote it. Such dates reach the program as text: in the
// format of Go's time.Time when they come from a stage file, into which the CLI may even write that.
func (n *node) date() (quoted string, isDate bool) {
	text := n.scalar.(string)
	if n.writtenScalar() && n.written.ShortTag() == "!!timestamp" {
		if original := n.text(); original != text {
			return strconv.Quote(original), true
		}
		var written time.Time
		if n.written.Decode(&written) == nil && written.String() == text {
			return strconv.Quote(n.written.Value), true
		}
	}
	asked := n.writtenScalar() && n.written.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0
	date, err := time.Parse("2006-01-02 15:04:05.999999999 -0700 MST", text)
	if err != nil || asked {
		return "", false
	}
	if date.Equal(date.Truncate(24 * time.Hour)) {
		return strconv.Quote(date.Format(time.DateOnly)), true
	}
	return strconv.Quote(date.Format(time.DateTime)), true
}

func (c *checker) decodeNumber(n *node, into reflect.Value, unit string) {
	kind := "a whole number"
	if unit != "" {
		kind += " of " + unit
	}
	number, isNumber := n.scalar.(json.Number)
	if !isNumber {
		c.reject(n, "is %s; it must be %s, without quotes", n, kind)
		return
	}
	value, err := strconv.ParseInt(number.String(), 10, 32)
	if err != nil {
		c.reject(n, "is %s; it must be %s", n, kind)
		return
	}
	if n.text() != number.String() {
		c.reject(n, "is written %s, which YAML reads as %s; write %s if you mean that", n.text(), number, number)
		return
	}
	into.SetInt(value)
}

func (c *checker) decodeDecimal(n *node, into reflect.Value) {
	number, isNumber := n.scalar.(json.Number)
	value, err := number.Float64()
	if !isNumber || err != nil {
		c.reject(n, "is %s; it must be a number, without quotes", n)
		return
	}
	if written, err := strconv.ParseFloat(n.text(), 64); err != nil || written != value {
		c.reject(n, "is written %s, which YAML reads as %s; write %s if you mean that", n.text(), number, number)
		return
	}
	into.SetFloat(value)
}

func (c *checker) decodeBoolean(n *node, into reflect.Value) {
	value, isBoolean := n.scalar.(bool)
	if !isBoolean {
		c.reject(n, "is %s; it must be true or false, without quotes", n)
		return
	}
	into.SetBool(value)
}

// rejectKey reports a key that a struct does not have. It returns the one that was meant, if that is one of the
// struct's.
func (c *checker) rejectKey(of *node, key string, here reflect.Type) (meant string) {
	n, known := of.object[key], fields.Names(here)
	if of == c.root && !n.place().inherited() {
		known = append(known, defaultsKey)
	}
	message, advice := "there is no such key", insteadOf(key, here)
	if meant = suggestKey(key, here); meant == "" && spelling.Nearest(key, known) != "" {
		meant = spelling.Nearest(key, known)
	}
	if advice != "" {
		message, meant = message+": "+advice, ""
	} else if meant != "" {
		message += fmt.Sprintf("; did you mean %q?", meant)
	} else if top := suggestTopLevel(key); top != "" {
		message += fmt.Sprintf("; did you mean %s:%s, which is the whole stage's?", c.namespace, top)
	}
	if !n.bad {
		c.mistakes = append(c.mistakes, Error{n.path, n.file, message, enumerate(known)})
	}
	n.hide() // it may be secrets
	n.spoil()
	c.incomplete = c.incomplete || meant == defaultsKey
	of.unsure = of.unsure || !slices.Contains(known, meant)
	return meant
}
