package scaffold

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// addProgram plans the Go code: slipway's own main.go, in a module that requires what slipway's does. So the program
// compiles with what is in Go's cache once slipway was built.
func (p *Plan) addProgram() error {
	main, err := p.ofSlipway("main.go")
	if err != nil {
		return err
	}
	sums, err := p.ofSlipway("go.sum")
	if err != nil {
		return err
	}
	module, err := p.module(main)
	if err != nil {
		return err
	}
	p.add("main.go", string(main))
	p.add("go.mod", module)
	p.add("go.sum", string(sums))
	return nil
}

func (p *Plan) module(main []byte) (string, error) {
	text, err := p.ofSlipway("go.mod")
	if err != nil {
		return "", err
	}
	its, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return "", err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), "main.go", main, parser.ImportsOnly)
	if err != nil {
		return "", err
	}
	own := &modfile.File{}
	if err := own.AddModuleStmt(p.options.Project + "/deploy"); err != nil {
		return "", err
	}
	if err := own.AddGoStmt(its.Go.Version); err != nil {
		return "", err
	}
	requires := []*modfile.Require{{Mod: module.Version{Path: slipwayModule, Version: "v0.0.0"}}}
	for _, required := range its.Require {
		imported := slices.ContainsFunc(parsed.Imports, func(spec *ast.ImportSpec) bool {
			path, _ := strconv.Unquote(spec.Path.Value)
			return path == required.Mod.Path || strings.HasPrefix(path, required.Mod.Path+"/")
		})
		requires = append(requires, &modfile.Require{Mod: required.Mod, Indirect: !imported})
	}
	own.SetRequireSeparateIndirect(requires)
	if err := own.AddReplace(slipwayModule, "", p.toSlipway(""), ""); err != nil {
		return "", err
	}
	formatted, err := own.Format()
	return string(formatted), err
}
