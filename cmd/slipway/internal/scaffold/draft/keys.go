package draft

import (
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Keys is an object of a stage file.
type Keys map[string]any

// Object is the object under a key, made where there is none.
func (k Keys) Object(key string) Keys {
	if inner, is := k[key].(Keys); is {
		return inner
	}
	inner := Keys{}
	k[key] = inner
	return inner
}

// first are the keys that stand before others, which follow by their names.
var first = []string{"aws:region", "image", "port", "cpu", "memory", "replicas", "context", "dockerfile"}

// texts are the keys below which every value is text that may look like something else.
var texts = []string{"environment", "args", "tags", "user", "codes", "dockerLabels", "systemControls", "options"}

// Node is the object as the YAML of a stage file, in the order of Sorted.
func (k Keys) Node() *yaml.Node { return k.node(false) }

func (k Keys) node(text bool) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, key := range k.Sorted() {
		node.Content = append(node.Content, nodeOf(key, false), nodeOf(k[key], text || slices.Contains(texts, key)))
	}
	return node
}

// Sorted are the keys, those first that people look for first.
func (k Keys) Sorted() []string {
	return slices.SortedFunc(maps.Keys(k), func(a, b string) int {
		return compare(rank(a), rank(b), a, b)
	})
}

func compare(rankA, rankB int, a, b string) int {
	switch {
	case rankA != rankB:
		return rankA - rankB
	case a < b:
		return -1
	}
	return 1
}

func rank(key string) int {
	if i := slices.Index(first, key); i >= 0 {
		return i
	}
	return len(first)
}

// nodeOf is any value. Text in an environment is quoted always, as its neighbours have to be.
func nodeOf(value any, text bool) *yaml.Node {
	if keys, is := value.(Keys); is {
		return keys.node(text)
	}
	node := &yaml.Node{}
	_ = node.Encode(value) // texts, numbers, booleans and lists of texts encode
	if node.Kind == yaml.SequenceNode {
		node.Style = yaml.FlowStyle
	}
	if text && node.Kind == yaml.ScalarNode {
		node.Style = yaml.DoubleQuotedStyle
	}
	return node
}
