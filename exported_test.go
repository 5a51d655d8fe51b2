package main

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a team's program may use is deliberate: each exported name says what it is, and shows how it is used.
func TestEveryExportedNameHasADocumentationWithAnExample(t *testing.T) {
	t.Parallel()
	for _, directory := range []string{"components", "stage"} {
		names := exportedNames(t, directory)
		require.Greater(t, len(names), 10, directory)
		for name, documented := range names {
			if documented.text == "" {
				t.Errorf("%s.%s is exported and has no comment: write one, or move it below internal/", directory, name)
			} else if !documented.hasExample {
				t.Errorf("%s.%s is exported and has no example: write a line `Example: …` in its comment (for a struct: of each "+
					"field's), or a function Example%s; or move it below internal/", directory, name,
					strings.ReplaceAll(name, ".", "_"))
			}
		}
	}
}

// documentation is what stands at an exported name.
type documentation struct {
	text       string
	hasExample bool
}

// exportedNames are those of a package, methods as TYPE.METHOD.
func exportedNames(t *testing.T, directory string) map[string]documentation {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(directory, "*.go"))
	require.NoError(t, err)
	fset, files := token.NewFileSet(), []*ast.File{}
	for _, path := range paths {
		file, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		require.NoError(t, err)
		files = append(files, file)
	}
	of, err := doc.NewFromFiles(fset, files, "slipway/"+directory)
	require.NoError(t, err)

	names := map[string]documentation{}
	add := func(name, text string, examples []*doc.Example) {
		names[name] = documentation{text, len(examples) > 0 || strings.Contains(text, "Example: ")}
	}
	functions, values := of.Funcs, append(of.Consts, of.Vars...)
	for _, one := range of.Types {
		functions = append(functions, one.Funcs...)
		values = append(append(values, one.Consts...), one.Vars...)
		add(one.Name, one.Doc, one.Examples)
		if fieldsHaveExamples(one) {
			names[one.Name] = documentation{one.Doc, true}
		}
		for _, method := range one.Methods {
			add(one.Name+"."+method.Name, method.Doc, method.Examples)
		}
	}
	for _, one := range functions {
		add(one.Name, one.Doc, one.Examples)
	}
	for _, one := range values {
		for _, name := range one.Names {
			add(name, one.Doc, nil)
		}
	}
	return names
}

// fieldsHaveExamples tells a struct each of whose exported fields has an example; those of embedded ones are elsewhere.
func fieldsHaveExamples(of *doc.Type) bool {
	structure, is := of.Decl.Specs[0].(*ast.TypeSpec).Type.(*ast.StructType)
	if !is {
		return false
	}
	found := false
	for _, field := range structure.Fields.List {
		for _, name := range field.Names {
			if name.IsExported() && !strings.Contains(field.Doc.Text(), "Example: ") {
				return false
			}
			found = found || name.IsExported()
		}
	}
	return found
}
