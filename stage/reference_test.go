package stage

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"slipway/docs"
	"slipway/docs/reference"
	"slipway/internal/pulumiconfig"
)

const documentation = "../docs/configuration.md"

var update = flag.Bool("update", false, "write docs/configuration.md and docs/stage.schema.json")

func TestTheDocumentationAndTheSchemaAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	files, err := reference.Files("..", pulumiconfig.Namespace, reflect.TypeFor[document]())
	require.NoError(t, err)
	require.Len(t, files, 2)
	for name, want := range files {
		if *update {
			require.NoError(t, os.WriteFile(name, []byte(want), 0o644))
		}
		got, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, want, string(got), "%s is not what the code says: run `make docs`", name)
	}
}

// apart are keys that do not go with others, whose examples make a stage of their own.
var apart = []string{"loadBalancer.arn", "loadBalancer.port", "network.uses",
	"services.<service>.readonlyRootFilesystem", "services.<service>.calls", "services.<service>.volumes.<volume>.efs.root",
	"services.<service>.capacity.instances"}

// ofDaemons are keys that only a daemon has.
var ofDaemons = []string{"services.<service>.daemon", "services.<service>.network", "services.<service>.placement"}

// The examples of all keys make one stage together.
func TestTheExamplesOfTheKeysAreSound(t *testing.T) {
	t.Parallel()
	all, other := newNode(map[string]any{}, node{}), newNode(map[string]any{}, node{})
	daemon := newNode(map[string]any{}, node{})
	for _, key := range allKeys(t) {
		if strings.Contains(key.Path, "[]") || key.Again != "" {
			continue // part of the example of the list, or told already; the schema's test has it
		}
		image := "web"
		if slices.Contains([]string{"images.<image>.ref", "images.<image>.platform", "images.<image>.mirror"}, key.Path) {
			image = "pinned"
		}
		path := strings.Split(strings.NewReplacer("<image>", image, "<service>", "web", "<schedule>", "night", "<task>",
			"migrate", "<metric>", "age", "<step>", "busy", "<container>", "prepare", "<output>", "DATABASE_HOST",
			"<mount>", "data", "<instance>", "general", "<volume>", "data", "<ulimit>", "nofile").Replace(key.Path), ".")
		if i := slices.Index(path, "<registry>"); i >= 0 {
			path[i] = "ghcr.io"
		}
		value := exampleOf(t, key)
		for i := len(path) - 1; i >= 0; i-- {
			value = map[string]any{path[i]: value}
		}
		if slices.Contains(ofDaemons, key.Path) {
			daemon = merge(daemon, newNode(value, node{}))
		} else if slices.Contains(apart, key.Path) {
			other = merge(other, newNode(value, node{}))
		} else {
			all = merge(all, newNode(value, node{}))
		}
	}
	all = merge(all, newNode(map[string]any{"environment": map[string]any{
		"DATABASE_HOST": map[string]any{"output": "DATABASE_HOST"}}}, node{}))
	got := loadNodes(t, all)
	require.Len(t, got.Images, 2)
	require.Equal(t, 12, got.Services["web"].Revision)

	daemon = merge(daemon, newNode(map[string]any{"images": map[string]any{"web": map[string]any{
		"build": map[string]any{"context": "app"}}}, "services": map[string]any{"web": map[string]any{"image": "web"}},
		"instances": map[string]any{"general": map[string]any{"types": []any{"m7i.large"}, "max": 1}}}, node{}))
	require.Equal(t, []string{"general"}, loadNodes(t, daemon).DaemonInstances("web"))

	other = merge(other, newNode(map[string]any{"images": map[string]any{"web": map[string]any{
		"build": map[string]any{"context": "app"}}},
		"network":   map[string]any{"assignPublicIp": true},
		"instances": map[string]any{"general": map[string]any{"types": []any{"m7i.large"}, "max": 1}},
		"services": map[string]any{"web": map[string]any{"image": "web",
			"mounts":  map[string]any{"data": map[string]any{"path": "/data"}},
			"volumes": map[string]any{"data": map[string]any{"efs": map[string]any{"id": "fs-01234567"}}}},
			"api": map[string]any{"image": "web", "port": 8080, "name": "api"}}}, node{}))
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
	blocks := regexp.MustCompile("(?s)`(Pulumi[a-z.]*\\.yaml)`[^\n]*\n\n```yaml\n(.*?)```").
		FindAllStringSubmatch(string(text), -1)
	files := map[string]string{}
	for _, block := range blocks {
		files[block[1]] = block[2]
	}
	require.Len(t, files, 3)
	for _, name := range []string{"dev", "release"} {
		got, err := loadFiles(t, name, files[projectFile], files[pulumiconfig.FileName(name)])
		require.NoError(t, err)
		require.Equal(t, 8080, got.Services["web"].Port)
	}
}

// Every YAML in the pages can be read, and what is a stage file, or a part of one, is sound. A part is one of a stage
// that has images, secrets, services and tasks of the names that it uses, and nothing else.
func TestTheYAMLOfThePagesIsSound(t *testing.T) {
	t.Parallel()
	blocks, err := docs.YAML("..")
	require.NoError(t, err)
	parts := 0
	for _, block := range blocks {
		text := strings.ReplaceAll(block.Text, "sha256:…", digest)
		var keys map[string]any
		require.NoError(t, yaml.Unmarshal([]byte(text), &keys), block.Where)
		if _, isFile := keys["config"]; isFile || strings.Contains("\"{", block.Text[:1]) {
			require.True(t, !isFile || strings.HasPrefix(block.Where, "configuration.md"), block.Where)
			continue // a whole file, which TestTheExampleFilesAreSound has, or JSON of AWS's
		}
		for key := range keys {
			require.Regexp(t, "^(aws|slipway):", key, block.Where)
		}
		parts++
		_, err := loadFiles(t, "dev", marshal(t,
			map[string]any{"config": map[string]any{"slipway:defaults": map[string]any{"value": rest(keys)}}}),
			marshal(t, map[string]any{"config": keys}))
		require.NoError(t, err, "%s\n%s", block.Where, text)
	}
	require.Greater(t, parts, 16)
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
			if _, isService := services[name]; isService && own["daemon"] == nil {
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
		defaults[key.Path] = key.Field.Tag.Get("default")
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
