// Package draft is what stage files are going to say, as it is read from what a repository has: a Dockerfile, a compose
// file, manifests of Copilot.
package draft

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Draft is what was found.
type Draft struct {
	// Root is the directory that was searched, Program that of the program: absolute paths.
	Root, Program string
	// FirstStage builds the images.
	FirstStage string
	// Shared is what all stages share, by the keys of a stage file.
	Shared Keys
	// Builds are the images that the first stage builds, by name.
	Builds Keys
	// Stages are what a stage has of its own, by its name.
	Stages map[string]Keys
	// Lines say of each thing that was found what became of it.
	Lines []Line
	// Mistakes are what has to be corrected before anything is written.
	Mistakes []error
	// Secrets are the names of the secrets whose values a stage lacks, by its name.
	Secrets map[string][]string
}

// Stage is what people say of one.
type Stage struct{ Name, Account, Region string }

// Line is what became of one thing.
type Line struct {
	// Where is a file, with a line where that is known; What is what stands there.
	Where string `json:"where"`
	What  string `json:"what"`
	// Key is what it has become; Instead says why it was not taken over, and what to do; Note what is to be done besides.
	// Two of them are empty.
	Key     string `json:"key,omitempty"`
	Instead string `json:"instead,omitempty"`
	Note    string `json:"note,omitempty"`
}

func (l Line) String() string {
	switch {
	case l.Key != "":
		return fmt.Sprintf("  %s: %s → %s", l.Where, l.What, l.Key)
	case l.Note != "":
		return fmt.Sprintf("! %s: %s: %s", l.Where, l.What, l.Note)
	}
	return fmt.Sprintf("! %s: %s: not taken over: %s", l.Where, l.What, l.Instead)
}

// New is an empty one.
func New(root, program string, stages []string) *Draft {
	d := &Draft{Root: root, Program: program, FirstStage: stages[0], Shared: Keys{}, Builds: Keys{},
		Stages: map[string]Keys{}, Secrets: map[string][]string{}}
	for _, name := range stages {
		d.Stages[name] = Keys{}
	}
	return d
}

// Take says what something has become.
func (d *Draft) Take(where, what, key string, args ...any) {
	d.Lines = append(d.Lines, Line{Where: where, What: what, Key: fmt.Sprintf(key, args...)})
}

// Leave says that something was not taken over, why, and what to do.
func (d *Draft) Leave(where, what, instead string, args ...any) {
	d.Lines = append(d.Lines, Line{Where: where, What: what, Instead: fmt.Sprintf(instead, args...)})
}

// Note says what is to be done about something that was taken over.
func (d *Draft) Note(where, what, note string, args ...any) {
	d.Lines = append(d.Lines, Line{Where: where, What: what, Note: fmt.Sprintf(note, args...)})
}

// Fail says what has to be corrected.
func (d *Draft) Fail(where, format string, args ...any) {
	d.Mistakes = append(d.Mistakes, fmt.Errorf(where+": "+format, args...))
}

// AddBuild has the first stage build an image. Dockerfile and context are absolute paths.
func (d *Draft) AddBuild(name, context, dockerfile string) Keys {
	build := Keys{"context": d.FromProgram(context)}
	if dockerfile != filepath.Join(context, "Dockerfile") {
		build["dockerfile"] = d.FromProgram(dockerfile)
	}
	d.Builds[name] = Keys{"build": build}
	return build
}

// FromProgram is a path as stage files have it.
func (d *Draft) FromProgram(path string) string {
	relative, err := filepath.Rel(d.Program, path)
	if err != nil { // on another volume
		return path
	}
	if !strings.HasPrefix(relative, ".") {
		relative = "./" + relative
	}
	return filepath.ToSlash(relative)
}

// FromRoot is a path as people are told it.
func (d *Draft) FromRoot(path string) string {
	if relative, err := filepath.Rel(d.Root, path); err == nil {
		return filepath.ToSlash(relative)
	}
	return path
}

// NeedSecret notes that a stage has no value of a secret yet.
func (d *Draft) NeedSecret(stage, name string) {
	if !slices.Contains(d.Secrets[stage], name) {
		d.Secrets[stage] = append(d.Secrets[stage], name)
	}
}
