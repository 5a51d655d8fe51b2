package stage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// node is one value of the configuration, with where the user wrote it.
type node struct {
	path, file string
	// object or list is set where the value is one; scalar otherwise: string, json.Number, bool or nil.
	object map[string]*node
	list   []*node
	scalar any
	// written is what the file itself says here, nil where that is not at hand.
	written *yaml.Node
	// hidden values may be secrets and are never put into a message.
	hidden bool
	// encrypted values are decrypted by now, and stand in the file as {secure: …}.
	encrypted bool
	// bad nodes were reported already: what is wrong below them or because of them is not told again.
	bad bool
	// unsure objects have a key that is not known and like no other: what they lack may be what it means.
	unsure bool
}

// parseNode reads the JSON text of one key. False means that it is none.
func parseNode(text string, at node) (*node, bool) {
	decoder := json.NewDecoder(bytes.NewBufferString(text))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return nil, false
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, false
	}
	return newNode(value, at), true
}

// newNode makes the tree of a decoded JSON value; at says where its root stands.
func newNode(value any, at node) *node {
	n := at
	switch value := value.(type) {
	case map[string]any:
		n.object = make(map[string]*node, len(value))
		for key, element := range value {
			child := at.child(key, yamlChild(at.written, key))
			n.object[key] = newNode(element, child)
		}
	case []any:
		n.list = make([]*node, len(value))
		for i, element := range value {
			child := at.child(i, yamlElement(at.written, i))
			n.list[i] = newNode(element, child)
		}
	default:
		n.scalar = value
	}
	return &n
}

// child is where a value below n stands.
func (n *node) child(key any, written *yaml.Node) node {
	return node{path: n.path + step(n.path, key), file: n.file, hidden: n.hidden, written: written,
		encrypted: n.encrypted || isEncrypted(written)}
}

var plainKey = regexp.MustCompile(`^[A-Za-z0-9_/-]+$`)

// step is what a key, or an index into a list, adds to a path.
func step(path string, key any) string {
	name, isKey := key.(string)
	switch {
	case !isKey:
		return fmt.Sprintf("[%d]", key)
	case !plainKey.MatchString(name):
		return fmt.Sprintf("[%q]", name)
	case path == "":
		return name
	default:
		return "." + name
	}
}

// keys are an object's keys, sorted.
func (n *node) keys() []string { return slices.Sorted(maps.Keys(n.object)) }

// text is the scalar as the user wrote it, where the file is at hand and means the same value. YAML has
// made 668 of 01234 and 1.1 of 1.10 by the time that JSON shows them.
func (n *node) text() string {
	value, err := json.Marshal(n.scalar)
	if err != nil {
		return ""
	}
	if n.writtenScalar() {
		var written any
		if err := n.written.Decode(&written); err == nil {
			if same, err := json.Marshal(written); err == nil && bytes.Equal(same, value) {
				return n.written.Value
			}
		}
	}
	if text, isText := n.scalar.(string); isText {
		return text
	}
	return string(value)
}

func (n *node) writtenScalar() bool { return n.written != nil && n.written.Kind == yaml.ScalarNode }

// String describes a value for a message.
func (n *node) String() string {
	switch n.scalar.(type) {
	case string:
		if n.hidden {
			return "text"
		}
		return fmt.Sprintf("the text %q", shorten(n.text()))
	case json.Number:
		if n.hidden {
			return "a number"
		}
		return "the number " + n.text()
	case bool:
		if n.hidden {
			return "a boolean"
		}
		return "the boolean " + n.text()
	}
	switch {
	case n.object != nil:
		return "an object"
	case n.list != nil:
		return "a list"
	default:
		return "empty (null)"
	}
}

// shorten keeps a message on a line where a user pasted a file.
func shorten(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// place is where a mistake is reported.
type place struct {
	path, file string
	// present is false where the user wrote nothing there.
	present bool
	// bad is set where the value, or one around it, has been reported, or may be what an unknown key beside it means.
	bad bool
	// unsure is that of the node.
	unsure bool
}

func (n *node) place() place { return place{n.path, n.file, true, n.bad, n.unsure} }

// spoil marks all that stands at and below a node as reported.
func (n *node) spoil() {
	n.bad = true
	for _, child := range n.object {
		child.spoil()
	}
	for _, child := range n.list {
		child.spoil()
	}
}

// inherited is true where the value comes from the defaults.
func (p place) inherited() bool { return strings.HasPrefix(p.path, defaultsKey+".") }

// at finds the value below n that keys (string) and indices (int) lead to. Where there is none, the place is
// named by what it would be in the object that lacks it.
func (n *node) at(keys ...any) place {
	current, found := n, n.place()
	for _, key := range keys {
		var next *node
		if current != nil {
			switch key := key.(type) {
			case string:
				next = current.object[key]
			case int:
				if key < len(current.list) {
					next = current.list[key]
				}
			}
		}
		if next == nil {
			found = place{path: found.path + step(found.path, key), file: found.file, bad: found.bad || found.unsure}
		} else {
			found = place{next.path, next.file, true, found.bad || next.bad, next.unsure}
		}
		current = next
	}
	return found
}
