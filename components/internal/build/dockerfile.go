package build

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"slipway/stage"
)

// dockerfile is a parsed Dockerfile. It is read with the builder's parser, and without its checks of single
// instructions: an engine may be newer than they are, and take what they refuse.
type dockerfile struct {
	name   string // where it lies
	stages []buildStage
	escape string
}

// buildStage is what stands from one FROM to the next.
type buildStage struct {
	name, base   string // name is lower case, "" without one
	instructions []*parser.Node
}

// buildError is a mistake in what a key below images.NAME.build names.
type buildError struct {
	key string
	error
}

// checkDockerfile refuses what the builder would only refuse after everything else was set up: a file that is no
// Dockerfile, an unknown instruction, a target that is not there, a file that the build context does not hold. Whatever
// the builder may take passes: where another frontend reads the file, or where a source is not known.
func (c *Context) checkDockerfile(root string, build stage.Build) error {
	content, err := os.ReadFile(c.dockerfile)
	if err != nil {
		return buildError{"dockerfile", err}
	}
	syntax, _, _, hasSyntax := parser.DetectSyntax(content)
	if build.Args["BUILDKIT_SYNTAX"] != "" || hasSyntax && !strings.Contains("/"+syntax, "/docker/dockerfile") {
		return nil
	}
	parsed, err := parseDockerfile(c.dockerfile, content)
	switch {
	case err != nil && hasSyntax: // a newer grammar, perhaps
		return nil
	case err != nil:
		return buildError{"dockerfile", err}
	case parsed == nil:
		return nil
	}
	built, err := parsed.target(build.Target)
	if err != nil {
		return buildError{"target", err}
	}
	return c.checkSources(root, parsed, built)
}

// parseDockerfile finds the build stages; nil where they are not known. Its error has all the instructions that are
// none.
func parseDockerfile(name string, content []byte) (parsed *dockerfile, err error) {
	defer func() {
		if recover() != nil { // what the parser cannot take, the builder refuses in its own words
			parsed, err = nil, nil
		}
	}()
	read, err := parser.Parse(bytes.NewReader(content))
	if err != nil {
		var at *parser.ErrorLocation
		if errors.As(err, &at) && len(at.Locations) > 0 && len(at.Locations[0]) > 0 {
			return nil, fmt.Errorf("%s, line %d: %w", name, max(at.Locations[0][0].Start.Line, 1), err)
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	parsed = &dockerfile{name: name, escape: string(read.EscapeToken)}
	var mistakes []error
	known := "; the instructions are " + instructionNames()
	for _, instruction := range read.AST.Children {
		err := parsed.add(instruction)
		if errors.As(err, new(noInstruction)) { // the first one lists them
			err, known = fmt.Errorf("%w%s", err, known), ""
		}
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s, line %d: %w", name, instruction.StartLine, err))
		}
	}
	if len(mistakes) > 0 && bytes.IndexByte(content, 0) >= 0 {
		return nil, fmt.Errorf("%s is no Dockerfile, as it is not text; name the Dockerfile", name)
	}
	if len(mistakes) == 0 && len(parsed.stages) == 0 {
		return nil, fmt.Errorf("%s has no FROM, with which each build stage begins; add FROM <image>, or FROM scratch", name)
	}
	return parsed, errors.Join(mistakes...)
}

// noInstruction is what stands where an instruction should.
type noInstruction string

func (n noInstruction) Error() string { return fmt.Sprintf("there is no instruction %.40q", string(n)) }

func (d *dockerfile) add(instruction *parser.Node) error {
	kind := strings.ToLower(instruction.Value)
	words := arguments(instruction)
	switch _, known := command.Commands[kind]; {
	case !known:
		return noInstruction(instruction.Value)
	case kind == command.From:
		next := buildStage{}
		if len(words) == 3 && strings.EqualFold(words[1], "AS") {
			next.name = strings.ToLower(words[2])
		} else if len(words) != 1 {
			return errors.New("FROM takes an image, or an image, AS and a name")
		}
		next.base = words[0]
		d.stages = append(d.stages, next)
	case len(d.stages) > 0:
		last := &d.stages[len(d.stages)-1]
		last.instructions = append(last.instructions, instruction)
	case kind != command.Arg:
		return fmt.Errorf("%s stands before the first FROM, where only ARG may", strings.ToUpper(instruction.Value))
	}
	return nil
}

func instructionNames() string {
	return strings.ToUpper(strings.Join(slices.Sorted(maps.Keys(command.Commands)), ", "))
}

// target is the index of the build stage that is built.
func (d *dockerfile) target(name string) (int, error) {
	if name == "" {
		return len(d.stages) - 1, nil
	}
	if index := d.stageNamed(name, len(d.stages)); index >= 0 {
		return index, nil
	}
	var names []string
	for _, each := range d.stages {
		if each.name != "" {
			names = append(names, each.name)
		}
	}
	if len(names) == 0 {
		return 0, fmt.Errorf("%s names no build stage; remove target to build the last one, or name one there: FROM … AS %s",
			d.name, name)
	}
	return 0, fmt.Errorf("%s has no build stage %q; write one of %s, or remove target to build the last one",
		d.name, name, strings.Join(names, ", "))
}

// stageNamed is the index of the build stage of that name or number among the first ones, or -1.
func (d *dockerfile) stageNamed(name string, first int) int {
	for i := first - 1; i >= 0; i-- {
		if d.stages[i].name != "" && strings.EqualFold(d.stages[i].name, name) {
			return i
		}
	}
	if number, err := strconv.Atoi(name); err == nil && number >= 0 && number < first {
		return number
	}
	return -1
}

func arguments(instruction *parser.Node) []string {
	var words []string
	for word := instruction.Next; word != nil; word = word.Next {
		words = append(words, word.Value)
	}
	return words
}
