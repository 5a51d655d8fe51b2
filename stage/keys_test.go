package stage

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// documentedKey is one key of a stage with all that its struct field says of it.
type documentedKey struct {
	// path names it in docs/configuration.md: services.<service>.permissions[].actions.
	path  string
	field reflect.StructField
	// text is the field's comment, with the key in place of the field's name.
	text string
	// prose are the lines of the comment that begin with Default, Allowed, Example and Rule.
	prose map[string]string
	// again is the path that has the same field already, where several share one.
	again string
}

// allKeys lists every key that the decoder knows, in the order of the structs' fields.
func allKeys(t *testing.T) []documentedKey {
	t.Helper()
	comments := readComments(t)
	var keys []documentedKey
	shared := map[string]string{} // paths by field
	var collect func(structure reflect.Type, prefix string)
	collect = func(structure reflect.Type, prefix string) {
		for _, field := range fieldsOf(structure) {
			key := documentedKey{path: prefix + field.Tag.Get("json"), field: field}
			name := declaredIn(structure, field).Name() + "." + field.Name
			key.text, key.prose = splitComment(comments[name], field)
			if key.again = shared[name]; key.again == "" {
				shared[name] = key.path
			}
			keys = append(keys, key)
			if below, step := inner(field.Type, key.path); below.Kind() == reflect.Struct {
				collect(below, key.path+step+".")
			}
		}
	}
	collect(reflect.TypeFor[document](), "")
	return keys
}

// inner is the type of what a key holds, without pointers, maps and lists, and what those add to its path.
func inner(t reflect.Type, path string) (below reflect.Type, step string) {
	switch t.Kind() {
	case reflect.Pointer:
		return inner(t.Elem(), path)
	case reflect.Map:
		last := path[strings.LastIndex(path, ".")+1:]
		return t.Elem(), ".<" + strings.TrimSuffix(last, "s") + ">"
	case reflect.Slice:
		return t.Elem(), "[]"
	}
	return t, ""
}

// declaredIn is the struct that has the field itself, where it is promoted from an embedded one.
func declaredIn(structure reflect.Type, field reflect.StructField) reflect.Type {
	for _, i := range field.Index[:len(field.Index)-1] {
		structure = structure.Field(i).Type
	}
	return structure
}

// readComments are the comments of all struct fields in this package, by Type.Field.
func readComments(t *testing.T) map[string]string {
	t.Helper()
	files := token.NewFileSet()
	packages, err := parser.ParseDir(files, ".", func(file fs.FileInfo) bool { return !strings.HasSuffix(file.Name(), "_test.go") }, parser.ParseComments)
	require.NoError(t, err)
	comments := map[string]string{}
	ast.Inspect(packages["stage"], func(n ast.Node) bool {
		declared, isType := n.(*ast.TypeSpec)
		if !isType {
			return true
		}
		structure, isStruct := declared.Type.(*ast.StructType)
		if !isStruct {
			return true
		}
		for _, field := range structure.Fields.List {
			for _, name := range field.Names {
				comments[declared.Name.Name+"."+name.Name] = field.Doc.Text()
			}
		}
		return true
	})
	return comments
}

// splitComment takes a field's comment apart. A line that does not begin with one of the words goes on with the one before.
func splitComment(comment string, field reflect.StructField) (text string, prose map[string]string) {
	text, rest, _ := strings.Cut(comment, "\n\n")
	text = strings.Join(strings.Fields(text), " ")
	if after, begins := strings.CutPrefix(text, field.Name+" "); begins {
		text = "`" + field.Tag.Get("json") + "` " + after
	}
	prose = map[string]string{}
	last := ""
	for _, line := range strings.Split(strings.TrimSpace(rest), "\n") {
		word, value, begins := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		if begins && (word == "Default" || word == "Allowed" || word == "Example" || word == "Rule") {
			last = word
			prose[word] = value
		} else if last != "" {
			prose[last] = strings.TrimSpace(prose[last] + " " + strings.TrimSpace(line))
		}
	}
	return text, prose
}

// example is the value in a key's example.
func (k documentedKey) example(t *testing.T) any {
	t.Helper()
	var object map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(k.prose["Example"]), &object), k.path)
	name := k.field.Tag.Get("json")
	require.Contains(t, object, name, "the example of %s is of another key", k.path)
	return object[name]
}

func TestEveryKeySaysWhatItIs(t *testing.T) {
	t.Parallel()
	for _, key := range allKeys(t) {
		require.True(t, strings.HasPrefix(key.text, "`"+key.field.Tag.Get("json")+"` "), "the comment of %s begins with its field's name: %q", key.path, key.text)
		require.NotEmpty(t, key.prose["Rule"], "%s: a Rule names the page that sets it", key.path)
		require.NotEmpty(t, key.prose["Example"], key.path)
		_, hasDefault := key.field.Tag.Lookup("default")
		require.False(t, hasDefault && key.prose["Default"] != "", "%s has two defaults", key.path)
	}
}
