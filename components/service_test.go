package components

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"slipway/stage"
)

// recorder stands for the engine: it notes what is registered.
type recorder struct {
	mutex     sync.Mutex
	resources []pulumi.MockResourceArgs
	summaries map[string]map[string]any // what declareStage notes of each service and task
}

func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.resources = append(r.resources, args)
	outputs := args.Inputs.Copy()
	outputs["arn"] = resource.NewStringProperty("arn:" + args.Name)
	outputs["revision"] = resource.NewNumberProperty(7)
	for _, output := range []string{"dnsName", "zoneId", "arnSuffix", "versionId", "certificateArn", "fqdn"} {
		if _, given := outputs[resource.PropertyKey(output)]; !given {
			outputs[resource.PropertyKey(output)] = resource.NewStringProperty(output + ":" + args.Name)
		}
	}
	if args.TypeToken == "aws:ecr/repository:Repository" {
		outputs["repositoryUrl"] = resource.NewStringProperty("123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/" +
			args.Inputs["name"].StringValue())
	}
	if args.TypeToken == "aws:acm/certificate:Certificate" {
		outputs["domainValidationOptions"] = validationOptions(args.Inputs)
	}
	return args.Name + "-id", outputs, nil
}

// validationOptions are a record for each of a certificate's domains, the last one first. A domain and the wildcard in
// it have the same.
func validationOptions(certificate resource.PropertyMap) resource.PropertyValue {
	var options []resource.PropertyValue
	for _, domain := range certificate["subjectAlternativeNames"].ArrayValue() {
		base := strings.TrimPrefix(domain.StringValue(), "*.")
		options = slices.Insert(options, 0, resource.NewObjectProperty(resource.PropertyMap{
			"domainName":          domain,
			"resourceRecordName":  resource.NewStringProperty("_proof." + base),
			"resourceRecordType":  resource.NewStringProperty("CNAME"),
			"resourceRecordValue": resource.NewStringProperty("_answer." + base),
		}))
	}
	return resource.NewArrayProperty(options)
}

func (r *recorder) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) {
	return resource.PropertyMap{}, nil
}

func (r *recorder) inputs(t *testing.T, token string) resource.PropertyMap {
	t.Helper()
	all := r.all(token)
	require.NotEmpty(t, all, "no %s was registered", token)
	return all[0].Inputs
}

// all are the registered resources of a type.
func (r *recorder) all(token string) []pulumi.MockResourceArgs {
	var all []pulumi.MockResourceArgs
	for _, registered := range r.resources {
		if registered.TypeToken == token {
			all = append(all, registered)
		}
	}
	return all
}

var whatItSays = regexp.MustCompile("-([0-9a-f]{8}|[0-9]{2,5})$")

// besideName is a resource's name without the end that tells it from one that says something else (besideEarlier).
func besideName(name string) string { return whatItSays.ReplaceAllString(name, "") }

// named is the registered resource of a type with a name.
func (r *recorder) named(t *testing.T, token, name string) pulumi.MockResourceArgs {
	t.Helper()
	var names []string
	for _, registered := range r.all(token) {
		if besideName(registered.Name) == name {
			return registered
		}
		names = append(names, registered.Name)
	}
	t.Fatalf("no %s is called %s, but %v", token, name, names)
	return pulumi.MockResourceArgs{}
}

func declareService(t *testing.T, change func(*Preflight)) *recorder {
	t.Helper()
	recorded := &recorder{}
	ref := stage.Ref{
		Host:    "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com",
		Account: "123456789012", Region: "ap-northeast-2", Repository: "shop-dev/web",
		Tag: "20261123-041205-a1b2c3d-9f8e7d6c", Digest: "sha256:ab",
	}
	images := map[string]stage.Image{"web": {Ref: &ref, Platform: "linux/arm64"}}
	settings := &stage.Stage{Project: "shop", Name: "dev", Images: images, Services: map[string]stage.Service{"web": {
		TaskDefinition: stage.TaskDefinition{
			Image: "web", CPU: 256, Memory: 512, LogRetention: 30,
			Container: stage.Container{
				Environment: map[string]string{"B": "<2>", "A": "1"}, StopTimeout: 20,
				Secrets: map[string]stage.Secret{
					"TOKEN": {ARN: "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:token-AbCdEf:key::"},
					"WHOLE": {ARN: "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:token-AbCdEf"},
					"LEVEL": {ARN: "arn:aws:ssm:ap-northeast-2:123456789012:parameter/level"},
				},
			},
		},
		Port: 8080, Replicas: 2, AllowFrom: []string{"10.0.0.0/8", "fd00::/8"},
		Deployment: stage.Deployment{MinimumHealthy: 100, Maximum: 200, CircuitBreaker: "rollback"},
	}}}
	account := &stageAccount{ID: "123456789012", Region: "ap-northeast-2", Partition: "aws"}
	preflight := &Preflight{
		Stage: settings, account: account, revisions: map[string]string{},
		Network: &Network{VPC: "vpc-1", Subnets: []string{"subnet-1"}, AssignPublicIP: true},
	}
	if change != nil {
		change(preflight)
	}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		preflight.rollouts = newRollouts(ctx, account, settings.Cluster())
		_, err := Deploy(ctx, preflight, nil)
		return err
	}, pulumi.WithMocks("shop", "dev", recorded), func(info *pulumi.RunInfo) { info.DryRun = true })
	require.NoError(t, err)
	return recorded
}

func TestEveryResourceOfAServiceBelongsToAComponent(t *testing.T) {
	t.Parallel()
	for _, registered := range declareService(t, nil).resources {
		if registered.RegisterRPC.GetCustom() {
			require.Contains(t, registered.RegisterRPC.GetParent(), "slipway:components:", registered.TypeToken)
		}
	}
}

func TestContainerDefinitionsSayWhatAWSWouldFillIn(t *testing.T) {
	t.Parallel()
	definition := declareService(t, nil).inputs(t, "aws:ecs/taskDefinition:TaskDefinition")
	require.Equal(t, `[{"cpu":256,"dockerLabels":{"slipway.tag":"20261123-041205-a1b2c3d-9f8e7d6c"},`+
		`"environment":[{"name":"A","value":"1"},{"name":"B","value":"<2>"}],"essential":true,`+
		`"image":"123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/shop-dev/web@sha256:ab",`+
		`"logConfiguration":{"logDriver":"awslogs","options":{"awslogs-group":"/shop/dev/web","awslogs-region":"ap-northeast-2","awslogs-stream-prefix":"web"}},`+
		`"mountPoints":[],"name":"web","portMappings":[{"containerPort":8080,"hostPort":8080,"protocol":"tcp"}],`+
		`"secrets":[{"name":"LEVEL","valueFrom":"arn:aws:ssm:ap-northeast-2:123456789012:parameter/level"},`+
		`{"name":"TOKEN","valueFrom":"arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:token-AbCdEf:key::"},`+
		`{"name":"WHOLE","valueFrom":"arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:token-AbCdEf"}],`+
		`"stopTimeout":20,"systemControls":[],"volumesFrom":[]}]`, definition["containerDefinitions"].StringValue())
	require.Equal(t, "ARM64", definition["runtimePlatform"].ObjectValue()["cpuArchitecture"].StringValue())
	require.True(t, definition["skipDestroy"].BoolValue(), "earlier revisions stay ACTIVE")
}

func TestTheExecutionRoleReachesOnlyWhatTheServiceUses(t *testing.T) {
	t.Parallel()
	var policy struct {
		Statement []struct{ Action, Resource []string }
	}
	text := declareService(t, nil).inputs(t, "aws:iam/rolePolicy:RolePolicy")["policy"].StringValue()
	require.NoError(t, json.Unmarshal([]byte(text), &policy))
	resources := map[string][]string{}
	for _, statement := range policy.Statement {
		for _, action := range statement.Action {
			resources[action] = statement.Resource
		}
	}
	require.Equal(t, map[string][]string{
		"ecr:GetAuthorizationToken":       {"*"},
		"ecr:BatchCheckLayerAvailability": {"arn:aws:ecr:ap-northeast-2:123456789012:repository/shop-dev/web"},
		"ecr:BatchGetImage":               {"arn:aws:ecr:ap-northeast-2:123456789012:repository/shop-dev/web"},
		"ecr:GetDownloadUrlForLayer":      {"arn:aws:ecr:ap-northeast-2:123456789012:repository/shop-dev/web"},
		"logs:CreateLogStream":            {"arn:aws:logs:ap-northeast-2:123456789012:log-group:/shop/dev/web:*"},
		"logs:PutLogEvents":               {"arn:aws:logs:ap-northeast-2:123456789012:log-group:/shop/dev/web:*"},
		"ssm:GetParameters":               {"arn:aws:ssm:ap-northeast-2:123456789012:parameter/level"},
		"secretsmanager:GetSecretValue":   {"arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:token-AbCdEf"},
	}, resources)
}

func TestAPinnedServiceIsMovedAndNothingElse(t *testing.T) {
	t.Parallel()
	pinned := declareService(t, func(preflight *Preflight) {
		preflight.revisions["web"] = "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/shop-dev-web:3"
	})
	free := declareService(t, nil)
	require.Equal(t, "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/shop-dev-web:3",
		pinned.inputs(t, "aws:ecs/service:Service")["taskDefinition"].StringValue())
	require.Equal(t, "arn:web", free.inputs(t, "aws:ecs/service:Service")["taskDefinition"].StringValue())
	require.Equal(t, free.inputs(t, "aws:ecs/taskDefinition:TaskDefinition"),
		pinned.inputs(t, "aws:ecs/taskDefinition:TaskDefinition"))
}

func TestTheServiceRollsBackAndLeavesWaitingToTheProgram(t *testing.T) {
	t.Parallel()
	service := declareService(t, nil).inputs(t, "aws:ecs/service:Service")
	breaker := service["deploymentCircuitBreaker"].ObjectValue()
	require.True(t, breaker["enable"].BoolValue())
	require.True(t, breaker["rollback"].BoolValue())
	require.False(t, service["waitForSteadyState"].BoolValue())
	require.InDelta(t, 2, service["desiredCount"].NumberValue(), 0)
}

func TestTypesThatAreRegisteredByTokenShareTheSDKsProvider(t *testing.T) {
	t.Parallel()
	modules, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	require.Contains(t, string(modules), "github.com/pulumi/pulumi-aws/sdk/v6 v"+awsSDKVersion+"\n",
		"two versions would be two provider plugins: change awsSDKVersion in network.go with go.mod")
}

func TestTheTagOfAnImageFollowsItsLastColon(t *testing.T) {
	t.Parallel()
	require.Equal(t, "t", tagOf("registry.example.com:5000/a/b:t"))
}
