package compose

import (
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/scaffold/dockerfile"
	"slipway/cmd/slipway/internal/scaffold/draft"
	"slipway/internal/imageref"
)

func (s *service) build() {
	context := s.config.Build.Context
	if !filepath.IsAbs(context) {
		s.Fail(s.where("build"), "services.%s.build: the context %s is not a directory here: clone it, and name its path", s.config.Name,
			context)
		return
	}
	file := s.config.Build.Dockerfile
	if file == "" {
		file = "Dockerfile"
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(context, file)
	}
	build := s.AddBuild(s.config.Name, context, file)
	s.Take(s.where("build"), s.what("build"), "images.%s.build", s.config.Name)
	keys, _ := s.written[s.config.Name]["build"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		switch at := "build." + key; key {
		case "context", "dockerfile":
		case "target":
			build["target"] = s.config.Build.Target
			s.Take(s.where("build", key), s.what(at), "images.%s.build.target: %s", s.config.Name, s.config.Build.Target)
		case "args":
			s.args(build)
		case "platforms":
			s.buildPlatform(build, at, s.config.Build.Platforms)
		case "cache_from":
			s.leave(at, "write images.%s.build.cacheFrom, once its references are those of the stage", s.config.Name)
		case "secrets", "ssh":
			s.leave(at, "an image is built without secrets: fetch what needs them before the build")
		case "dockerfile_inline":
			s.Fail(s.where("build", key), "services.%s.build.dockerfile_inline: write it into a Dockerfile", s.config.Name)
		default:
			s.leave(at, "slipway has nothing for it")
		}
	}
	if s.kind == "services" && len(s.config.Ports) == 0 && len(s.config.Expose) == 0 {
		if port := dockerfile.Exposed(s.Draft, file); port != 0 {
			s.keys["port"] = port
			s.Take(s.FromRoot(file), "EXPOSE", "%s.port: %d", s.key, port)
		}
	}
}

// shareImage has the service run the image of another one that is built in the same way.
func (s *service) shareImage() {
	for _, other := range s.Builds.Sorted() {
		if other != s.config.Name && reflect.DeepEqual(s.Builds[other], s.Builds[s.config.Name]) {
			delete(s.Builds, s.config.Name)
			s.keys["image"] = other
			s.Take(s.where("build"), s.what("build"), "%s.image: %s, which is built in the same way", s.key, other)
			return
		}
	}
}

func (s *service) args(build draft.Keys) {
	for _, name := range slices.Sorted(maps.Keys(s.config.Build.Args)) {
		value, at := s.config.Build.Args[name], s.where("build", "args", name)
		switch what := s.what("build.args." + name); {
		case value == nil:
			s.Leave(at, what, "it has no value: write images.%s.build.args.%s", s.config.Name, name)
		case draft.IsSecret(name, *value):
			s.Leave(at, what, "it looks like a secret, which would be readable in the image: fetch what needs it before the build")
		default:
			build.Object("args")[name] = draft.Literal(*value)
			s.Take(at, what, "images.%s.build.args.%s", s.config.Name, name)
		}
	}
}

func (s *service) platform() {
	if s.config.Build != nil {
		s.buildPlatform(s.Builds[s.config.Name].(draft.Keys).Object("build"), "platform", []string{s.config.Platform})
		return
	}
	s.Shared.Object("images").Object(s.config.Name)["platform"] = s.config.Platform
	s.Take(s.where("platform"), s.what("platform"), "images.%s.platform: %s", s.config.Name, s.config.Platform)
}

func (s *service) buildPlatform(build draft.Keys, key string, platforms []string) {
	if len(platforms) == 0 {
		return
	}
	build["platform"] = platforms[0]
	s.Take(s.where(strings.Split(key, ".")...), s.what(key), "images.%s.build.platform: %s", s.config.Name, platforms[0])
	for _, other := range platforms[1:] {
		s.leave(key, "tasks run on one platform, and %s is another one", other)
	}
}

// image is somebody else's, unless the service builds its own.
func (s *service) image() {
	if s.config.Build != nil {
		s.leave("image", "a stage has a repository for each image, and makes up its tags")
		return
	}
	ref, err := imageref.Parse(s.config.Image)
	if err != nil {
		s.Fail(s.where("image"), "services.%s.image: %s is no reference to an image: %w", s.config.Name, s.config.Image, err)
		return
	}
	text := s.config.Image
	if ref.Tag == "" && ref.Digest == "" {
		text += ":latest"
		s.Note(s.where("image"), s.what("image"), "it names no version, so `latest` is written: write a full version in images.%s.ref", s.config.Name)
	}
	s.Shared.Object("images")[s.config.Name] = draft.Keys{"ref": text}
	s.Take(s.where("image"), s.what("image"), "images.%s.ref: %s", s.config.Name, text)
	if ref.Digest == "" {
		s.Note(s.where("image"), s.what("image"), "it has no digest, without which nothing is deployed: `slipway pin %s` looks "+
			"it up and writes it", s.FirstStage)
	}
}
