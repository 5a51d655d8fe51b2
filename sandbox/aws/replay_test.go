package aws

import (
	"bufio"
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/secrets"
	"slipway/sandbox/account/vpc"
)

// recorded is one call to the official provider's own code, and its answer.
type recorded struct {
	Method            string
	Request, Response json.RawMessage
}

func recordings(t *testing.T, file string) (calls []recorded) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "rpc", file))
	require.NoError(t, err)
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var call recorded
		require.NoError(t, json.Unmarshal(lines.Bytes(), &call))
		calls = append(calls, call)
	}
	require.NoError(t, lines.Err())
	return calls
}

const testRegion = "ap-northeast-2"

func newTestServer(t *testing.T, config string) *server {
	t.Helper()
	a, err := account.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	s := newServer(a, OwnUser(a))
	configure := &pulumirpc.ConfigureRequest{}
	require.NoError(t, protojson.Unmarshal([]byte(`{"args":`+config+`}`), configure))
	_, err = s.Configure(t.Context(), configure)
	require.NoError(t, err)
	return s
}

// request reads a recorded request; the recordings leave out the URN.
func request[T proto.Message](t *testing.T, body json.RawMessage, token, name string, into T) T {
	t.Helper()
	var fields map[string]any
	require.NoError(t, json.Unmarshal(body, &fields))
	if token != "" {
		fields["urn"] = "urn:pulumi:dev::facts::" + token + "::" + name
	}
	if news, ok := fields["oldInputs"]; ok {
		delete(fields, "oldInputs")
		fields["old_inputs"] = news
	}
	full, err := json.Marshal(fields)
	require.NoError(t, err)
	require.NoError(t, protojson.Unmarshal(full, into))
	return into
}

// comparable drops what differs from account to account, and what is no concern of a user: the bridge's own notes
// (__meta), and the order of keys in documents.
func comparable(t *testing.T, response any) any {
	t.Helper()
	body, ok := response.(json.RawMessage)
	if message, isMessage := response.(proto.Message); isMessage {
		var err error
		body, err = protojson.MarshalOptions{EmitUnpopulated: false}.Marshal(message)
		require.NoError(t, err)
	} else {
		require.True(t, ok)
	}
	text := string(body)
	for pattern, replacement := range map[string]string{
		`-[0-9a-f]{7}(["/])`:                        "-0000000$1",
		`sg-[0-9a-f]{17}`:                           "sg-0",
		`/[0-9a-f]{16}\b`:                           "/0", // the ends of Elastic Load Balancing's ARNs
		`(secret:[a-z/]+)-[0-9A-Za-z]{6}`:           "$1-000000",
		`[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}`: "0",
		`terraform-[0-9a-f]{26}`:                    "0",
		`facts-dev-\d+\.`:                           "facts-dev-0.",
		// of another region, in the recordings' stand-in
		`"zoneId":\s*"\w+"`:                                 `"zoneId":"Z0"`,
		`"deregistrationDelay":\s*"(\d+)"`:                  `"deregistrationDelay":$1`, // a number since the SDK's 6.0
		`("protocol":\s*"HTTP",\s*"sslPolicy":\s*)"[\w-]+"`: `$1""`,                     // AWS has none for HTTP
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, replacement)
	}
	var value any
	require.NoError(t, json.Unmarshal([]byte(text), &value))
	return tidied(value)
}

func tidied(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, field := range v {
			v[key] = tidied(field)
		}
		for _, key := range []string{"__meta", "createDate", "uniqueId"} {
			delete(v, key)
		}
		// Left out where it is false or the default.
		if v["kind"] == "UPDATE" || v["kind"] == "UPDATE_REPLACE" {
			delete(v, "inputDiff")
		}
	case []any:
		for i := range v {
			v[i] = tidied(v[i])
		}
	case string:
		if strings.HasPrefix(v, "{") || strings.HasPrefix(v, "[") {
			return normalJSON(v)
		}
	}
	return v
}

// prerequisites are what the recorded resources stand on.
func prerequisites(t *testing.T, s *server) {
	t.Helper()
	create := func(token, name, properties string) string {
		full := json.RawMessage(`{"properties":` + properties + `}`)
		response, err := s.Create(t.Context(), request(t, full, token, name, &pulumirpc.CreateRequest{}))
		require.NoError(t, err)
		return response.GetId()
	}
	const trust = `"{\"Statement\":[{\"Principal\":{\"Service\":\"ecs-tasks.amazonaws.com\"}}]}"`
	create("aws:iam/role:Role", "r", `{"name":"facts-dev-web-execution","path":"/","assumeRolePolicy":`+trust+`}`)
	create("aws:ecr/repository:Repository", "r", `{"name":"facts-dev/web","imageTagMutability":"IMMUTABLE"}`)
	create("aws:ecs/cluster:Cluster", "r", `{"name":"facts-dev"}`)
}

func TestRecordedCallsAreAnsweredAlike(t *testing.T) {
	t.Parallel()
	for file, c := range map[string]struct {
		token, name string
		prepare     func(*testing.T, *server)
	}{
		"ecr-repository.jsonl":               {"aws:ecr/repository:Repository", "web", nil},
		"ecr-lifecyclePolicy.jsonl":          {"aws:ecr/lifecyclePolicy:LifecyclePolicy", "web", prerequisites},
		"ecr-getAuthorizationToken.jsonl":    {"", "", nil},
		"ec2-getSubnets.jsonl":               {"", "", nil},
		"ec2-getVpc.jsonl":                   {"", "", nil},
		"ecs-cluster.jsonl":                  {"aws:ecs/cluster:Cluster", "facts", nil},
		"ecs-taskDefinition.jsonl":           {"aws:ecs/taskDefinition:TaskDefinition", "web", registerOneBefore},
		"ecs-service.jsonl":                  {"aws:ecs/service:Service", "web", runnable},
		"cloudwatch-logGroup.jsonl":          {"aws:cloudwatch/logGroup:LogGroup", "web", nil},
		"secretsmanager-secret.jsonl":        {"aws:secretsmanager/secret:Secret", "web", nil},
		"secretsmanager-secretVersion.jsonl": {"aws:secretsmanager/secretVersion:SecretVersion", "web", recordedSecret},
		"iam-role.jsonl":                     {"aws:iam/role:Role", "web", nil},
		"iam-rolePolicy.jsonl":               {"aws:iam/rolePolicy:RolePolicy", "execution", prerequisites},
		"lb-listener.jsonl": {"aws:lb/listener:Listener", "http",
			balanced(elb.Listener, elb.ListenerRule)},
		"lb-listenerRule.jsonl": {"aws:lb/listenerRule:ListenerRule", "web", balanced(elb.ListenerRule)},
		"lb-loadBalancer.jsonl": {"aws:lb/loadBalancer:LoadBalancer", "facts",
			balanced(elb.LoadBalancer, elb.Listener, elb.ListenerRule)},
		"lb-targetGroup.jsonl": {"aws:lb/targetGroup:TargetGroup", "web",
			balanced(elb.TargetGroup, elb.ListenerRule)},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, `{"region":"`+testRegion+`"}`)
			if c.prepare != nil {
				c.prepare(t, s)
			}
			made := strings.NewReplacer() // puts the id of what was created for the one in the recordings
			for i, call := range recordings(t, file) {
				if string(call.Response) == "null" {
					continue // the recording's stand-in for AWS hung up
				}
				call.Request = json.RawMessage(made.Replace(string(call.Request)))
				secrets, err := s.account.Objects(secrets.Secret)
				require.NoError(t, err)
				for _, secret := range secrets {
					call.Request = json.RawMessage(strings.ReplaceAll(string(call.Request), recordedARN, secret["arn"].(string)))
				}
				var response proto.Message
				switch call.Method {
				case "Check":
					response, err = s.Check(t.Context(), request(t, call.Request, c.token, c.name, &pulumirpc.CheckRequest{}))
				case "Diff":
					response, err = s.Diff(t.Context(), request(t, call.Request, c.token, c.name, &pulumirpc.DiffRequest{}))
				case "Create":
					created, createErr := s.Create(t.Context(), request(t, call.Request, c.token, c.name, &pulumirpc.CreateRequest{}))
					want := &pulumirpc.CreateResponse{}
					require.NoError(t, protojson.Unmarshal(call.Response, want))
					if strings.Contains(file, "lb-") || strings.Contains(file, "securityGroup") {
						made = strings.NewReplacer(path.Base(want.GetId()), path.Base(created.GetId()))
					}
					response, err = created, createErr
				case "Update":
					response, err = s.Update(t.Context(), request(t, call.Request, c.token, c.name, &pulumirpc.UpdateRequest{}))
				case "Invoke":
					response, err = s.Invoke(t.Context(), request(t, call.Request, "", "", &pulumirpc.InvokeRequest{}))
				}
				require.NoError(t, err, "call %d: %s", i, call.Method)
				want := comparable(t, call.Response)
				if file == "ecs-service.jsonl" && call.Method == "Create" {
					// What the recording's stand-in for AWS lost: AWS keeps the grace period.
					want.(map[string]any)["properties"].(map[string]any)["healthCheckGracePeriodSeconds"] = 30.0
				}
				if file == "cloudwatch-metricAlarm.jsonl" {
					// The recording was made without the official provider's own name for the alarm's name: the SDK's is name.
					delete(want.(map[string]any), "failures")
				}
				require.Equal(t, asBefore(want), asBefore(comparable(t, response)), "call %d: %s", i, call.Method)
			}
		})
	}
}

// sinceThen are properties that the provider of these recordings does not have, or treats in another way than that of
// the second set, in which they stand.
var sinceThen = []string{"connectionLogs", "connectionTermination", "dnsRecordClientRoutingPolicy",
	"enforceSecurityGroupInboundRulesOnPrivateLinkTraffic", "iamRole", "loadBalancerArns",
	"loadBalancingAnomalyMitigation",
	"mutualAuthentication", "namePrefix", "permissionsBoundary", "platformVersion", "preserveClientIp", "subnetMappings",
	"tagsAll", "targetFailovers",
	"targetHealthStates", "trackLatest"}

// asBefore is an answer without sinceThen.
func asBefore(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, field := range v {
			v[key] = asBefore(field)
		}
		for _, key := range sinceThen {
			delete(v, key)
		}
		for _, list := range []string{"stables", defaultsKey} {
			if keys, ok := v[list].([]any); ok {
				v[list] = slices.DeleteFunc(keys, func(key any) bool { return slices.Contains(sinceThen, key.(string)) })
			}
		}
	case []any:
		for i := range v {
			v[i] = asBefore(v[i])
		}
	}
	return v
}

// recordedARN is that of the recorded secret.
const recordedARN = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:facts/dev/web-sPJTrv"

func recordedSecret(t *testing.T, s *server) {
	t.Helper()
	_, err := secrets.CreateSecret(s.account, testRegion, account.Object{"name": "facts/dev/web"})
	require.NoError(t, err)
}

// registerOneBefore makes the recorded task definition the second revision of its family.
func registerOneBefore(t *testing.T, s *server) {
	t.Helper()
	create := recordings(t, "ecs-taskDefinition.jsonl")[1]
	_, err := s.Create(t.Context(), request(t, create.Request, "aws:ecs/taskDefinition:TaskDefinition", "web",
		&pulumirpc.CreateRequest{}))
	require.NoError(t, err)
}

// runnable is an account in which the recorded service comes to run, with three revisions.
func runnable(t *testing.T, s *server) {
	t.Helper()
	prerequisites(t, s)
	balanced()(t, s)
	require.NoError(t, ecr.PutImage(s.account, "facts-dev/web", "one", "sha256:1", 1))
	require.NoError(t, s.account.CreateObject(iam.RolePolicy, "pull", account.Object{"role": "facts-dev-web-execution",
		"policy": `{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`}, nil))
	containers, err := ecs.ParseContainers(`[{"name":"web","image":"123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/facts-dev/web:one",
		"portMappings":[{"containerPort":8080}]}]`)
	require.NoError(t, err)
	for range 3 {
		_, err := ecs.RegisterTaskDefinition(s.account, testRegion, ecs.TaskDefinition{Family: "facts-dev-web", CPU: "256",
			Memory:      "512",
			NetworkMode: "awsvpc", RequiresCompatibilities: []string{"FARGATE"}, Containers: containers,
			ExecutionRoleARN: "arn:aws:iam::123456789012:role/facts-dev-web-execution"})
		require.NoError(t, err)
	}
}

// balanced is an account with the load balancer of the recordings and what belongs to it, except some kinds of objects.
func balanced(except ...string) func(*testing.T, *server) {
	return func(t *testing.T, s *server) {
		t.Helper()
		arn := func(resource string) string {
			return account.ARN(account.DefaultID, "elasticloadbalancing",
				testRegion, resource)
		}
		balancer := arn("loadbalancer/app/facts-dev/5f199ffa0882b300")
		group := arn("targetgroup/web-f2ba985/b60b03723de28181")
		everything := []any{values{"protocol": "-1", "cidrBlocks": []any{"0.0.0.0/0"}}}
		for _, o := range []struct {
			kind       string
			properties account.Object
		}{
			{vpc.SecurityGroup, account.Object{"arn": "security-group/sg-1c5983149878cba18", "vpcId": vpc.DefaultVPC,
				"ingress": everything, "egress": everything}},
			{elb.LoadBalancer, account.Object{"arn": balancer, "name": "facts-dev",
				"securityGroups": []any{"sg-1c5983149878cba18"},
				"subnets":        []any{vpc.Subnets[0].ID, vpc.Subnets[1].ID}}},
			{elb.TargetGroup, account.Object{"arn": group, "name": "web-f2ba985", "targetType": "ip",
				"vpcId": vpc.DefaultVPC}},
			{elb.Listener, account.Object{"arn": arn("listener/app/facts-dev/5f199ffa0882b300/0a5f2c8f15614b89"),
				"port":     80.0,
				"protocol": "HTTP", "loadBalancerArn": balancer}},
			{elb.ListenerRule,
				account.Object{"arn": arn("listener-rule/app/facts-dev/5f199ffa0882b300/0a5f2c8f15614b89/b06affbb716399e9"),
					"listenerArn": arn("listener/app/facts-dev/5f199ffa0882b300/0a5f2c8f15614b89"),
					"actions":     []any{values{"type": "forward", "targetGroupArn": group}}}},
		} {
			if !slices.Contains(except, o.kind) {
				require.NoError(t, s.account.CreateObject(o.kind, path.Base(o.properties["arn"].(string)), o.properties, nil))
			}
		}
	}
}
