package stage

import "strings"

// Error is one mistake in a stage's configuration.
type Error struct {
	// Path is what the user wrote, from the key on: services.web.memory, allowFrom[0].
	Path string
	// File is the file it stands in: Pulumi.dev.yaml.
	File string
	// Message says what is wrong, what is allowed and what to do.
	Message string
}

// Error puts the path first, as in "services.web.port (Pulumi.dev.yaml): must be …".
func (e Error) Error() string {
	if e.Path == "" {
		return e.File + ": " + e.Message
	}
	return e.Path + " (" + e.File + "): " + e.Message
}

// Errors are all mistakes of a stage, sorted by path.
type Errors []Error

// Error prints one mistake per line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, mistake := range e {
		lines[i] = mistake.Error()
	}
	return strings.Join(lines, "\n")
}
