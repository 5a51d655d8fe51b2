package build

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"

	"slipway/stage"
)

// stagingRoot is the directory, beside Pulumi.yaml, that the staged trees of all stages and images are in.
const stagingRoot = ".slipway"

// What is in the directory that an image is staged in.
const (
	stagedContext    = "context"
	stagedDockerfile = "Dockerfile"
)

// ignoreSuffix makes a Dockerfile's name that of its ignore file; on its own it is the context's.
const ignoreSuffix = ".dockerignore"

// Context is what Docker sees of a build: the files that .dockerignore lets through, and the Dockerfile.
type Context struct {
	// Dir and Dockerfile are where the staged copy lies, relative to the project's root and with slashes:
	// an absolute path would be another input on another machine.
	Dir        string
	Dockerfile string
	// Hash is a SHA-256, in hex, over everything that decides the image.
	Hash string

	source     string
	dockerfile string
	ignore     []string
	ignoreFile string // where the patterns stand; empty without one
	warnings   []string
}

// stageContext lays out what Docker sees below stagingDir and hashes it. The Docker provider hashes file
// modes too, of which git keeps only the executable bit: two clones under different umasks differ in modes
// though nothing changed. So the provider is shown a tree in which every mode is 0644 or 0755, made of hard
// links where the source has that mode already, of copies elsewhere.
//
// progress, which may be nil, gets how far it is.
func stageContext(root, stagingDir string, build stage.Build, progress *progress) (*Context, error) {
	c := &Context{
		Dir:        filepath.ToSlash(filepath.Join(stagingDir, stagedContext)),
		Dockerfile: filepath.ToSlash(filepath.Join(stagingDir, stagedDockerfile)),
		source:     filepath.Join(root, filepath.FromSlash(build.Context)),
		dockerfile: filepath.Join(root, filepath.FromSlash(build.Dockerfile)),
	}
	if err := c.readIgnoreFile(); err != nil {
		return nil, err
	}
	if err := c.leaveOut(root); err != nil {
		return nil, err
	}
	tree := stagedTree{root: filepath.Join(root, c.Dir), scratch: filepath.Join(root, stagingDir), source: c.source,
		progress: progress}
	if err := os.MkdirAll(tree.scratch, 0o755); err != nil {
		return nil, err
	}
	if err := c.stage(&tree); err != nil {
		return nil, err
	}
	if err := tree.removeOthers(); err != nil {
		return nil, err
	}
	if err := tree.checkLinks(); err != nil {
		return nil, err
	}
	dockerfileInfo, err := regularFile(c.dockerfile)
	if err != nil {
		return nil, err
	}
	if err := placeFile(c.dockerfile, filepath.Join(root, c.Dockerfile), tree.scratch, dockerfileInfo, 0o644); err != nil {
		return nil, err
	}
	if err := tree.placeEmptyIgnoreFile(filepath.Join(root, c.Dockerfile)); err != nil {
		return nil, err
	}
	c.warn(&tree, root)
	c.Hash, err = c.hash(&tree, build)
	return c, err
}

// regularFile refuses what may not end when it is read, such as a named pipe.
func regularFile(name string) (fs.FileInfo, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory; it has to be a file", name)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is a pipe, a socket or a device; it has to be a file", name)
	}
	return info, nil
}

// readIgnoreFile reads the patterns as Docker does: a file of the Dockerfile's own name goes before the
// context's .dockerignore (https://docs.docker.com/build/concepts/context/#filename-and-location).
func (c *Context) readIgnoreFile() error {
	for _, name := range []string{c.dockerfile + ignoreSuffix, filepath.Join(c.source, ignoreSuffix)} {
		_, err := regularFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		c.ignoreFile = name
		c.ignore, err = ignorePatterns(name, content)
		return err
	}
	return nil
}

// ignorePatterns are an ignore file's patterns. Its error names the line of each that is none.
func ignorePatterns(name string, content []byte) ([]string, error) {
	patterns, err := ignorefile.ReadAll(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var mistakes []error
	for i, line := range bytes.Split(content, []byte("\n")) {
		alone, err := ignorefile.ReadAll(bytes.NewReader(line))
		for _, pattern := range alone {
			if err == nil && filepath.Clean(pattern) == "!" { // of !/, too
				err = errors.New("a pattern follows !")
			}
			if err == nil {
				_, err = patternmatcher.MatchesOrParentMatches("x", []string{strings.TrimPrefix(pattern, "!")})
			}
		}
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s, line %d: %q is no pattern: %w", name, i+1, bytes.TrimSpace(line), err))
		}
	}
	return patterns, errors.Join(mistakes...)
}

// leaveOut keeps out of a context what can never belong in an image and changes with each commit or command: git's and
// Pulumi's own directories, and what lies beside Pulumi.yaml. One that the ignore file lets in (`!.git`), or that the
// Dockerfile names, stays. Not so the staged trees: each would be staged within itself, without end.
func (c *Context) leaveOut(root string) error {
	dockerfile, err := os.ReadFile(c.dockerfile)
	if err != nil {
		return err
	}
	names := []string{".git", ".pulumi"}
	project, err := filepath.Rel(c.source, root)
	if err != nil {
		return err
	}
	inside := filepath.IsLocal(project)
	if inside {
		for _, name := range []string{".git", ".pulumi", ".sandbox", ".bin"} {
			names = append(names, filepath.ToSlash(filepath.Join(project, name)))
		}
	}
	var never []string
	for _, name := range names {
		named := regexp.MustCompile(`(^|[^\w.-])` + regexp.QuoteMeta(path.Base(name)) + `($|[^\w-])`)
		if !named.Match(dockerfile) {
			never = append(never, name)
		}
	}
	c.ignore = slices.Concat(never, c.ignore)
	if inside {
		c.ignore = append(c.ignore, filepath.ToSlash(filepath.Join(project, stagingRoot)))
	}
	return nil
}

// largeContext is the size in bytes from which on a context is more than an image usually needs.
const largeContext = 100 << 20

// warn tells of what is most likely in the context by mistake.
func (c *Context) warn(tree *stagedTree, root string) {
	const advice = "exclude them in .dockerignore"
	project, err := filepath.Rel(c.source, root)
	var stageFiles []string
	for path := range tree.kept {
		isStageFile, _ := filepath.Match("Pulumi.*.y*ml", filepath.Base(path))
		if err == nil && isStageFile && filepath.Dir(path) == project {
			stageFiles = append(stageFiles, path)
		}
	}
	if slices.Sort(stageFiles); len(stageFiles) > 0 {
		c.warnings = append(c.warnings,
			fmt.Sprintf("the build context %s holds %s: each change there builds a new image; %s, as %s",
				c.source, strings.Join(stageFiles, ", "), advice, filepath.ToSlash(filepath.Join(project, "Pulumi.*"))))
	}
	if tree.size() > largeContext {
		largest := slices.SortedFunc(maps.Keys(tree.sizes),
			func(a, b string) int { return cmp.Compare(tree.sizes[b], tree.sizes[a]) })
		var parts []string
		for _, name := range largest[:min(3, len(largest))] {
			parts = append(parts, fmt.Sprintf("%s (%s)", name, megabytes(tree.sizes[name])))
		}
		c.warnings = append(c.warnings,
			fmt.Sprintf("the build context %s has %s, most of it in %s; where the image does not need them, %s",
				c.source, megabytes(tree.size()), strings.Join(parts, ", "), advice))
	}
}

func megabytes(size int64) string { return fmt.Sprintf("%d MB", size>>20) }

// sees tells whether Docker sees the file of that path, relative to the context.
func (c *Context) sees(path string) (bool, error) {
	ignored, err := patternmatcher.MatchesOrParentMatches(path, c.ignore)
	return !ignored, err
}

func (c *Context) stage(tree *stagedTree) error {
	return fsutil.Walk(context.Background(), c.source, &fsutil.FilterOpt{ExcludePatterns: c.ignore},
		func(path string, info fs.FileInfo, err error) error {
			if err != nil {
				return err
			}
			source := filepath.Join(c.source, path)
			switch {
			case info.IsDir():
				return tree.addDir(path)
			case info.Mode()&fs.ModeSymlink != 0:
				return tree.addLink(path, source)
			case info.Mode().IsRegular():
				return tree.addFile(path, source)
			}
			return errNotStaged(source)
		})
}

// hash covers what decides the image. It is taken over the staged files, so that what was hashed is what is built.
func (c *Context) hash(tree *stagedTree, build stage.Build) (string, error) {
	filteredTwice, err := c.wasFilteredTwice(tree)
	if err != nil {
		return "", err
	}
	options, err := json.Marshal(struct {
		Args                      map[string]string
		Target, Platform, Refresh string
		CacheFrom                 []string
		// What earlier versions of this program staged otherwise has another hash, and nothing else has.
		Anew bool `json:",omitempty"`
	}{build.Args, build.Target, build.Platform, build.Refresh, build.CacheFrom, filteredTwice || isRenamed(c.Dir)})
	if err != nil {
		return "", err
	}
	return tree.hash(c.dockerfile, options)
}

// wasFilteredTwice tells whether the context's own ignore file, applied to the staged tree by the rules of Docker's
// classic builder, leaves out a directory that is in it. Earlier versions let it.
func (c *Context) wasFilteredTwice(tree *stagedTree) (bool, error) {
	if c.ignoreFile != filepath.Join(c.source, ignoreSuffix) || !tree.kept[ignoreSuffix] {
		return false, nil
	}
	patterns, err := patternmatcher.New(c.ignore)
	if err != nil || !patterns.Exclusions() {
		return false, err
	}
	for _, dir := range tree.dirs {
		ignored, err := patterns.MatchesOrParentMatches(dir)
		if err != nil {
			return false, err
		}
		entered := slices.ContainsFunc(patterns.Patterns(), func(p *patternmatcher.Pattern) bool {
			return p.Exclusion() && strings.HasPrefix(p.String()+string(filepath.Separator), dir+string(filepath.Separator))
		})
		if ignored && !entered {
			return true, nil
		}
	}
	return false, nil
}
