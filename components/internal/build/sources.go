package build

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// checkSources refuses what the build stage, and those that it is made from, take from the build context, which does
// not hold it. What the Dockerfile's comment above the instruction says, such as which command makes the file, becomes
// part of the error.
func (c *Context) checkSources(root string, parsed *dockerfile, built int) error {
	var mistakes []error
	for _, index := range parsed.needed(built) {
		for _, instruction := range parsed.stages[index].instructions {
			for _, name := range append(parsed.copiedFiles(instruction), mountedFiles(instruction)...) {
				if mayHold(filepath.Join(root, c.Dir), name) {
					continue
				}
				hint := "create it, or let .dockerignore admit it"
				if len(instruction.PrevComment) > 0 {
					hint = "the Dockerfile says there: " + strings.TrimSpace(strings.Join(instruction.PrevComment, " "))
				}
				verb := "copies"
				if strings.EqualFold(instruction.Value, command.Run) {
					verb = "mounts"
				}
				mistakes = append(mistakes, fmt.Errorf("%s, line %d, %s %s, which the build context %s does not hold: %s",
					parsed.name, instruction.StartLine, verb, name, c.source, hint))
			}
		}
	}
	return errors.Join(mistakes...)
}

// needed are the build stages that a build stage is made from, in their order, as far as their names tell.
func (d *dockerfile) needed(built int) []int {
	found := map[int]bool{}
	var visit func(index int)
	visit = func(index int) {
		if index < 0 || found[index] {
			return
		}
		found[index] = true
		visit(d.stageNamed(d.stages[index].base, index))
		for _, instruction := range d.stages[index].instructions {
			for _, flag := range instruction.Flags {
				if from, ok := strings.CutPrefix(flag, "--from="); ok && strings.EqualFold(instruction.Value, command.Copy) {
					visit(d.stageNamed(from, index))
				}
			}
			for _, mount := range mounts(instruction) {
				visit(d.stageNamed(mount["from"], index))
			}
		}
	}
	visit(built)
	return slices.Sorted(maps.Keys(found))
}

// repositoryOverSSH is a git repository, whoever signs in there: BuildKit's own rule (util/sshutil).
var repositoryOverSSH = regexp.MustCompile(`^[a-zA-Z0-9-_]+@[a-zA-Z0-9-.]+:`)

// copiedFiles are the sources that a COPY or ADD takes from the context by a plain name.
func (d *dockerfile) copiedFiles(instruction *parser.Node) []string {
	isCopy := strings.EqualFold(instruction.Value, command.Copy) || strings.EqualFold(instruction.Value, command.Add)
	if !isCopy || len(instruction.Heredocs) > 0 {
		return nil
	}
	for _, flag := range instruction.Flags {
		name, _, _ := strings.Cut(flag, "=")
		if !slices.Contains([]string{"--chown", "--chmod", "--link"}, name) { // another flag may say what a source is
			return nil
		}
	}
	words := arguments(instruction)
	var plain []string
	for _, word := range words[:max(len(words)-1, 0)] {
		if strings.Contains(word, d.escape) { // it may hide where the word ends
			return nil
		}
		name, _, err := shell.NewLex(rune(d.escape[0])).ProcessWord(word, shell.EnvsFromSlice(nil))
		if err != nil { // a quote that another word closes
			return nil
		}
		if name != "" && !strings.ContainsAny(word, `$*?[<\`) && !strings.Contains(name, "://") &&
			!repositoryOverSSH.MatchString(name) {
			plain = append(plain, name)
		}
	}
	return plain
}

// mounts are the options of each --mount of a RUN.
func mounts(instruction *parser.Node) (all []map[string]string) {
	if !strings.EqualFold(instruction.Value, command.Run) {
		return nil
	}
	for _, flag := range instruction.Flags {
		value, isMount := strings.CutPrefix(flag, "--mount=")
		fields, err := csv.NewReader(strings.NewReader(value)).Read()
		if !isMount || err != nil {
			continue
		}
		options := map[string]string{}
		for _, field := range fields {
			key, value, _ := strings.Cut(field, "=")
			options[strings.ToLower(key)] = value
		}
		all = append(all, options)
	}
	return all
}

// mountedFiles are what a RUN binds of the context by a plain name.
func mountedFiles(instruction *parser.Node) (plain []string) {
	for _, mount := range mounts(instruction) {
		_, isElsewhere := mount["from"]
		isBind := cmp.Or(mount["type"], "bind") == "bind"
		source := cmp.Or(mount["source"], mount["src"])
		if isBind && !isElsewhere && source != "" && !strings.Contains(source, "$") {
			plain = append(plain, source)
		}
	}
	return plain
}

// mayHold tells whether a directory holds the file of that name, or may, as a symlink is on the way.
func mayHold(dir, name string) bool {
	for _, part := range strings.Split(strings.TrimPrefix(path.Clean("/"+filepath.ToSlash(name)), "/"), "/") {
		dir = filepath.Join(dir, part)
		info, err := os.Lstat(dir)
		if err != nil {
			return !errors.Is(err, os.ErrNotExist)
		}
		if info.Mode()&os.ModeSymlink != 0 {
			return true
		}
	}
	return true
}
