// Package build lays out what Docker sees of an image, hashes it, and finds out which commit it was made from.
package build

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

// Plan is what an image is to be built from.
type Plan struct {
	// Build is what the stage file says of it.
	stage.Build
	// Staged is what Docker will see, and Source the commit that it was made from.
	Staged *Context
	Source Source
}

// Hash adds to what Docker sees what else makes a new image: where it goes, and whether a commit tells what it was
// built from. Committing what ran dirty makes one clean image, which can be promoted.
func (p *Plan) Hash(repository string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\ndirty=%t\n", p.Staged.Hash, repository, p.Source.Dirty))
	return hex.EncodeToString(sum[:])
}

// Prepare lays out what Docker sees of each image that the stage builds. All that is wrong with any of them is
// reported at once, before anything is built or changed. root is the directory of Pulumi.yaml. What is most likely a
// mistake, and how far it is where that takes longer than a second, is logged.
func Prepare(log pulumi.Log, settings *stage.Stage, root string) (map[string]*Plan, error) {
	builds := map[string]*Plan{}
	var mistakes []error
	for _, name := range slices.Sorted(maps.Keys(settings.Images)) {
		declared := settings.Images[name]
		if declared.Build == nil || declared.Ref != nil {
			continue
		}
		progress := &progress{every: time.Second, say: func(message string) {
			_ = log.Info(fmt.Sprintf("images.%s: %s", name, message), &pulumi.LogArgs{Ephemeral: true})
		}}
		build, err := prepareBuild(root, stagingDir(settings.Name, name), *declared.Build, progress)
		for _, mistake := range allOf(err) {
			key := []any{"images", name, "build"}
			if below := (buildError{}); errors.As(mistake, &below) {
				key = append(key, below.key)
			}
			// People write paths relative to Pulumi.yaml, and read them so.
			mistakes = append(mistakes, fmt.Errorf("%s: %s", settings.Where(key...), relativeTo(root, mistake.Error())))
		}
		if builds[name] = build; build == nil {
			continue
		}
		for _, warning := range build.Staged.warnings {
			message := fmt.Sprintf("%s: %s", settings.Where("images", name, "build", "context"), relativeTo(root, warning))
			if err := log.Warn(message, nil); err != nil {
				return nil, err
			}
		}
	}
	return builds, errors.Join(mistakes...)
}

func relativeTo(root, message string) string {
	return strings.ReplaceAll(message, filepath.Clean(root)+string(filepath.Separator), "")
}

// allOf are the errors that were joined in one.
func allOf(err error) []error {
	if err == nil {
		return nil
	}
	if below := (buildError{}); errors.As(err, &below) {
		var each []error
		for _, mistake := range allOf(below.error) {
			each = append(each, buildError{below.key, mistake})
		}
		return each
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	return []error{err}
}

// stagingDir is the directory that an image is staged in: one for each stage, as two stages may be built from one
// checkout at once. An image's name may have slashes, so where a part of it is what the directory of another image
// holds, it gets a letter that no image's name begins with. The path is an input of the image: another one is another
// image, so all other names stand for themselves. Images' names are lower case, whatever the file system does with
// upper case.
func stagingDir(stageName, image string) string {
	parts := strings.Split(image, "/")
	for i, part := range parts[1:] {
		switch part {
		case stagedContext, strings.ToLower(stagedDockerfile), strings.ToLower(stagedDockerfile + ignoreSuffix):
			parts[i+1] = "_" + part
		}
	}
	return path.Join(append([]string{stagingRoot, stageName}, parts...)...)
}

// isRenamed tells whether a staging directory, or one below it, is not named as its image.
func isRenamed(dir string) bool { return strings.Contains(dir, "/_") }

func prepareBuild(root, stagingDir string, declared stage.Build, progress *progress) (*Plan, error) {
	context, err := stageContext(root, stagingDir, declared, progress)
	if err != nil {
		return nil, err
	}
	if err := context.checkDockerfile(root, declared); err != nil {
		return nil, err
	}
	from, err := context.sourceOf()
	return &Plan{declared, context, from}, err
}
