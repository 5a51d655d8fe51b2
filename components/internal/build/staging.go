package build

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/mod/sumdb/dirhash"
)

// placeEmptyIgnoreFile puts an ignore file beside the staged Dockerfile, as the tree is filtered already. The provider
// reads `<Dockerfile>.dockerignore` there before the context's own .dockerignore, which the image may hold and which
// would filter once more, by other rules: the provider archives as Docker's classic builder does, and leaves a
// directory out that only a pattern with wildcards lets something of in (`apps/*` and `!apps/**/package.json`).
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
		return fmt.Errorf("the symlink %s leads in a circle: exclude it in .dockerignore, or fix it", source)
	} else if err != nil {
		return fmt.Errorf("the symlink %s leads nowhere: exclude it in .dockerignore, or fix it", source)
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

// checkLinks refuses a symlink that leads to what is not in the tree: Docker would take it, but the provider, which
// hashes where a symlink leads to, fails.
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
			return nil, fmt.Errorf("%s: %w: make it readable, or exclude it in .dockerignore", filepath.Join(t.source, path),
				refused.Err)
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
