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

	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"
)

// file is a file, directory or symlink of a build context.
type file struct {
	path string // with slashes, relative to the context
	name string // as the file system has it
	info fs.FileInfo
}

// contextFiles lists what the ignore file lets through, in the order of a walk: directories before what they hold. An
// ignore file of the Dockerfile's own goes before the context's.
func contextFiles(ctx context.Context, dir, dockerfile string) (files []file, err error) {
	ignoreFile := dockerfile + ".dockerignore"
	if _, err := os.Stat(ignoreFile); errors.Is(err, fs.ErrNotExist) {
		ignoreFile = filepath.Join(dir, ".dockerignore")
	}
	patterns, err := ignorePatterns(ignoreFile)
	if err != nil {
		return nil, err
	}
	err = fsutil.Walk(ctx, dir, &fsutil.FilterOpt{ExcludePatterns: patterns},
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
	files, err := contextFiles(context.Background(), dir, dockerfile)
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

// addTo writes the file into an archive under another path. It belongs to root there, as Docker has it.
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
	header.Format = tar.FormatPAX // times finer than a second
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
