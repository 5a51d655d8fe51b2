package stage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"slipway/docs/reference"
	"slipway/stage/fields"
)

type object = map[string]any

// compiledSchema is what stage files are held against.
func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := reference.Schema([]string{"slipway", "shop"}, reflect.TypeFor[document](), allKeys(t))
	require.NoError(t, err)
	parsed, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("stage.json", parsed))
	schema, err := compiler.Compile("stage.json")
	require.NoError(t, err)
	return schema
}

// checkSchema holds a stage file against the schema.
func checkSchema(t *testing.T, schema *jsonschema.Schema, stageYAML string) error {
	t.Helper()
	var file any
	require.NoError(t, yaml.Unmarshal([]byte(stageYAML), &file))
	text, err := json.Marshal(file)
	require.NoError(t, err)
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	return schema.Validate(instance)
}

func marshal(t *testing.T, value any) string {
	t.Helper()
	text, err := yaml.Marshal(value)
	require.NoError(t, err)
	return string(text)
}

// stageWith puts a value where a key's path leads.
func stageWith(t *testing.T, path string, value any) string {
	t.Helper()
	steps := strings.Split(strings.NewReplacer("<image>", "web", "<service>", "web", "<schedule>", "night",
		"<metric>", "age", "<step>", "busy", "<task>", "migrate", "<container>", "prepare",
		"<mount>", "data", "<ulimit>", "nofile", "<registry>", "registry").Replace(path), ".")
	for i := len(steps) - 1; i >= 0; i-- {
		name, list := strings.CutSuffix(steps[i], "[]")
		if list {
			value = []any{value}
		}
		if i == 0 {
			name = "slipway:" + name
		}
		value = object{name: value}
	}
	return marshal(t, object{"config": value})
}

// The schema and the decoder take and refuse the same values of every key.
func TestTheSchemaAndTheDecoderAgree(t *testing.T) {
	t.Parallel()
	schema := compiledSchema(t)
	for _, key := range allKeys(t) {
		require.NoError(t, checkSchema(t, schema, stageWith(t, key.Path, exampleOf(t, key))), key.Path)
		requireDecoded(t, key, exampleOf(t, key), true)
		for _, wrong := range wrongValues(key) {
			require.Error(t, checkSchema(t, schema, stageWith(t, key.Path, wrong)), "%s: %v", key.Path, wrong)
			requireDecoded(t, key, wrong, false)
		}
	}
}

// wrongValues are values that a key's type or tags refuse.
func wrongValues(key reference.Key) []any {
	var wrong []any
	kind := key.Field.Type
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	switch kind.Kind() {
	case reflect.Struct:
		wrong = append(wrong, "text", object{"noSuchKey": 1})
	case reflect.Map:
		wrong = append(wrong, "text", []any{"a"}, object{"name": 1})
	case reflect.Slice:
		wrong = append(wrong, "text", []any{1})
	case reflect.Int:
		wrong = append(wrong, "7", 1.5, true)
	case reflect.Float64:
		wrong = append(wrong, "7", true, []any{1})
	case reflect.Bool:
		wrong = append(wrong, "yes", 1)
	default:
		wrong = append(wrong, 1, true, object{})
	}
	switch minimum, maximum, enum := fields.Limits(key.Field); {
	case enum != nil && kind.Kind() == reflect.Int:
		wrong = append(wrong, 2)
	case enum != nil:
		wrong = append(wrong, "none of them")
	case maximum > 0:
		wrong = append(wrong, minimum-1, maximum+1)
	}
	return wrong
}

// requireDecoded tells whether the decoder alone, without the checks of the whole, takes a value.
func requireDecoded(t *testing.T, key reference.Key, value any, wanted bool) {
	t.Helper()
	in := input(t, "dev", "", stageWith(t, key.Path, value))
	c := newChecker(in)
	c.decode(c.readKeys(), reflect.ValueOf(&c.document).Elem())
	if wanted {
		require.Empty(t, c.mistakes, "%s: %v", key.Path, value)
	} else {
		require.NotEmpty(t, c.mistakes, fmt.Sprintf("%s: %v", key.Path, value))
	}
}

// A ref beside a build goes back to an image that the stage built earlier.
func TestBuildAndRefGoTogether(t *testing.T) {
	t.Parallel()
	schema := compiledSchema(t)
	for name, test := range map[string]struct{ image, platform string }{
		"a build that is sound": {"{build: {context: app}, ref: '" + pinned + "'}", "linux/amd64"},
		"a context that is gone": {"{build: {context: gone, dockerfile: gone/Dockerfile, args: {STAGE: x}}, ref: '" +
			pinned + "'}", "linux/amd64"},
		"the platform of the build": {"{build: {context: app, platform: linux/arm64}, ref: '" + pinned + "'}", "linux/arm64"},
		"the platform of the image": {"{build: {context: app}, ref: '" + pinned + "', platform: linux/arm64}", "linux/arm64"},
	} {
		file := "config: {'aws:region': ap-northeast-2, 'slipway:environment': {STAGE: dev}, 'slipway:services': {web: " +
			"{image: web}}, " +
			"'slipway:images': {web: " + test.image + "}}"
		require.NoError(t, checkSchema(t, schema, file), name)
		got, err := loadFiles(t, "dev", "", file)
		require.NoError(t, err, name)
		require.NotNil(t, got.Images["web"].Build, name)
		require.Equal(t, pinned, got.Images["web"].Ref.String(), name)
		require.Equal(t, test.platform, got.Images["web"].Platform, name)
	}
}

func TestUnknownKeysAreRefusedByTheSchemaToo(t *testing.T) {
	t.Parallel()
	schema := compiledSchema(t)
	require.Error(t, checkSchema(t, schema, "config: {'slipway:servises': {}}"))
	require.Error(t, checkSchema(t, schema, "confg: {}"))
	require.NoError(t, checkSchema(t, schema,
		"config: {'aws:region': ap-northeast-2, 'other:key': 1}\nencryptionsalt: v1"))
	require.NoError(t, checkSchema(t, schema, "config: {'slipway:secrets': {KEY: {secure: v1:abc}}}"))
	require.Error(t, checkSchema(t, schema, "config: {'slipway:secrets': {KEY: hunter2}}"))
	require.Error(t, checkSchema(t, schema, "config: {'slipway:environment': {KEY: {secure: v1:abc}}}"),
		"an encrypted value belongs in secrets")
}

func TestTheStageFilesOfTheProjectNameTheSchemaAndFollowIt(t *testing.T) {
	t.Parallel()
	schema := compiledSchema(t)
	names, err := filepath.Glob("../Pulumi.*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		require.Contains(t, string(text), "# yaml-language-server: $schema=docs/stage.schema.json\n", name)
		require.NoError(t, checkSchema(t, schema, string(text)), name)
	}
}
