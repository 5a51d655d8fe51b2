package stagefile

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Value is a value for a path of a stage file's document. It must need no quotes in YAML.
type Value struct {
	Path  []string
	Value any // text, a number or a truth value
}

// SetRefs returns the stage file with each image's ref in it, under config.<key>.<image>.ref.
func SetRefs(source []byte, key string, refs map[string]string) ([]byte, error) {
	var settings []Value
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		settings = append(settings, Value{[]string{"config", key, name, "ref"}, refs[name]})
	}
	return SetValues(source, settings)
}

// SetValues returns the stage file with other values in it. All other bytes stay: comments, order, quotes, indentation,
// line endings. Encoding the whole file would not keep them.
func SetValues(source []byte, settings []Value) ([]byte, error) {
	var want any
	if err := yaml.Unmarshal(source, &want); err != nil {
		return nil, err
	}
	edited := source
	for _, set := range settings {
		var err error
		if edited, err = setScalar(edited, set.Path, fmt.Sprint(set.Value)); err != nil {
			return nil, err
		}
		want = withValue(want, set.Path, set.Value)
		// The edit works on the text, so the proof that it is right comes from reading the result.
		var got any
		if err := yaml.Unmarshal(edited, &got); err != nil || !reflect.DeepEqual(got, want) {
			return nil, fmt.Errorf("%s is written in a way that cannot be edited in place: "+
				"write it in plain block style, without anchors", strings.Join(set.Path[:min(2, len(set.Path))], "."))
		}
	}
	return edited, nil
}

// withValue returns the decoded document with a value set at path, whose parents are maps or missing.
func withValue(document any, path []string, value any) any {
	if len(path) == 0 {
		return value
	}
	old, _ := document.(map[string]any)
	changed := maps.Clone(old)
	if changed == nil {
		changed = map[string]any{}
	}
	changed[path[0]] = withValue(old[path[0]], path[1:], value)
	return changed
}

// setScalar follows path as far as the document has it, and replaces the value there or adds what is missing.
func setScalar(source []byte, path []string, value string) ([]byte, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(source, &document); err != nil {
		return nil, err
	}
	t := &text{source: source, newline: "\n", step: cmp.Or(indentStep(&document), 2)}
	if bytes.Contains(source, []byte("\r\n")) {
		t.newline = "\r\n"
	}
	if document.Kind == 0 {
		return t.insertAfter(len(source), t.block(path, value, 0)), nil
	}

	node, key, inFlow := document.Content[0], (*yaml.Node)(nil), false
	for i, name := range path {
		at := strings.Join(path[:i], ".")
		switch {
		case node.Kind == yaml.AliasNode || node.Anchor != "":
			return nil, fmt.Errorf("%s: an anchor or alias cannot be edited in place: write the value itself", at)
		case node.Tag == "!!null", node.Kind == yaml.MappingNode && len(node.Content) == 0:
			return t.fill(node, key, inFlow, path[i:], value), nil
		case node.Kind != yaml.MappingNode:
			return nil, fmt.Errorf("%s: must be a map", at)
		}
		inFlow = inFlow || node.Style&yaml.FlowStyle != 0
		next := slices.IndexFunc(pairs(node), func(pair [2]*yaml.Node) bool { return pair[0].Value == name })
		if next < 0 {
			return t.add(node, path[i:], value), nil
		}
		key, node = pairs(node)[next][0], pairs(node)[next][1]
	}
	return t.replace(node, strings.Join(path, "."), value)
}

var (
	emptyMap     = regexp.MustCompile(`^\{[ \t]*\}`)
	spaceFollows = regexp.MustCompile(`^\s`)
	listItem     = regexp.MustCompile(`^-\s`)
)

// pairs are the keys and values of a map.
func pairs(mapping *yaml.Node) (pairs [][2]*yaml.Node) {
	for pair := range slices.Chunk(mapping.Content, 2) {
		pairs = append(pairs, [2]*yaml.Node(pair))
	}
	return pairs
}

// indentStep is by how many columns the first nested block map is indented, or 0 if there is none.
func indentStep(node *yaml.Node) int {
	for i, child := range node.Content {
		if node.Kind == yaml.MappingNode && i%2 == 1 && child.Kind == yaml.MappingNode && child.Style&yaml.FlowStyle == 0 {
			return child.Column - node.Content[i-1].Column
		}
	}
	for _, child := range node.Content {
		if step := indentStep(child); step > 0 {
			return step
		}
	}
	return 0
}

// text is a YAML file's bytes, with the habits that added lines take on.
type text struct {
	source  []byte
	newline string
	step    int
}

// replace writes another scalar in the place of one, with the quotes that it had.
func (t *text) replace(node *yaml.Node, path, value string) ([]byte, error) {
	offset := t.offset(node)
	if node.Tag == "!!null" && node.Value == "" {
		// An empty value stands right after its colon.
		return t.splice(offset, 0, spaceAfterColon(t.source[:offset])+value), nil
	}
	quote := map[yaml.Style]string{yaml.DoubleQuotedStyle: `"`, yaml.SingleQuotedStyle: `'`}[node.Style]
	old := quote + node.Value + quote
	if node.Kind != yaml.ScalarNode || node.Anchor != "" || !bytes.HasPrefix(t.source[offset:], []byte(old)) {
		return nil, fmt.Errorf("%s: line %d: must be plain or quoted text on one line", path, node.Line)
	}
	return t.splice(offset, len(old), quote+value+quote), nil
}

// add puts path into a map that has entries, but not this one.
func (t *text) add(mapping *yaml.Node, path []string, value string) []byte {
	if mapping.Style&yaml.FlowStyle != 0 {
		inside := t.offset(mapping) + len("{")
		entry := flow(path, value) + ","
		if spaceFollows.Match(t.source[inside:]) {
			return t.splice(inside, 0, " "+entry)
		}
		return t.splice(inside, 0, entry+" ")
	}
	last := mapping.Content[len(mapping.Content)-2]
	return t.insertAfter(t.endOf(last), t.block(path, value, last.Column-1))
}

// fill puts path where the value of key, or the document if key is nil, is null or an empty map.
func (t *text) fill(node, key *yaml.Node, inFlow bool, path []string, value string) []byte {
	offset := t.offset(node)
	length := len(node.Value)
	if node.Kind == yaml.MappingNode {
		length = len(emptyMap.Find(t.source[offset:]))
	}
	switch {
	case inFlow:
		return t.splice(offset, length, spaceAfterColon(t.source[:offset])+"{"+flow(path, value)+"}")
	case key == nil && length == 0:
		return t.insertAfter(len(t.source), t.block(path, value, 0))
	case key == nil:
		return t.splice(offset, length, strings.TrimSuffix(t.block(path, value, 0), t.newline))
	}
	end := t.endOf(key)
	filled := &text{source: t.insertAfter(end, t.block(path, value, key.Column-1+t.step)), newline: t.newline}
	if length == 0 {
		return filled.source
	}
	// What stood for "nothing" goes, with the space before it.
	before := len(bytes.TrimRight(t.source[:offset], " "))
	return filled.splice(before, offset-before+length, "")
}

// block is path as nested lines of block style.
func (t *text) block(path []string, value string, indent int) string {
	var lines strings.Builder
	for i, name := range path {
		lines.WriteString(strings.Repeat(" ", indent+i*t.step) + scalar(name) + ":")
		if i == len(path)-1 {
			lines.WriteString(" " + value)
		}
		lines.WriteString(t.newline)
	}
	return lines.String()
}

// flow is path as one entry of flow style.
func flow(path []string, value string) string {
	if len(path) == 1 {
		return scalar(path[0]) + ": " + value
	}
	return scalar(path[0]) + ": {" + flow(path[1:], value) + "}"
}

// scalar quotes a key where YAML would read it as something else than text.
func scalar(key string) string {
	encoded, err := yaml.Marshal(key)
	if err != nil {
		panic(err) // a string always encodes
	}
	return strings.TrimSpace(string(encoded))
}

func spaceAfterColon(before []byte) string {
	if bytes.HasSuffix(before, []byte(":")) {
		return " "
	}
	return ""
}

// offset is where a node starts. Its column counts characters, and a byte order mark is none of them.
func (t *text) offset(node *yaml.Node) int {
	offset := len(t.source) - len(bytes.TrimPrefix(t.source, []byte("\ufeff")))
	for range node.Line - 1 {
		offset += bytes.IndexByte(t.source[offset:], '\n') + 1
	}
	for range node.Column - 1 {
		_, size := utf8.DecodeRune(t.source[offset:])
		offset += size
	}
	return offset
}

// endOf is where the lines of a block map's entry end: those below its key that are indented more, and a list's items,
// which may stand as far left as the key.
func (t *text) endOf(key *yaml.Node) int {
	start := t.offset(key)
	end, offset := 0, start
	for line := range bytes.Lines(t.source[start:]) {
		content := bytes.TrimLeft(line, " ")
		indent := len(line) - len(content)
		blank, comment := len(bytes.TrimSpace(content)) == 0, bytes.HasPrefix(content, []byte("#"))
		item := indent == key.Column-1 && listItem.Match(content)
		offset += len(line)
		switch {
		case offset == start+len(line), !blank && (indent >= key.Column || item):
			end = offset
		case !blank && !comment:
			return end
		}
	}
	return end
}

// insertAfter adds whole lines at offset, which is the end of a line or of the file. A file whose last line has no
// newline keeps it that way.
func (t *text) insertAfter(offset int, lines string) []byte {
	if offset > 0 && t.source[offset-1] != '\n' {
		lines = t.newline + strings.TrimSuffix(lines, t.newline)
	}
	return t.splice(offset, 0, lines)
}

func (t *text) splice(offset, length int, with string) []byte {
	end := min(offset+length, len(t.source))
	return slices.Concat(t.source[:offset], []byte(with), t.source[end:])
}
