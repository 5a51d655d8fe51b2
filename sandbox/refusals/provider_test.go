package refusals

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"

	"slipway/stage"
)

// provider makes what the program declares in a sandbox account, as the engine does in an update.
type provider struct {
	client pulumirpc.ResourceProviderClient
	ctx    context.Context

	mutex    sync.Mutex
	count    int
	mistakes []error
}

var marshal = plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true, SkipNulls: true}

func newProvider(t *testing.T, port int, input stage.Input) *provider {
	t.Helper()
	connection, err := grpc.NewClient(fmt.Sprintf("127.0.0.1:%d", port),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	made := &provider{client: pulumirpc.NewResourceProviderClient(connection), ctx: t.Context()}
	settings := map[string]any{}
	for key, value := range input.Config {
		if name, is := strings.CutPrefix(key, "aws:"); is {
			settings[name] = value
		}
	}
	args, err := structpb.NewStruct(settings)
	require.NoError(t, err)
	_, err = made.client.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: args})
	require.NoError(t, err)
	return made
}

func (p *provider) made() int {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return p.count
}

func (p *provider) refused() error {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return errors.Join(p.mistakes...)
}

// NewResource makes a resource, and keeps why that is refused.
func (p *provider) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	switch {
	case args.TypeToken == "docker:index/image:Image":
		outputs := args.Inputs.Copy()
		name := args.Inputs["imageName"].StringValue()
		repository, _, _ := strings.Cut(name, ":")
		outputs["repoDigest"] = resource.NewStringProperty(repository + "@sha256:" + strings.Repeat("0", 64))
		return args.Name, outputs, nil
	case !strings.HasPrefix(args.TypeToken, "aws:"):
		return args.Name, args.Inputs, nil
	}
	id, outputs, err := p.make(args)
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.count++
	if err != nil {
		p.mistakes = append(p.mistakes, fmt.Errorf("%s %s: %w", args.TypeToken, args.Name, err))
	}
	return id, outputs, err
}

func (p *provider) make(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	urn := "urn:pulumi:dev::shop::" + args.TypeToken + "::" + args.Name
	news, err := plugin.MarshalProperties(args.Inputs, marshal)
	if err != nil {
		return "", nil, err
	}
	checked, err := p.client.Check(p.ctx, &pulumirpc.CheckRequest{Urn: urn, News: news, RandomSeed: []byte(urn)})
	if err != nil {
		return "", nil, err
	}
	var failures []error
	for _, failure := range checked.GetFailures() {
		failures = append(failures, errors.New(failure.GetReason()))
	}
	if len(failures) > 0 {
		return "", nil, errors.Join(failures...)
	}
	created, err := p.client.Create(p.ctx, &pulumirpc.CreateRequest{Urn: urn, Properties: checked.GetInputs()})
	if err != nil {
		return "", nil, err
	}
	outputs, err := plugin.UnmarshalProperties(created.GetProperties(), marshal)
	return created.GetId(), outputs, err
}

// Call looks something up.
func (p *provider) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	given, err := plugin.MarshalProperties(args.Args, marshal)
	if err != nil {
		return nil, err
	}
	found, err := p.client.Invoke(p.ctx, &pulumirpc.InvokeRequest{Tok: args.Token, Args: given})
	if err != nil {
		return nil, err
	}
	return plugin.UnmarshalProperties(found.GetReturn(), marshal)
}
