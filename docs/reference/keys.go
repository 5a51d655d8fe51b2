// Package reference makes docs/configuration.md and docs/stage.schema.json from the structs of a stage file: from their
// fields' tags (package fields) and comments.
package reference

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/stage/fields"
)

// Key is one key of a stage with all that its struct field says of it.
type Key struct {
	// Path names it in docs/configuration.md: services.<service>.permissions[].actions.
	Path  string
	Field reflect.StructField
	// Text is the field's comment, with the key in place of the field's name.
	Text string
	// Prose are the lines of the comment that begin with Default, Allowed, Example and Rule. A struct's own comment has
	// the Rule of those of its fields that name no other.
	Prose map[string]string
	// Again is the path that has the same field already, where several share one.
	Again string
}

// Keys lists every key of a document, in the order of the structs' fields. sources is the directory of the structs'
// code.
func Keys(document reflect.Type, sources string) ([]Key, error) {
	comments, err := readComments(sources)
	if err != nil {
		return nil, err
	}
	var keys []Key
	shared := map[string]string{} // paths by field
	var collect func(structure reflect.Type, prefix string)
	collect = func(structure reflect.Type, prefix string) {
		for _, field := range fields.Of(structure) {
			key := Key{Path: prefix + field.Tag.Get("json"), Field: field}
			of := declaredIn(structure, field).Name()
			name := of + "." + field.Name
			key.Text, key.Prose = splitComment(comments[name], field)
			if _, shared := splitComment(comments[of], field); key.Prose["Rule"] == "" {
				key.Prose["Rule"] = shared["Rule"]
			}
			if key.Again = shared[name]; key.Again == "" {
				shared[name] = key.Path
			}
			keys = append(keys, key)
			if below, step := inner(field.Type, key.Path); below.Kind() == reflect.Struct {
				collect(below, key.Path+step+".")
			}
		}
	}
	collect(document, "")
	return keys, nil
}

// Example is the value in a key's example.
func (k Key) Example() (any, error) {
	var object map[string]any
	if err := yaml.Unmarshal([]byte(k.Prose["Example"]), &object); err != nil {
		return nil, fmt.Errorf("the example of %s: %w", k.Path, err)
	}
	value, given := object[k.Field.Tag.Get("json")]
	if !given {
		return nil, fmt.Errorf("the example of %s is of another key", k.Path)
	}
	return value, nil
}

// inner is the type of what a key holds, without pointers, maps and lists, and what those add to its path.
func inner(t reflect.Type, path string) (below reflect.Type, step string) {
	switch t.Kind() {
	case reflect.Pointer:
		return inner(t.Elem(), path)
	case reflect.Map:
		last := path[strings.LastIndex(path, ".")+1:]
		if stem, is := strings.CutSuffix(last, "ies"); is {
			return t.Elem(), ".<" + stem + "y>"
		}
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

// readComments are the comments of all structs and their fields in a directory's code, by Type and Type.Field.
func readComments(directory string) (map[string]string, error) {
	names, err := filepath.Glob(filepath.Join(directory, "*.go"))
	if err == nil && len(names) == 0 {
		err = fs.ErrNotExist
	}
	comments := map[string]string{}
	for _, name := range names {
		file, errFile := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if errFile != nil {
			return nil, errFile
		}
		maps.Copy(comments, commentsIn(file))
	}
	return comments, err
}

func commentsIn(file *ast.File) map[string]string {
	comments := map[string]string{}
	for declared := range ast.Preorder(file) {
		of, isType := declared.(*ast.GenDecl)
		if !isType || of.Tok != token.TYPE {
			continue
		}
		for _, spec := range of.Specs {
			name := spec.(*ast.TypeSpec).Name.Name
			comments[name] = of.Doc.Text()
			if structure, isStruct := spec.(*ast.TypeSpec).Type.(*ast.StructType); isStruct {
				for _, field := range structure.Fields.List {
					for _, own := range field.Names {
						comments[name+"."+own.Name] = field.Doc.Text()
					}
				}
			}
		}
	}
	return comments
}

// splitComment takes a field's comment apart. A line that does not begin with one of the words goes on with the one
// before.
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
		if begins && slices.Contains([]string{"Default", "Allowed", "Example", "Rule"}, word) {
			last = word
			prose[word] = value
		} else if last != "" {
			prose[last] = strings.TrimSpace(prose[last] + " " + strings.TrimSpace(line))
		}
	}
	return text, prose
}
