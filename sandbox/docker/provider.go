// Package docker answers the Pulumi engine as the official `docker` provider does for docker.Image, in front of
// a sandbox account's registry.
package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"github.com/distribution/reference"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"slipway/sandbox/account"
	"slipway/sandbox/engine"
	"slipway/sandbox/registry"
)

// Version is the version of pulumi-docker whose behaviour this provider has.
const Version = "4.10.0"

const imageType = "docker:index/image:Image"

// inputsKey is where the official provider keeps an image's inputs in its state, to compare the next ones with.
const inputsKey = "__inputs"

type server struct {
	pulumirpc.UnimplementedResourceProviderServer
	account   *account.Account
	registry  *registry.Registry
	directory func() string // what relative paths are relative to
	log       engine.Log
	warnOnce  sync.Once
}

// Serve answers on a port of 127.0.0.1 until stop is called. Paths of contexts and Dockerfiles are relative to
// directory.
func Serve(a *account.Account, r *registry.Registry, directory func() string) (port int, stop func(), err error) {
	cancel := make(chan bool)
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(s *grpc.Server) error {
			pulumirpc.RegisterResourceProviderServer(s, &server{account: a, registry: r, directory: directory})
			return nil
		},
	})
	if err != nil {
		return 0, nil, fmt.Errorf("serving the docker provider: %w", err)
	}
	return handle.Port, func() { close(cancel); <-handle.Done }, nil
}

// Handshake leaves secrets to the engine, which marks the password again in what the provider returns.
func (s *server) Handshake(context.Context, *pulumirpc.ProviderHandshakeRequest) (*pulumirpc.ProviderHandshakeResponse,
	error) {
	return &pulumirpc.ProviderHandshakeResponse{}, nil
}

func (s *server) Attach(_ context.Context, req *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, s.log.Attach(req.GetAddress())
}

func (s *server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

func (s *server) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: `{"name":"docker","version":"` + Version + `"}`}, nil
}

// Cancel does nothing that lasts: the engine sends it between a preview and its update, too.
func (s *server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// CheckConfig refuses all settings: the engine is found as DOCKER_HOST says, and credentials belong to the image.
func (s *server) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	var failures []*pulumirpc.CheckFailure
	for key := range req.GetNews().GetFields() {
		if key != "version" {
			failures = append(failures, &pulumirpc.CheckFailure{Property: key, Reason: "the sandbox's docker provider has no " +
				"settings: set DOCKER_HOST, and give the image its `registry`"})
		}
	}
	return &pulumirpc.CheckResponse{Inputs: req.GetNews(), Failures: failures}, nil
}

func (s *server) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return &pulumirpc.ConfigureResponse{SupportsPreview: true}, nil
}

func (s *server) Invoke(_ context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	return nil, fmt.Errorf("the sandbox's docker provider has no function %s", req.GetTok())
}

// Check adds the platform, where the Dockerfile and its context are, and their digest.
func (s *server) Check(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	if kind := resource.URN(req.GetUrn()).Type(); kind != imageType {
		return &pulumirpc.CheckResponse{Failures: []*pulumirpc.CheckFailure{{
			Reason: fmt.Sprintf("the sandbox's docker provider has no type %s, only %s", kind, imageType)}}}, nil
	}
	inputs, err := unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	if failures := checkSupported(inputs); len(failures) > 0 {
		return &pulumirpc.CheckResponse{Inputs: req.GetNews(), Failures: failures}, nil
	}
	b, err := s.buildOf(inputs)
	if err != nil {
		return nil, err
	}
	if !inputs["build"].IsComputed() {
		settings := resource.PropertyMap{}
		if inputs["build"].IsObject() {
			settings = inputs["build"].ObjectValue()
		}
		if err := s.fillIn(req.GetUrn(), settings, b); err != nil {
			return nil, err
		}
		inputs["build"] = resource.NewProperty(settings)
	}
	for _, image := range append(b.cacheFrom, text(inputs["imageName"])) {
		if image == "" { // not known in a preview
			continue
		}
		if _, err := reference.ParseNamed(image); err != nil {
			return nil, fmt.Errorf("%q is not a fully qualified image name, such as docker.io/repository/image:tag: %w", image,
				err)
		}
	}
	checked, err := marshal(inputs)
	return &pulumirpc.CheckResponse{Inputs: checked}, err
}

// fillIn completes an image's `build`, as far as a preview knows it.
func (s *server) fillIn(urn string, settings resource.PropertyMap, b *build) error {
	if _, isGiven := settings["platform"]; !isGiven {
		platform := "linux/" + runtime.GOARCH
		settings["platform"] = resource.NewProperty(platform)
		s.log.Status(urn, "Building for %s, as `platform` does not say otherwise", platform)
	}
	if settings["context"].IsComputed() || settings["dockerfile"].IsComputed() {
		return nil
	}
	if err := s.checkDockerfile(b); err != nil {
		return err
	}
	digest, err := contextDigest(b.base, b.context, b.dockerfile)
	settings["context"] = resource.NewProperty(b.contextInput)
	settings["dockerfile"] = resource.NewProperty(b.dockerfileInput)
	settings["contextDigest"] = resource.NewProperty(digest)
	return err
}

// checkDockerfile wants the Dockerfile to be where the program says, relative to the project and not to the context.
func (s *server) checkDockerfile(b *build) error {
	_, err := os.Stat(b.dockerfile)
	if err == nil {
		return nil
	}
	if within := filepath.Join(b.contextInput, b.dockerfileInput); !filepath.IsAbs(b.dockerfileInput) {
		if _, err := os.Stat(filepath.Join(s.directory(), within)); err == nil {
			return fmt.Errorf("could not open dockerfile at relative path %s. Try setting `dockerfile` to %q", b.dockerfileInput,
				within)
		}
	}
	return fmt.Errorf("could not open dockerfile at relative path %s: %w", b.dockerfileInput, err)
}

// Diff makes an update of every change but those of the credentials. Nothing is ever replaced.
func (s *server) Diff(_ context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	state, err := unmarshal(req.GetOlds())
	if err != nil {
		return nil, err
	}
	news, err := unmarshal(req.GetNews())
	if err != nil {
		return nil, err
	}
	olds := resource.PropertyMap{}
	if state[inputsKey].IsObject() {
		olds = state[inputsKey].ObjectValue()
	}
	changes := map[string]*pulumirpc.PropertyDiff{}
	if difference := olds.Diff(news); difference != nil {
		for key := range difference.Adds {
			changes[string(key)] = &pulumirpc.PropertyDiff{Kind: pulumirpc.PropertyDiff_ADD}
		}
		for key := range difference.Deletes {
			changes[string(key)] = &pulumirpc.PropertyDiff{Kind: pulumirpc.PropertyDiff_DELETE}
		}
		for key, change := range difference.Updates {
			if key == "registry" && change.Object != nil && !change.Object.Changed("server") {
				continue
			}
			changes[string(key)] = &pulumirpc.PropertyDiff{Kind: pulumirpc.PropertyDiff_UPDATE}
		}
	}
	if len(changes) == 0 {
		return &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}, nil
	}
	return &pulumirpc.DiffResponse{
		Changes: pulumirpc.DiffResponse_DIFF_SOME, DetailedDiff: changes, HasDetailedDiff: true}, nil
}

// Create builds and pushes. A preview only repeats the inputs, so that the outputs are unknown, and warns of a build
// that will fail.
func (s *server) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	if req.GetPreview() {
		return &pulumirpc.CreateResponse{Properties: req.GetProperties()},
			s.warnAhead(ctx, req.GetUrn(), req.GetProperties())
	}
	name, properties, err := s.buildAndPush(ctx, req.GetUrn(), req.GetProperties())
	return &pulumirpc.CreateResponse{Id: name, Properties: properties}, err
}

// Update builds and pushes again, whatever has changed.
func (s *server) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	if req.GetPreview() {
		return &pulumirpc.UpdateResponse{Properties: req.GetNews()}, s.warnAhead(ctx, req.GetUrn(), req.GetNews())
	}
	_, properties, err := s.buildAndPush(ctx, req.GetUrn(), req.GetNews())
	return &pulumirpc.UpdateResponse{Properties: properties}, err
}

// Read returns what it was given: the official provider does not look into the registry.
func (s *server) Read(_ context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	if len(req.GetProperties().GetFields()) == 0 {
		return nil, errors.New("the docker provider cannot import an image")
	}
	return &pulumirpc.ReadResponse{Id: req.GetId(), Properties: req.GetProperties(), Inputs: req.GetInputs()}, nil
}

// Delete removes nothing: what was pushed stays.
func (s *server) Delete(context.Context, *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func unmarshal(properties *structpb.Struct) (resource.PropertyMap, error) {
	return plugin.UnmarshalProperties(properties, plugin.MarshalOptions{KeepUnknowns: true, SkipNulls: true,
		RejectAssets: true})
}

func marshal(properties resource.PropertyMap) (*structpb.Struct, error) {
	return plugin.MarshalProperties(properties, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true,
		SkipNulls: true})
}
