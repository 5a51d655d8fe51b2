package main

import (
	"go/scanner"
	"go/token"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// longest is how many characters a line has at most. A tab is one.
const longest = 120

// Addresses and tables cannot be broken, nor can raw strings. A message stays whole, so that it is found by its text.
func TestLinesAreNotTooLong(t *testing.T) {
	t.Parallel()
	listed, err := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.go",
		"*.md").Output()
	require.NoError(t, err)
	for _, name := range strings.Split(strings.TrimSuffix(string(listed), "\x00"), "\x00") {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		whole := map[int]bool{}
		if strings.HasSuffix(name, ".go") {
			whole = linesOfTexts(content)
		}
		for i, line := range strings.Split(string(content), "\n") {
			if utf8.RuneCountInString(line) > longest && !whole[i+1] && !strings.Contains(line, "://") &&
				!strings.HasPrefix(line, "|") && !strings.Contains(line, "@sha256:") {
				t.Errorf("%s:%d has more than %d characters", name, i+1, longest)
			}
		}
	}
}

// linesOfTexts are the numbers of the lines of a Go file with a raw string, or a text of a third of a line.
func linesOfTexts(content []byte) map[int]bool {
	files := token.NewFileSet()
	file := files.AddFile("", -1, len(content))
	var words scanner.Scanner
	words.Init(file, content, nil, 0)
	lines := map[int]bool{}
	for {
		at, kind, literal := words.Scan()
		if kind == token.EOF {
			return lines
		}
		if kind == token.STRING && (strings.HasPrefix(literal, "`") || len(literal) >= longest/3) {
			first := file.Line(at)
			for i := range strings.Count(literal, "\n") + 1 {
				lines[first+i] = true
			}
		}
	}
}
