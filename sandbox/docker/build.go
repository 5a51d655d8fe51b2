package docker

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"

	"slipway/sandbox/account/ecr"
	"slipway/sandbox/registry"
)

// build is what an image is built from.
type build struct {
	context, dockerfile           string // as the file system has them
	contextInput, dockerfileInput string // as the program gave them
	base                          string // what the context is relative to; "" where it is absolute
	args                          map[string]string
	cacheFrom                     []string
	target, platform              string
	isClassic                     bool                 // built by the classic builder, as the program wants it
	credentials                   registry.Credentials // of the registry that the image is pushed to
}

// buildOf reads an image's `build`. Values that a preview does not know yet are left out.
func (s *server) buildOf(inputs resource.PropertyMap) (*build, error) {
	settings := resource.PropertyMap{}
	if inputs["build"].IsObject() {
		settings = inputs["build"].ObjectValue()
	}
	b := &build{contextInput: cmp.Or(text(settings["context"]), "."), target: text(settings["target"]),
		platform: text(settings["platform"]), args: map[string]string{},
		credentials: credentialsOf(inputs["registry"])}
	switch version := settings["builderVersion"]; {
	case !version.IsString() || version.StringValue() == "BuilderBuildKit":
	case version.StringValue() == "BuilderV1":
		b.isClassic = true
	default:
		return nil, fmt.Errorf("build.builderVersion: invalid Docker Builder version %q; write BuilderBuildKit, "+
			"BuilderV1 or nothing", version.StringValue())
	}
	b.dockerfileInput = cmp.Or(text(settings["dockerfile"]), path.Join(b.contextInput, "Dockerfile"))
	if settings["args"].IsObject() {
		for key, value := range settings["args"].ObjectValue() {
			b.args[string(key)] = text(value)
		}
	}
	if settings["cacheFrom"].IsObject() {
		images := settings["cacheFrom"].ObjectValue()["images"]
		if !images.IsArray() {
			return nil, fmt.Errorf("build.cacheFrom: set `images`")
		}
		for _, image := range images.ArrayValue() {
			b.cacheFrom = append(b.cacheFrom, text(image))
		}
	}
	b.context, b.dockerfile = s.absolute(b.contextInput), s.absolute(b.dockerfileInput)
	if !filepath.IsAbs(b.contextInput) {
		b.base = s.directory()
	}
	return b, nil
}

func (s *server) absolute(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.directory(), filepath.FromSlash(name))
}

// text is a string property, "" where it is something else.
func text(value resource.PropertyValue) string {
	if value.IsString() {
		return value.StringValue()
	}
	return ""
}

// supported are the inputs of an image and of its objects that the sandbox knows.
var supported = map[resource.PropertyKey][]string{
	"":         {"build", "buildOnPreview", "imageName", "registry", "skipPush"},
	"build":    {"args", "builderVersion", "cacheFrom", "context", "contextDigest", "dockerfile", "platform", "target"},
	"registry": {"password", "server", "username"},
}

func checkSupported(inputs resource.PropertyMap) (failures []*pulumirpc.CheckFailure) {
	refuse := func(property, reason string) {
		failures = append(failures, &pulumirpc.CheckFailure{Property: property, Reason: reason})
	}
	for _, key := range slices.Sorted(maps.Keys(inputs)) {
		if !slices.Contains(supported[""], string(key)) {
			refuse(string(key), fmt.Sprintf("the sandbox's docker provider does not know the property %s", key))
		}
	}
	for _, object := range []resource.PropertyKey{"build", "registry"} {
		value, isGiven := inputs[object]
		if !value.IsObject() {
			if isGiven && !value.IsComputed() {
				refuse(string(object), fmt.Sprintf("`%s` must be an object", object))
			}
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(value.ObjectValue())) {
			if name := string(object + "." + key); !slices.Contains(supported[object], string(key)) {
				refuse(name, "the sandbox's docker provider does not know the property "+name)
			}
		}
	}
	for _, flag := range []resource.PropertyKey{"buildOnPreview", "skipPush"} {
		if inputs[flag].IsBool() && inputs[flag].BoolValue() {
			refuse(string(flag), fmt.Sprintf("the sandbox's docker provider does not support %s: leave it out", flag))
		}
	}
	return failures
}

// buildAndPush returns the image's name and its state.
func (s *server) buildAndPush(ctx context.Context, urn string, properties *structpb.Struct) (string, *structpb.Struct,
	error) {
	inputs, err := unmarshal(properties)
	if err != nil {
		return "", nil, err
	}
	b, err := s.buildOf(inputs)
	if err != nil {
		return "", nil, err
	}
	imageName := text(inputs["imageName"])
	tag, err := name.NewTag(imageName, name.StrictValidation)
	if err != nil {
		return "", nil, fmt.Errorf("imageName: %w", err)
	}
	relative, err := filepath.Rel(b.context, b.dockerfile)
	if err != nil {
		return "", nil, err
	}
	if err := ecr.CountBuild(s.account, tag.RepositoryStr()); err != nil {
		return "", nil, err
	}
	s.log.Status(urn, "Building the image")
	image, cleanUp, err := s.build(ctx, urn, b)
	if err != nil {
		return "", nil, err
	}
	defer cleanUp()
	s.log.Status(urn, "Pushing Image to the registry")
	digest, err := s.registry.Push(ctx, image, tag, b.credentials,
		func(message string) { s.log.Status(urn, "%s", message) })
	if err != nil {
		return "", nil, err
	}
	state, err := marshal(resource.PropertyMap{
		"baseImageName":  resource.NewProperty(imageName),
		"context":        resource.NewProperty(b.contextInput),
		"dockerfile":     resource.NewProperty(filepath.ToSlash(relative)),
		"imageName":      resource.NewProperty(imageName),
		"platform":       resource.NewProperty(b.platform),
		"registryServer": resource.NewProperty(b.credentials.Server),
		"repoDigest":     resource.NewProperty(tag.Repository.Name() + "@" + digest.String()),
		inputsKey:        resource.MakeSecret(resource.NewProperty(inputs)),
	})
	return imageName, state, err
}

func credentialsOf(value resource.PropertyValue) registry.Credentials {
	if !value.IsObject() {
		return registry.Credentials{}
	}
	given := value.ObjectValue()
	return registry.Credentials{
		Server: text(given["server"]), Username: text(given["username"]), Password: text(given["password"])}
}

// build builds with the Docker engine where one is there, and packs the context itself where none is. The image
// may be read until cleanUp is called.
func (s *server) build(ctx context.Context, urn string, b *build) (image v1.Image, cleanUp func(), err error) {
	docker, err := Engine(ctx)
	if err != nil {
		return nil, nil, err
	}
	scratch, err := os.MkdirTemp("", "sandbox-build-*")
	if err != nil {
		return nil, nil, err
	}
	cleanUp = func() { _ = os.RemoveAll(scratch) }
	if docker != nil {
		defer docker.Close()
		image, err = buildWithEngine(ctx, docker, b, scratch, func(line string) { s.log.Status(urn, "%s", line) })
	} else {
		s.warnOnce.Do(func() {
			reason := "No Docker engine answers"
			if isOff() {
				reason = "The Docker engine is switched off (" + engineVariable + "=off)"
			}
			s.log.Warn(urn, "%s, so the sandbox packs images itself. On AWS, pulumi stops here without one: start Docker first.",
				reason)
		})
		image, err = pack(ctx, b, scratch)
	}
	if err != nil {
		cleanUp()
		return nil, nil, err
	}
	return image, cleanUp, nil
}
