package reference

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"unicode/utf8"

	"slipway/internal/awslimits"
	"slipway/stage/fields"
)

// begin is the heading in docs/configuration.md from which on it is generated.
const begin = "## Keys\n"

// Markdown is docs/configuration.md: its written part as it is, and below it every key.
func Markdown(page string, document reflect.Type, keys []Key) (string, error) {
	written, _, found := strings.Cut(page, begin)
	if !found {
		return "", fmt.Errorf("docs/configuration.md has no heading %q", strings.TrimSpace(begin))
	}
	var text strings.Builder
	text.WriteString(written + begin)
	text.WriteString("\n<!-- From here on made by `make docs`, from the comments of the structs in stage/. -->\n")
	text.WriteString(describeDefaults(document))
	for _, key := range keys {
		if key.Again == "" {
			text.WriteString(key.section() + keysAsElsewhere(keys, key))
		}
	}
	text.WriteString("\n## Task sizes\n\n| `cpu` (CPU units) | `memory` (MiB) |\n|---|---|\n")
	for _, size := range awslimits.TaskSizes {
		fmt.Fprintf(&text, "| %d | %s |\n", size.CPU, size.MemoryInWords())
	}
	return text.String(), nil
}

func describeDefaults(document reflect.Type) string {
	var keys []string
	for _, name := range fields.Names(document) {
		keys = append(keys, "`"+name+"`")
	}
	const text = "`defaults` is what all stages share: an object with any of the keys below. " +
		"It stands in `Pulumi.yaml`, below `config` and `value`."
	return section("defaults", text, "object", "none", strings.Join(keys, ", "),
		`defaults: {environment: {LOG_LEVEL: "info"}}`,
		"[Pulumi project configuration](https://www.pulumi.com/docs/iac/concepts/config/#project-level-configuration)")
}

func section(path, text, kind, standard, allowed, example, rule string) string {
	whole := fmt.Sprintf("\n### `%s`\n\n%s\n\n", path, fill(text, ""))
	for _, line := range []string{"Type: " + kind, "Default: " + standard, "Allowed: " + allowed,
		"Example: `" + example + "`",
		"Rule: " + rule} {
		whole += fill("- "+line, "  ") + "\n"
	}
	return whole
}

// width is the longest line that prose has.
const width = 120

// unbroken is a word of Markdown with the code spans in it, whose blanks are no places to break a line.
var unbroken = regexp.MustCompile("(?:`[^`]*`|[^\\s`])+")

// fill breaks prose into lines; those after the first begin with indent.
func fill(text, indent string) string {
	var filled strings.Builder
	used := 0
	for _, word := range unbroken.FindAllString(text, -1) {
		size := utf8.RuneCountInString(word)
		switch {
		case used == 0:
		case used+1+size > width:
			filled.WriteString("\n" + indent)
			used = len(indent)
		default:
			filled.WriteString(" ")
			used++
		}
		filled.WriteString(word)
		used += size
	}
	return filled.String()
}

func (k Key) section() string {
	standard := "none"
	if value, given := k.Field.Tag.Lookup("default"); given {
		standard = "`" + value + "`"
	} else if prose := k.Prose["Default"]; prose != "" {
		standard = prose
	}
	return section(k.Path, k.Text, kindOf(k.Field), standard, k.allowed(), k.Prose["Example"], k.Prose["Rule"])
}

// keysAsElsewhere names the keys right below a key that others share, and where they are described. Of two levels of
// them, the lower ones go without saying.
func keysAsElsewhere(keys []Key, of Key) string {
	_, step := inner(of.Field.Type, of.Path)
	below, place := of.Path+step+".", ""
	var names []string
	for _, key := range keys {
		name, isBelow := strings.CutPrefix(key.Path, below)
		if isBelow && key.Again != "" && !strings.Contains(name, ".") {
			names = append(names, "`"+name+"`")
			place = strings.TrimSuffix(key.Again, "."+name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "\n" + fill(fmt.Sprintf("Below `%s`, these keys are as those of the same names below `%s`: %s.",
		strings.TrimSuffix(below, "."), place, strings.Join(names, ", ")), "") + "\n"
}

// kindOf is a key's type in words.
func kindOf(field reflect.StructField) string {
	words := wordsOf(field.Type)
	if field.Tag.Get("outputs") != "" {
		words += ", or `{output: NAME}` in place of a text"
		if field.Type.Kind() == reflect.Slice {
			words += " or of the list"
		}
	}
	if unit := field.Tag.Get("unit"); unit != "" {
		words += " of " + unit
	}
	return words
}

func wordsOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return wordsOf(t.Elem())
	case reflect.Map:
		return "object of " + plural(wordsOf(t.Elem())) + " by name"
	case reflect.Slice:
		return "list of " + plural(wordsOf(t.Elem()))
	case reflect.Struct:
		return "object"
	case reflect.Int:
		return "whole number"
	case reflect.Float64:
		return "number"
	case reflect.Bool:
		return "`true` or `false`"
	default:
		return "text"
	}
}

func plural(words string) string { return strings.Replace(words, "object", "objects", 1) }

// allowed is what tags and prose say, together.
func (k Key) allowed() string {
	var parts []string
	switch minimum, maximum, enum := fields.Limits(k.Field); {
	case enum != nil && k.Field.Type.Kind() == reflect.String:
		parts = append(parts, "`"+strings.Join(enum, "`, `")+"`")
	case enum != nil:
		parts = append(parts, strings.Join(enum, ", "))
	case maximum > 0:
		parts = append(parts, fmt.Sprintf("%d to %d", minimum, maximum))
	}
	if prose := k.Prose["Allowed"]; prose != "" {
		parts = append(parts, prose)
	}
	if len(parts) > 0 {
		return strings.Join(parts, "; ")
	}
	below, _ := inner(k.Field.Type, k.Path)
	switch below.Kind() {
	case reflect.Struct:
		return "the keys below"
	case reflect.Bool:
		return "`true`, `false`"
	default:
		return "any text"
	}
}
