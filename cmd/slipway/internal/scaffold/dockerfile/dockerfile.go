// Package dockerfile drafts a service for each Dockerfile of a repository.
package dockerfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"slipway/cmd/slipway/internal/scaffold/draft"
)

const (
	// depth is how many directories below the root Dockerfiles are looked for.
	depth = 3
	// usualPort is taken where a Dockerfile names none.
	usualPort = 8080
)

// passedOver are directories that hold others' code, or what was built.
var passedOver = []string{"node_modules", "vendor", "testdata", "dist", "target"}

// Find lists the Dockerfiles below a directory, in the order of their paths, and not those below the others.
func Find(root string, others ...string) ([]string, error) {
	var found []string
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.IsDir() {
			if base := entry.Name(); base == "Dockerfile" || strings.HasPrefix(base, "Dockerfile.") &&
				!strings.HasSuffix(base, ".dockerignore") || strings.HasSuffix(base, ".Dockerfile") {
				found = append(found, name)
			}
			return nil
		}
		relative, err := filepath.Rel(root, name)
		switch {
		case err != nil || name == root:
			return err
		case strings.Count(relative, string(filepath.Separator)) >= depth,
			strings.HasPrefix(entry.Name(), "."), slices.Contains(passedOver, entry.Name()), slices.Contains(others, name):
			return filepath.SkipDir
		}
		return nil
	})
	return found, err
}

// Read drafts an image and a service for each directory with a Dockerfile.
func Read(d *draft.Draft, files []string) {
	chosen := choose(d, files)
	for _, name := range chosen {
		service := nameOf(d, name, chosen)
		where := d.FromRoot(name)
		d.AddBuild(service, filepath.Dir(name), name)
		d.Take(where, "Dockerfile", "images.%s.build, services.%[1]s", service)
		keys := d.Shared.Object("services").Object(service)
		keys["image"], keys["port"] = service, portOf(d, name, service)
	}
}

// choose takes the one called Dockerfile where a directory has several.
func choose(d *draft.Draft, files []string) (chosen []string) {
	byDirectory := map[string][]string{}
	for _, name := range files {
		byDirectory[filepath.Dir(name)] = append(byDirectory[filepath.Dir(name)], name)
	}
	for _, name := range files {
		directory := filepath.Dir(name)
		all, main := byDirectory[directory], filepath.Join(directory, "Dockerfile")
		switch {
		case name == main || len(all) == 1:
			chosen = append(chosen, name)
		case slices.Contains(all, main):
			d.Leave(d.FromRoot(name), "Dockerfile", "the directory's image is that of Dockerfile; for another one write "+
				"images.<image>.build with dockerfile: %s", d.FromProgram(name))
		case name == all[0]:
			var names []string
			for _, each := range all {
				names = append(names, filepath.Base(each))
			}
			d.Fail(d.FromRoot(directory), "has %s, and which one is the service's is not known: call that one Dockerfile",
				strings.Join(names, " and "))
		}
	}
	return chosen
}

// nameOf is the name of a Dockerfile's service: its directory's, with those above where another one has the same.
func nameOf(d *draft.Draft, name string, all []string) string {
	directory := filepath.Dir(name)
	if directory == d.Root {
		return "web"
	}
	base := draft.Plain(filepath.Base(directory))
	for _, other := range all {
		if other != name && draft.Plain(filepath.Base(filepath.Dir(other))) == base {
			return draft.Plain(d.FromRoot(directory))
		}
	}
	return base
}

// Exposed is the first port that a Dockerfile exposes; 0 where it exposes none, or cannot be read.
func Exposed(d *draft.Draft, name string) int {
	unsaid := draft.New(d.Root, d.Program, []string{d.FirstStage})
	port := exposed(unsaid, name, "")
	for _, mistake := range unsaid.Mistakes {
		if !errors.Is(mistake, fs.ErrNotExist) { // which is told with the key that names it
			d.Mistakes = append(d.Mistakes, mistake)
		}
	}
	return port
}

// portOf is the port of a Dockerfile's service.
func portOf(d *draft.Draft, name, service string) int {
	mistakes := len(d.Mistakes)
	port := exposed(d, name, service)
	if port == 0 && len(d.Mistakes) == mistakes {
		d.Note(d.FromRoot(name), "no EXPOSE", "services.%s.port: %d is a guess: write the port that it listens on, or remove "+
			"the key where it listens on none", service, usualPort)
	}
	return cmp.Or(port, usualPort)
}

// exposed says also what else stands there that a stage has a key for.
func exposed(d *draft.Draft, name, service string) int {
	where := d.FromRoot(name)
	source, err := os.ReadFile(name)
	if err != nil {
		d.Fail(where, "%w", err)
		return 0
	}
	parsed, err := parser.Parse(bytes.NewReader(source))
	if err != nil {
		d.Fail(where, "%w", err)
		return 0
	}
	port := 0
	for _, instruction := range parsed.AST.Children {
		at := fmt.Sprintf("%s:%d", where, instruction.StartLine)
		switch strings.ToLower(instruction.Value) {
		case "from":
			port = 0 // of an earlier build stage
		case "healthcheck":
			d.Leave(at, "HEALTHCHECK", "ECS ignores it: write services.%s.healthCheck, or a route's", service)
		case "expose":
			for word := instruction.Next; word != nil; word = word.Next {
				number, protocol, _ := strings.Cut(word.Value, "/")
				exposed, err := strconv.Atoi(number)
				switch {
				case err != nil || protocol != "" && !strings.EqualFold(protocol, "tcp"):
					d.Leave(at, "EXPOSE "+word.Value, "a service has one TCP port: write services.%s.port", service)
				case port != 0:
					d.Leave(at, "EXPOSE "+word.Value, "a service has one port, and services.%s.port is %d", service, port)
				default:
					port = exposed
					d.Take(at, "EXPOSE "+word.Value, "services.%s.port: %d", service, port)
				}
			}
		}
	}
	return port
}
