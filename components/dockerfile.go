package components

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// checkSources refuses a Dockerfile that copies a file which the build context does not hold, before anything is
// built or changed: the builder would only say so after everything else was set up. What the Dockerfile's comment
// above the instruction says, such as which command makes the file, becomes part of the error. Only the stage that is
// built is looked at, and only names without wildcards and variables.
func (c *buildContext) checkSources(root, target string) error {
	file, err := os.Open(c.dockerfile)
	if err != nil {
		return err
	}
	defer file.Close()
	parsed, err := parser.Parse(file)
	if err != nil {
		return fmt.Errorf("%s: %w", c.dockerfile, err)
	}
	for _, instruction := range stageInstructions(parsed.AST.Children, target) {
		for _, name := range copiedFiles(instruction) {
			_, err := os.Stat(filepath.Join(root, c.Dir, filepath.FromSlash(path.Clean("/"+name))))
			if err == nil {
				continue
			}
			hint := "create it, or let .dockerignore admit it"
			if len(instruction.PrevComment) > 0 {
				hint = "the Dockerfile says there: " + strings.TrimSpace(strings.Join(instruction.PrevComment, " "))
			}
			return fmt.Errorf("%s, line %d, copies %s, which the build context %s does not hold: %s",
				c.dockerfile, instruction.StartLine, name, c.source, hint)
		}
	}
	return nil
}

// stageInstructions returns the instructions of the named stage of a Dockerfile, or of its last one.
func stageInstructions(instructions []*parser.Node, target string) []*parser.Node {
	var stage []*parser.Node
	for _, instruction := range instructions {
		if strings.EqualFold(instruction.Value, "FROM") {
			if stage != nil && target != "" && strings.EqualFold(stageName(stage[0]), target) {
				return stage
			}
			stage = nil
		}
		stage = append(stage, instruction)
	}
	return stage
}

// stageName is the name after AS in a FROM instruction.
func stageName(from *parser.Node) string {
	words := arguments(from)
	if len(words) == 3 && strings.EqualFold(words[1], "AS") {
		return words[2]
	}
	return ""
}

// copiedFiles are the sources that a COPY or ADD takes from the context by a plain name.
func copiedFiles(instruction *parser.Node) []string {
	isCopy := strings.EqualFold(instruction.Value, "COPY") || strings.EqualFold(instruction.Value, "ADD")
	if !isCopy || len(instruction.Heredocs) > 0 {
		return nil
	}
	for _, flag := range instruction.Flags {
		if strings.HasPrefix(flag, "--from=") {
			return nil
		}
	}
	words := arguments(instruction)
	var plain []string
	for _, name := range words[:max(len(words)-1, 0)] {
		if !strings.ContainsAny(name, "$*?[") && !strings.Contains(name, "://") && !strings.HasPrefix(name, "git@") {
			plain = append(plain, name)
		}
	}
	return plain
}

func arguments(instruction *parser.Node) []string {
	var words []string
	for word := instruction.Next; word != nil; word = word.Next {
		words = append(words, word.Value)
	}
	return words
}
