package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/moby/go-archive"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"
)

// file is a file, directory or symlink of a build context.
type file struct {
	path string // with slashes, relative to the context
	name string // as the file system has it
	info fs.FileInfo
}

// ignored are the patterns of a build's ignore file: one beside the Dockerfile, of its name, goes before the context's.
func ignored(dir, dockerfile string) ([]string, error) {
	ignoreFile := dockerfile + ".dockerignore"
	if _, err := os.Stat(ignoreFile); errors.Is(err, fs.ErrNotExist) {
		ignoreFile = filepath.Join(dir, ".dockerignore")
	}
	return ignorePatterns(ignoreFile)
}

// hashedFiles lists what the official provider hashes of a context, in the order of a walk: it applies the ignore file
// as BuildKit does, which is not how it archives.
func hashedFiles(dir, dockerfile string) (files []file, err error) {
	patterns, err := ignored(dir, dockerfile)
	if err != nil {
		return nil, err
	}
	err = fsutil.Walk(context.Background(), dir, &fsutil.FilterOpt{ExcludePatterns: patterns},
		func(name string, info fs.FileInfo, err error) error {
			if err == nil {
				files = append(files, file{path.Clean(filepath.ToSlash(name)), filepath.Join(dir, name), info})
			}
			return err
		})
	if err != nil {
		return nil, fmt.Errorf("reading the build context %s: %w", dir, err)
	}
	return files, nil
}

// contextFiles lists what the official provider sends of a context, directories before what they hold: it archives by
// the rules of Docker's classic builder, with the same library, and lets the Dockerfile and the ignore file through.
func contextFiles(ctx context.Context, dir, dockerfile string) (files []file, err error) {
	patterns, err := ignored(dir, dockerfile)
	if err != nil {
		return nil, err
	}
	relative, err := filepath.Rel(dir, dockerfile)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{".dockerignore", filepath.ToSlash(relative)} {
		if matched, err := patternmatcher.MatchesOrParentMatches(name, patterns); err != nil {
			return nil, err
		} else if matched {
			patterns = append(patterns, "!"+name)
		}
	}
	archive, err := archive.TarWithOptions(dir, &archive.TarOptions{ExcludePatterns: patterns})
	if err != nil {
		return nil, fmt.Errorf("reading the build context %s: %w", dir, err)
	}
	defer archive.Close()
	for entries := tar.NewReader(archive); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return files, ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("reading the build context %s: %w", dir, err)
		}
		name := filepath.Join(dir, filepath.FromSlash(entry.Name))
		info, err := os.Lstat(name)
		if err != nil {
			return nil, err
		}
		files = append(files, file{path.Clean(entry.Name), name, info})
	}
}

func ignorePatterns(name string) ([]string, error) {
	content, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	patterns, err := ignorefile.ReadAll(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return patterns, nil
}

// contextDigest is the digest of what an image is built from, as the official provider computes it: SHA-256 over path,
// mode string and SHA-256 of the content of the Dockerfile (always as "Dockerfile" and without a mode) and of every
// file of the context, with a zero byte after each. Of a symlink, the content is the path that it resolves to, relative
// to base unless that is "" or a link on the way is absolute.
func contextDigest(base, dir, dockerfile string) (string, error) {
	files, err := hashedFiles(dir, dockerfile)
	if err != nil {
		return "", err
	}
	all := sha256.New()
	add := func(path, name string, mode fs.FileMode) error {
		sum, err := contentSum(base, name, mode)
		if err != nil {
			return fmt.Errorf("hashing %s: %w", name, err)
		}
		_, err = all.Write(append([]byte(path+mode.String()), append(sum, 0)...))
		return err
	}
	if err := add("Dockerfile", dockerfile, 0); err != nil {
		return "", err
	}
	for _, f := range files {
		if f.info.IsDir() {
			continue
		}
		if err := add(f.path, f.name, f.info.Mode()); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}

func contentSum(base, name string, mode fs.FileMode) ([]byte, error) {
	sum := sha256.New()
	if mode.Type() == fs.ModeSymlink {
		target, err := resolve(base, name)
		sum.Write([]byte(filepath.ToSlash(target)))
		return sum.Sum(nil), err
	}
	content, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer content.Close()
	_, err = io.Copy(sum, content)
	return sum.Sum(nil), err
}

// resolve follows a symlink. The result is relative to base, as the official provider finds it: base is its working
// directory, and it resolves relative names. An absolute link on the way makes it absolute.
func resolve(base, name string) (string, error) {
	target, err := filepath.EvalSymlinks(name)
	if err != nil || base == "" {
		return target, err
	}
	for link, next := name, ""; err == nil; link = filepath.Join(filepath.Dir(link), next) {
		if next, err = os.Readlink(link); err == nil && filepath.IsAbs(next) {
			return target, nil
		}
	}
	if base, err = filepath.EvalSymlinks(base); err != nil {
		return "", err
	}
	return filepath.Rel(base, target)
}

// addTo writes the file into an archive under another path. It belongs to root there, and its time is to the second, as
// Docker's client has it: BuildKit knows an archive by its first bytes, where more about a time must not stand.
func (f file) addTo(archive *tar.Writer, path string) error {
	target := ""
	if f.info.Mode().Type() == fs.ModeSymlink {
		var err error
		if target, err = os.Readlink(f.name); err != nil {
			return err
		}
	}
	header, err := tar.FileInfoHeader(f.info, target)
	if err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	header.Name = path
	if f.info.IsDir() {
		header.Name += "/"
	}
	header.Uid, header.Gid, header.Uname, header.Gname = 0, 0, "", ""
	header.Format, header.ModTime = tar.FormatPAX, header.ModTime.Truncate(time.Second)
	header.AccessTime, header.ChangeTime = time.Time{}, time.Time{}
	if err := archive.WriteHeader(header); err != nil || !f.info.Mode().IsRegular() {
		return err
	}
	content, err := os.Open(f.name)
	if err != nil {
		return err
	}
	defer content.Close()
	_, err = io.Copy(archive, content)
	return err
}
