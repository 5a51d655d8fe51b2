// Package docs finds in the project's documentation, in its workflows and in its messages what can be tried: YAML and
// commands. Tests use it, in each module those that can try them.
package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Block is a piece of code in a Markdown file: a fenced or indented block, or a part of one between empty lines.
type Block struct {
	// Where is its file and line.
	Where string
	Text  string
	// Language is what its fence says, empty for none.
	Language string
}

var (
	// firstKey is how YAML begins, and JSON, which is YAML, too. Comments may stand before it.
	firstKey = regexp.MustCompile(`^(#.*\n)*([A-Za-z][A-Za-z0-9_.-]*(:[A-Za-z]\w*)?:(\s|$)|\{?"[^"]*":)`)
	// span is code in a sentence that is a command of ours.
	span = regexp.MustCompile("`((?:slipway|sandbox|\\.bin/[a-z]+|pulumi|make|aws) [^`]+)`")
)

// files are the README, the changelog and all pages.
func files(root string) ([]string, error) {
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	return append([]string{filepath.Join(root, "README.md"), filepath.Join(root, "CHANGELOG.md")}, pages...), err
}

// seed begins a file of the sandbox's, which is no part of a stage.
const seed = "# sandbox.yaml"

// Seeds lists the files of `sandbox seed` in all pages.
func Seeds(root string) (found []Block, err error) {
	all, err := Blocks(root)
	for _, block := range all {
		if strings.HasPrefix(block.Text, seed) {
			found = append(found, block)
		}
	}
	return found, err
}

// YAML lists the blocks of YAML in all pages that are of stage files: those that say so, and those that begin with a
// key.
func YAML(root string) ([]Block, error) {
	all, err := Blocks(root)
	var found []Block
	for _, block := range all {
		if strings.HasPrefix(block.Text, seed) {
			continue
		}
		if block.Language == "yaml" || block.Language == "" && firstKey.MatchString(block.Text) {
			found = append(found, block)
		}
	}
	return found, err
}

// Commands lists the commands in all pages, those in sentences among them.
func Commands(root string) ([]Command, error) {
	all, err := Blocks(root)
	if err != nil {
		return nil, err
	}
	var found []Command
	for _, block := range all {
		isShell := block.Language == "sh" || block.Language == "bash" || block.Language == "" &&
			!firstKey.MatchString(block.Text)
		if block.Language == inSentence {
			isShell = true
		}
		if !isShell {
			continue
		}
		commands, err := parseShell(block.Where, block.Text)
		if err != nil {
			return nil, err
		}
		for _, command := range commands {
			command.Mentioned = block.Language == inSentence
			found = append(found, command)
		}
	}
	return found, nil
}

// inSentence is the language of code in a sentence.
const inSentence = "span"

// Blocks lists all pieces of code in the pages, and the scripts of the workflows.
func Blocks(root string) ([]Block, error) {
	names, err := files(root)
	if err != nil {
		return nil, err
	}
	var found []Block
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		found = append(found, blocksOf(filepath.Base(name), string(text))...)
	}
	scripts, err := workflows(root)
	return append(found, scripts...), err
}

// blocksOf reads a page line by line. What is between empty lines of an indented block is a block of its own.
func blocksOf(file, text string) (found []Block) {
	var prose []string
	fence, indented := "", false
	var current *Block
	end := func() {
		if current != nil && strings.TrimSpace(current.Text) != "" {
			current.Text = dedent(current.Text)
			found = append(found, *current)
		}
		current = nil
	}
	start := func(line int, language string) {
		current = &Block{Where: fmt.Sprintf("%s:%d", file, line), Language: language}
	}
	afterBlank := true
	for i, line := range strings.Split(text, "\n") {
		code := ""
		switch marker, isFence := strings.CutPrefix(strings.TrimSpace(line), "```"); {
		case isFence && fence == "":
			end()
			fence = "```" + marker
			start(i+2, marker)
		case isFence:
			end()
			fence = ""
		case fence != "":
			code = line + "\n"
		case strings.HasPrefix(line, "    ") && (indented || afterBlank):
			if current == nil {
				start(i+1, "")
			}
			indented, code = true, line[4:]+"\n"
		default:
			end()
			indented = indented && strings.TrimSpace(line) == ""
			prose = append(prose, line)
		}
		if current != nil {
			current.Text += code
		}
		afterBlank = strings.TrimSpace(line) == ""
	}
	end()
	for _, match := range span.FindAllStringSubmatch(strings.Join(prose, "\n"), -1) {
		found = append(found, Block{Where: file, Text: strings.Join(strings.Fields(match[1]), " "), Language: inSentence})
	}
	return found
}

// dedent takes from all lines the spaces that the first one begins with: a block in a list is indented further.
func dedent(text string) string {
	indent := text[:len(text)-len(strings.TrimLeft(text, " "))]
	return strings.ReplaceAll("\n"+text, "\n"+indent, "\n")[1:]
}

// quoted is a command that a message names.
var quoted = regexp.MustCompile("[`\"'“]((?:slipway|pulumi|sandbox|make|aws) [^`\"”]+)[`\"”]")

// verb is where a message gets what is true at the time.
var verb = regexp.MustCompile(`%(\[\d+\])?[-+.\d]*[a-z]`)

// MessageCommands lists the commands that the texts of Go code in a directory suggest: in messages, and as examples.
func MessageCommands(directory string) ([]Command, error) {
	var found []Command
	err := filepath.WalkDir(directory, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return err
		}
		positions := token.NewFileSet()
		parsed, err := parser.ParseFile(positions, name, nil, 0)
		if err != nil {
			return err
		}
		var failed error
		ast.Inspect(parsed, func(n ast.Node) bool {
			pair, isPair := n.(*ast.KeyValueExpr)
			isExample := isPair && fmt.Sprint(pair.Key) == "Example"
			expression, isExpression := n.(ast.Expr)
			if isExample {
				expression = pair.Value
			}
			text, isText := "", false
			if isExpression {
				text, isText = textOf(expression)
			}
			if !isText && !isExample {
				return true
			}
			where := positions.Position(n.Pos()).String()
			text = verb.ReplaceAllString(text, "X")
			var commands []Command
			if isExample {
				text, _ = textOf(expression)
				commands, failed = parseShell(where, text)
			}
			for _, match := range quoted.FindAllStringSubmatch(text, -1) {
				mentioned, err := parseShell(where, match[1])
				if err != nil {
					failed = err
				}
				for i := range mentioned {
					mentioned[i].Mentioned = true
				}
				commands = append(commands, mentioned...)
			}
			found = append(found, commands...)
			return failed == nil && !isText && !isExample
		})
		return failed
	})
	return found, err
}

// textOf is what a string constant, or a sum of them, says.
func textOf(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		left, leftIs := textOf(e.X)
		right, rightIs := textOf(e.Y)
		if e.Op != token.ADD || !leftIs && !rightIs {
			return "", false
		}
		if !leftIs {
			left = "X"
		}
		if !rightIs {
			right = "X"
		}
		return left + right, true
	}
	return "", false
}
