package scaffold

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/exit"
)

// addWorkflows plans the workflows of docs/ci/github, for where the program and the copy of slipway are.
func (p *Plan) addWorkflows() error {
	if !slices.Equal(stageNames(p.options.Stages), []string{"dev", "release"}) {
		return exit.Refuse("--workflows: those of docs/ci/github are for the stages dev and release: leave it out, copy that " +
			"directory to .github and edit the names")
	}
	if !within(p.slipway, p.repository) {
		return exit.Refuse("--workflows: the copy of slipway, %s, is not in the repository, so no job has it: leave it out, or "+
			"add the copy first (git subtree, or a submodule)", p.slipway)
	}
	source := filepath.Join(p.slipway, "docs/ci/github")
	return filepath.WalkDir(source, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(source, name)
		if err == nil {
			p.addAt(filepath.Join(p.repository, ".github", relative), p.adapted(string(text)))
		}
		return err
	})
}

// adapted is a workflow, or the action, for where things are.
func (p *Plan) adapted(text string) string {
	program, slipway := p.fromRepository(p.Directory), p.fromRepository(p.slipway)
	file := func(name string) string { return strings.TrimPrefix(program+"/"+name, "./") }
	var contexts []string
	for _, context := range p.contexts() {
		contexts = append(contexts, strings.TrimPrefix(p.fromRepository(context)+"/**", "./"))
	}
	sources := strings.Join(append(contexts, slipway+"/**"), ", ")
	edits := []string{
		"app/**, components/**, internal/**, stage/**, main.go, go.*", sources + ", " + file("main.go") + ", " + file("go.*"),
		"Pulumi.yaml, ", file("Pulumi.yaml") + ", ",
		"Pulumi.dev.yaml]", file("Pulumi.dev.yaml") + "]",
		"Pulumi*.yaml]", file("Pulumi*.yaml") + "]",
		"[Pulumi.release.yaml]", "[" + file("Pulumi.release.yaml") + "]",
		"go-version-file: go.mod", "go-version-file: " + file("go.mod"),
		"Build the sample app's binary, the commands and the program", "Build the commands and the program",
		"make app .bin/slipway\n", "make -C " + slipway + " .bin/slipway\n",
		`echo "$PWD/.bin"`, fmt.Sprintf(`echo "$GITHUB_WORKSPACE/%s/.bin"`, slipway),
	}
	if program != "." {
		edits = append(edits, "go build -o .bin/program .", "cd "+program+" && go build -o .bin/program .",
			"\njobs:\n", "\ndefaults: {run: {working-directory: "+program+"}}\njobs:\n")
	}
	if p.isSubmodule(slipway) {
		edits = append(edits, "      - uses: actions/checkout@v4\n        with: {",
			"      - uses: actions/checkout@v4\n        with: {submodules: true, ",
			"      - uses: actions/checkout@v4\n", "      - uses: actions/checkout@v4\n        with: {submodules: true}\n")
	}
	return strings.NewReplacer(edits...).Replace(text)
}

func (p *Plan) fromRepository(path string) string {
	relative, err := filepath.Rel(p.repository, path)
	if err != nil {
		return path
	}
	return filepath.ToSlash(relative)
}

func (p *Plan) isSubmodule(slipway string) bool {
	text, err := os.ReadFile(filepath.Join(p.repository, ".gitmodules"))
	return err == nil && strings.Contains(string(text), "path = "+slipway+"\n")
}
