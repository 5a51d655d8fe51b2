package stage

import (
	"cmp"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"slipway/internal/imageref"
)

// Build says how an image is built.
type Build struct {
	// Context is the directory that Docker is given, less what its `.dockerignore` excludes. Whatever changes in it makes
	// a new image, so a context that is the project itself excludes the stage files (`Pulumi.*`) there. Left out in any
	// case are `.git` and `.pulumi` in the context, and `.git`, `.pulumi`, `.bin`, `.sandbox` and `.slipway` beside
	// `Pulumi.yaml`; all but the last are let in by an exception in `.dockerignore` (`!.git`) or by their name in the
	// Dockerfile. The commit in the tag, and whether it says `-dirty`, go by the files that Docker sees: where the image
	// takes a file that git ignores, such as a binary, let the source that it is made of into the context, too.
	//
	// Default: none; required
	// Allowed: an existing directory, relative to `Pulumi.yaml`, which may lie outside the project (`../services/web`); no
	// absolute path, and not the root of the file system
	// Example: context: ./app
	// Rule: [Docker build context](https://docs.docker.com/build/concepts/context/)
	Context string `json:"context"`

	// Dockerfile is the path of the Dockerfile, relative to `Pulumi.yaml`.
	//
	// Default: none; the file `Dockerfile` in `context`
	// Allowed: an existing file; no absolute path
	// Example: dockerfile: ./app/Dockerfile.golang
	// Rule: [docker build --file](https://docs.docker.com/reference/cli/docker/buildx/build/#file)
	Dockerfile string `json:"dockerfile"`

	// Target is the stage of a multi-stage Dockerfile to build.
	//
	// Default: none; the last stage
	// Allowed: a name after `AS` in the Dockerfile
	// Example: target: final
	// Rule: [docker build --target](https://docs.docker.com/reference/cli/docker/buildx/build/#target)
	Target string `json:"target"`

	// Args are build arguments. They become part of the image, which every stage runs, so none may have the name of a
	// variable in `environment`, in `secrets`, or in the environment of a container that runs the image.
	//
	// Allowed: names of letters, digits and `_`, no digit first
	// Example: args: {GO_VERSION: "1.26"}
	// Rule: [docker build --build-arg](https://docs.docker.com/reference/cli/docker/buildx/build/#build-arg)
	Args map[string]string `json:"args"`

	// Platform is the platform to build for. Tasks run on the same.
	//
	// Example: platform: linux/arm64
	// Rule: [ECS RuntimePlatform](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RuntimePlatform.html)
	Platform string `json:"platform" default:"linux/amd64" enum:"linux/amd64,linux/arm64"`

	// CacheFrom are images whose layers the build may reuse.
	//
	// Allowed: references to images
	// Example: cacheFrom: ["public.ecr.aws/docker/library/golang:1.26"]
	// Rule: [docker build --cache-from](https://docs.docker.com/reference/cli/docker/buildx/build/#cache-from)
	CacheFrom []string `json:"cacheFrom"`

	// Refresh is any text. Changing it rebuilds the image though its source is the same, for a newer base image, say.
	//
	// Example: refresh: "2026-11-23"
	// Rule: it is part of what decides whether an image is built
	Refresh string `json:"refresh"`
}

const defaultPlatform = "linux/amd64"

// image turns a checked document into the image.
func (d imageDocument) image() Image {
	image := Image{Platform: d.platform(), Mirror: d.Mirror}
	if d.Build != nil {
		build := *d.Build
		build.Context, build.Dockerfile = build.paths()
		image.Build = &build
	}
	if d.Ref != "" {
		ref, err := parseRef(d.Ref, "")
		if err != nil {
			panic("stage: a reference that was not checked: " + err.Error())
		}
		image.Ref = ref
	}
	return image
}

// platform is what tasks that run the image run on.
func (d imageDocument) platform() string {
	if d.Build != nil {
		return cmp.Or(d.Platform, d.Build.Platform)
	}
	return cmp.Or(d.Platform, defaultPlatform)
}

// paths are those of context and Dockerfile, both relative to the directory of Pulumi.yaml.
func (b *Build) paths() (context, dockerfile string) {
	context = path.Clean(filepath.ToSlash(b.Context))
	if b.Dockerfile == "" {
		return context, path.Join(context, "Dockerfile")
	}
	return context, path.Clean(filepath.ToSlash(b.Dockerfile))
}

func (c *checker) checkImage(name string, image imageDocument) {
	c.checkImageName(name)
	here := c.at("images", name)
	built, pinned := here.at("build"), here.at("ref")
	if image.Mirror && built.present {
		here.at("mirror").fail("cannot be combined with build, which fills the stage's repository already; remove one of them")
	}
	switch {
	case pinned.present: // with a build beside it, too: nothing is built, so what Docker would read need not be there
		c.checkRef(name, image.Ref, c.aws)
	case built.present && !built.bad:
		c.checkBuild(name, image.Build)
		if platform := here.at("platform"); platform.present {
			platform.fail("goes with ref; write build.platform for an image that is built here")
		}
	case !built.present && !built.bad:
		here.fail("has neither build nor ref; write build.context to build it here, "+
			"or ref to run one that exists: %s", pinnedForm)
	}
}

// argumentName is a name that a Dockerfile can refer to.
var argumentName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (c *checker) checkBuild(name string, build *Build) {
	here := c.at("images", name, "build")
	c.checkPaths(here, build)
	if target := here.at("target"); target.present && blank(build.Target) {
		target.fail("is empty; name a build stage of the Dockerfile, or remove it to build the last one")
	}
	for i, from := range build.CacheFrom {
		if _, err := imageref.Parse(from); err != nil {
			here.at("cacheFrom", i).fail("is not a reference to an image (%s); write <repository>:<tag>", err)
		}
	}
	for argument := range build.Args {
		if !argumentName.MatchString(argument) {
			here.at("args", argument).fail("is not a name that a build argument can have; " +
				"use letters, digits and _, and no digit first")
		}
		if where := c.whereSet(name, argument); where != "" {
			here.at("args", argument).fail("has the name of a variable in %s, and would build what belongs to one "+
				"stage into the image of all; rename it, or remove it and let the container read the variable", where)
		}
	}
}

// whereSet finds a variable that the containers of an image are given by the stage.
func (c *checker) whereSet(image, variable string) string {
	if _, set := c.document.Environment[variable]; set {
		return "environment"
	}
	if _, set := c.document.Secrets[variable]; set {
		return "secrets"
	}
	for _, name := range slices.Sorted(maps.Keys(c.document.Services)) {
		if where := c.document.Services[name].whereSet(c.at("services", name), image, variable); where != "" {
			return where
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.document.Tasks)) {
		if where := c.document.Tasks[name].whereSet(c.at("tasks", name), image, variable); where != "" {
			return where
		}
	}
	return ""
}

// whereSet finds the variable in a task definition's containers that run the image.
func (d TaskDefinition) whereSet(here place, image, variable string) string {
	if d.Image == image && hasKey(d.Environment, variable) {
		return here.at("environment").key()
	}
	for _, name := range slices.Sorted(maps.Keys(d.Containers)) {
		if sidecar := d.Containers[name]; sidecar.Image == image && hasKey(sidecar.Environment, variable) {
			return here.at("containers", name, "environment").key()
		}
	}
	return ""
}

// checkPaths checks that what Docker would read is there.
func (c *checker) checkPaths(here place, build *Build) {
	directory, file := here.at("context"), here.at("dockerfile")
	context, dockerfile := build.paths()
	switch {
	case directory.bad:
		return
	case !directory.present || blank(build.Context):
		directory.fail("is missing; name the directory to build from, relative to Pulumi.yaml, such as ./app")
		return
	case isAbsolute(context):
		directory.fail("is the absolute path %q, which other machines do not have; write it relative to Pulumi.yaml",
			build.Context)
		return
	}
	if c.in.Root == "" {
		return // what was there at the time, nobody knows
	}
	if info, err := c.stat(context); err != nil || !info.IsDir() {
		directory.fail("there is no directory %q; create it, or correct the path, which is relative to Pulumi.yaml",
			build.Context)
		return
	}
	if resolved, err := filepath.EvalSymlinks(filepath.Join(c.in.Root, filepath.FromSlash(context))); err == nil {
		if resolved, err = filepath.Abs(resolved); err == nil && filepath.Dir(resolved) == resolved {
			directory.fail("%q is the root of the file system; name the directory to build from, such as ./app",
				build.Context)
			return
		}
	}
	if file.present && blank(build.Dockerfile) || isAbsolute(dockerfile) {
		file.fail("is %q; write a file's path relative to Pulumi.yaml, such as %s", build.Dockerfile,
			path.Join(context, "Dockerfile"))
		return
	}
	if c.isFile(dockerfile) {
		return
	}
	if _, err := c.stat(dockerfile); err == nil {
		file.fail("there is no file %q, but a directory, a pipe or a device; name the Dockerfile", dockerfile)
		return
	}
	advice := "create it, or name another in build.dockerfile, relative to Pulumi.yaml"
	if inContext := path.Join(context, dockerfile); c.isFile(inContext) {
		advice = "paths are relative to Pulumi.yaml: write " + inContext
	}
	file.fail("there is no file %q; %s", dockerfile, advice)
}

func (c *checker) isFile(name string) bool {
	info, err := c.stat(name)
	return err == nil && info.Mode().IsRegular()
}

func isAbsolute(name string) bool {
	return path.IsAbs(name) || filepath.IsAbs(name) || strings.HasPrefix(name, "~")
}

func (c *checker) stat(name string) (fs.FileInfo, error) {
	return os.Stat(filepath.Join(c.in.Root, filepath.FromSlash(name)))
}
