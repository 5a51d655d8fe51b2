package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// workflows lists the scripts in the workflows of docs/ci.
func workflows(root string) (found []Block, err error) {
	directory := filepath.Join(root, "docs/ci")
	err = filepath.WalkDir(directory, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		var file yaml.Node
		if err := yaml.Unmarshal(text, &file); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		addScripts(&found, strings.TrimPrefix(name, filepath.Dir(directory)+"/"), "", &file)
		return nil
	})
	return found, err
}

// addScripts adds the scripts in a part of a workflow that stands under a key: each is a text, or a list of lines.
func addScripts(found *[]Block, file, key string, node *yaml.Node) {
	switch key {
	case "run", "script", "before_script":
		if node.Kind == yaml.ScalarNode {
			*found = append(*found, Block{Where: fmt.Sprintf("%s:%d", file, node.Line), Text: node.Value, Language: "bash"})
		}
	default:
		key = ""
	}
	for i, child := range node.Content {
		under := key // of an item in a list
		if node.Kind == yaml.MappingNode {
			under = ""
			if i%2 == 1 {
				under = node.Content[i-1].Value
			}
		}
		addScripts(found, file, under, child)
	}
}
