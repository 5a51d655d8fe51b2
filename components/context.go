package components

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
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
	warnings   []string
}

// stageContext lays out what Docker sees below stagingDir and hashes it. The Docker provider hashes file
// modes too, of which git keeps only the executable bit: two clones under different umasks differ in modes
// though nothing changed. So the provider is shown a tree in which every mode is 0644 or 0755, made of hard
// links where the source has that mode already, of copies elsewhere.
//
// progress, which may be nil, is told how far it is.
func stageContext(root, stagingDir string, build stage.Build, progress *progress) (*buildContext, error) {
	c := &buildContext{
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
	tree := stagedTree{root: filepath.Join(root, c.Dir), scratch: filepath.Join(root, stagingDir), source: c.source, progress: progress}
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
func (c *buildContext) leaveOut(root string) error {
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
func (c *buildContext) warn(tree *stagedTree, root string) {
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
		c.warnings = append(c.warnings, fmt.Sprintf("the build context %s holds %s: each change there builds a new image; %s, as %s",
			c.source, strings.Join(stageFiles, ", "), advice, filepath.ToSlash(filepath.Join(project, "Pulumi.*"))))
	}
	if tree.size() > largeContext {
		largest := slices.SortedFunc(maps.Keys(tree.sizes), func(a, b string) int { return cmp.Compare(tree.sizes[b], tree.sizes[a]) })
		var parts []string
		for _, name := range largest[:min(3, len(largest))] {
			parts = append(parts, fmt.Sprintf("%s (%s)", name, megabytes(tree.sizes[name])))
		}
		c.warnings = append(c.warnings, fmt.Sprintf("the build context %s has %s, most of it in %s; where the image does not need them, %s",
			c.source, megabytes(tree.size()), strings.Join(parts, ", "), advice))
	}
}

func megabytes(size int64) string { return fmt.Sprintf("%d MB", size>>20) }

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
			return errNotStaged(source)
		})
}

func errNotStaged(source string) error {
	return fmt.Errorf("%s is neither a file, a directory nor a symlink: exclude it in .dockerignore", source)
}

// stagedTree is the copy that the provider sees. It is brought up to date in place and file by file, so
// that a build that another command has under way keeps seeing whole files.
type stagedTree struct {
	root     string
	scratch  string            // for files that are not whole yet
	source   string            // what it is a copy of
	entries  []string          // "0644 path", "0755 path" or "link path": what the hash is taken over, and of what
	paths    map[string]string // of the entries
	kept     map[string]bool
	dirs     []string
	links    map[string]string
	sizes    map[string]int64 // in bytes, by the first part of the path
	progress *progress
}

func (t *stagedTree) keep(kind, path string) {
	if t.kept == nil {
		t.kept, t.links, t.paths, t.sizes = map[string]bool{}, map[string]string{}, map[string]string{}, map[string]int64{}
	}
	t.kept[path] = true
	if kind == "" {
		return
	}
	entry := kind + " " + filepath.ToSlash(path)
	if strings.Contains(entry, "\n") { // which an entry cannot have
		entry = "quoted " + kind + " " + strconv.Quote(filepath.ToSlash(path))
	}
	t.entries = append(t.entries, entry)
	t.paths[entry] = filepath.ToSlash(path)
}

func (t *stagedTree) size() (size int64) {
	for _, each := range t.sizes {
		size += each
	}
	return size
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
	if _, err := os.Stat(source); errors.Is(err, syscall.ELOOP) {
		return fmt.Errorf("the symlink %s leads in a circle: exclude it in .dockerignore, or mend it", source)
	} else if err != nil {
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
	if !info.Mode().IsRegular() { // a socket, which the walk takes for a file
		return errNotStaged(source)
	}
	mode, kind := fs.FileMode(0o644), "0644"
	if info.Mode()&0o100 != 0 {
		mode, kind = 0o755, "0755"
	}
	t.keep(kind, path)
	first, _, _ := strings.Cut(filepath.ToSlash(path), "/")
	t.sizes[first] += info.Size()
	t.progress.step("laid out", info.Size())
	return placeFile(source, filepath.Join(t.root, path), t.scratch, info, mode)
}

// checkLinks refuses a symlink that leads to what is not in the tree: Docker would take it, but the provider, which hashes
// where a symlink leads to, fails.
func (t *stagedTree) checkLinks() error {
	var mistakes []error
	for _, path := range slices.Sorted(maps.Keys(t.links)) {
		if _, err := filepath.EvalSymlinks(filepath.Join(t.root, filepath.FromSlash(path))); err != nil {
			mistakes = append(mistakes, fmt.Errorf("the symlink %s leads to %s, which the build context does not hold: "+
				"exclude it in .dockerignore, or admit that there", filepath.Join(t.source, path), t.links[path]))
		}
	}
	return errors.Join(mistakes...)
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
		path := t.paths[entry]
		if target, isLink := t.links[path]; isLink {
			return io.NopCloser(strings.NewReader(target)), nil
		}
		file, err := os.Open(filepath.Join(t.root, filepath.FromSlash(path)))
		if refused := (*fs.PathError)(nil); errors.As(err, &refused) { // people know the file that it is a copy of
			return nil, fmt.Errorf("%s: %w: make it readable, or exclude it in .dockerignore", filepath.Join(t.source, path), refused.Err)
		} else if err != nil {
			return nil, err
		}
		info, err := file.Stat()
		if err == nil {
			t.progress.step("hashed", info.Size())
		}
		return file, err
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
