package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"slipway/sandbox/account"
	"slipway/sandbox/account/secrets"
)

// StrictVariable is the environment variable that has types of resources refused which the table does not have: "on".
const StrictVariable = "SANDBOX_STRICT"

// recordedKind is that of resources which are recorded: their inputs and state, by type and id.
const recordedKind = "recorded"

// recorder is the provider for a team's own resources, too. One of a type that the table does not have is recorded: its
// inputs are kept and told again, and what AWS decides is made up by AWS's patterns. Nothing of it runs.
type recorder struct {
	*server
	told sync.Map // the types that were told of, once for each command
}

// recordedType is a type of which more is known than that it exists.
type recordedType struct {
	// service and resource are the parts of its ARN; {name} and {id} stand for its own. Without them they are the type's.
	service, resource string
	// id is "name", which is the default, "arn", "url", or what AWS's ids of the type begin with: "vpc-".
	id string
	// name is the property that has its name, if that is not called so.
	name string
	// more are further properties by name, with {name}, {id}, {region}, {account} and {unique}.
	more map[string]string
}

// recordedTypes are those that teams most often have beside a stage. All others have a name, an ARN and an id by name.
var recordedTypes = map[string]recordedType{
	"aws:dynamodb/table:Table": {service: "dynamodb", resource: "table/{name}", id: "name"},
	"aws:ec2/subnet:Subnet":    {service: "ec2", resource: "subnet/{id}", id: "subnet-"},
	"aws:ec2/vpc:Vpc":          {service: "ec2", resource: "vpc/{id}", id: "vpc-"},
	"aws:efs/fileSystem:FileSystem": {service: "elasticfilesystem", resource: "file-system/{id}", id: "fs-",
		more: map[string]string{"dnsName": "{id}.efs.{region}.amazonaws.com"}},
	"aws:kms/alias:Alias": {service: "kms", resource: "{name}", id: "name"},
	"aws:kms/key:Key":     {service: "kms", resource: "key/{id}", id: "key-", more: map[string]string{"keyId": "{id}"}},
	"aws:lambda/function:Function": {service: "lambda", resource: "function:{name}", id: "name",
		more: map[string]string{"qualifiedArn": "arn:aws:lambda:{region}:{account}:function:{name}:$LATEST"}},
	"aws:rds/cluster:Cluster": {service: "rds", resource: "cluster:{name}", id: "name", name: "clusterIdentifier",
		more: map[string]string{"endpoint": "{name}.cluster-{unique}.{region}.rds.amazonaws.com",
			"readerEndpoint": "{name}.cluster-ro-{unique}.{region}.rds.amazonaws.com"}},
	"aws:rds/instance:Instance": {service: "rds", resource: "db:{name}", id: "db-", name: "identifier",
		more: map[string]string{"address": "{name}.{unique}.{region}.rds.amazonaws.com"}},
	"aws:s3/bucket:Bucket":        bucket,
	"aws:s3/bucketV2:BucketV2":    bucket,
	"aws:sns/topic:Topic":         {service: "sns", resource: "{name}", id: "arn"},
	"aws:sqs/queue:Queue":         {service: "sqs", resource: "{name}", id: "url"},
	"aws:ssm/parameter:Parameter": {service: "ssm", resource: "parameter/{name}", id: "name"},
}

var bucket = recordedType{service: "s3", resource: "{name}", id: "name", name: "bucket", more: map[string]string{
	"bucketDomainName":         "{name}.s3.amazonaws.com",
	"bucketRegionalDomainName": "{name}.s3.{region}.amazonaws.com"}}

// typeOf is the type of a resource where it is recorded.
func (r *recorder) typeOf(resource string) (token string, is bool) {
	token = string(urn.URN(resource).Type())
	return token, types[token] == nil
}

func (r *recorder) Check(ctx context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	token, is := r.typeOf(req.GetUrn())
	if !is {
		return r.server.Check(ctx, req)
	}
	if _, told := r.told.LoadOrStore(token, true); !told {
		r.log.Print(0, fmt.Sprintf("The sandbox does not simulate %s: such resources are recorded, and nothing of them runs.\n",
			token))
	}
	return &pulumirpc.CheckResponse{Inputs: req.GetNews()}, nil
}

func (r *recorder) Diff(ctx context.Context, req *pulumirpc.DiffRequest) (*pulumirpc.DiffResponse, error) {
	token, is := r.typeOf(req.GetUrn())
	if !is {
		return r.server.Diff(ctx, req)
	}
	olds, news := req.GetOldInputs().AsMap(), req.GetNews().AsMap()
	ignore(req.GetIgnoreChanges(), olds, news)
	response := &pulumirpc.DiffResponse{Changes: pulumirpc.DiffResponse_DIFF_NONE}
	all := maps.Clone(olds)
	maps.Copy(all, news)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !reflect.DeepEqual(plain(olds[key]), plain(news[key])) {
			response.Diffs = append(response.Diffs, key)
		}
	}
	if len(response.Diffs) > 0 {
		response.Changes = pulumirpc.DiffResponse_DIFF_SOME
	}
	// As nearly all that has a name in AWS, another name is another thing.
	if name := cmp.Or(recordedTypes[token].name, "name"); slices.Contains(response.Diffs, name) {
		response.Replaces = []string{name}
	}
	return response, nil
}

func (r *recorder) Create(ctx context.Context, req *pulumirpc.CreateRequest) (*pulumirpc.CreateResponse, error) {
	token, is := r.typeOf(req.GetUrn())
	if !is {
		return r.server.Create(ctx, req)
	}
	if req.GetPreview() {
		return &pulumirpc.CreateResponse{Properties: req.GetProperties()}, nil
	}
	inputs := req.GetProperties().AsMap()
	id, state, err := r.makeUp(ctx, token, urn.URN(req.GetUrn()).Name(), inputs)
	if err != nil {
		return nil, err
	}
	a := r.settingsOf(ctx).account
	taken := fmt.Errorf("creating %s (%s): it exists already", token, id)
	if err := a.CreateObject(recordedKind, token+" "+id, recordOf(inputs, state), taken); err != nil {
		return nil, operationError(err)
	}
	if err := keepValue(a, token, state); err != nil {
		return nil, operationError(err)
	}
	properties, err := structpb.NewStruct(state)
	return &pulumirpc.CreateResponse{Id: id, Properties: properties}, err
}

func (r *recorder) Read(ctx context.Context, req *pulumirpc.ReadRequest) (*pulumirpc.ReadResponse, error) {
	token, is := r.typeOf(req.GetUrn())
	if !is {
		return r.server.Read(ctx, req)
	}
	found, err := r.settingsOf(ctx).account.Object(recordedKind, token+" "+req.GetId())
	if err != nil || found == nil {
		return &pulumirpc.ReadResponse{}, err
	}
	if len(req.GetProperties().GetFields()) > 0 {
		return &pulumirpc.ReadResponse{Id: req.GetId(), Inputs: req.GetInputs(), Properties: req.GetProperties()}, nil
	}
	inputs, errInputs := structpb.NewStruct(found.Object("inputs")) // as an import asks
	state, errState := structpb.NewStruct(found.Object("state"))
	return &pulumirpc.ReadResponse{Id: req.GetId(), Inputs: inputs, Properties: state}, errors.Join(errInputs, errState)
}

// recordOf is what the account keeps of a resource.
func recordOf(inputs, state values) values {
	return values{"inputs": plainValues(inputs), "state": plainValues(state)}
}

func (r *recorder) Update(ctx context.Context, req *pulumirpc.UpdateRequest) (*pulumirpc.UpdateResponse, error) {
	token, is := r.typeOf(req.GetUrn())
	if !is {
		return r.server.Update(ctx, req)
	}
	inputs := req.GetNews().AsMap()
	state := req.GetOlds().AsMap()
	for key := range req.GetOldInputs().AsMap() {
		delete(state, key)
	}
	maps.Copy(state, inputs)
	properties, err := structpb.NewStruct(state)
	if err != nil || req.GetPreview() {
		return &pulumirpc.UpdateResponse{Properties: properties}, err
	}
	a := r.settingsOf(ctx).account
	err = a.UpdateObject(recordedKind, token+" "+req.GetId(), recordOf(inputs, state))
	return &pulumirpc.UpdateResponse{Properties: properties}, errors.Join(err, keepValue(a, token, state))
}

func (r *recorder) Delete(ctx context.Context, req *pulumirpc.DeleteRequest) (*emptypb.Empty, error) {
	token, is := r.typeOf(req.GetUrn())
	if !is {
		return r.server.Delete(ctx, req)
	}
	a := r.settingsOf(ctx).account
	err := a.DeleteObject(recordedKind, token+" "+req.GetId(), false)
	if err == nil && token == parameterType {
		err = a.DeleteObject(secrets.Parameter, text(plainValues(req.GetProperties().AsMap()), "arn"), false)
	}
	return &emptypb.Empty{}, err
}

// makeUp is the id that AWS would give a new resource, and its state: the inputs, and what AWS would add.
func (r *recorder) makeUp(ctx context.Context, token, logicalName string, inputs values) (
	id string, state values, err error) {
	known, settings := recordedTypes[token], r.settingsOf(ctx)
	module, typeName, _ := strings.Cut(strings.TrimPrefix(token[:strings.LastIndex(token, ":")], "aws:"), "/")
	if known.service == "" {
		known.service, known.resource = module, typeName+"/{name}"
	}
	unique, err := resource.NewUniqueHex("", 17, -1)
	if err != nil {
		return "", nil, err
	}
	nameKey := cmp.Or(known.name, "name")
	name := text(plainValues(inputs), nameKey)
	if name == "" {
		name = logicalName + "-" + unique[:7]
	}
	fill := strings.NewReplacer("{name}", name, "{region}", settings.region, "{account}", settings.account.ID,
		"{unique}", unique[:12], "{id}", cmp.Or(map[string]string{"": name, "name": name}[known.id], known.id+unique))
	arn := account.ARN(settings.account.ID, known.service, settings.region,
		strings.Replace(fill.Replace(known.resource), "//", "/", 1)) // as of parameters, whose names begin with a slash
	if known.service == "s3" {
		arn = "arn:aws:s3:::" + name
	}
	url := fmt.Sprintf("https://%s.%s.amazonaws.com/%s/%s", known.service, settings.region, settings.account.ID, name)
	state = values{"arn": arn, nameKey: name, "name": name, "url": url}
	for key, pattern := range known.more {
		state[key] = fill.Replace(pattern)
	}
	maps.Copy(state, inputs)
	switch known.id {
	case "arn":
		return arn, state, nil
	case "url":
		return url, state, nil
	}
	return fill.Replace("{id}"), state, nil
}
