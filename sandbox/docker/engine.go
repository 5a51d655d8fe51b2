package docker

import (
	"archive/tar"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	buildtypes "github.com/moby/moby/api/types/build"
	"github.com/moby/moby/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// engineVariable switches the Docker engine off with the value "off", as on a machine that has none. With "build" it
// builds images, and runs no tasks.
const engineVariable = "SANDBOX_DOCKER"

// answerTime is how long an engine that is there may take to answer.
const answerTime = 30 * time.Second

// TaskEngine is the engine that runs an account's tasks; nil where tasks are only recorded.
func TaskEngine(ctx context.Context) (*client.Client, error) {
	if os.Getenv(engineVariable) == "build" {
		return nil, nil
	}
	return Engine(ctx)
}

// Engine is the engine that DOCKER_HOST names, or the local one; nil where none is there. One that is only slow is an
// error: to go on without it would leave what it has, and build and run otherwise than a moment ago.
func Engine(ctx context.Context) (*client.Client, error) {
	if os.Getenv(engineVariable) == "off" {
		return nil, nil
	}
	docker, err := client.New(client.FromEnv)
	if err != nil {
		return nil, fmt.Errorf("the Docker engine: %w", err)
	}
	answering, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	if _, err := docker.Ping(answering, client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		_ = docker.Close()
		if client.IsErrConnectionFailed(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("the Docker engine does not answer: start it again, or go without it (%s=off): %w",
			engineVariable, err)
	}
	return docker, nil
}

// buildWithEngine builds with the engine's classic builder, which unlike BuildKit takes no session, and exports the
// image into the directory scratch. The engine keeps only layers, as its cache: the image gets a tag of its own, which
// goes again.
func buildWithEngine(
	ctx context.Context, docker *client.Client, b *build, scratch string, progress func(string),
) (image v1.Image, err error) {
	// One build at a time on this machine: removing an image pulls the layers from under another build of the same files.
	engineLock := flock.New(filepath.Join(os.TempDir(), "sandbox-docker.lock"), flock.SetPermissions(0o666))
	if _, err := engineLock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return nil, fmt.Errorf("waiting for the Docker engine: %w", err)
	}
	defer engineLock.Unlock()
	tag := "sandbox-build:" + strings.ToLower(rand.Text())
	options := client.ImageBuildOptions{Tags: []string{tag}, CacheFrom: b.cacheFrom, BuildArgs: map[string]*string{},
		Target: b.target, Version: buildtypes.BuilderV1, Remove: true, ForceRemove: true}
	for key, value := range b.args {
		options.BuildArgs[key] = &value
	}
	platform, err := v1.ParsePlatform(b.platform)
	if err != nil {
		return nil, fmt.Errorf("build.platform: %w", err)
	}
	options.Platforms = []ocispec.Platform{{OS: platform.OS, Architecture: platform.Architecture,
		Variant: platform.Variant}}
	reader, writer := io.Pipe()
	defer reader.Close()
	go func() { writer.CloseWithError(sendContext(ctx, b, writer)) }()
	options.Dockerfile = sentDockerfile
	result, err := docker.ImageBuild(ctx, reader, options)
	if err != nil {
		return nil, err
	}
	defer result.Body.Close()
	if err := followBuild(result.Body, progress); err != nil {
		return nil, err
	}
	defer func() {
		_, removal := docker.ImageRemove(context.WithoutCancel(ctx), tag, client.ImageRemoveOptions{})
		err = errors.Join(err, removal)
	}()
	return export(ctx, docker, tag, filepath.Join(scratch, "image.tar"))
}

// sentDockerfile is the Dockerfile's name on its way to the engine. It is sent beside the context, which need not hold
// it.
const sentDockerfile = ".sandbox.Dockerfile"

// sendContext writes the archive that the engine builds from. The engine leaves out what its .dockerignore names: here
// only what was put in for the engine itself.
func sendContext(ctx context.Context, b *build, to io.Writer) error {
	const ignoreFile = ".dockerignore"
	files, err := contextFiles(ctx, b.context, b.dockerfile)
	if err != nil {
		return err
	}
	dockerfile, err := os.ReadFile(b.dockerfile)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(to)
	ignored := sentDockerfile + "\n" + ignoreFile + "\n"
	for _, f := range files {
		if f.path == ignoreFile { // the image may take it
			content, err := os.ReadFile(f.name)
			if err != nil {
				return err
			}
			ignored = string(content) + "\n" + sentDockerfile + "\n"
			continue
		}
		if err := f.addTo(archive, f.path); err != nil {
			return err
		}
	}
	for name, content := range map[string][]byte{sentDockerfile: dockerfile, ignoreFile: []byte(ignored)} {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			return err
		}
		if _, err := archive.Write(content); err != nil {
			return err
		}
	}
	return archive.Close()
}

// followBuild passes a build's messages on until it ends.
func followBuild(messages io.Reader, progress func(string)) error {
	for decoder := json.NewDecoder(messages); ; {
		var message struct {
			Stream, Status, Error string
		}
		if err := decoder.Decode(&message); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("following the build: %w", err)
		}
		if message.Error != "" {
			return errors.New(message.Error)
		}
		if line := strings.TrimSpace(message.Stream + message.Status); line != "" {
			progress(line)
		}
	}
}

// export saves an image of the engine in a file, from which it is read.
func export(ctx context.Context, docker *client.Client, tag, file string) (v1.Image, error) {
	saved, err := docker.ImageSave(ctx, []string{tag})
	if err != nil {
		return nil, err
	}
	defer saved.Close()
	content, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(content, saved)
	if err := errors.Join(err, content.Close()); err != nil {
		return nil, fmt.Errorf("exporting %s: %w", tag, err)
	}
	return tarball.ImageFromPath(file, nil)
}
