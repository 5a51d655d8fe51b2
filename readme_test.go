package main

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The README in Korean says the same in the same order: as many headings of each level, paragraphs, points and rows,
// the same commands, and the same code and links in each of them.
func TestTheReadmeInKoreanHasTheSameHeadingsAndCommands(t *testing.T) {
	t.Parallel()
	english, korean := outlineOf(t, "README.md"), outlineOf(t, "README.ko.md")
	require.Equal(t, english, korean)
	require.Greater(t, len(english), 40)
}

var (
	codeOrLink = regexp.MustCompile("`[^`]+`|\\]\\([^)]+\\)")
	comment    = regexp.MustCompile(` +# .*$`)
	blanks     = regexp.MustCompile(`\s+`)
)

// outlineOf is what a page has but for its words: a heading's level, a command without its comment, and of paragraphs,
// points and rows the code and links, in any order.
func outlineOf(t *testing.T, name string) (outline []string) {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	// The line that leads to the other language.
	text = regexp.MustCompile(`(?m)^\[(한국어|English)\]\(README\S*\)$\n\n`).ReplaceAll(text, nil)
	var paragraph []string
	end := func() {
		if len(paragraph) == 0 {
			return
		}
		whole := blanks.ReplaceAllString(strings.Join(paragraph, " "), " ")
		pieces := map[string]bool{}
		for _, piece := range codeOrLink.FindAllString(whole, -1) {
			pieces[piece] = true
		}
		outline, paragraph = append(outline, "text with "+strings.Join(slices.Sorted(maps.Keys(pieces)), " ")), nil
	}
	for _, line := range strings.Split(string(text), "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
			end()
			outline = append(outline, line[:strings.IndexByte(line, ' ')])
		case strings.HasPrefix(line, "    "):
			end()
			outline = append(outline, comment.ReplaceAllString(line, ""))
		case line == "":
			end()
		case strings.HasPrefix(line, "- "), strings.HasPrefix(line, "|"):
			end()
			paragraph = append(paragraph, line)
		default:
			paragraph = append(paragraph, line)
		}
	}
	end()
	return outline
}
