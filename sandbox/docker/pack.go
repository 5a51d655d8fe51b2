package docker

import (
	"archive/tar"
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// defaultPath is the PATH that Docker gives an image FROM scratch.
const defaultPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// packer makes an image of a Dockerfile stage that starts FROM scratch and only copies files and sets properties.
type packer struct {
	*build
	files   []file            // of the context
	scratch string            // a directory for the layers
	args    map[string]string // that the stage has declared, with their values
	global  map[string]string // that stand before the first FROM
	lex     *shell.Lex
	created v1.Time
	image   v1.Image
	config  v1.Config
	history []v1.History
	dirs    map[string]bool // that the image has, as absolute paths
}

// pack makes the image without a Docker engine, or says which instruction needs one. The image reads its layers from
// the directory scratch.
func pack(ctx context.Context, b *build, scratch string) (v1.Image, error) {
	dockerfile, err := os.Open(b.dockerfile)
	if err != nil {
		return nil, err
	}
	defer dockerfile.Close()
	parsed, err := parser.Parse(dockerfile)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.dockerfileInput, err)
	}
	stages, global, err := instructions.Parse(parsed.AST, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.dockerfileInput, err)
	}
	stage, err := b.stageOf(stages)
	if err != nil {
		return nil, err
	}
	p := &packer{build: b, scratch: scratch, args: map[string]string{}, global: map[string]string{},
		lex: shell.NewLex(parsed.EscapeToken), created: v1.Time{Time: time.Now().UTC()}, image: empty.Image,
		config: v1.Config{Env: []string{defaultPath}, Labels: map[string]string{}, ExposedPorts: map[string]struct{}{}},
		dirs:   map[string]bool{"/": true}}
	if p.files, err = contextFiles(ctx, b.context, b.dockerfile); err != nil {
		return nil, err
	}
	for _, command := range global {
		p.declare(command.Args, p.global)
	}
	for _, command := range stage.Commands {
		if err := p.run(command); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", b.dockerfileInput, command.Location()[0].Start.Line, err)
		}
	}
	return p.finish()
}

// stageOf is the stage to build: the target, by name or number, or else the last one.
func (b *build) stageOf(stages []instructions.Stage) (*instructions.Stage, error) {
	if len(stages) == 0 {
		return nil, fmt.Errorf("%s: there is no FROM", b.dockerfileInput)
	}
	index := len(stages) - 1
	if b.target != "" {
		found := false
		if index, found = instructions.HasStage(stages, b.target); !found {
			number, err := strconv.Atoi(b.target)
			if err != nil || number < 0 || number >= len(stages) {
				return nil, fmt.Errorf("%s: target stage %q could not be found", b.dockerfileInput, b.target)
			}
			index = number
		}
	}
	stage := &stages[index]
	if stage.BaseName != "scratch" {
		return nil, fmt.Errorf("%s, line %d: %w", b.dockerfileInput, stage.Location[0].Start.Line,
			needsEngine(stage.SourceCode))
	}
	return stage, nil
}

func needsEngine(instruction string) error {
	if isOff() {
		return fmt.Errorf("%s needs a Docker engine, which is switched off: unset %s, and start Docker", instruction,
			engineVariable)
	}
	return fmt.Errorf("%s needs a Docker engine, and none answers: start Docker, and see that `docker info` reaches it",
		instruction)
}

// run does one instruction.
func (p *packer) run(command instructions.Command) error {
	if expandable, ok := command.(instructions.SupportsSingleWordExpansion); ok {
		if err := expandable.Expand(p.expand); err != nil {
			return err
		}
	}
	text := fmt.Sprint(command)
	p.history = append(p.history, v1.History{Created: p.created, CreatedBy: text, EmptyLayer: true})
	switch c := command.(type) {
	case *instructions.ArgCommand:
		p.declare(c.Args, p.args)
	case *instructions.EnvCommand:
		for _, variable := range c.Env {
			p.config.Env = slices.DeleteFunc(p.config.Env,
				func(old string) bool { return strings.HasPrefix(old, variable.Key+"=") })
			p.config.Env = append(p.config.Env, variable.Key+"="+variable.Value)
		}
	case *instructions.LabelCommand:
		for _, label := range c.Labels {
			p.config.Labels[label.Key] = label.Value
		}
	case *instructions.ExposeCommand:
		return p.expose(c.Ports, text)
	case *instructions.UserCommand:
		p.config.User = c.User
	case *instructions.EntrypointCommand:
		p.config.Entrypoint = commandLine(c.ShellDependantCmdLine)
	case *instructions.CmdCommand:
		p.config.Cmd = commandLine(c.ShellDependantCmdLine)
	case *instructions.WorkdirCommand:
		p.config.WorkingDir = p.absolute(c.Path)
		return p.layer(func(archive *tar.Writer) error { return p.makeDir(archive, p.config.WorkingDir) })
	case *instructions.CopyCommand:
		if c.From != "" || c.Chown != "" || c.Chmod != "" || c.Link || c.Parents ||
			len(c.ExcludePatterns)+len(c.SourceContents) > 0 {
			return needsEngine(text)
		}
		return p.layer(func(archive *tar.Writer) error { return p.copy(archive, c.SourcesAndDest) })
	default:
		return needsEngine(text)
	}
	return nil
}

// expand replaces variables: build arguments, and the environment before them.
func (p *packer) expand(word string) (string, error) {
	var variables []string
	for _, key := range slices.Sorted(maps.Keys(p.args)) {
		variables = append(variables, key+"="+p.args[key])
	}
	expanded, _, err := p.lex.ProcessWord(word, shell.EnvsFromSlice(append(variables, p.config.Env...)))
	return expanded, err
}

// declare gives arguments their values: the build's, else their own default, else that from before the first FROM.
func (p *packer) declare(args []instructions.KeyValuePairOptional, into map[string]string) {
	for _, arg := range args {
		if value, isGiven := p.build.args[arg.Key]; isGiven {
			into[arg.Key] = value
		} else if arg.Value != nil {
			into[arg.Key] = *arg.Value
		} else if value, isGlobal := p.global[arg.Key]; isGlobal {
			into[arg.Key] = value
		}
	}
}

var portForm = regexp.MustCompile(`^[0-9]+(/[a-z]+)?$`)

func (p *packer) expose(ports []string, instruction string) error {
	for _, port := range ports {
		port, err := p.expand(port)
		if err != nil {
			return err
		}
		if !portForm.MatchString(port) {
			return needsEngine(instruction)
		}
		if !strings.Contains(port, "/") {
			port += "/tcp"
		}
		p.config.ExposedPorts[port] = struct{}{}
	}
	return nil
}

func commandLine(c instructions.ShellDependantCmdLine) []string {
	if c.PrependShell {
		return []string{"/bin/sh", "-c", strings.Join(c.CmdLine, " ")}
	}
	return c.CmdLine
}

func (p *packer) absolute(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join("/", p.config.WorkingDir, name)
}

// finish gives the image its properties.
func (p *packer) finish() (v1.Image, error) {
	platform, err := v1.ParsePlatform(p.platform)
	if err != nil {
		return nil, fmt.Errorf("build.platform: %w", err)
	}
	config, err := p.image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.Created, config.Config, config.History = p.created, p.config, p.history
	config.OS, config.Architecture, config.Variant = platform.OS, platform.Architecture, platform.Variant
	return mutate.ConfigFile(p.image, config)
}
