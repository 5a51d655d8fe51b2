package preview

import (
	"regexp"
	"strings"

	"slipway/cmd/slipway/internal/console"
)

// line is one of the answer, in a terminal as in Markdown.
type line struct {
	// level 0 begins a paragraph; the others are a list below it.
	level int
	text  string
	// literal is of the stage or of git, and nothing that Markdown may read.
	literal string
	// bad is what takes something away.
	bad bool
}

func (l line) plain(report *console.Report) string {
	text := l.text + l.literal
	if l.bad {
		text = report.Bad(text)
	}
	if l.level == 0 {
		return "\n" + text + "\n"
	}
	return strings.Repeat("  ", l.level) + text + "\n"
}

func (l line) markdown() string {
	text := escape(l.text)
	if l.literal != "" {
		text += code(l.literal)
	}
	if l.level == 0 {
		return "\n**" + text + "**\n"
	}
	return strings.Repeat("  ", l.level-1) + "- " + text + "\n"
}

var ticks = regexp.MustCompile("`+")

// code is a text as code in Markdown, which reads nothing in it.
func code(text string) string {
	fence := "`"
	for _, run := range ticks.FindAllString(text, -1) {
		if len(run) >= len(fence) {
			fence = run + "`"
		}
	}
	if len(fence) > 1 || strings.HasPrefix(text, " ") {
		return fence + " " + text + " " + fence
	}
	return fence + text + fence
}

// escape has Markdown show a text as it is. GitHub looks for people and issues after Markdown has gone: only code keeps
// it from that.
func escape(text string) string {
	return mentions.ReplaceAllString(marks.ReplaceAllString(text, `\$0`), "`$0`")
}

var (
	marks    = regexp.MustCompile("[\\\\`*_<>\\[\\]]")
	mentions = regexp.MustCompile(`[@#]+`)
)
