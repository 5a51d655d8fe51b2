package console

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

var absolutePath = regexp.MustCompile(`(^|[\s'"` + "`" + `(])(/[^\s:;,'"` + "`" + `()]+)`)

// ShortenPaths writes the paths of a message relative to the working directory, where that is shorter.
func ShortenPaths(text string) string {
	working, err := os.Getwd()
	if err != nil {
		return text
	}
	return absolutePath.ReplaceAllStringFunc(text, func(found string) string {
		parts := absolutePath.FindStringSubmatch(found)
		return parts[1] + ShortPath(working, parts[2])
	})
}

// ShortPath is a path below the working directory, or below the directory of the project around it, relative to it.
func ShortPath(working, path string) string {
	relative, err := filepath.Rel(working, path)
	if working == "/" || err != nil || strings.Count(relative, "..") > 2 || len(relative) >= len(path) {
		return path
	}
	return relative
}
