// Package scaffold works out a program of a team's own, which has slipway as a library: its files, by what the team's
// repository has.
package scaffold

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/scaffold/compose"
	"slipway/cmd/slipway/internal/scaffold/copilot"
	"slipway/cmd/slipway/internal/scaffold/dockerfile"
	"slipway/cmd/slipway/internal/scaffold/draft"
	"slipway/internal/pulumiconfig"
)

// Options are what people say of the program.
type Options struct {
	// Directory is searched, and gets the program.
	Directory string
	// Slipway is the directory of the copy of slipway; empty to have it found.
	Slipway string
	// Project is the name of Pulumi's project.
	Project string
	// Region is that of the stages that name none.
	Region string
	// Stages in the order in which images pass through them: the first builds.
	Stages []Stage
	// StagesGiven says that people have chosen them.
	StagesGiven bool
	// Workflows are wanted, too.
	Workflows bool
	// Lookup is what variables in a compose file stand for, in the environment of the command.
	Lookup func(name string) (string, bool)
}

// Plan is what is to be written, and what became of what was found.
type Plan struct {
	// Directory is that of the program.
	Directory string       `json:"directory"`
	Files     []*File      `json:"files"`
	Lines     []draft.Line `json:"lines"`
	// Next are the commands that come next.
	Next []string `json:"next"`

	options Options
	draft   *draft.Draft
	// slipway is the absolute path of the copy; repository that of the git repository, or of the directory without one.
	slipway, repository string
}

// Make works out a plan, and writes nothing. Its error has all mistakes.
func Make(ctx context.Context, options Options) (*Plan, error) {
	root, err := filepath.Abs(options.Directory)
	if err != nil {
		return nil, err
	}
	if root, err = filepath.EvalSymlinks(root); err != nil {
		return nil, err
	}
	for i := range options.Stages {
		options.Stages[i].Region = cmp.Or(options.Stages[i].Region, options.Region)
	}
	p := &Plan{options: options, Directory: root, repository: repositoryOf(root)}
	if p.slipway, err = findSlipway(options.Slipway, root); err != nil {
		return nil, err
	}
	if within(root, p.slipway) {
		return nil, exit.Refuse("%s is in the copy of slipway: name the directory of your own repository, as in "+
			"`slipway init ..`", root)
	}
	if p.Directory, err = programIn(root); err != nil {
		return nil, err
	}
	p.draft = draft.New(root, p.Directory, stageNames(options.Stages))
	if p.Directory != root {
		p.draft.Take(p.draft.FromRoot(root), "Go code of its own", "the program goes to %s", p.draft.FromRoot(p.Directory))
	}
	p.sayWorkspace()
	if err := p.read(ctx); err != nil {
		return nil, err
	}
	if err := p.render(); err != nil {
		return nil, err
	}
	p.Lines, p.Next = p.draft.Lines, p.next()
	return p, p.mistakes()
}

// sayWorkspace says of a workspace of Go's that it does not have the program: nothing compiles then.
func (p *Plan) sayWorkspace() {
	for dir := p.Directory; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.work")); err == nil {
			p.draft.Note(p.draft.FromRoot(filepath.Join(dir, "go.work")), "use", "the program compiles once it is in the "+
				"workspace, and the copy of slipway, too: run `go work use` with their directories, or set GOWORK=off")
		}
		if dir == p.repository || dir == filepath.Dir(dir) {
			return
		}
	}
}

// programIn is where the program of a directory goes: into the directory itself, or into deploy below it where that has
// Go code already, which is not the program.
func programIn(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if errors.Is(err, fs.ErrNotExist) {
		if code, err := filepath.Glob(filepath.Join(root, "*.go")); err != nil || len(code) > 0 {
			return filepath.Join(root, "deploy"), err
		}
		return root, nil
	}
	if err != nil {
		return "", err
	}
	module, err := modfile.ParseLax("go.mod", text, nil)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(module.Require, func(r *modfile.Require) bool { return r.Mod.Path == slipwayModule }) {
		return root, nil
	}
	return filepath.Join(root, "deploy"), nil
}

// read has what was found drafted: by the first of the sources that there is.
func (p *Plan) read(ctx context.Context) error {
	root := p.draft.Root
	dockerfiles, err := dockerfile.Find(root, p.slipway)
	if err != nil {
		return err
	}
	manifests, err := copilot.Find(root)
	if err != nil {
		return err
	}
	switch file := compose.Find(root); {
	case len(manifests) > 0:
		copilot.Read(p.draft, manifests, p.options.Stages, p.options.StagesGiven)
		if file != "" {
			p.draft.Leave(p.draft.FromRoot(file), "compose file", "it is not read, as copilot says what runs on AWS")
		}
		p.sayUnused(dockerfiles)
	case file != "":
		compose.Read(ctx, p.draft, file, p.options.Lookup)
		p.sayUnused(dockerfiles)
	case len(dockerfiles) > 0:
		dockerfile.Read(p.draft, dockerfiles)
	default:
		return exit.Refuse("%s has no Dockerfile, no compose file and no manifests of Copilot: write a Dockerfile first, in it or "+
			"up to three directories below", root)
	}
	return nil
}

// sayUnused says of Dockerfiles that nothing builds them.
func (p *Plan) sayUnused(dockerfiles []string) {
	for _, name := range dockerfiles {
		used := false
		for _, image := range p.draft.Builds {
			build := image.(draft.Keys).Object("build")
			file, given := build["dockerfile"].(string)
			if !given {
				file = filepath.Join(build["context"].(string), "Dockerfile")
			}
			used = used || filepath.Join(p.Directory, file) == name
		}
		if !used {
			p.draft.Leave(p.draft.FromRoot(name), "Dockerfile", "nothing builds it: for an image of its own write "+
				"images.<image>.build in %s", pulumiconfig.FileName(p.options.Stages[0].Name))
		}
	}
}

// mistakes are all that have to be corrected; nil where there is none.
func (p *Plan) mistakes() error {
	all := p.draft.Mistakes
	if len(all) == 0 { // what is left out would be a mistake once more
		all = p.check()
	}
	if len(all) == 0 {
		return nil
	}
	return exit.Refuse("nothing is written:\n%w", errors.Join(all...))
}

// next are the commands that bring the first stage up.
func (p *Plan) next() (commands []string) {
	first := p.options.Stages[0].Name
	if p.Directory != p.draft.Root {
		commands = append(commands, "cd "+p.draft.FromRoot(p.Directory))
	}
	for i, stage := range p.options.Stages {
		if i == 0 || len(p.draft.Secrets) > 0 || p.unpinned() {
			commands = append(commands, "pulumi stack init "+stage.Name)
		}
	}
	for _, stage := range p.options.Stages {
		for _, secret := range p.draft.Secrets[stage.Name] {
			commands = append(commands, fmt.Sprintf("pulumi config set --stack %s --secret --path 'slipway:secrets.%s'",
				stage.Name, secret))
		}
	}
	if p.unpinned() {
		commands = append(commands, "slipway pin "+first)
	}
	return append(commands, "pulumi up --stack "+first)
}

// within tells whether a path is a directory, or below it.
func within(path, directory string) bool {
	relative, err := filepath.Rel(directory, path)
	return err == nil && relative != ".." && !strings.HasPrefix(relative, ".."+string(filepath.Separator))
}

// repositoryOf is the git repository that holds a directory, or the directory itself.
func repositoryOf(directory string) string {
	for dir := directory; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			return dir
		}
	}
	return directory
}

// HasSecrets tells whether secrets are still to get their values.
func (p *Plan) HasSecrets() bool { return len(p.draft.Secrets) > 0 }
