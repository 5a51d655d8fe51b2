package docs

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Command is one command that somebody is told to run.
type Command struct {
	// Where it stands.
	Where string
	// Name is the program, without a directory; Args are its arguments, with X for what only a shell knows.
	Name string
	Args []string
	// Mentioned is set for one that a sentence names, perhaps without its arguments.
	Mentioned bool
}

func (c Command) String() string {
	return fmt.Sprintf("%s: %s %s", c.Where, c.Name, strings.Join(c.Args, " "))
}

// placeholder is what readers are to put something in place of.
var placeholder = regexp.MustCompile(`<[a-z][A-Za-z ]*>`)

// optional is an argument as a usage shows it.
var optional = regexp.MustCompile(`^\[(.*)\]$`)

// parseShell reads the commands of a piece of shell. Where lines begin with a prompt, the others are what is printed.
func parseShell(where, text string) ([]Command, error) {
	if lines := strings.Split(text, "\n"); slices.ContainsFunc(lines, isPrompt) {
		lines = slices.DeleteFunc(lines, func(line string) bool { return !isPrompt(line) })
		text = strings.ReplaceAll("\n"+strings.Join(lines, "\n"), "\n$ ", "\n")
	}
	parsed, err := syntax.NewParser().Parse(strings.NewReader(placeholder.ReplaceAllString(text, "X")), where)
	if err != nil {
		return nil, err
	}
	var found []Command
	syntax.Walk(parsed, func(n syntax.Node) bool {
		if call, is := n.(*syntax.CallExpr); is && len(call.Args) > 0 {
			words := make([]string, len(call.Args))
			for i, word := range call.Args {
				words[i] = optional.ReplaceAllString(wordText(word.Parts), "$1")
			}
			found = append(found, unwrap(where, words)...)
		}
		return true
	})
	return found, nil
}

func isPrompt(line string) bool { return strings.HasPrefix(line, "$ ") }

// unwrap also gives the command that `sandbox exec --` runs.
func unwrap(where string, words []string) []Command {
	command := Command{Where: where, Name: filepath.Base(words[0]), Args: words[1:]}
	dash := slices.Index(command.Args, "--")
	if command.Name != "sandbox" || !slices.Contains(command.Args, "exec") || dash < 0 || dash == len(command.Args)-1 {
		return []Command{command}
	}
	return append([]Command{command}, unwrap(where, command.Args[dash+1:])...)
}

func wordText(parts []syntax.WordPart) string {
	text := ""
	for _, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			text += part.Value
		case *syntax.SglQuoted:
			text += part.Value
		case *syntax.DblQuoted:
			text += wordText(part.Parts)
		default:
			text += "X"
		}
	}
	return text
}
