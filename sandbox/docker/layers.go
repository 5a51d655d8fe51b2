package docker

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
)

// layer adds what write puts into an archive to the image.
func (p *packer) layer(write func(*tar.Writer) error) error {
	name := filepath.Join(p.scratch, fmt.Sprintf("layer%d.tar", len(p.history)))
	content, err := os.Create(name)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(content)
	if err := errors.Join(write(archive), archive.Close(), content.Close()); err != nil {
		return err
	}
	layer, err := tarball.LayerFromFile(name, tarball.WithCompressionLevel(gzip.BestSpeed))
	if err != nil {
		return err
	}
	p.history[len(p.history)-1].EmptyLayer = false
	p.image, err = mutate.AppendLayers(p.image, layer)
	return err
}

// makeDir adds a directory and those above it, where the image does not have them.
func (p *packer) makeDir(archive *tar.Writer, dir string) error {
	if p.dirs[dir] {
		return nil
	}
	if err := p.makeDir(archive, path.Dir(dir)); err != nil {
		return err
	}
	p.dirs[dir] = true
	return archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dir[1:] + "/", Mode: 0o755,
		ModTime: p.created.Time})
}

// copy adds files of the context by the rules of COPY (https://docs.docker.com/reference/dockerfile/#copy).
func (p *packer) copy(archive *tar.Writer, c instructions.SourcesAndDest) error {
	dest := p.absolute(c.DestPath)
	isDir := strings.HasSuffix(c.DestPath, "/") || path.Base(c.DestPath) == "." || p.dirs[dest]
	if len(c.SourcePaths) > 1 && !isDir {
		return fmt.Errorf("COPY with more than one source: the destination %s must be a directory and end with a /",
			c.DestPath)
	}
	for _, source := range c.SourcePaths {
		pattern := strings.TrimPrefix(path.Clean("/"+filepath.ToSlash(source)), "/")
		if pattern == "" {
			if err := p.copyDir(archive, "", dest); err != nil {
				return err
			}
			continue
		}
		found := false
		for _, f := range p.files {
			matched, err := path.Match(pattern, f.path)
			if err != nil {
				return fmt.Errorf("COPY %s: %w", source, err)
			}
			if !matched {
				continue
			}
			found = true
			if err := p.copyOne(archive, f, dest, isDir); err != nil {
				return err
			}
		}
		if !found {
			return fmt.Errorf("COPY failed: file not found in build context or excluded by .dockerignore: stat %s: file does "+
				"not exist", source)
		}
	}
	return nil
}

// copyOne adds a file, or what a directory holds.
func (p *packer) copyOne(archive *tar.Writer, f file, dest string, isDir bool) error {
	switch {
	case f.info.IsDir():
		return p.copyDir(archive, f.path, dest)
	case !f.info.Mode().IsRegular():
		return needsEngine("COPY of " + f.path + ", which is not a regular file,")
	case isDir:
		dest = path.Join(dest, path.Base(f.path))
	}
	if err := p.makeDir(archive, path.Dir(dest)); err != nil {
		return err
	}
	return f.addTo(archive, dest[1:])
}

func (p *packer) copyDir(archive *tar.Writer, dir, dest string) error {
	if err := p.makeDir(archive, dest); err != nil {
		return err
	}
	for _, f := range p.files {
		below, isBelow := strings.CutPrefix(f.path, dir+"/")
		if dir == "" {
			below, isBelow = f.path, true
		}
		if !isBelow {
			continue
		}
		target := path.Join(dest, below)
		if f.info.IsDir() {
			p.dirs[target] = true
		}
		if err := f.addTo(archive, target[1:]); err != nil {
			return err
		}
	}
	return nil
}
