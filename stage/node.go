package stage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/internal/pulumiconfig"
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
	// from is where the value comes from, where it is not the file.
	from string
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
			child := at.placeOfChild(key, yamlChild(at.written, key))
			n.object[key] = newNode(element, child)
		}
	case []any:
		n.list = make([]*node, len(value))
		for i, element := range value {
			child := at.placeOfChild(i, yamlElement(at.written, i))
			n.list[i] = newNode(element, child)
		}
	default:
		n.scalar = value
	}
	return &n
}

// child is the value that a key of an object, or an index into a list, leads to; nil where there is none.
func (n *node) child(key any) *node {
	index, isIndex := key.(int)
	switch {
	case n == nil || isIndex && index >= len(n.list):
		return nil
	case isIndex:
		return n.list[index]
	}
	return n.object[key.(string)]
}

// placeOfChild is where a value below n stands.
func (n *node) placeOfChild(key any, written *yaml.Node) node {
	return node{path: pulumiconfig.Below(n.path, key), file: n.file, from: n.from, hidden: n.hidden, written: written,
		encrypted: n.encrypted || isEncrypted(written)}
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

// place is a value of the stage, or where one would stand: what checks look at, and where they report mistakes.
type place struct {
	in   *checker
	node *node // nil where the user wrote nothing there
	// path and file are where the value stands, or what it would be in the object that lacks it.
	path, file string
	present    bool
	// bad is set where the value, or one around it, has been reported, or may be what an unknown key beside it means.
	bad bool
	// unsure is that of the node.
	unsure bool
}

func (n *node) place() place {
	return place{node: n, path: n.path, file: n.file, present: true, bad: n.bad, unsure: n.unsure}
}

// at finds the value below p that keys (string) and indices (int) lead to.
func (p place) at(keys ...any) place {
	for _, key := range keys {
		below := place{path: pulumiconfig.Below(p.path, key), file: p.file, bad: p.unsure}
		if next := p.node.child(key); next != nil {
			below = next.place()
		}
		below.in, below.bad = p.in, below.bad || p.bad
		p = below
	}
	return p
}

// fail reports a mistake, unless the value was rejected already.
func (p place) fail(format string, args ...any) { p.in.failAt(p, format, args...) }

// failIf reports a mistake where there is one.
func (p place) failIf(mistake string) {
	if mistake != "" {
		p.fail("%s", mistake)
	}
}

// expect refuses a text that was written in another form than what advice says.
func (p place) expect(isValid bool, text, advice string) {
	if p.present && !isValid {
		p.fail("is %q; write %s", shorten(text), advice)
	}
}

// broken tells whether the value, or one below it, has been reported.
func (p place) broken() bool {
	broken := p.bad
	p.node.all(func(each *node) { broken = broken || each.bad })
	return broken
}

// key is the path as messages name it, wherever the value stands.
func (p place) key() string { return strings.TrimPrefix(p.path, defaultsKey+".") }

// inherited is true where the value comes from the defaults.
func (p place) inherited() bool { return p.key() != p.path }

// spoil marks all that stands at and below a node as reported.
func (n *node) spoil() { n.all(func(each *node) { each.bad = true }) }

// hide keeps what stands at and below a node out of messages.
func (n *node) hide() { n.all(func(each *node) { each.hidden = true }) }

// all calls do for a node, where there is one, and for all below it.
func (n *node) all(do func(*node)) {
	if n == nil {
		return
	}
	do(n)
	for _, child := range n.object {
		child.all(do)
	}
	for _, child := range n.list {
		child.all(do)
	}
}
