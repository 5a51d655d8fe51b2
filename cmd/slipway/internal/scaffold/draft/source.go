package draft

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Source is a YAML file that something was read from.
type Source struct {
	// Name is its path as people are told it.
	Name string
	Root yaml.Node
}

// ParseSource reads one.
func ParseSource(name string, content []byte) (*Source, error) {
	s := &Source{Name: name}
	if err := yaml.Unmarshal(content, &s.Root); err != nil {
		return nil, fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	return s, nil
}

// At is the file with the line of a key, or of the nearest one above it that stands there.
func (s *Source) At(path ...string) string {
	node, line := &s.Root, s.Root.Line
	if len(node.Content) > 0 {
		node = node.Content[0]
	}
	for _, step := range path {
		key, value := child(node, step)
		if key == nil {
			break
		}
		line, node = key.Line, value
	}
	return fmt.Sprintf("%s:%d", s.Name, line)
}

// child is what stands under a key, or at an index or as NAME=… in a list, with the node that has the line.
func child(node *yaml.Node, step string) (key, value *yaml.Node) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if node.Kind == yaml.SequenceNode {
		at, err := strconv.Atoi(step)
		if err != nil {
			at = slices.IndexFunc(node.Content, func(n *yaml.Node) bool {
				return n.Value == step || strings.HasPrefix(n.Value, step+"=")
			})
		}
		if at < 0 || at >= len(node.Content) {
			return nil, nil
		}
		return node.Content[at], node.Content[at]
	}
	if node.Kind != yaml.MappingNode {
		return nil, nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == step {
			return node.Content[i], node.Content[i+1]
		}
	}
	for i := 0; i+1 < len(node.Content); i += 2 { // what is merged in from elsewhere
		if node.Content[i].Value != "<<" {
			continue
		}
		merged := []*yaml.Node{node.Content[i+1]}
		if merged[0].Kind == yaml.SequenceNode {
			merged = merged[0].Content
		}
		for _, each := range merged {
			if key, value := child(each, step); key != nil {
				return key, value
			}
		}
	}
	return nil, nil
}

// Scalars calls a function with each value of the file, and the keys that lead to it.
func (s *Source) Scalars(visit func(node *yaml.Node, path []string)) { walk(&s.Root, nil, visit) }

func walk(node *yaml.Node, path []string, visit func(*yaml.Node, []string)) {
	switch node.Kind {
	case yaml.ScalarNode:
		visit(node, path)
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			walk(node.Content[i+1], append(slices.Clone(path), node.Content[i].Value), visit)
		}
	default:
		for _, inner := range node.Content {
			walk(inner, path, visit)
		}
	}
}
