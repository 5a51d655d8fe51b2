package aws

import (
	"strconv"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/vpc"
)

// client drives the server as the engine drives a resource: check, then diff, then the operation.
type client struct {
	*server
	t *testing.T
}

func newClient(t *testing.T) *client {
	t.Helper()
	return &client{newTestServer(t, `{"region":"`+testRegion+`"}`), t}
}

func (c *client) structure(v values) *structpb.Struct {
	c.t.Helper()
	s, err := structpb.NewStruct(v)
	require.NoError(c.t, err)
	return s
}

// tracked is one resource in the engine's state.
type tracked struct {
	urn, id         string
	inputs, outputs values
}

func (c *client) check(token, name string, olds, news values) (values, []string) {
	c.t.Helper()
	checked, err := c.Check(c.t.Context(), &pulumirpc.CheckRequest{Urn: "urn:pulumi:dev::shop::" + token + "::" + name,
		Olds: c.structure(olds), News: c.structure(news), RandomSeed: []byte(name)})
	require.NoError(c.t, err)
	var reasons []string
	for _, failure := range checked.GetFailures() {
		reasons = append(reasons, failure.GetReason())
	}
	return checked.GetInputs().AsMap(), reasons
}

func (c *client) tryCreate(token, name string, news values) (*tracked, error) {
	c.t.Helper()
	inputs, failures := c.check(token, name, nil, news)
	require.Empty(c.t, failures)
	r := &tracked{urn: "urn:pulumi:dev::shop::" + token + "::" + name, inputs: inputs}
	created, err := c.Create(c.t.Context(), &pulumirpc.CreateRequest{Urn: r.urn, Properties: c.structure(inputs)})
	r.id, r.outputs = created.GetId(), created.GetProperties().AsMap()
	return r, err
}

func (c *client) create(token, name string, news values) *tracked {
	c.t.Helper()
	r, err := c.tryCreate(token, name, news)
	require.NoError(c.t, err)
	require.Empty(c.t, c.diff(r, r.inputs).GetDiffs(), "nothing differs right after creation")
	c.refresh(r)
	require.Empty(c.t, c.diff(r, r.inputs).GetDiffs(), "nor after a refresh")
	c.imported(r)
	return r
}

func (c *client) diff(r *tracked, news values) *pulumirpc.DiffResponse {
	c.t.Helper()
	d, err := c.Diff(c.t.Context(), &pulumirpc.DiffRequest{Urn: r.urn, Id: r.id, Olds: c.structure(r.outputs),
		News:      c.structure(news),
		OldInputs: c.structure(r.inputs)})
	require.NoError(c.t, err)
	return d
}

func (c *client) refresh(r *tracked) {
	c.t.Helper()
	read, err := c.Read(c.t.Context(), &pulumirpc.ReadRequest{Urn: r.urn, Id: r.id, Properties: c.structure(r.outputs),
		Inputs: c.structure(r.inputs)})
	require.NoError(c.t, err)
	r.id, r.inputs, r.outputs = read.GetId(), read.GetInputs().AsMap(), read.GetProperties().AsMap()
}

func (c *client) remove(r *tracked) error {
	_, err := c.Delete(c.t.Context(), &pulumirpc.DeleteRequest{Urn: r.urn, Id: r.id, Properties: c.structure(r.outputs)})
	return err
}

const (
	trustPolicy = `{"Statement":[{"Principal":{"Service":"ecs-tasks.amazonaws.com"}}]}`
	webImage    = `[{"name":"web","image":"public.ecr.aws/nginx:1"}]`
)

func taskDefinitionInputs(containers string) values {
	return values{"family": "shop-web", "containerDefinitions": containers, "cpu": "256", "memory": "512",
		"networkMode":             "awsvpc",
		"requiresCompatibilities": []any{"FARGATE"}, "skipDestroy": true}
}

func serviceInputs(cluster, taskDefinition any) values {
	return values{"name": "web", "cluster": cluster, "taskDefinition": taskDefinition, "desiredCount": 1.0,
		"launchType":               "FARGATE",
		"deploymentCircuitBreaker": values{"enable": true, "rollback": true},
		"networkConfiguration":     values{"assignPublicIp": true, "subnets": []any{vpc.Subnets[0].ID}}}
}

func TestVolumesOfATaskDefinition(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	inputs := taskDefinitionInputs(webImage)
	inputs["volumes"] = []any{values{"name": "data"}, values{"name": "cache"}}
	d := c.create("aws:ecs/taskDefinition:TaskDefinition", "web", inputs)
	volumes := d.outputs["volumes"].([]any)
	require.Len(t, volumes, 2)
	require.Equal(t, values{"configureAtLaunch": false, "dockerVolumeConfiguration": nil, "efsVolumeConfiguration": nil,
		"fsxWindowsFileServerVolumeConfiguration": nil, "hostPath": "", "name": "cache"}, volumes[0])
	swapped := taskDefinitionInputs(webImage)
	swapped["volumes"] = []any{values{"name": "cache"}, values{"name": "data"}}
	require.Empty(t, c.diff(d, swapped).GetDiffs(), "their order means nothing")
	swapped["volumes"] = []any{values{"name": "cache"}}
	require.Equal(t, []string{"volumes"}, c.diff(d, swapped).GetReplaces())
	inputs["volumes"] = []any{values{"name": "data", "dockerVolumeConfiguration": values{"driver": "local"}}}
	_, failures := c.check("aws:ecs/taskDefinition:TaskDefinition", "web", nil, inputs)
	require.Equal(t, []string{"The sandbox does not support this property. Examine values at " +
		"'web.volumes[0].dockerVolumeConfiguration'."}, failures)
}

func TestOneChangedVariableReplacesTheTaskDefinition(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	d := c.create("aws:ecs/taskDefinition:TaskDefinition", "web", taskDefinitionInputs(webImage))
	require.Equal(t, "shop-web", d.id)
	changed := taskDefinitionInputs(`[{"name":"web","image":"public.ecr.aws/nginx:1","environment":[{"name":"A","value":"2"}]}]`)
	difference := c.diff(d, changed)
	require.Equal(t, []string{"containerDefinitions"}, difference.GetReplaces())
	require.False(t, difference.GetDeleteBeforeReplace())

	next := c.create("aws:ecs/taskDefinition:TaskDefinition", "web", changed)
	require.Equal(t, 2.0, next.outputs["revision"])
	require.NoError(t, c.remove(d), "skipDestroy")
	first, err := ecs.FindTaskDefinition(c.account, "shop-web:1")
	require.NoError(t, err)
	require.Equal(t, "ACTIVE", first.Status)
	d.outputs["skipDestroy"] = false
	require.NoError(t, c.remove(d))
	first, err = ecs.FindTaskDefinition(c.account, "shop-web:1")
	require.NoError(t, err)
	require.Equal(t, "INACTIVE", first.Status)
	c.refresh(d)
	require.Empty(t, d.id, "an INACTIVE revision is gone")

	found, err := c.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:ecs/getTaskDefinition:getTaskDefinition",
		Args: c.structure(values{"taskDefinition": "shop-web:1"})})
	require.NoError(t, err)
	require.Equal(t, "INACTIVE", found.GetReturn().AsMap()["status"])
	_, err = c.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:ecs/getTaskDefinition:getTaskDefinition",
		Args: c.structure(values{"taskDefinition": "shop-web:9"})})
	require.ErrorContains(t, err,
		"invoking aws:ecs/getTaskDefinition:getTaskDefinition: 1 error occurred:\n\t* reading ECS Task "+
			"Definition (shop-web:9): ClientException: Unable to describe task definition.\n\n")
}

func TestServiceThatRolledBackDriftsFromItsInputs(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	cluster := c.create("aws:ecs/cluster:Cluster", "shop", values{"name": "shop-dev"})
	first := c.create("aws:ecs/taskDefinition:TaskDefinition", "web", taskDefinitionInputs(webImage))
	service := c.create("aws:ecs/service:Service", "web", serviceInputs(cluster.id, first.outputs["arn"]))
	require.Equal(t, "arn:aws:ecs:ap-northeast-2:123456789012:service/shop-dev/web", service.id)
	completed := func() bool {
		pending, err := ecs.PendingPulls(c.account)
		require.NoError(t, err)
		for _, task := range pending {
			require.NoError(t, ecs.SubmitPull(c.account, task.TaskARN, ""))
		}
		s, err := ecs.FindService(c.account, "", service.id)
		require.NoError(t, err)
		return len(s.Deployments) == 1 && s.Deployments[0].RolloutState == ecs.Completed
	}
	require.Eventually(t, completed, 5*time.Second, 50*time.Millisecond)

	require.NoError(t, c.account.SetFaults(map[string]string{account.FailingTasks: "shop-web:2"}))
	second := c.create("aws:ecs/taskDefinition:TaskDefinition", "web", taskDefinitionInputs(webImage))
	news, _ := c.check("aws:ecs/service:Service", "web", service.inputs, serviceInputs(cluster.id, second.outputs["arn"]))
	updated, err := c.Update(t.Context(), &pulumirpc.UpdateRequest{Urn: service.urn, Id: service.id,
		Olds: c.structure(service.outputs), News: c.structure(news)})
	require.NoError(t, err)
	require.Equal(t, second.outputs["arn"], updated.GetProperties().AsMap()["taskDefinition"])
	service.inputs, service.outputs = news, updated.GetProperties().AsMap()
	require.Eventually(t, completed, 5*time.Second, 50*time.Millisecond)
	require.Empty(t, c.diff(service, news).GetDiffs(), "without a refresh the state says what was asked for")
	c.refresh(service)
	require.Equal(t, first.outputs["arn"], service.inputs["taskDefinition"])
	require.Equal(t, []string{"taskDefinition"}, c.diff(service, news).GetDiffs())

	require.ErrorContains(t, c.remove(cluster), "deleting ECS Cluster (shop-dev): ClusterContainsServicesException: ")
	require.NoError(t, c.remove(service))
	require.NoError(t, c.remove(service), "deleting again is no error")
	require.NoError(t, c.remove(cluster))
	c.refresh(service)
	require.Empty(t, service.id)
}

func TestFailedOperationsAreWordedAsTheProviderDoes(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for name, want := range map[string]struct {
		token  string
		inputs values
		want   string
	}{
		"a service without its cluster": {"aws:ecs/service:Service", serviceInputs("gone", "shop-web:1"),
			"1 error occurred:\n\t* creating ECS Service (web): ClusterNotFoundException: Cluster not found.\n\n"},
		"memory that Fargate does not have": {"aws:ecs/taskDefinition:TaskDefinition",
			values{"family": "x", "containerDefinitions": webImage,
				"cpu": "256", "memory": "4096", "networkMode": "awsvpc", "requiresCompatibilities": []any{"FARGATE"}},
			"1 error occurred:\n\t* creating ECS Task Definition (x): ClientException: No Fargate configuration exists for " +
				"given values.\n\n"},
		"a field that containers do not have": {"aws:ecs/taskDefinition:TaskDefinition", values{"family": "x",
			"containerDefinitions": `[{"name":"web","image":"x","enviroment":[]}]`},
			"1 error occurred:\n\t* creating ECS Task Definition (x): ECS Task Definition container_definitions is invalid: " +
				"container " +
				"definitions: \"enviroment\" is no field of a container definition\n\n"},
		"a policy without its role": {"aws:iam/rolePolicy:RolePolicy", values{"name": "p", "role": "gone", "policy": "{}"},
			"1 error occurred:\n\t* creating IAM Role Policy (p): NoSuchEntity: The role with name gone cannot be found.\n\n"},
		"a security group elsewhere": {"aws:ec2/securityGroup:SecurityGroup", values{"name": "s", "vpcId": "vpc-1"},
			"1 error occurred:\n\t* creating Security Group (s): InvalidVpcID.NotFound: The vpc ID 'vpc-1' does not exist\n\n"},
	} {
		_, err := c.tryCreate(want.token, "web", want.inputs)
		require.EqualError(t, err, want.want, name)
	}
	repository := c.create("aws:ecr/repository:Repository", "web", values{"name": "shop/web"})
	_, err := c.tryCreate("aws:ecr/lifecyclePolicy:LifecyclePolicy", "web",
		values{"repository": "shop/web", "policy": `{"rules":[]}`})
	require.EqualError(t, err,
		"1 error occurred:\n\t* creating ECR Lifecycle Policy (shop/web): InvalidParameterException: Invalid parameter at "+
			"'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: the policy has no "+
			"rules'\n\n")
	_, err = c.tryCreate("aws:ecr/repository:Repository", "web", values{"name": "shop/web"})
	require.EqualError(t, err,
		"1 error occurred:\n\t* creating ECR Repository (shop/web): RepositoryAlreadyExistsException: The repository "+
			"with name 'shop/web' already exists in the registry with id '123456789012'\n\n")
	require.NoError(t, ecr.PutImage(c.account, "shop/web", "one", "sha256:1", 1))
	require.EqualError(t, c.remove(repository),
		"1 error occurred:\n\t* ECR Repository (shop/web) not empty, consider using force_delete: "+
			"RepositoryNotEmptyException: The repository with name 'shop/web' in registry with id '123456789012' cannot be "+
			"deleted because it "+
			"still contains images\n\n")
	repository.outputs["forceDelete"] = true
	require.NoError(t, c.remove(repository))
}

func TestWhatTheProviderDoesNotKnowIsRefusedByName(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for name, want := range map[string]struct {
		token  string
		inputs values
		want   []string
	}{
		"a misspelt property": {"aws:ecs/cluster:Cluster", values{"nme": "x"},
			[]string{"Invalid or unknown key. Examine values at 'web.nme'."}},
		"a misspelt field": {"aws:ecr/repository:Repository", values{"imageScanningConfiguration": values{"scanOnPsh": true}},
			[]string{
				"Invalid or unknown key. Examine values at 'web.imageScanningConfiguration.scanOnPsh'.",
				`Missing required argument. The argument "scan_on_push" is required, but no definition was found.. Examine values ` +
					`at 'web.imageScanningConfiguration.scanOnPush'.`}},
		"an output given": {"aws:ecs/cluster:Cluster", values{"arn": "x"},
			[]string{"Invalid or unknown key. Examine values at 'web.arn'."}},
		"what the sandbox lacks": {"aws:ecs/cluster:Cluster", values{"configuration": values{}},
			[]string{"The sandbox does not support this property. Examine values at 'web.configuration'."}},
		"a type": {"aws:s3/bucket:Bucket", values{},
			[]string{"the sandbox's aws provider has no resource type aws:s3/bucket:Bucket"}},
		"a rule without a source": {"aws:ec2/securityGroupRule:SecurityGroupRule",
			values{"securityGroupId": "sg-1", "protocol": "tcp",
				"type": "ingress", "fromPort": 80.0, "toPort": 80.0}, []string{
				"one of `cidr_blocks,ipv6_cidr_blocks,prefix_list_ids,self,source_security_group_id` must be specified. Examine " +
					"values at 'web'."}},
	} {
		_, reasons := c.check(want.token, "web", nil, want.inputs)
		require.Equal(t, want.want, reasons, name)
	}
	_, err := c.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:s3/getBucket:getBucket"})
	require.EqualError(t, err, "the sandbox's aws provider has no function aws:s3/getBucket:getBucket")
	_, err = c.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "aws:ec2/getVpc:getVpc",
		Args: c.structure(values{"state": "x"})})
	require.EqualError(t, err, `invoking aws:ec2/getVpc:getVpc: the sandbox does not know its argument "state"`)
}

func TestSecretsStaySecretInOutputs(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	inputs := taskDefinitionInputs("")
	inputs["containerDefinitions"] = conceal(webImage)
	d := c.create("aws:ecs/taskDefinition:TaskDefinition", "web", inputs)
	require.Equal(t, sig.Secret, d.outputs["containerDefinitions"].(values)[sig.Key])
	registered, err := ecs.FindTaskDefinition(c.account, "shop-web")
	require.NoError(t, err)
	require.Equal(t, "public.ecr.aws/nginx:1", registered.Containers[0].Image())
	preview, err := c.Create(t.Context(), &pulumirpc.CreateRequest{Urn: d.urn, Properties: c.structure(d.inputs),
		Preview: true})
	require.NoError(t, err)
	require.Equal(t, conceal(webImage), preview.GetProperties().AsMap()["containerDefinitions"])
	require.Empty(t, preview.GetId())
}

func TestNameIsMadeOnceAndAnOwnNameIsDeletedFirst(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	made, _ := c.check("aws:ec2/securityGroup:SecurityGroup", "web", nil, values{})
	require.Regexp(t, "^web-[0-9a-f]{7}$", made["name"])
	again, _ := c.check("aws:ec2/securityGroup:SecurityGroup", "web",
		values{"name": made["name"], defaultsKey: made[defaultsKey]}, values{})
	require.Equal(t, made, again)
	group := c.create("aws:ec2/securityGroup:SecurityGroup", "web", values{})
	news, _ := c.check("aws:ec2/securityGroup:SecurityGroup", "web", group.inputs, values{"description": "other"})
	d := c.diff(group, news)
	require.Equal(t, []string{"description"}, d.GetReplaces())
	require.False(t, d.GetDeleteBeforeReplace())

	own := c.create("aws:iam/role:Role", "web", values{"name": "web", "assumeRolePolicy": trustPolicy})
	news, _ = c.check("aws:iam/role:Role", "web", own.inputs, values{"name": "web", "assumeRolePolicy": trustPolicy,
		"path": "/shop/"})
	require.True(t, c.diff(own, news).GetDeleteBeforeReplace())
	require.Equal(t, pulumirpc.PropertyDiff_UPDATE_REPLACE, c.diff(own, news).GetDetailedDiff()["path"].GetKind())
}

func TestImportReadsInputsFromTheAccount(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	created := c.create("aws:cloudwatch/logGroup:LogGroup", "web", values{"name": "/shop/web", "retentionInDays": 30.0})
	read, err := c.Read(t.Context(), &pulumirpc.ReadRequest{Urn: created.urn, Id: created.id})
	require.NoError(t, err)
	require.Equal(t, values{defaultsKey: []any{}, "name": "/shop/web", "retentionInDays": 30.0}, read.GetInputs().AsMap())
	for _, key := range unread { // what AWS does not know
		delete(created.outputs, key)
	}
	require.Equal(t, created.outputs, read.GetProperties().AsMap())
}

func TestRuleOfASecurityGroup(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	group := c.create("aws:ec2/securityGroup:SecurityGroup", "web",
		values{"egress": []any{values{"protocol": "-1", "fromPort": 0.0,
			"toPort": 0.0, "cidrBlocks": []any{"0.0.0.0/0"}}}})
	require.Len(t, group.outputs["egress"], 1)
	inputs := values{"securityGroupId": group.id, "type": "ingress", "protocol": "tcp", "fromPort": 8080.0,
		"toPort":     8080.0,
		"cidrBlocks": []any{"0.0.0.0/0"}}
	rule := c.create("aws:ec2/securityGroupRule:SecurityGroupRule", "web", inputs)
	require.Regexp(t, "^sgr-", rule.outputs["securityGroupRuleId"])
	require.NoError(t, c.remove(rule))
	inputs["securityGroupId"] = "sg-1"
	_, err := c.tryCreate("aws:ec2/securityGroupRule:SecurityGroupRule", "web", inputs)
	require.ErrorContains(t, err, "InvalidGroup.NotFound: The security group 'sg-1' does not exist")
	inputs["securityGroupId"] = group.id
	delete(inputs, "cidrBlocks")
	for id, says := range map[string]string{"pl-x": `InvalidPrefixListId.Malformed: Invalid id: "pl-x"`,
		"pl-01234567": "InvalidPrefixListID.NotFound: The prefix list ID 'pl-01234567' does not exist"} {
		inputs["prefixListIds"] = []any{id}
		_, err = c.tryCreate("aws:ec2/securityGroupRule:SecurityGroupRule", "web", inputs)
		require.ErrorContains(t, err, says)
	}
}

func TestDefaultTagsAreAddedToTheOwnOnes(t *testing.T) {
	t.Parallel()
	c := &client{newTestServer(t, `{"region":"`+testRegion+`","defaultTags":"{\"tags\":{\"Project\":\"shop\"}}"}`), t}
	cluster := c.create("aws:ecs/cluster:Cluster", "shop", values{"name": "shop-dev", "tags": values{"Stage": "dev"}})
	require.Equal(t, values{"Stage": "dev"}, cluster.outputs["tags"])
	require.Equal(t, values{"Project": "shop", "Stage": "dev"}, cluster.outputs["tagsAll"])
}

func TestProviderSettingsThatAreRefused(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	configure := func(config values) error {
		_, err := c.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: c.structure(config)})
		return err
	}
	require.ErrorContains(t, configure(values{}), "missing region information")
	require.NoError(t, configure(values{"region": testRegion, "allowedAccountIds": `["123456789012"]`}))
	require.EqualError(t, configure(values{"region": testRegion, "allowedAccountIds": `["210987654321"]`}),
		"AWS account ID not allowed: 123456789012")
	require.EqualError(t, configure(values{"region": testRegion, "forbiddenAccountIds": `["123456789012"]`}),
		"AWS account ID not allowed: 123456789012")
	checked, err := c.CheckConfig(t.Context(), &pulumirpc.CheckRequest{News: c.structure(values{"regoin": testRegion})})
	require.NoError(t, err)
	require.Contains(t, checked.GetFailures()[0].GetReason(),
		"Invalid or unknown key. Check `pulumi config get aws:regoin`.")
}

func TestServedProviderOutlivesCancel(t *testing.T) {
	t.Parallel()
	a, err := account.Open(t.TempDir())
	require.NoError(t, err)
	port, stop, err := Serve(a, OwnUser(a))
	require.NoError(t, err)
	connection, err := grpc.NewClient("127.0.0.1:"+strconv.Itoa(port),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	provider := pulumirpc.NewResourceProviderClient(connection)
	for range 2 {
		_, err = provider.Handshake(t.Context(), &pulumirpc.ProviderHandshakeRequest{})
		require.NoError(t, err)
		_, err = provider.Attach(t.Context(), &pulumirpc.PluginAttach{})
		require.NoError(t, err)
		info, err := provider.GetPluginInfo(t.Context(), &emptypb.Empty{})
		require.NoError(t, err)
		require.Equal(t, Version, info.GetVersion())
		_, err = provider.Cancel(t.Context(), &emptypb.Empty{})
		require.NoError(t, err)
	}
	require.NoError(t, connection.Close())
	stop()
	require.NoError(t, a.Close())
}
