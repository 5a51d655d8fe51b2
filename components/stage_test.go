package components

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"slipway/components/internal/build"
	"slipway/stage"
)

const pinnedRef = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/shop-dev/web:20261123-041205-a1b2c3d-9f8e7d6c@sha256:" +
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// loadStage is the stage shop-dev with some keys, as JSON. Its image web is pinned, and its secrets are encrypted but
// for ARNs.
func loadStage(t *testing.T, keys map[string]string) *stage.Stage {
	t.Helper()
	root := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(root, "Dockerfile"), []byte("FROM scratch\n"), 0o644))
	in := stage.Input{Project: "shop", Stage: "dev", Root: root, SecretKeys: []string{"shop:secrets"},
		Config: map[string]string{"shop:images": `{"web": {"ref": "` + pinnedRef + `"}}`}}
	for key, value := range keys {
		in.Config["shop:"+key] = value
	}
	settings, err := stage.Load(in)
	require.NoError(t, err)
	return settings
}

// declareStage declares a stage as the program does, in a made-up account.
func declareStage(t *testing.T, keys map[string]string, change func(*Preflight)) *recorder {
	t.Helper()
	return declareWith(t, keys, nil, change)
}

// declareWith is declareStage with what a team's own resources hand over.
func declareWith(t *testing.T, keys map[string]string, handovers Handovers, change func(*Preflight)) *recorder {
	t.Helper()
	return declareOwn(t, keys, ownProgram{handovers: handovers}, change)
}

// ownProgram is what a team's program has beside main.go's, before the stage is deployed and after it.
type ownProgram struct {
	before    func(*pulumi.Context) error
	handovers Handovers
	after     func(*pulumi.Context, *Deployed) error
}

func declareOwn(t *testing.T, keys map[string]string, own ownProgram, change func(*Preflight)) *recorder {
	t.Helper()
	settings := loadStage(t, keys)
	account := &stageAccount{ID: "123456789012", Region: "ap-northeast-2", Partition: "aws"}
	preflight := &Preflight{Stage: settings, account: account,
		Network: &Network{VPC: "vpc-1", Subnets: []string{"subnet-1"}}, revisions: map[string]string{}}
	if settings.HasRoutes() {
		preflight.ingress = &ingressLookup{Settings: settings.LoadBalancer, Subnets: []string{"subnet-2", "subnet-3"}}
		if settings.LoadBalancer.Zone != "" {
			preflight.ingress.ZoneID = "Z1"
		}
	}
	if settings.HasInternalRoutes() {
		preflight.internalIngress = &ingressLookup{Settings: settings.InternalLoadBalancer.Settings(), Second: true,
			Subnets: []string{"subnet-4", "subnet-5"}}
	}
	if change != nil {
		change(preflight)
	}
	recorded := &recorder{summaries: map[string]map[string]any{}}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		preflight.rollouts = newRollouts(ctx, account, settings.Cluster())
		if own.before != nil {
			if err := own.before(ctx); err != nil {
				return err
			}
		}
		deployed, err := Deploy(ctx, preflight, own.handovers)
		if err != nil {
			return err
		}
		if own.after != nil {
			if err := own.after(ctx, deployed); err != nil {
				return err
			}
		}
		if deployed.LoadBalancer != nil {
			recorded.noteSummary("the load balancer", deployed.LoadBalancer.summary())
		}
		for _, summaries := range []pulumi.Map{deployed.Services, deployed.Tasks} {
			for name, summary := range summaries {
				recorded.noteSummary(name, summary.(pulumi.Map))
			}
		}
		return nil
	}, pulumi.WithMocks("shop", "dev", recorded), func(info *pulumi.RunInfo) { info.DryRun = true })
	require.NoError(t, err)
	return recorded
}

// noteSummary notes what a stack's outputs say of a service or a task.
func (r *recorder) noteSummary(name string, summary pulumi.Map) {
	summary.ToMapOutput().ApplyT(func(known map[string]any) map[string]any {
		r.mutex.Lock()
		defer r.mutex.Unlock()
		r.summaries[name] = known
		return known
	})
}

// everyService uses all that a service can have.
const everyService = `{
		"image": "web", "port": 8080, "allowFrom": ["10.0.0.0/8"], "secrets": ["PASSWORD", "TOKEN", "LEVEL"], "exec": true, "logRetention": 90, "stopTimeout": 60,
		"route": {"hosts": ["shop.example.com", "*.shop.example.com"], "stickiness": 60},
		"scaling": {"min": 2, "max": 9, "cpu": 60, "memory": 70, "requests": 1000,
			"schedules": {"night": {"when": "cron(0 22 * * ? *)", "min": 0}, "once": {"when": "at(2026-12-24T18:00:00)", "max": 20}}},
		"deployment": {"maxErrors": 5, "alarms": ["latency"]},
		"healthCheck": {"command": ["CMD", "/app", "-healthcheck"]},
		"permissions": [{"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::uploads/*"], "conditions": {"Bool": {"aws:SecureTransport": ["true"]}}}]
	}`

// everything is a stage whose service web uses all that there is, and api shares its host.
var everything = map[string]string{
	"secrets": `{"PASSWORD": "hunter2", "TOKEN": "other-value", "LEVEL": ` +
		`"arn:aws:ssm:ap-northeast-2:123456789012:parameter/level"}`,
	"services": `{
		"web": ` + everyService + `,
		"api": {"image": "web", "port": 9090, "route": {"hosts": ["shop.example.com"], "paths": ["/api/*"]}, "secrets": ["TOKEN"]}
	}`,
	"loadBalancer": `{"zone": "example.com", "accessLogs": {"bucket": "shop-logs"}}`,
	"tags":         `{"team": "shop"}`,
	"roles":        `{"path": "/shop/", "permissionsBoundary": "arn:aws:iam::123456789012:policy/boundary"}`,
}

func TestEveryResourceOfAStageBelongsToAComponentAndHasANameOfItsOwn(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, everything, nil)
	seen := map[string]bool{}
	for _, registered := range recorded.resources {
		parent := registered.RegisterRPC.GetParent()
		if registered.RegisterRPC.GetCustom() {
			require.Contains(t, parent, "slipway:components:", registered.TypeToken)
		}
		types := "" // an engine's names have the types of what is around a resource, not the names
		if parts := strings.Split(parent, "::"); len(parts) > 2 {
			types = parts[2]
		}
		urn := fmt.Sprintf("%s$%s::%s", types, registered.TypeToken, registered.Name)
		require.False(t, seen[urn], "%s is declared twice", urn)
		seen[urn] = true
	}
	for _, token := range []string{
		"aws:acm/certificate:Certificate", "aws:appautoscaling/policy:Policy",
		"aws:appautoscaling/scheduledAction:ScheduledAction",
		"aws:cloudwatch/metricAlarm:MetricAlarm", "aws:ec2/securityGroupRule:SecurityGroupRule",
		"aws:lb/listenerRule:ListenerRule",
		"aws:lb/targetGroup:TargetGroup", "aws:route53/record:Record", "aws:secretsmanager/secretVersion:SecretVersion",
	} {
		require.NotEmpty(t, recorded.all(token), token)
	}
}

// There is no build context, and nothing is prepared or built.
func TestARefBesideBuildKeepsTheRepositoryAndBuildsNothing(t *testing.T) {
	t.Parallel()
	keys := map[string]string{
		"images":   `{"web": {"build": {"context": "gone"}, "ref": "` + pinnedRef + `"}}`,
		"services": `{"web": {"image": "web"}}`,
	}
	settings := loadStage(t, keys)
	builds, err := build.Prepare(nil, settings, t.TempDir())
	require.NoError(t, err)
	require.Empty(t, builds)

	recorded := declareStage(t, keys, nil)
	require.Empty(t, recorded.all("docker:index/image:Image"))
	require.Equal(t, "shop-dev/web", recorded.named(t, "aws:ecr/repository:Repository",
		"web").Inputs["name"].StringValue())
	require.Len(t, recorded.all("aws:ecr/lifecyclePolicy:LifecyclePolicy"), 1)
	containers := recorded.named(t, "aws:ecs/taskDefinition:TaskDefinition",
		"web").Inputs["containerDefinitions"].StringValue()
	require.Contains(t, containers,
		`"image":"123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/shop-dev/web:20261123-041205-a1b2c3d-9f8e7d6c"`)
	require.NotContains(t, containers, "dockerLabels")
	require.Contains(t, recorded.inputs(t, "aws:iam/rolePolicy:RolePolicy")["policy"].StringValue(),
		"repository/shop-dev/web")
}

func TestTheTagsAreOnEverythingThatTakesTags(t *testing.T) {
	t.Parallel()
	tagged := map[string]bool{}
	for _, registered := range declareStage(t, everyOption, foundForEveryOption).resources {
		tags, takesTags := registered.Inputs["tags"]
		if !takesTags {
			continue
		}
		tagged[registered.TypeToken] = true
		want := map[string]any{"project": "shop", "stage": "dev", "team": "shop"}
		for _, whose := range []string{"service", "task", "image"} {
			if name, given := tags.ObjectValue()[resource.PropertyKey(whose)]; given {
				require.Contains(t, registered.Name, name.StringValue(), registered.TypeToken)
				want[whose] = name.StringValue()
			}
		}
		require.Equal(t, want, tags.ObjectValue().Mappable(), registered.TypeToken)
		ofTheStage := strings.HasPrefix(registered.Name, "dev") || registered.TypeToken == "aws:lb/loadBalancer:LoadBalancer"
		require.Equal(t, ofTheStage, len(want) == 3, "%s %s", registered.TypeToken, registered.Name)
	}
	require.Len(t, tagged, 16, "every type that takes tags")
}

// plain is a property without the marks of secrets.
func plain(value resource.PropertyValue) resource.PropertyValue {
	for value.IsSecret() {
		value = value.SecretValue().Element
	}
	return value
}

func TestEncryptedSecretsAreKeptAndNeverShown(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, everything, nil)
	for _, registered := range recorded.resources {
		if registered.TypeToken == "aws:secretsmanager/secretVersion:SecretVersion" {
			require.True(t, registered.Inputs["secretString"].IsSecret(), "the engine encrypts it in the state")
			continue
		}
		for _, value := range []string{"hunter2", "other-value"} {
			require.NotContains(t, fmt.Sprint(registered.Inputs.Mappable()), value, registered.TypeToken)
			require.NotContains(t, registered.RegisterRPC.GetObject().String(), value, registered.TypeToken)
		}
	}
	const version = "aws:secretsmanager/secretVersion:SecretVersion"
	require.JSONEq(t, `{"PASSWORD": "hunter2", "TOKEN": "other-value"}`,
		plain(recorded.named(t, version, "shop-dev-web").Inputs["secretString"]).StringValue())
	require.JSONEq(t, `{"TOKEN": "other-value"}`,
		plain(recorded.named(t, version, "shop-dev-api").Inputs["secretString"]).StringValue(), "what the service names")

	var containers []struct {
		Secrets []struct{ Name, ValueFrom string }
	}
	definition := recorded.named(t, "aws:ecs/taskDefinition:TaskDefinition", "web").Inputs["containerDefinitions"]
	require.False(t, definition.IsSecret(), "a preview shows what changes")
	require.NoError(t, json.Unmarshal([]byte(definition.StringValue()), &containers))
	require.Equal(t, []struct{ Name, ValueFrom string }{
		{"LEVEL", "arn:aws:ssm:ap-northeast-2:123456789012:parameter/level"},
		{"PASSWORD", "arn:shop-dev-web:PASSWORD::versionId:shop-dev-web"},
		{"TOKEN", "arn:shop-dev-web:TOKEN::versionId:shop-dev-web"},
	}, containers[0].Secrets)
	secret := recorded.named(t, "aws:secretsmanager/secret:Secret", "shop-dev-web").Inputs
	require.NotContains(t, secret, resource.PropertyKey("name"), "AWS keeps the name of a deleted secret")
	require.InDelta(t, 30, secret["recoveryWindowInDays"].NumberValue(), 0)
}

func TestAServiceWithoutEncryptedValuesKeepsNoSecret(t *testing.T) {
	t.Parallel()
	require.Empty(t, declareService(t, nil).all("aws:secretsmanager/secret:Secret"))
}

// statements are those of a service's role policy, actions and resources by Sid.
func statements(t *testing.T, recorded *recorder, name string) []statement {
	t.Helper()
	var policy struct{ Statement []statement }
	text := recorded.named(t, "aws:iam/rolePolicy:RolePolicy", name).Inputs["policy"]
	require.False(t, text.IsSecret())
	require.NoError(t, json.Unmarshal([]byte(text.StringValue()), &policy))
	return policy.Statement
}

func TestTheExecutionRoleReadsTheServicesOwnSecret(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, everything, nil)
	read := map[string][]string{}
	for _, statement := range statements(t, recorded, "web-execution") {
		read[statement.Sid] = statement.Resource
	}
	require.Equal(t, []string{"arn:shop-dev-web"}, read["Secrets"])
	require.Equal(t, []string{"arn:aws:ssm:ap-northeast-2:123456789012:parameter/level"}, read["Parameters"])
	for _, statement := range statements(t, recorded, "api-execution") {
		require.NotEqual(t, "Parameters", statement.Sid, "api names no parameter")
		if statement.Sid == "Secrets" {
			require.Equal(t, []string{"arn:shop-dev-api"}, statement.Resource)
		}
	}
}

func TestTheExecutionRoleTellsSecretsFromParameters(t *testing.T) {
	t.Parallel()
	const secret, parameter = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop-AbCdEf",
		"arn:aws:ssm:ap-northeast-2:123456789012:parameter/secretsmanager/x"
	recorded := declareStage(t, map[string]string{
		"secrets":  `{"A": "` + secret + `:ssm::", "B": "` + secret + `:password:AWSPREVIOUS:", "C": "` + parameter + `"}`,
		"services": `{"web": {"image": "web", "secrets": ["A", "B", "C"]}}`,
	}, nil)
	read := map[string][]string{}
	for _, statement := range statements(t, recorded, "web-execution") {
		read[statement.Sid] = statement.Resource
	}
	require.Equal(t, []string{secret}, read["Secrets"], "once, without keys and versions")
	require.Equal(t, []string{parameter}, read["Parameters"])
	require.Empty(t, recorded.all("aws:secretsmanager/secret:Secret"))
}

func TestOtherPermissionsAreAnotherPolicy(t *testing.T) {
	t.Parallel()
	inPulumi := map[string]string{}
	name := func(action string) string {
		recorded := declareStage(t, map[string]string{
			"services": `{"web": {"image": "web", "permissions": [{"actions": ["` + action +
				`"], "resources": ["arn:aws:s3:::uploads/*"]}]}}`,
		}, nil)
		policy := recorded.named(t, "aws:iam/rolePolicy:RolePolicy", "web-task")
		inPulumi[action] = policy.Name
		return policy.Inputs["name"].StringValue()
	}
	require.Regexp(t, "^task-[0-9a-f]{8}$", name("s3:GetObject"))
	require.Equal(t, name("s3:GetObject"), name("s3:GetObject"))
	require.NotEqual(t, name("s3:GetObject"), name("s3:PutObject"), "a rollback finds those of its revision")
	require.NotEqual(t, inPulumi["s3:GetObject"], inPulumi["s3:PutObject"], "no replacement, whose end would be a deletion")
}

func TestTheTaskRoleMayDoWhatTheStageFilePermits(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, everything, nil)
	require.Equal(t, []statement{
		{Effect: "Allow", Action: []string{"s3:GetObject"}, Resource: []string{"arn:aws:s3:::uploads/*"},
			Condition: map[string]map[string][]string{"Bool": {"aws:SecureTransport": {"true"}}}},
		{Sid: "Exec", Effect: "Allow", Action: []string{
			"ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel",
			"ssmmessages:OpenDataChannel",
		}, Resource: []string{"*"}},
	}, statements(t, recorded, "web-task"))
	for _, registered := range recorded.all("aws:iam/rolePolicy:RolePolicy") {
		require.NotEqual(t, "api-task", registered.Name, "a service without permissions has none")
	}
	role := recorded.named(t, "aws:iam/role:Role", "web-task").Inputs
	require.Equal(t, "/shop/", role["path"].StringValue())
	require.Equal(t, "arn:aws:iam::123456789012:policy/boundary", role["permissionsBoundary"].StringValue())

	service := recorded.named(t, "aws:ecs/service:Service", "web")
	require.True(t, service.Inputs["enableExecuteCommand"].BoolValue())
	require.True(t, dependsOn(service, "aws:iam/rolePolicy:RolePolicy", "web-task"),
		"the first tasks have their permissions")
	require.True(t, dependsOn(service, "aws:iam/rolePolicy:RolePolicy", "web-execution"))
	require.False(t, recorded.named(t, "aws:ecs/service:Service", "api").Inputs["enableExecuteCommand"].BoolValue())

	definition := recorded.named(t, "aws:ecs/taskDefinition:TaskDefinition",
		"web").Inputs["containerDefinitions"].StringValue()
	require.Contains(t, definition, `"linuxParameters":{"initProcessEnabled":true}`)
	require.Contains(t, definition,
		`"healthCheck":{"command":["CMD","/app","-healthcheck"],"interval":10,"retries":3,"timeout":5}`)
	require.Contains(t, definition, `"stopTimeout":60`)
	require.InDelta(t, 90, recorded.named(t, "aws:cloudwatch/logGroup:LogGroup",
		"web").Inputs["retentionInDays"].NumberValue(), 0)
}

// dependsOn tells whether a resource waits for another one.
func dependsOn(registered pulumi.MockResourceArgs, token, name string) bool {
	for _, urn := range registered.RegisterRPC.GetDependencies() {
		if _, found, is := strings.Cut(urn, token+"::"); is && besideName(found) == name {
			return true
		}
	}
	return false
}

func TestWhatIsLargerThanAWSTakesIsFoundBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	account := &stageAccount{ID: "123456789012", Region: "ap-northeast-2", Partition: "aws"}
	check := func(services string) error {
		return checkSizes(account, loadStage(t, map[string]string{"services": services}))
	}
	variable := func(bytes int) string { return `"environment": {"A": "` + strings.Repeat("x", bytes) + `"}` }
	require.NoError(t, check(`{"web": {"image": "web", `+variable(63000)+`}}`))
	require.ErrorContains(t, check(`{"web": {"image": "web", `+variable(65536)+`}}`),
		"services.web (Pulumi.dev.yaml): its task definition would have about 6")
	require.ErrorContains(t,
		check(`{"web": {"image": "web", `+variable(33000)+`, "containers": {"beside": {"image": "web", `+variable(33000)+`}}}}`),
		"and ECS takes 65536; shorten them", "all containers share it")
	resources := strings.Repeat(`"arn:aws:s3:::a-bucket-with-a-long-name/and-a-long-prefix/*", `, 900)
	require.ErrorContains(t,
		check(`{"web": {"image": "web", "permissions": [{"actions": ["s3:GetObject"], "resources": [`+strings.TrimSuffix(resources, ", ")+`]}]}}`),
		"services.web.permissions (Pulumi.dev.yaml): these need")
}

// Containers name an image in the stage's own repository by its tag alone.
func TestTheSizeOfATaskDefinitionHasTheReferencesThatItIsGoingToHave(t *testing.T) {
	t.Parallel()
	account := &stageAccount{ID: "123456789012", Region: "ap-northeast-2", Partition: "aws"}
	size := func(image string) int {
		found, err := taskDefinitionSize(account, loadStage(t, map[string]string{"images": `{"web": {` + image + `}}`,
			"services": `{"web": {"image": "web"}}`}), "web")
		require.NoError(t, err)
		return found
	}
	const build, own = `"build": {"context": "."}`, "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/shop-dev/web:2.1@"
	built := size(build)
	require.Equal(t, built-len(longestImageTag)+len("2.1"), size(build+`, "ref": "`+own+pinnedDigest+`"`))
	require.Equal(t, built-len(longestImageTag)+len("2.1"), size(`"ref": "ghcr.io/shop/web:2.1@`+pinnedDigest+
		`", "mirror": true`))
}

// A port that others call by its name is longer.
func TestTheSizeOfATaskDefinitionHasTheNameOfItsPort(t *testing.T) {
	t.Parallel()
	account := &stageAccount{ID: "123456789012", Region: "ap-northeast-2", Partition: "aws"}
	size := func(keys string) int {
		found, err := taskDefinitionSize(account, loadStage(t, map[string]string{
			"services": `{"web": {"image": "web", "port": 8080` + keys + `}}`}), "web")
		require.NoError(t, err)
		return found
	}
	require.Equal(t, size("")+len(`"appProtocol":"http",`)+len(`"name":"api",`),
		size(`, "name": "api", "appProtocol": "http"`))
}

// All inline policies of a role share 10,240 characters, the earlier ones and those of an update together.
func TestManySecretsAreInManagedPolicies(t *testing.T) {
	t.Parallel()
	secrets, names := map[string]string{"OWN": "hunter2"}, []string{"OWN"}
	for i := range 80 {
		name := fmt.Sprintf("S%d", i)
		secrets[name] = fmt.Sprintf("arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:shop/dev/some-secret-%d-AbCdEf", i)
		names = append(names, name)
	}
	all, err := json.Marshal(secrets)
	require.NoError(t, err)
	own, err := json.Marshal(map[string]any{"web": map[string]any{"image": "web", "secrets": names}})
	require.NoError(t, err)
	recorded := declareStage(t, map[string]string{"secrets": string(all), "services": string(own)}, nil)
	require.Empty(t, recorded.all("aws:iam/rolePolicy:RolePolicy"))
	policies := recorded.all("aws:iam/policy:Policy")
	require.Len(t, policies, 2)
	require.Len(t, recorded.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment"), 2)
	together := ""
	for _, policy := range policies {
		require.Regexp(t, `^shop-dev-web-execution-[12]-[0-9a-f]{8}$`, policy.Inputs["name"].StringValue())
		together += policy.Inputs["policy"].StringValue()
	}
	for name, arn := range secrets {
		if name != "OWN" {
			require.Contains(t, together, `"`+arn+`"`)
		}
	}
	require.NotContains(t, together, "0000000-AAAAAA", "the secret's own ARN stands there")
}

// ECS takes a grace period only where a load balancer is, and the provider sends 0 for one that a program takes away.
func TestWithoutARouteTheGracePeriodStays(t *testing.T) {
	t.Parallel()
	for _, services := range []string{`{"web": {"image": "web"}}`,
		`{"web": {"image": "web", "scaling": {"max": 2, "cpu": 60}}}`} {
		recorded := declareStage(t, map[string]string{"services": services}, nil)
		web := recorded.named(t, "aws:ecs/service:Service", "web")
		require.Contains(t, web.RegisterRPC.GetIgnoreChanges(), "healthCheckGracePeriodSeconds")
		require.NotContains(t, web.Inputs, resource.PropertyKey("healthCheckGracePeriodSeconds"))
	}
}

func TestAlarmsTakeADeploymentBack(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, everything, nil)
	alarm := recorded.inputs(t, "aws:cloudwatch/metricAlarm:MetricAlarm")
	require.Equal(t, "shop-dev-web-errors", alarm["name"].StringValue())
	require.Equal(t, map[string]any{"LoadBalancer": "arnSuffix:shop-dev", "TargetGroup": "arnSuffix:web"},
		alarm["dimensions"].ObjectValue().Mappable())
	require.InDelta(t, 5, alarm["threshold"].NumberValue(), 0)
	web := recorded.named(t, "aws:ecs/service:Service", "web").Inputs
	require.Equal(t, map[string]any{"alarmNames": []any{"latency", "shop-dev-web-errors"}, "enable": true,
		"rollback": true}, web["alarms"].ObjectValue().Mappable())
	require.NotContains(t, recorded.named(t, "aws:ecs/service:Service", "api").Inputs, resource.PropertyKey("alarms"))

	off := declareStage(t, map[string]string{"services": `{"web": {"image": "web"}}`}, func(s *Preflight) {
		s.kept.alarms = map[string][]string{"web": {"latency"}}
	})
	require.Equal(t, map[string]any{"alarmNames": []any{"latency"}, "enable": false, "rollback": false},
		off.inputs(t, "aws:ecs/service:Service")["alarms"].ObjectValue().Mappable(),
		"AWS keeps what is left out, and the provider sends no empty list")
	require.Empty(t, off.all("aws:cloudwatch/metricAlarm:MetricAlarm"))
}

func TestTheCircuitBreakerDoesWhatTheStageFileSays(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]map[string]any{
		"rollback": {"enable": true, "rollback": true}, "stop": {"enable": true, "rollback": false},
		"off": {"enable": false, "rollback": false},
	} {
		service := declareStage(t, map[string]string{
			"services": `{"web": {"image": "web", "deployment": {"circuitBreaker": "` + setting +
				`", "minimumHealthy": 0, "maximum": 150}}}`,
		}, nil).inputs(t, "aws:ecs/service:Service")
		require.Equal(t, want, service["deploymentCircuitBreaker"].ObjectValue().Mappable(), setting)
		require.InDelta(t, 0, service["deploymentMinimumHealthyPercent"].NumberValue(), 0)
		require.InDelta(t, 150, service["deploymentMaximumPercent"].NumberValue(), 0)
	}
}

func TestTheOutputsSayWhereAServiceIsAndHowManyTasksItStartsWith(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, everything, nil)
	require.Equal(t, "https://shop.example.com/", recorded.summaries["web"]["url"])
	require.Equal(t, "https://shop.example.com/api/", recorded.summaries["api"]["url"])
	require.Equal(t, 2, recorded.summaries["web"]["replicas"], "the smallest count of its scaling")
	require.Equal(t, 1, recorded.summaries["api"]["replicas"])
	for key, want := range map[string]string{"securityGroup": "api-id", "taskRole": "shop-dev-api-task",
		"targetGroup": "arn:api"} {
		require.Equal(t, want, recorded.summaries["api"][key], "what others attach to")
	}
	require.Equal(t, map[string]any{"arn": "arn:shop-dev", "dnsName": "dnsName:shop-dev", "zoneId": "zoneId:shop-dev",
		"securityGroups": []string{"dev-id"},
		"listeners":      map[string]string{"http": "arn:dev-http", "https": "arn:dev-https"}},
		recorded.summaries["the load balancer"])

	plain := declareStage(t,
		map[string]string{"services": `{"web": {"image": "web", "port": 80, "route": {"paths": ["/shop*"]}}, "job": ` +
			`{"image": "web"}}`}, nil)
	require.Equal(t, "http://dnsName:shop-dev/shop", plain.summaries["web"]["url"])
	require.NotContains(t, plain.summaries["job"], "url")
}

func TestAStageThatPinsHasNoRepository(t *testing.T) {
	t.Parallel()
	require.Empty(t, declareStage(t, nil, nil).all("aws:ecr/lifecyclePolicy:LifecyclePolicy"))
}
