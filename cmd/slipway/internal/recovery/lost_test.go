package recovery

import (
	"fmt"
	"os"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"
	"github.com/stretchr/testify/require"
)

func TestHolesAreFilledWithWhatWasRead(t *testing.T) {
	t.Parallel()
	given := map[string]any{"name": "web", "secretString": secretValue, "description": unknownValue,
		"subnets": []any{"a", "b"},
		"groups":  []any{"a", unknownValue}, "target": map[string]any{"arn": "arn:cluster", "role": unknownValue, "count": 1}}
	read := map[string]any{"name": "other", "secretString": map[string]any{sig.Key: sig.Secret,
		"ciphertext": "v1:x"},
		"groups": []any{"a", "sg-1"}, "target": map[string]any{"role": "arn:role", "count": 2, "more": true}, "arn": "arn"}
	require.Equal(t, map[string]any{"name": "web", "secretString": read["secretString"], "subnets": []any{"a", "b"},
		"groups": []any{"a", "sg-1"}, "target": map[string]any{"arn": "arn:cluster", "role": "arn:role", "count": 1}},
		filled(given, read))
	require.Equal(t, map[string]any{"name": "web", "subnets": []any{"a", "b"},
		"target": map[string]any{"arn": "arn:cluster", "count": 1}}, filled(given, nil), "and left out before")
	require.Equal(t, map[string]any{"ciphertext": "v1:x"}, filled(map[string]any{"ciphertext": "v1:x"}, nil))
}

func TestMadeUpNamesAreFoundByTheirFormAndTheirTags(t *testing.T) {
	t.Parallel()
	tags := func(project, key, value string) string {
		return fmt.Sprintf(`<member><%[2]s>project</%[2]s><%[3]s>%[1]s</%[3]s></member><member><%[2]s>stage</%[2]s><%[3]s>dev</%[3]s></member>`,
			project, key, value)
	}
	item := func(id, name, project string) string {
		return fmt.Sprintf(`<item><groupId>%s</groupId><groupName>%s</groupName><tagSet><item><key>project</key><value>%s</value></item>
			<item><key>stage</key><value>dev</value></item></tagSet></item>`, id, name, project)
	}
	answers := map[string]string{
		"DescribeSecurityGroups": "<DescribeSecurityGroupsResponse><securityGroupInfo>" +
			item("sg-1", "web-0a1b2c3", "shop") +
			item("sg-2", "web-0a1b2c4", "other") + item("sg-3", "web-api-0a1b2c3", "shop") +
			item("sg-4", "web-0a1b2c3x", "shop") +
			"</securityGroupInfo></DescribeSecurityGroupsResponse>",
		"DescribeTags": "<DescribeTagsResponse><DescribeTagsResult><TagDescriptions><member><ResourceArn>arn:1</ResourceArn><Tags>" +
			tags("shop", "Key", "Value") + "</Tags></member><member><ResourceArn>arn:2</ResourceArn><Tags>" +
			tags("other", "Key", "Value") +
			"</Tags></member></TagDescriptions></DescribeTagsResult></DescribeTagsResponse>",
		"ListSecrets": `{"SecretList": [{"ARN": "arn:held", "Name": "web-0000000", "Tags": [{"Key": "project", "Value": "shop"},
			{"Key": "stage", "Value": "dev"}]}, {"ARN": "arn:1", "Name": "web-0a1b2c3", "Tags": [{"Key": "project", "Value": "shop"},
			{"Key": "stage", "Value": "dev"}]}, {"ARN": "arn:2", "Name": "web-0a1b2c4", "Tags": []}]}`,
		"DescribeScalingPolicies": `{"ScalingPolicies": [{"PolicyName": "web-0a1b2c3"}, {"PolicyName": ` +
			`"web-memory-0a1b2c3"}]}`,
		"DescribeScheduledActions": `{"ScheduledActions": [{"ScheduledActionName": "web-0a1b2c3"}, {"ScheduledActionName": ` +
			`"web"}]}`,
	}
	for list, element := range map[string]string{"LoadBalancer": "LoadBalancers", "TargetGroup": "TargetGroups"} {
		answers["Describe"+element] = fmt.Sprintf("<Describe%[2]sResponse><Describe%[2]sResult><%[2]s><member><%[1]sArn>arn:1</%[1]sArn>"+
			"<%[1]sName>web-0a1b2c3</%[1]sName></member><member><%[1]sArn>arn:2</%[1]sArn><%[1]sName>web-0a1b2c4</%[1]sName></member>"+
			"<member><%[1]sArn>arn:3</%[1]sArn><%[1]sName>other-0a1b2c3</%[1]sName></member></%[2]s></Describe%[2]sResult></Describe%[2]sResponse>",
			list, element)
	}
	f := answering(t, answers)
	owned := map[string]any{"project": "shop", "stage": "dev"}
	scaled := inputs{"serviceNamespace": "ecs", "resourceId": "service/shop-dev/web",
		"scalableDimension": "ecs:service:DesiredCount"}
	for token, c := range map[string]struct {
		in inputs
		id string
	}{
		"aws:appautoscaling/policy:Policy":    {scaled, "ecs/service/shop-dev/web/ecs:service:DesiredCount/web-0a1b2c3"},
		scheduledAction:                       {scaled, "web-0a1b2c3-ecs-service/shop-dev/web"},
		"aws:ec2/securityGroup:SecurityGroup": {inputs{"vpcId": "vpc-1", "tags": owned}, "sg-1"},
		"aws:lb/loadBalancer:LoadBalancer":    {inputs{"tags": owned}, "arn:1"},
		"aws:lb/targetGroup:TargetGroup":      {inputs{"tags": owned}, "arn:1"},
		"aws:secretsmanager/secret:Secret":    {inputs{"tags": owned}, "arn:1"},
	} {
		c.in["__defaults"] = []any{"name"}
		made := stateResource{"urn": "urn:pulumi:dev::shop::" + token + "::web", "type": token,
			"inputs": map[string]any(c.in)}
		o := &recovered{URN: made.urn(), Operation: lost, made: made}
		require.NoError(t, o.lookFor(t.Context(), f), token)
		require.Equal(t, []string{imported, c.id, ""}, []string{o.Result, o.ID, o.Note}, token)
		require.Equal(t, "web-0a1b2c3", made.properties("inputs")["name"], "the next update keeps it")
		require.True(t, inputs(made.properties("inputs")).hasMadeUpName())
	}
	service := map[string]any{"project": "shop", "stage": "dev", "service": "web"}
	found, err := findMadeUp(t.Context(), f, "aws:lb/targetGroup:TargetGroup", "web", inputs{"tags": service})
	require.NoError(t, err)
	require.Empty(t, found, "what is the stage's own is no service's")

	role := stateResource{"urn": "urn:pulumi:dev::shop::aws:iam/role:Role::web", "type": "aws:iam/role:Role",
		"inputs": map[string]any{"name": "web-9999999", "__defaults": []any{"name"}}}
	o := &recovered{URN: role.urn(), made: role}
	require.NoError(t, o.lookFor(t.Context(), f))
	require.Equal(t, unknown, o.Result, "a name that is made up tells nothing")
}

func TestEveryTypeThatIsListedIsTested(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("lost_test.go")
	require.NoError(t, err)
	for token, kind := range kinds {
		if kind.list != nil && token != scheduledAction {
			require.Contains(t, string(source), `"`+token+`":`)
		}
	}
}

func TestNothingInAWSIsTwoResources(t *testing.T) {
	t.Parallel()
	found := &recovered{Result: imported, ID: "arn:aws:acm:1",
		made: stateResource{"type": "aws:acm/certificate:Certificate"}}
	s := &search{Recovery: &Recovery{Operations: []*recovered{found}}}
	require.True(t, s.found("aws:acm/certificate:Certificate", "arn:aws:acm:1"))
	require.False(t, s.found("aws:acm/certificate:Certificate", "arn:aws:acm:2"))
	found.Result = again
	require.False(t, s.found("aws:acm/certificate:Certificate", "arn:aws:acm:1"))
}

func TestWhatIsNotKnownYetIsLookedForLater(t *testing.T) {
	t.Parallel()
	state, err := parseState([]byte(exampleState))
	require.NoError(t, err)
	s := &search{Recovery: &Recovery{state: state}}
	role := "urn:pulumi:dev::shop::aws:lb/targetGroup:TargetGroup::web" // any that the state has
	of := func(token string, in map[string]any, owner ...any) stateResource {
		return stateResource{"urn": "urn:pulumi:dev::shop::" + token + "::web", "type": token, "inputs": in,
			"propertyDependencies": map[string]any{"role": owner}}
	}
	target := func(arn string) map[string]any {
		return map[string]any{"name": "report", "target": map[string]any{"arn": arn, "roleArn": unknownValue}}
	}
	for _, known := range []stateResource{
		of("aws:ecs/service:Service", map[string]any{"cluster": "arn:c", "name": "web", "taskDefinition": unknownValue}),
		of("aws:iam/rolePolicy:RolePolicy", map[string]any{"role": "web", "name": "logs"}, role),
		of("aws:lb/listener:Listener", map[string]any{"loadBalancerArn": "arn:lb", "port": 80,
			"certificateArn": unknownValue}),
		of("aws:scheduler/schedule:Schedule", target("arn:cluster")),
	} {
		require.True(t, s.identified(known), known.urn())
	}
	for _, later := range []stateResource{
		of("aws:ecs/service:Service", map[string]any{"cluster": unknownValue, "name": "web"}),
		of("aws:iam/rolePolicy:RolePolicy", map[string]any{"role": "web", "name": "logs"}, "urn:another project's"),
		of("aws:lb/listener:Listener", map[string]any{"loadBalancerArn": unknownValue, "port": 80}),
		of("aws:scheduler/schedule:Schedule", target(unknownValue)),
		of("aws:route53/record:Record", map[string]any{"zoneId": "Z", "name": "a", "type": "A",
			"aliases": []any{map[string]any{"name": unknownValue}}}),
	} {
		require.False(t, s.identified(later), later.urn())
	}
}

func TestResourcesStandOnWhatTheEngineWouldMake(t *testing.T) {
	t.Parallel()
	const provider = "urn:pulumi:dev::shop::pulumi:providers:aws::default_6_83_0"
	creations := []stateResource{
		{"urn": "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", "type": "pulumi:pulumi:Stack", "custom": false},
		{"urn": "urn:pulumi:dev::shop::shop:Web::web", "type": "shop:Web",
			"parent": "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev",
			"inputs": map[string]any{"port": 80, "arn": unknownValue}},
		{"urn": "urn:pulumi:dev::shop::shop:Web$aws:iam/role:Role::web", "type": "aws:iam/role:Role", "custom": true,
			"parent": "urn:pulumi:dev::shop::shop:Web::web", "provider": provider + "::" + unknownValue,
			"inputs": map[string]any{"name": "web"}},
	}
	_, err := parseState([]byte(`{"resources": []}`))
	require.ErrorContains(t, err, "no deployment")
	state, err := parseState([]byte(`{"version": 3, "deployment": null}`))
	require.NoError(t, err)
	config := map[string]string{"aws:region": "eu-central-1", "aws:secretKey": "hunter2", "shop:services": "{}"}
	require.NoError(t, state.scaffold(creations, config, []string{"aws:secretKey"}))
	state.adopt(creations[2], "web")
	var types []string
	for _, each := range state.resources() {
		types = append(types, each.token())
	}
	require.Equal(t, []string{"pulumi:pulumi:Stack", "pulumi:providers:aws", "shop:Web", "aws:iam/role:Role"}, types)
	require.Equal(t, map[string]any{"port": 80}, state.resources()[2]["inputs"])
	made := state.liveOf(provider)
	require.Len(t, made.id(), 36)
	require.Equal(t, provider+"::"+made.id(), state.resources()[3].text("provider"))
	require.Equal(t, map[string]any{"__internal": map[string]any{}, "version": "6.83.0", "region": "eu-central-1",
		"secretKey": map[string]any{sig.Key: sig.Secret, "plaintext": `"hunter2"`}}, made["inputs"],
		"which Pulumi encrypts")

	require.NoError(t, state.scaffold(creations, config, nil))
	require.Len(t, state.resources(), 4, "they are there")
	creations[2]["provider"] = "urn:pulumi:dev::shop::pulumi:providers:aws::mine::1"
	require.ErrorContains(t, state.scaffold(creations, config, nil), "a provider of the program's own")
}

func TestNothingDependsOnWhatWasTakenOut(t *testing.T) {
	t.Parallel()
	state, err := parseState([]byte(exampleState))
	require.NoError(t, err)
	service := state.resources()[4]
	service["propertyDependencies"] = map[string]any{"role": []any{"urn:gone", service.urn()}}
	service["deletedWith"] = "urn:gone"
	service["dependencies"] = append(service["dependencies"].([]any), "urn:gone")
	state.forgetMissing()
	require.Len(t, service["dependencies"], 2)
	require.Equal(t, map[string]any{"role": []any{service.urn()}}, service["propertyDependencies"])
	require.NotContains(t, service, "deletedWith")
}

func TestARecoveryOfALostStateSaysWhatTheNextUpdateMakes(t *testing.T) {
	t.Parallel()
	missing := []stateResource{
		{"urn": "urn:1", "type": "shop:Web"},
		{"urn": "urn:2", "type": "docker:index/image:Image", "custom": true},
		{"urn": "urn:3", "type": validation, "custom": true},
		{"urn": "urn:4", "type": stash, "custom": true},
		{"urn": "urn:5", "type": "random:index:Pet", "custom": true},
		{"urn": "urn:6", "type": "aws:iam/rolePolicy:RolePolicy", "custom": true},
		{"urn": "urn:7", "type": "aws:iam/role:Role", "custom": true},
	}
	concluded := func(dryRun bool, role string) (results map[string]string) {
		found := &recovered{URN: "urn:7", Operation: lost, Result: role, made: missing[6]}
		s := &search{&Recovery{Operations: []*recovered{found}}, nil, map[string]*recovered{"urn:7": found}}
		s.conclude(missing, dryRun)
		results = map[string]string{}
		for _, o := range s.Operations {
			results[o.URN] = o.Result
		}
		return results
	}
	require.Empty(t, concluded(false, again), "AWS has nothing: the stage was never there")
	require.Equal(t, map[string]string{"urn:2": again, "urn:3": again, "urn:4": again, "urn:5": unknown, "urn:6": again,
		"urn:7": imported},
		concluded(false, imported))
	require.Equal(t, later, concluded(true, imported)["urn:6"])
}
