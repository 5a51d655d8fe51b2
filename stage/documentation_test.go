package stage

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// documentedKeys is every key that the decoder knows, as configuration.md names it, with its struct field.
func documentedKeys() map[string]reflect.StructField {
	keys := map[string]reflect.StructField{defaultsKey: {}}
	collectKeys(keys, reflect.TypeFor[document](), "")
	return keys
}

func collectKeys(keys map[string]reflect.StructField, t reflect.Type, prefix string) {
	for _, field := range fieldsOf(t) {
		name := prefix + field.Tag.Get("json")
		keys[name] = field
		below := field.Type
		if below.Kind() == reflect.Map {
			below = below.Elem()
			name += ".<" + strings.TrimSuffix(field.Tag.Get("json"), "s") + ">"
		}
		if below.Kind() == reflect.Pointer {
			below = below.Elem()
		}
		if below.Kind() == reflect.Struct {
			collectKeys(keys, below, name+".")
		}
	}
}

func readDocumentation(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/configuration.md")
	require.NoError(t, err)
	return string(text)
}

// sections are the parts of configuration.md that describe a key, by key.
func sections(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	keys, _, _ := strings.Cut(readDocumentation(t), "\n## Task sizes")
	for _, section := range strings.Split(keys, "\n### `")[1:] {
		key, text, _ := strings.Cut(section, "`\n")
		require.NotContains(t, found, key, "described twice")
		found[key] = text
	}
	return found
}

func TestEveryKeyIsDocumentedAndNoOther(t *testing.T) {
	t.Parallel()
	known, described := documentedKeys(), sections(t)
	for key, field := range known {
		require.Contains(t, described, key, "docs/configuration.md does not describe this key")
		text := described[key]
		for _, item := range []string{"Type", "Default", "Allowed", "Example", "Rule"} {
			require.Contains(t, text, "\n- "+item+": ", "%s in docs/configuration.md", key)
		}
		defaultLine := "\n- Default: none"
		if value, given := field.Tag.Lookup("default"); given {
			defaultLine = "\n- Default: `" + value + "`\n"
		}
		require.Contains(t, text, defaultLine, "%s in docs/configuration.md", key)
		require.Contains(t, text, field.Tag.Get("unit"), "%s in docs/configuration.md", key)
	}
	for key := range described {
		require.Contains(t, known, key, "docs/configuration.md describes a key that does not exist")
	}
}

// The examples of all keys make one stage together.
func TestTheExamplesOfTheKeysAreSound(t *testing.T) {
	t.Parallel()
	example := regexp.MustCompile("\n- Example: `(.+)`\n")
	all := newNode(map[string]any{}, node{})
	for key, text := range sections(t) {
		match := example.FindStringSubmatch(text)
		require.NotNil(t, match, key)
		var value any
		require.NoError(t, yaml.Unmarshal([]byte(match[1]), &value), key)
		image := "web"
		if key == "images.<image>.ref" || key == "images.<image>.platform" {
			image = "pinned"
		}
		key = strings.NewReplacer("<image>", image, "<service>", "web").Replace(key)
		path := strings.Split(key, ".")
		require.Contains(t, value, path[len(path)-1], "the example of %s is of another key", key)
		for i := len(path) - 2; i >= 0; i-- {
			value = map[string]any{path[i]: value}
		}
		all = merge(all, newNode(value, node{}))
	}
	config := map[string]any{}
	for key, n := range all.object {
		config["slipway:"+key] = plain(n)
	}
	stageYAML, err := yaml.Marshal(map[string]any{"config": config})
	require.NoError(t, err)
	got, err := loadFiles(t, "dev", "", string(stageYAML))
	require.NoError(t, err)
	require.Len(t, got.Images, 2)
	require.Equal(t, 12, got.Services["web"].Revision)
}

// plain undoes newNode.
func plain(n *node) any {
	if n.object != nil {
		object := map[string]any{}
		for key, child := range n.object {
			object[key] = plain(child)
		}
		return object
	}
	if n.list != nil {
		var list []any
		for _, child := range n.list {
			list = append(list, plain(child))
		}
		return list
	}
	return n.scalar
}

func TestTheExampleFilesAreSound(t *testing.T) {
	t.Parallel()
	blocks := regexp.MustCompile("(?s)`(Pulumi[a-z.]*\\.yaml)`[^\n]*\n\n```yaml\n(.*?)```").FindAllStringSubmatch(readDocumentation(t), -1)
	files := map[string]string{}
	for _, block := range blocks {
		files[block[1]] = block[2]
	}
	require.Len(t, files, 3)
	for _, name := range []string{"dev", "release"} {
		got, err := loadFiles(t, name, files[projectFile], files[stageFile(name)])
		require.NoError(t, err)
		require.Equal(t, 8080, got.Services["web"].Port)
	}
}

func TestTheTaskSizesAreDocumented(t *testing.T) {
	t.Parallel()
	text := readDocumentation(t)
	for _, size := range taskSizes {
		require.Contains(t, text, fmt.Sprintf("\n| %d | %s", size.cpu, size.allowed()))
	}
}
