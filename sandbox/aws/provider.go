// Package aws answers the Pulumi engine as the official `aws` provider does, in front of a sandbox account. One generic
// server works over a table of resource types and functions; whatever is not in the table is refused by name.
package aws

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"slipway/sandbox/account"
	"slipway/sandbox/engine"
)

// Version is the version of pulumi-aws whose behaviour this provider has.
const Version = "6.83.0"

type server struct {
	pulumirpc.UnimplementedResourceProviderServer
	account  *account.Account
	identify Identify
	settings sync.Map // by connection
	log      engine.Log
}

// Serve answers on a port of 127.0.0.1 until stop is called. What it makes is in the account of who it is. Types of
// resources that the sandbox does not have are recorded, unless StrictVariable says otherwise.
func Serve(a *account.Account, identify Identify) (port int, stop func(), err error) {
	cancel := make(chan bool)
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(s *grpc.Server) error {
			if strict := newServer(a, identify); os.Getenv(StrictVariable) == "on" {
				pulumirpc.RegisterResourceProviderServer(s, strict)
			} else {
				pulumirpc.RegisterResourceProviderServer(s, &recorder{server: strict})
			}
			return nil
		},
	})
	if err != nil {
		return 0, nil, fmt.Errorf("serving the aws provider: %w", err)
	}
	return handle.Port, func() { close(cancel); <-handle.Done }, nil
}

func newServer(a *account.Account, identify Identify) *server {
	return &server{account: a, identify: identify}
}

func (s *server) Handshake(context.Context, *pulumirpc.ProviderHandshakeRequest) (*pulumirpc.ProviderHandshakeResponse,
	error) {
	return &pulumirpc.ProviderHandshakeResponse{AcceptSecrets: true, AcceptResources: true}, nil
}

func (s *server) Attach(_ context.Context, req *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, s.log.Attach(req.GetAddress())
}

func (s *server) GetPluginInfo(context.Context, *emptypb.Empty) (*pulumirpc.PluginInfo, error) {
	return &pulumirpc.PluginInfo{Version: Version}, nil
}

func (s *server) GetSchema(context.Context, *pulumirpc.GetSchemaRequest) (*pulumirpc.GetSchemaResponse, error) {
	return &pulumirpc.GetSchemaResponse{Schema: toJSON(schema())}, nil
}

// Cancel does nothing that lasts: the engine sends it between a preview and its update, too.
func (s *server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (s *server) Check(ctx context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	u := urn.URN(req.GetUrn())
	kind, err := findType(string(u.Type()))
	if err != nil {
		return &pulumirpc.CheckResponse{Inputs: req.GetNews(), Failures: []*pulumirpc.CheckFailure{{Reason: err.Error()}}},
			nil
	}
	olds, news := req.GetOlds().AsMap(), req.GetNews().AsMap()
	for alias, key := range kind.aliases {
		if value, used := news[alias]; used {
			news[key] = value
			delete(news, alias)
		}
	}
	if kind.prepare != nil {
		kind.prepare(news)
	}
	var reasons []string
	inputs := kind.properties.check(u.Name(), news, func(reason string) { reasons = append(reasons, reason) })
	if _, named := inputs["name"]; kind.autoname && !named {
		name, reuse := olds["name"], slices.Contains(textList(olds[defaultsKey]), "name")
		if !reuse {
			if name, err = resource.NewUniqueName(req.GetRandomSeed(), u.Name()+"-", 7, kind.nameLimit, nil); err != nil {
				return nil, err
			}
		}
		inputs["name"] = name
		inputs[defaultsKey] = sortSet(append(inputs[defaultsKey].([]any), "name"))
	}
	if defaults := s.settingsOf(ctx).defaultTags; (len(defaults) > 0 || inputs["tags"] != nil) &&
		kind.properties["tagsAll"].computed {
		if own, isMap := inputs["tags"].(values); isMap || inputs["tags"] == nil {
			all := maps.Clone(defaults)
			maps.Copy(all, own)
			inputs["tagsAll"] = all
		}
	}
	if kind.validate != nil {
		kind.validate(u.Name(), plainValues(inputs), func(reason string) { reasons = append(reasons, reason) })
	}
	response := &pulumirpc.CheckResponse{}
	slices.Sort(reasons)
	for _, reason := range reasons {
		response.Failures = append(response.Failures, &pulumirpc.CheckFailure{Reason: reason})
	}
	response.Inputs, err = structpb.NewStruct(inputs)
	return response, err
}

func (s *server) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	kind, err := findType(string(urn.URN(req.GetUrn()).Type()))
	if err != nil {
		return nil, err
	}
	inputs := req.GetProperties().AsMap()
	if err := s.warn(ctx, kind, req.GetUrn(), inputs); err != nil {
		return nil, err
	}
	if req.GetPreview() {
		state := kind.properties.outputs(nil, inputs, true)
		if kind.plan != nil {
			kind.plan(state)
		}
		state["id"] = unknown
		properties, err := structpb.NewStruct(state)
		return &pulumirpc.CreateResponse{Properties: properties}, err
	}
	c := s.call(ctx, kind, "")
	c.state, c.inputs = plainValues(kind.properties.outputs(nil, inputs, false)), inputs
	if err := c.authorize(urn.URN(req.GetUrn()), "create"); err != nil {
		return nil, operationError(fmt.Errorf("creating %s: %w", c.label(), err))
	}
	if err := kind.create(c); err != nil {
		return nil, operationError(fmt.Errorf("creating %s: %w", c.label(), err))
	}
	if err := s.dieAfter(account.DieAfterCreate, req.GetUrn()); err != nil {
		return nil, err
	}
	found, err := c.read()
	if err != nil {
		return nil, operationError(fmt.Errorf("reading %s: %w", c.label(), err))
	}
	properties, err := structpb.NewStruct(kind.properties.concealed(found, inputs))
	return &pulumirpc.CreateResponse{Id: c.id, Properties: properties}, err
}

func (s *server) Read(ctx context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	kind, err := findType(string(urn.URN(req.GetUrn()).Type()))
	if err != nil {
		return nil, err
	}
	c := s.call(ctx, kind, req.GetId())
	c.state, c.inputs = plainValues(req.GetProperties().AsMap()), req.GetInputs().AsMap()
	importing := len(c.state) == 0
	if importing {
		if err := c.importID(string(urn.URN(req.GetUrn()).Type())); err != nil {
			return nil, operationError(fmt.Errorf("importing %s: %w", c.label(), err))
		}
		c.inputs = values{}
	}
	if err := c.authorize(urn.URN(req.GetUrn()), "read"); err != nil {
		return nil, operationError(fmt.Errorf("reading %s: %w", c.label(), err))
	}
	found, err := c.read()
	if err != nil {
		return nil, operationError(fmt.Errorf("reading %s: %w", c.label(), err))
	}
	if importing && found != nil {
		for _, key := range unread {
			delete(found, key)
		}
	}
	if found == nil {
		return &pulumirpc.ReadResponse{}, nil
	}
	response := &pulumirpc.ReadResponse{Id: c.id}
	if response.Inputs, err = structpb.NewStruct(kind.properties.inputs(c.inputs, found)); err != nil {
		return nil, err
	}
	response.Properties, err = structpb.NewStruct(kind.properties.concealed(found, c.inputs))
	return response, err
}

func (s *server) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	kind, err := findType(string(urn.URN(req.GetUrn()).Type()))
	if err != nil {
		return nil, err
	}
	olds, inputs := req.GetOlds().AsMap(), req.GetNews().AsMap()
	ignore(req.GetIgnoreChanges(), olds, inputs)
	state := kind.properties.outputs(olds, inputs, false)
	state["id"] = req.GetId()
	if req.GetPreview() {
		for key, p := range kind.properties {
			if p.values() && !p.computed && inputs[key] == nil {
				state[key] = nil
			}
		}
		if kind.replan != nil {
			kind.replan(olds, inputs, state)
		}
		properties, err := structpb.NewStruct(state)
		return &pulumirpc.UpdateResponse{Properties: properties}, err
	}
	c := s.call(ctx, kind, req.GetId())
	c.olds, c.state, c.inputs = plainValues(olds), plainValues(state), inputs
	if err := c.authorize(urn.URN(req.GetUrn()), "update"); err != nil {
		return nil, operationError(fmt.Errorf("updating %s: %w", c.label(), err))
	}
	if err := kind.update(c); err != nil {
		return nil, operationError(fmt.Errorf("updating %s: %w", c.label(), err))
	}
	if err := s.dieAfter(account.DieAfterUpdate, req.GetUrn()); err != nil {
		return nil, err
	}
	found, err := c.read()
	if err != nil {
		return nil, operationError(fmt.Errorf("reading %s: %w", c.label(), err))
	}
	properties, err := structpb.NewStruct(kind.properties.concealed(found, inputs))
	return &pulumirpc.UpdateResponse{Properties: properties}, err
}

func (s *server) Delete(ctx context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	kind, err := findType(string(urn.URN(req.GetUrn()).Type()))
	if err != nil {
		return nil, err
	}
	c := s.call(ctx, kind, req.GetId())
	c.state = plainValues(req.GetProperties().AsMap())
	if err := c.authorize(urn.URN(req.GetUrn()), "delete"); err != nil {
		return nil, operationError(fmt.Errorf("deleting %s: %w", c.label(), err))
	}
	if err := kind.delete(c); err != nil {
		return nil, operationError(err)
	}
	return &emptypb.Empty{}, s.dieAfter(account.DieAfterDelete, req.GetUrn())
}

// dieAfter kills the command, where a fault asks for that, before Pulumi hears of what was done to a resource.
func (s *server) dieAfter(fault, resource string) error {
	return s.account.DieIfAsked(fault,
		func(value string) bool { return account.NamesType(value, string(urn.URN(resource).Type())) })
}

func (s *server) Invoke(ctx context.Context, req *pulumirpc.InvokeRequest) (*pulumirpc.InvokeResponse, error) {
	f, known := functions[req.GetTok()]
	if !known {
		return nil, fmt.Errorf("the sandbox's aws provider has no function %s", req.GetTok())
	}
	args := plainValues(req.GetArgs().AsMap())
	for _, key := range slices.Sorted(maps.Keys(args)) {
		if !slices.Contains(f.args, key) {
			return nil, fmt.Errorf("invoking %s: the sandbox does not know its argument %q", req.GetTok(), key)
		}
	}
	configured := s.settingsOf(ctx)
	if err := authorizeFunction(configured.account, configured.region, req.GetTok(), args); err != nil {
		return nil, fmt.Errorf("invoking %s: %w", req.GetTok(), operationError(err))
	}
	found, err := f.invoke(configured.account, configured.region, args)
	if err != nil {
		return nil, fmt.Errorf("invoking %s: %w", req.GetTok(), operationError(err))
	}
	response, err := structpb.NewStruct(found)
	return &pulumirpc.InvokeResponse{Return: response}, err
}

// operationError words a failed operation as the provider does: a list of errors, which has one.
func operationError(err error) error { return fmt.Errorf("1 error occurred:\n\t* %w\n\n", err) }

// concealed marks as secret what the inputs hold as secrets, and what always is one.
func (ps properties) concealed(state, inputs values) values {
	marked := maps.Clone(state)
	for key := range state {
		marked[key] = ps[key].conceal(state[key])
	}
	for key, value := range inputs {
		if _, secret := reveal(value); secret {
			marked[key] = conceal(state[key])
		}
	}
	return marked
}
