package components

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"
	"golang.org/x/mod/sumdb/dirhash"

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

// buildContext is what Docker sees of a build: the files that .dockerignore lets through, and the Dockerfile.
type buildContext struct {
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
}

// stageContext lays out what Docker sees below stagingDir and hashes it. The Docker provider hashes file
// modes too, of which git keeps only the executable bit: two clones under different umasks differ in modes
// though nothing changed. So the provider is shown a tree in which every mode is 0644 or 0755, made of hard
// links where the source has that mode already, of copies elsewhere.
func stageContext(root, stagingDir string, build stage.Build) (*buildContext, error) {
	c := &buildContext{
		Dir:        filepath.ToSlash(filepath.Join(stagingDir, stagedContext)),
		Dockerfile: filepath.ToSlash(filepath.Join(stagingDir, stagedDockerfile)),
		source:     filepath.Join(root, filepath.FromSlash(build.Context)),
		dockerfile: filepath.Join(root, filepath.FromSlash(build.Dockerfile)),
	}
	if err := c.readIgnoreFile(); err != nil {
		return nil, err
	}
	if err := c.ignoreStagedTrees(filepath.Join(root, stagingRoot)); err != nil {
		return nil, err
	}
	tree := stagedTree{root: filepath.Join(root, c.Dir), scratch: filepath.Join(root, stagingDir)}
	if err := os.MkdirAll(tree.scratch, 0o755); err != nil {
		return nil, err
	}
	if err := c.stage(&tree); err != nil {
		return nil, err
	}
	if err := tree.removeOthers(); err != nil {
		return nil, err
	}
	dockerfileInfo, err := os.Stat(c.dockerfile)
	if err != nil {
		return nil, err
	}
	if err := placeFile(c.dockerfile, filepath.Join(root, c.Dockerfile), tree.scratch, dockerfileInfo, 0o644); err != nil {
		return nil, err
	}
	if err := tree.placeEmptyIgnoreFile(filepath.Join(root, c.Dockerfile)); err != nil {
		return nil, err
	}
	c.Hash, err = c.hash(&tree, build)
	return c, err
}

// placeEmptyIgnoreFile puts an ignore file beside the staged Dockerfile, as the tree is filtered already. The provider
// reads `<Dockerfile>.dockerignore` there before the context's own .dockerignore, which the image may hold and which would
// filter once more, by other rules: the provider archives as Docker's classic builder does, and leaves a directory out
// that only a pattern with wildcards lets something of in (`apps/*` and `!apps/**/package.json`).
func (t *stagedTree) placeEmptyIgnoreFile(dockerfile string) error {
	name := dockerfile + ignoreSuffix
	if info, err := os.Lstat(name); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
		return nil
	}
	if err := os.RemoveAll(name); err != nil {
		return err
	}
	return replace(name, t.scratch, func(temporary string) error { return os.WriteFile(temporary, nil, 0o644) })
}

// readIgnoreFile reads the patterns as Docker does: a file of the Dockerfile's own name goes before the
// context's .dockerignore (https://docs.docker.com/build/concepts/context/#filename-and-location).
func (c *buildContext) readIgnoreFile() error {
	for _, name := range []string{c.dockerfile + ignoreSuffix, filepath.Join(c.source, ignoreSuffix)} {
		file, err := os.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		defer file.Close()
		c.ignore, err = ignorefile.ReadAll(file)
		if err != nil {
			return fmt.Errorf("reading %s: %w", name, err)
		}
		c.ignoreFile = name
		return nil
	}
	return nil
}

// ignoreStagedTrees keeps the staged trees out of a context that holds them, such as the project's own directory: each
// would be staged within itself, without end.
func (c *buildContext) ignoreStagedTrees(dir string) error {
	inside, err := filepath.Rel(c.source, dir)
	if err == nil && filepath.IsLocal(inside) {
		c.ignore = append(c.ignore, filepath.ToSlash(inside))
	}
	return err
}

// sees tells whether Docker sees the file of that path, relative to the context.
func (c *buildContext) sees(path string) (bool, error) {
	ignored, err := patternmatcher.MatchesOrParentMatches(path, c.ignore)
	return !ignored, err
}

func (c *buildContext) stage(tree *stagedTree) error {
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
			return fmt.Errorf("%s is neither a file, a directory nor a symlink: exclude it in .dockerignore", source)
		})
}

// stagedTree is the copy that the provider sees. It is brought up to date in place and file by file, so
// that a build that another command has under way keeps seeing whole files.
type stagedTree struct {
	root    string
	scratch string   // for files that are not whole yet
	entries []string // "0644 path", "0755 path" or "link path": what the hash is taken over, and of what
	kept    map[string]bool
	dirs    []string
	links   map[string]string
}

func (t *stagedTree) keep(kind, path string) {
	if t.kept == nil {
		t.kept = map[string]bool{}
		t.links = map[string]string{}
	}
	t.kept[path] = true
	if kind != "" {
		t.entries = append(t.entries, kind+" "+filepath.ToSlash(path))
	}
}

func (t *stagedTree) addDir(path string) error {
	t.keep("", path)
	t.dirs = append(t.dirs, path)
	dir := filepath.Join(t.root, path)
	info, err := os.Lstat(dir)
	if err == nil && !info.IsDir() {
		if err := os.Remove(dir); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.Chmod(dir, 0o755) // whatever the umask
}

func (t *stagedTree) addLink(path, source string) error {
	target, err := os.Readlink(source)
	if err != nil {
		return err
	}
	if !filepath.IsAbs(target) {
		if inside := filepath.Join(filepath.Dir(path), target); !filepath.IsLocal(inside) {
			return fmt.Errorf("the symlink %s leads out of the build context: exclude it in .dockerignore, or put the file there", source)
		}
	}
	if _, err := os.Stat(source); err != nil {
		return fmt.Errorf("the symlink %s leads nowhere: exclude it in .dockerignore, or mend it", source)
	}
	t.keep("link", path)
	t.links[filepath.ToSlash(path)] = target
	staged := filepath.Join(t.root, path)
	if old, err := os.Readlink(staged); err == nil && old == target {
		return nil
	}
	return replace(staged, t.scratch, func(temporary string) error { return os.Symlink(target, temporary) })
}

func (t *stagedTree) addFile(path, source string) error {
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	mode, kind := fs.FileMode(0o644), "0644"
	if info.Mode()&0o100 != 0 {
		mode, kind = 0o755, "0755"
	}
	t.keep(kind, path)
	return placeFile(source, filepath.Join(t.root, path), t.scratch, info, mode)
}

// removeOthers removes what an earlier build saw and this one does not.
func (t *stagedTree) removeOthers() error {
	err := filepath.WalkDir(t.root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) && name != t.root {
				return nil // another command was faster
			}
			return err
		}
		path, err := filepath.Rel(t.root, name)
		if err != nil || path == "." || t.kept[path] {
			return err
		}
		if err := os.RemoveAll(name); err != nil {
			return err
		}
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return os.MkdirAll(t.root, 0o755) // an empty context
	}
	return err
}

// hash covers what decides the image. It is taken over the staged files, so that what was hashed is what is built.
func (c *buildContext) hash(tree *stagedTree, build stage.Build) (string, error) {
	anew, err := c.wasFilteredTwice(tree)
	if err != nil {
		return "", err
	}
	options, err := json.Marshal(struct {
		Args                      map[string]string
		Target, Platform, Refresh string
		CacheFrom                 []string
		// What earlier versions of this program staged otherwise has another hash, and nothing else has.
		Anew bool `json:",omitempty"`
	}{build.Args, build.Target, build.Platform, build.Refresh, build.CacheFrom, anew || isRenamed(c.Dir)})
	if err != nil {
		return "", err
	}
	return tree.hash(c.dockerfile, options)
}

// wasFilteredTwice tells whether the context's own ignore file, applied to the staged tree by the rules of Docker's classic
// builder, leaves out a directory that is in it. Earlier versions let it.
func (c *buildContext) wasFilteredTwice(tree *stagedTree) (bool, error) {
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

func (t *stagedTree) hash(dockerfile string, options []byte) (string, error) {
	// A name that no file of the context can have, as theirs begin with their kind.
	const dockerfileEntry, optionsEntry = "Dockerfile", "options"
	sum, err := dirhash.Hash1(append(t.entries, dockerfileEntry, optionsEntry), func(entry string) (io.ReadCloser, error) {
		switch entry {
		case dockerfileEntry:
			return os.Open(dockerfile)
		case optionsEntry:
			return io.NopCloser(bytes.NewReader(options)), nil
		}
		kind, path, _ := strings.Cut(entry, " ")
		if kind == "link" {
			return io.NopCloser(strings.NewReader(t.links[path])), nil
		}
		return os.Open(filepath.Join(t.root, filepath.FromSlash(path)))
	})
	return sum, err
}

// settleTime is how old a file must be before its time of change is trusted to tell whether it changed since it
// was copied: within a clock tick of the file system, content may change and the time stay.
const settleTime = 2 * time.Second

// placeFile puts source at staged, with that mode.
func placeFile(source, staged, scratch string, info fs.FileInfo, mode fs.FileMode) error {
	old, err := os.Lstat(staged)
	if err == nil && old.Mode() == mode {
		if os.SameFile(old, info) {
			return nil
		}
		if info.Mode() != mode && old.Size() == info.Size() && old.ModTime().Equal(info.ModTime()) &&
			time.Since(info.ModTime()) > settleTime {
			return nil
		}
	}
	if err == nil && old.IsDir() {
		if err := os.RemoveAll(staged); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(staged), 0o755); err != nil {
		return err
	}
	return replace(staged, scratch, func(temporary string) error {
		if info.Mode() == mode && os.Link(source, temporary) == nil {
			return nil
		}
		return copyFile(source, temporary, info.ModTime(), mode)
	})
}

func copyFile(source, target string, modified time.Time, mode fs.FileMode) error {
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return errors.Join(err, out.Close())
	}
	if err := out.Close(); err != nil {
		return err
	}
	if err := os.Chmod(target, mode); err != nil { // whatever the umask
		return err
	}
	return os.Chtimes(target, modified, modified)
}

// replace makes a file in the scratch directory and moves it into place, so that nobody sees half of it. The scratch
// directory is on the same file system but not in the tree, where another command would remove what it does not know.
func replace(name, scratch string, create func(temporary string) error) error {
	temporary := filepath.Join(scratch, ".new-"+rand.Text())
	if err := create(temporary); err != nil {
		return errors.Join(err, os.RemoveAll(temporary))
	}
	return os.Rename(temporary, name)
}
