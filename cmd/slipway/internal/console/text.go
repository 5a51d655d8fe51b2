package console

import (
	"fmt"
	"strings"
)

// Shorten cuts a text that has more than so many characters.
func Shorten(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// Counted is a number of things, in words: 1 commit, 2 commits.
func Counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// ShortDigest is the start of a digest that people can tell apart.
func ShortDigest(digest string) string {
	if algorithm, hex, ok := strings.Cut(digest, ":"); ok {
		return fmt.Sprintf("%s:%.12s", algorithm, hex)
	}
	return digest
}

// OrNone lists names.
func OrNone(texts []string) string {
	if len(texts) == 0 {
		return "none"
	}
	return strings.Join(texts, ", ")
}

// Line is a line that a container wrote: that of the main one as it is, and those of others with their names.
func Line(main, container, text string) string {
	if container != main {
		return container + ": " + text
	}
	return text
}
