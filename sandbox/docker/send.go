package docker

import (
	"archive/tar"
	"context"
	"io"
	"os"
	"path/filepath"
)

// outsideDockerfile is the name that a Dockerfile which lies outside of its context has on its way to the engine. As
// with the official provider, whose name for it is another one each time, it is a file of the context then.
const outsideDockerfile = ".dockerfile.sandbox"

// sentDockerfile is what the engine is told that the Dockerfile is called.
func (b *build) sentDockerfile() string {
	if relative, err := filepath.Rel(b.context, b.dockerfile); err == nil && filepath.IsLocal(relative) {
		return filepath.ToSlash(relative)
	}
	return outsideDockerfile
}

const ignoreFile = ".dockerignore"

// sendContext writes the archive that the engine builds from. BuildKit takes all of it; the classic builder leaves out
// what the ignore file names.
func sendContext(ctx context.Context, b *build, to io.Writer) error {
	files, err := contextFiles(ctx, b.context, b.dockerfile)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(to)
	isOutside := b.sentDockerfile() == outsideDockerfile
	var ignored []byte
	for _, f := range files {
		if isOutside && f.path == ignoreFile { // which then has a line more
			if ignored, err = os.ReadFile(f.name); err != nil {
				return err
			}
			continue
		}
		if err := f.addTo(archive, f.path); err != nil {
			return err
		}
	}
	if isOutside {
		if len(ignored) > 0 {
			ignored = append(ignored, '\n')
		}
		ignored = append(ignored, outsideDockerfile+"\n"...)
		if err := addContent(archive, ignoreFile, ignored); err != nil {
			return err
		}
		if err := b.addDockerfile(archive); err != nil {
			return err
		}
	}
	return archive.Close()
}

// addDockerfile adds the Dockerfile as the engine is told that it is called.
func (b *build) addDockerfile(archive *tar.Writer) error {
	content, err := os.ReadFile(b.dockerfile)
	if err != nil {
		return err
	}
	return addContent(archive, b.sentDockerfile(), content)
}

func addContent(archive *tar.Writer, name string, content []byte) error {
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
		return err
	}
	_, err := archive.Write(content)
	return err
}
