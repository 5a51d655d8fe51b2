package stage

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"slipway/awslimits"
	"slipway/docs"
)

// update writes what is generated, where it would be compared.
var update = flag.Bool("update", false, "write docs/configuration.md and docs/stage.schema.json")

const documentation = "../docs/configuration.md"

// requireGenerated compares a file with what it should be, or writes it.
func requireGenerated(t *testing.T, name, want string) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(name, []byte(want), 0o644))
	}
	got, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "%s is not what the code says: run `make docs`", name)
}

func TestTheDocumentationOfTheKeysIsThatOfTheCode(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(documentation)
	require.NoError(t, err)
	const begin = "## Keys\n"
	written, _, found := strings.Cut(string(text), begin)
	require.True(t, found)
	var generated strings.Builder
	generated.WriteString(written + begin + "\n<!-- From here on made by `make docs`, from the comments of the structs in stage/. -->\n")
	generated.WriteString(describeDefaults())
	keys := allKeys(t)
	for _, key := range keys {
		if key.again == "" {
			generated.WriteString(key.section() + keysAsElsewhere(keys, key))
		}
	}
	generated.WriteString("\n## Task sizes\n\n| `cpu` (CPU units) | `memory` (MiB) |\n|---|---|\n")
	for _, size := range awslimits.TaskSizes {
		fmt.Fprintf(&generated, "| %d | %s |\n", size.CPU, size.MemoryInWords())
	}
	requireGenerated(t, documentation, generated.String())
}

func describeDefaults() string {
	var keys []string
	for _, name := range keyNames(reflect.TypeFor[document]()) {
		keys = append(keys, "`"+name+"`")
	}
	return section(defaultsKey, "`defaults` is what all stages share: an object with any of the keys below. It stands in `Pulumi.yaml`, below `config` and `value`.",
		"object", "none", strings.Join(keys, ", "), `defaults: {environment: {LOG_LEVEL: "info"}}`,
		"[Pulumi project configuration](https://www.pulumi.com/docs/iac/concepts/config/#project-level-configuration)")
}

func section(path, text, kind, standard, allowed, example, rule string) string {
	return fmt.Sprintf("\n### `%s`\n\n%s\n\n- Type: %s\n- Default: %s\n- Allowed: %s\n- Example: `%s`\n- Rule: %s\n",
		path, text, kind, standard, allowed, example, rule)
}

func (k documentedKey) section() string {
	standard := "none"
	if value, given := k.field.Tag.Lookup("default"); given {
		standard = "`" + value + "`"
	} else if prose := k.prose["Default"]; prose != "" {
		standard = prose
	}
	return section(k.path, k.text, kindOf(k.field), standard, k.allowed(), k.prose["Example"], k.prose["Rule"])
}

// keysAsElsewhere names the keys right below a key that others share, and where they are described. Of two levels of them, the
// lower ones go without saying.
func keysAsElsewhere(keys []documentedKey, of documentedKey) string {
	_, step := inner(of.field.Type, of.path)
	below, place := of.path+step+".", ""
	var names []string
	for _, key := range keys {
		name, isBelow := strings.CutPrefix(key.path, below)
		if isBelow && key.again != "" && !strings.Contains(name, ".") {
			names = append(names, "`"+name+"`")
			place = strings.TrimSuffix(key.again, "."+name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("\nBelow `%s`, these keys are as those of the same names below `%s`: %s.\n", strings.TrimSuffix(below, "."), place, enumerate(names))
}

// kindOf is a key's type in words.
func kindOf(field reflect.StructField) string {
	words := wordsOf(field.Type)
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
	case reflect.Bool:
		return "`true` or `false`"
	default:
		return "text"
	}
}

func plural(words string) string { return strings.Replace(words, "object", "objects", 1) }

// allowed is what tags and prose say, together.
func (k documentedKey) allowed() string {
	var parts []string
	switch minimum, maximum, enum := limits(k.field); {
	case enum != nil && k.field.Type.Kind() == reflect.String:
		parts = append(parts, "`"+strings.Join(enum, "`, `")+"`")
	case enum != nil:
		parts = append(parts, enumerate(enum))
	case maximum > 0:
		parts = append(parts, fmt.Sprintf("%d to %d", minimum, maximum))
	}
	if prose := k.prose["Allowed"]; prose != "" {
		parts = append(parts, prose)
	}
	if len(parts) > 0 {
		return strings.Join(parts, "; ")
	}
	below, _ := inner(k.field.Type, k.path)
	switch below.Kind() {
	case reflect.Struct:
		return "the keys below"
	case reflect.Bool:
		return "`true`, `false`"
	default:
		return "any text"
	}
}

// apart are keys that do not go with others, whose examples make a stage of their own.
var apart = []string{"loadBalancer.arn", "loadBalancer.port", "services.<service>.readonlyRootFilesystem"}

// The examples of all keys make one stage together.
func TestTheExamplesOfTheKeysAreSound(t *testing.T) {
	t.Parallel()
	all, other := newNode(map[string]any{}, node{}), newNode(map[string]any{}, node{})
	for _, key := range allKeys(t) {
		if strings.Contains(key.path, "[]") || key.again != "" {
			continue // part of the example of the list, or told already; the schema's test has it
		}
		image := "web"
		if key.path == "images.<image>.ref" || key.path == "images.<image>.platform" {
			image = "pinned"
		}
		path := strings.Split(strings.NewReplacer("<image>", image, "<service>", "web", "<schedule>", "night", "<task>", "migrate", "<container>", "prepare",
			"<mount>", "data", "<ulimit>", "nofile").Replace(key.path), ".")
		value := key.example(t)
		for i := len(path) - 1; i >= 0; i-- {
			value = map[string]any{path[i]: value}
		}
		if slices.Contains(apart, key.path) {
			other = merge(other, newNode(value, node{}))
		} else {
			all = merge(all, newNode(value, node{}))
		}
	}
	got := loadNodes(t, all)
	require.Len(t, got.Images, 2)
	require.Equal(t, 12, got.Services["web"].Revision)

	other = merge(other, newNode(map[string]any{"images": map[string]any{"web": map[string]any{"build": map[string]any{"context": "app"}}},
		"services": map[string]any{"web": map[string]any{"image": "web"}}}, node{}))
	require.Equal(t, 443, loadNodes(t, other).LoadBalancer.ListenerPort())
}

func loadNodes(t *testing.T, all *node) *Stage {
	t.Helper()
	config := map[string]any{}
	for key, n := range all.object {
		config["slipway:"+key] = plain(n)
	}
	got, err := loadFiles(t, "dev", "", marshal(t, map[string]any{"config": config}))
	require.NoError(t, err)
	return got
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
	text, err := os.ReadFile(documentation)
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)`(Pulumi[a-z.]*\\.yaml)`[^\n]*\n\n```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
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

// Every YAML in the pages can be read, and what is a stage file, or a part of one, is sound. A part is one of a stage that has
// images, secrets, services and tasks of the names that it uses, and nothing else.
func TestTheYAMLOfThePagesIsSound(t *testing.T) {
	t.Parallel()
	blocks, err := docs.YAML("..")
	require.NoError(t, err)
	parts := 0
	for _, block := range blocks {
		text := strings.ReplaceAll(block.Text, "sha256:…", digest)
		var keys map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(text), &keys), block.Where)
		if isPart := slices.ContainsFunc(slices.Sorted(maps.Keys(keys)), func(key string) bool { return strings.Contains(key, ":") }); !isPart {
			continue // a whole file, which TestTheExampleFilesAreSound has, or none of Pulumi's
		}
		parts++
		_, err := loadFiles(t, "dev", marshal(t, map[string]any{"config": map[string]any{"slipway:defaults": map[string]any{"value": rest(keys)}}}),
			marshal(t, map[string]any{"config": keys}))
		require.NoError(t, err, "%s\n%s", block.Where, text)
	}
	require.Greater(t, parts, 8)
}

// rest is what a part of a stage needs beside it.
func rest(part map[string]any) map[string]any {
	secrets, services, tasks := map[string]any{}, map[string]any{"web": nil}, map[string]any{}
	for kind, into := range map[string]map[string]any{"services": services, "tasks": tasks} {
		named, _ := part["slipway:"+kind].(map[string]any)
		for name, value := range named {
			into[name] = value
		}
	}
	for _, of := range []map[string]any{services, tasks} {
		for name, value := range of {
			own, _ := value.(map[string]any)
			used, _ := own["secrets"].([]any)
			for _, secret := range used {
				secrets[secret.(string)] = "arn:aws:ssm:ap-northeast-2:123456789012:parameter/value"
			}
			needed := map[string]any{"image": "web"}
			if _, isService := services[name]; isService {
				needed["port"], needed["route"] = 8080, map[string]any{"hosts": []any{name + ".example.com"}}
			}
			of[name] = needed
		}
	}
	return map[string]any{"images": map[string]any{"web": map[string]any{"build": map[string]any{"context": "app"}}},
		"secrets": secrets, "services": services, "tasks": tasks}
}

// defaultsByPath are the defaults in the keys' tags.
func defaultsByPath(t *testing.T) map[string]string {
	t.Helper()
	defaults := map[string]string{}
	for _, key := range allKeys(t) {
		defaults[key.path] = key.field.Tag.Get("default")
	}
	return defaults
}

func TestTheDefaultsThatAreComparedWithOthersAreOurs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(documentation)
	require.NoError(t, err)
	rows := regexp.MustCompile("(?m)^\\| `([^`]+)` \\| `([^`]+)` \\|").FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, rows)
	defaults := defaultsByPath(t)
	for _, row := range rows {
		require.Equal(t, defaults[row[1]], row[2], row[1])
	}
}

// The arithmetic of a rollout in docs/performance.md has our defaults, and stays within what we aim at.
func TestTheRolloutsCriticalPathIsThatOfTheDefaults(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/performance.md")
	require.NoError(t, err)
	const start, polling, aim = 40, 3, 90
	defaults := defaultsByPath(t)
	number := func(key string) int {
		value, err := strconv.Atoi(defaults["services.<service>."+key])
		require.NoError(t, err, key)
		return value
	}
	interval, threshold := number("route.healthCheck.interval"), number("route.healthCheck.healthyThreshold")
	drain, stop := number("route.deregistrationDelay"), number("stopTimeout")
	serves := start + interval*threshold
	done := serves + drain + stop + polling
	for step, ours := range map[string]string{
		"the load balancer finds it healthy":    fmt.Sprintf("%d × %d = %d s", interval, threshold, interval*threshold),
		"**the new revision serves**":           fmt.Sprintf("**%d s**", serves),
		"requests to the old tasks end":         fmt.Sprintf("%d s", drain),
		"the old tasks end":                     fmt.Sprintf("%d s", stop),
		"**the update is done, at the latest**": fmt.Sprintf("**%d s**", done),
	} {
		require.Regexp(t, "(?m)^\\| "+regexp.QuoteMeta(step)+" \\| [^|]*\\| "+regexp.QuoteMeta(ours)+" \\|", string(text))
	}
	require.LessOrEqual(t, done, aim)
}
