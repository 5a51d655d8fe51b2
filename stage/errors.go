package stage

import (
	"cmp"
	"slices"
	"strings"
)

// Error is one mistake in a stage's configuration.
type Error struct {
	// Path is what the user wrote, from the key on: services.web.allowFrom[0]. What stands in the defaults
	// begins with "defaults.". Empty for a mistake that no key corrects.
	Path string
	// File is the name of the file it stands in: Pulumi.dev.yaml.
	File string
	// Message says what is wrong, what is allowed and what to do.
	Message string
	// keys are those that there are at the place of an unknown one. Of several mistakes with the same, the first says
	// them.
	keys string
}

// Error puts the path first, as in "services.web.port (Pulumi.dev.yaml): must be …".
//
// Example: "services.web.port (Pulumi.dev.yaml): must be …"
func (e Error) Error() string {
	if e.Path == "" {
		return e.File + ": " + e.Message
	}
	return e.Path + " (" + e.File + "): " + e.Message
}

// Errors are all mistakes of a stage, sorted by path, each once.
type Errors []Error

// Error prints one mistake per line.
//
// Example: err.Error() has a line for each mistake
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, mistake := range e {
		lines[i] = mistake.Error()
	}
	return strings.Join(lines, "\n")
}

func (e Errors) sorted() Errors {
	slices.SortFunc(e, func(a, b Error) int {
		return cmp.Or(
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.File, b.File), cmp.Compare(a.Message, b.Message),
		)
	})
	e = slices.Compact(e)
	said := map[string]bool{}
	for i, mistake := range e {
		if mistake.keys != "" && !said[mistake.keys] {
			said[mistake.keys] = true
			joint := "; the"
			if strings.HasSuffix(mistake.Message, "?") {
				joint = " The"
			}
			e[i].Message += joint + " keys here are " + mistake.keys
		}
		e[i].keys = ""
	}
	return e
}

// enumerate joins names for a sentence.
func enumerate(names []string) string { return strings.Join(names, ", ") }
