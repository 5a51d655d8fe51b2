package stage

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/internal/pulumiconfig"
)

const projectFile = "Pulumi.yaml"

// source is one of the two files, read again for what JSON no longer tells: how a value was written and
// where an encrypted one stands. It is empty where the file is elsewhere (--config-file).
type source struct {
	name   string
	config *yaml.Node
}

func readSource(root, name string) source {
	if root == "" {
		return source{name: name}
	}
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		return source{name: name}
	}
	return parseSource(name, content)
}

func parseSource(name string, content []byte) source {
	var file struct {
		Config yaml.Node `yaml:"config"`
	}
	if yaml.Unmarshal(content, &file) != nil {
		return source{name: name}
	}
	return source{name: name, config: &file.Config}
}

// find returns what the file says of a key, nil for nothing. In Pulumi.yaml the project's own keys may stand
// without their namespace, and the value stands in "value" or "default".
func (s source) find(project, key string) *yaml.Node {
	found := yamlChild(s.config, project+":"+key)
	if s.name != projectFile {
		return found
	}
	if found == nil {
		found = yamlChild(s.config, key)
	}
	for _, holder := range []string{"value", "default"} {
		if value := yamlChild(found, holder); value != nil {
			return value
		}
	}
	return found
}

// yamlChild is the value of a key in a mapping, nil where there is none.
func yamlChild(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return followAlias(n.Content[i+1])
		}
	}
	return nil
}

// yamlElement is an element of a sequence, nil where there is none.
func yamlElement(n *yaml.Node, i int) *yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode || i >= len(n.Content) {
		return nil
	}
	return followAlias(n.Content[i])
}

func followAlias(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// encryptedPaths are the paths below (and with) path that hold {secure: …}.
func encryptedPaths(n *yaml.Node, path string) []string {
	if n == nil {
		return nil
	}
	var paths []string
	switch n.Kind {
	case yaml.MappingNode:
		if isEncrypted(n) {
			return []string{path}
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			paths = append(paths, encryptedPaths(n.Content[i+1], pulumiconfig.Below(path, n.Content[i].Value))...)
		}
	case yaml.SequenceNode:
		for i, element := range n.Content {
			paths = append(paths, encryptedPaths(element, pulumiconfig.Below(path, i))...)
		}
	}
	return paths
}

// isEncrypted tells a value that Pulumi has encrypted: {secure: …}.
func isEncrypted(n *yaml.Node) bool {
	return n != nil && n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "secure"
}

// stagesThatBuild are the other stages whose file builds images: those to promote from.
func stagesThatBuild(in Input) []string {
	names, err := fs.Glob(os.DirFS(in.Root), pulumiconfig.FileName("*"))
	if err != nil {
		return nil
	}
	var stages []string
	for _, name := range names {
		stage := strings.TrimSuffix(strings.TrimPrefix(name, "Pulumi."), ".yaml")
		file := readSource(in.Root, name)
		images := file.find(in.Project, "images")
		if images == nil {
			images = file.find(pulumiconfig.Namespace, "images")
		}
		if stage == in.Stage || images == nil {
			continue
		}
		builds := func(image *yaml.Node) bool { return yamlChild(image, "build") != nil }
		if slices.ContainsFunc(images.Content, builds) {
			stages = append(stages, stage)
		}
	}
	return stages
}
