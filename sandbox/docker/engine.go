package docker

import (
	"context"
	"crypto/rand"
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

func isOff() bool { return os.Getenv(engineVariable) == "off" }

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
	if isOff() {
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

// buildWithEngine builds with the engine, and exports the image into the directory scratch. The engine keeps only
// layers, as its cache: the image gets a tag of its own, which goes again.
func buildWithEngine(
	ctx context.Context, docker *client.Client, b *build, scratch string, progress func(string),
) (image v1.Image, err error) {
	// One build at a time on this machine: builds of the same files make the same image, which one removes from under
	// the other.
	engineLock := flock.New(filepath.Join(os.TempDir(), "sandbox-docker.lock"), flock.SetPermissions(0o666))
	if _, err := engineLock.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return nil, fmt.Errorf("waiting for the Docker engine: %w", err)
	}
	defer engineLock.Unlock()
	tag := "sandbox-build:" + strings.ToLower(rand.Text())
	options := client.ImageBuildOptions{Tags: []string{tag}, CacheFrom: b.cacheFrom, Target: b.target}
	if err := b.run(ctx, docker, options, sendContext, progress); err != nil {
		return nil, err
	}
	defer func() {
		_, removal := docker.ImageRemove(context.WithoutCancel(ctx), tag, client.ImageRemoveOptions{})
		err = errors.Join(err, removal)
	}()
	return export(ctx, docker, tag, filepath.Join(scratch, "image.tar"))
}

// run has the engine build what send writes, to the build's end.
func (b *build) run(ctx context.Context, docker *client.Client, options client.ImageBuildOptions,
	send func(context.Context, *build, io.Writer) error, progress func(string)) error {
	platform, err := v1.ParsePlatform(b.platform)
	if err != nil {
		return fmt.Errorf("build.platform: %w", err)
	}
	options.Platforms = []ocispec.Platform{{OS: platform.OS, Architecture: platform.Architecture,
		Variant: platform.Variant}}
	options.BuildArgs = map[string]*string{}
	for key, value := range b.args {
		options.BuildArgs[key] = &value
	}
	options.Version = buildtypes.BuilderV1
	if !b.isClassic { // every engine that the client speaks to has BuildKit, whether or not it is its default
		options.Version = buildtypes.BuilderBuildKit
		id, end, err := openSession(ctx, docker, b.credentials)
		if err != nil {
			return err
		}
		defer end()
		options.SessionID = id
	}
	options.Dockerfile, options.Remove, options.ForceRemove = b.sentDockerfile(), true, true
	reader, writer := io.Pipe()
	defer reader.Close()
	go func() { writer.CloseWithError(send(ctx, b, writer)) }()
	result, err := docker.ImageBuild(ctx, reader, options)
	if err != nil {
		return err
	}
	defer result.Body.Close()
	return followBuild(result.Body, progress)
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
