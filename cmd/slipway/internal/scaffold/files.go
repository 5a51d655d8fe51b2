package scaffold

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/scaffold/draft"
)

// File is one of the program's.
type File struct {
	// Name is its path from the directory that was searched.
	Name string `json:"name"`
	// Kept says that there is one already, which stays as it is.
	Kept bool `json:"kept,omitempty"`
	// Missing are lines that the kept one lacks, where it is made of lines that stand for themselves.
	Missing []string `json:"missing,omitempty"`

	path, content string
	// same says that the kept one says the same.
	same bool
}

// isMissing tells whether something is missing that the program needs. A file that says the same is not missed.
func (f *File) isMissing() bool { return f.Kept && !f.same }

// add plans a file in the directory of the program.
func (p *Plan) add(name, content string) { p.addAt(filepath.Join(p.Directory, name), content) }

func (p *Plan) addAt(path, content string) {
	file := &File{Name: p.draft.FromRoot(path), path: path, content: content}
	if existing, err := os.ReadFile(path); err == nil {
		file.Kept, file.same = true, string(existing) == content
	}
	p.Files = append(p.Files, file)
}

// addLines plans a file of lines that stand for themselves: where it is there, it may have them.
func (p *Plan) addLines(path, comment string, lines []string) {
	p.addAt(path, comment+"\n"+strings.Join(lines, "\n")+"\n")
	file := p.Files[len(p.Files)-1]
	if !file.Kept {
		return
	}
	existing, _ := os.ReadFile(path)
	has := strings.Split(string(existing), "\n")
	for _, line := range lines {
		if !slices.ContainsFunc(has, func(other string) bool {
			return strings.Trim(strings.TrimSpace(other), "/") == strings.Trim(line, "/")
		}) {
			file.Missing = append(file.Missing, line)
		}
	}
	file.same = len(file.Missing) == 0
}

// render plans all files.
func (p *Plan) render() error {
	if err := p.addProgram(); err != nil {
		return err
	}
	if err := p.addStageFiles(); err != nil {
		return err
	}
	p.addLines(filepath.Join(p.Directory, ".gitignore"), "# What slipway and its sandbox make",
		[]string{"/.bin/", "/.sandbox/", "/.slipway/"})
	for _, context := range p.contexts() {
		if lines := p.ignored(context); len(lines) > 0 {
			p.addLines(filepath.Join(context, ".dockerignore"),
				"# What changes a stage, and no image", lines)
		}
	}
	if p.options.Workflows {
		return p.addWorkflows()
	}
	return nil
}

// contexts are the directories that images are built from, each once.
func (p *Plan) contexts() (found []string) {
	for _, name := range p.draft.Builds.Sorted() {
		build := p.draft.Builds[name].(draft.Keys).Object("build")
		context, _ := build["context"].(string)
		if context = filepath.Join(p.Directory, context); !slices.Contains(found, context) {
			found = append(found, context)
		}
	}
	return found
}

// ignored are the lines by which a build context leaves out the program and the copy of slipway, where it holds them.
func (p *Plan) ignored(context string) (lines []string) {
	if p.slipway != context && within(p.slipway, context) {
		relative, _ := filepath.Rel(context, p.slipway)
		lines = append(lines, "/"+filepath.ToSlash(relative))
	}
	switch relative, _ := filepath.Rel(context, p.Directory); {
	case relative == ".":
		lines = append(lines, "/Pulumi.*", "/main.go", "/go.mod", "/go.sum")
	case within(p.Directory, context):
		lines = append(lines, "/"+filepath.ToSlash(relative))
	}
	if p.options.Workflows && len(lines) > 0 && context == p.repository {
		lines = append(lines, "/.github")
	}
	return lines
}

// Write writes what is not there. Its error says that something is missing.
func (p *Plan) Write() error {
	for _, file := range p.Files {
		if file.Kept {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(file.path), 0o755); err != nil {
			return err
		}
		created, err := os.OpenFile(file.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) {
			file.Kept = true // somebody has made it meanwhile
			continue
		}
		if err != nil {
			return err
		}
		_, err = created.WriteString(file.content)
		if err := errors.Join(err, created.Close()); err != nil {
			return fmt.Errorf("writing %s: %w", file.Name, err)
		}
	}
	var lacking []string
	for _, file := range p.Files {
		if file.isMissing() {
			lacking = append(lacking, file.Name)
		}
	}
	if len(lacking) > 0 {
		return exit.Refuse("not all was written: kept as it was: %s", strings.Join(lacking, ", "))
	}
	return nil
}

// content is what a file in the directory of the program is to say.
func (p *Plan) content(name string) string {
	for _, file := range p.Files {
		if file.path == filepath.Join(p.Directory, name) {
			return file.content
		}
	}
	return ""
}
