package reference

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Files are what is generated for the project in root, by path. A stage's keys begin with namespace, or with the
// project's name.
func Files(root, namespace string, document reflect.Type) (map[string]string, error) {
	keys, err := Keys(document, filepath.Join(root, "stage"))
	if err != nil {
		return nil, err
	}
	configuration := filepath.Join(root, "docs", "configuration.md")
	page, err := os.ReadFile(configuration)
	if err != nil {
		return nil, err
	}
	markdown, err := Markdown(string(page), document, keys)
	if err != nil {
		return nil, err
	}
	project, err := os.ReadFile(filepath.Join(root, "Pulumi.yaml"))
	if err != nil {
		return nil, err
	}
	var named struct{ Name string }
	if err := yaml.Unmarshal(project, &named); err != nil {
		return nil, err
	}
	schema, err := Schema(slices.Compact([]string{namespace, named.Name}), document, keys)
	return map[string]string{configuration: markdown, filepath.Join(root, "docs", "stage.schema.json"): schema}, err
}
