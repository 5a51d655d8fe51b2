package recovery

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/internal/awsclient"
)

// answering is AWS with one answer for each operation, by the name that its API has.
func answering(t *testing.T, answers map[string]string) *finder {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		operation := r.FormValue("Action")
		if target := r.Header.Get("X-Amz-Target"); target != "" {
			operation = target[len(target)-len(filepath.Ext(target))+1:]
		}
		answer, known := answers[operation]
		if !known {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, "<Response><Errors><Error><Code>NotExpected</Code><Message>%s</Message></Error></Errors></Response>",
				operation)
			return
		}
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(server.Close)
	cfg := aws.Config{Region: "eu-central-1", BaseEndpoint: &server.URL, HTTPClient: server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""), RetryMaxAttempts: 1,
		Retryer: func() aws.Retryer { return aws.NopRetryer{} }}
	return &finder{Client: awsreader.New(cfg, awsclient.Settings{}, "123456789012"),
		holds: func(_, id string) bool { return id == "arn:held" }}
}

func TestIDsAreThoseThatAnImportTakes(t *testing.T) {
	t.Parallel()
	owned := map[string]any{"project": "shop", "stage": "dev"}
	elb := func(result, inner string) string {
		return fmt.Sprintf("<%sResponse><%sResult>%s</%sResult></%sResponse>", result, result, inner, result, result)
	}
	f := answering(t, map[string]string{
		"DescribeLoadBalancers": elb("DescribeLoadBalancers",
			"<LoadBalancers><member><LoadBalancerArn>arn:lb</LoadBalancerArn></member></LoadBalancers>"),
		"DescribeTargetGroups": elb("DescribeTargetGroups",
			"<TargetGroups><member><TargetGroupArn>arn:tg</TargetGroupArn></member></TargetGroups>"),
		"DescribeListeners": elb("DescribeListeners",
			"<Listeners><member><ListenerArn>arn:80</ListenerArn><Port>80</Port></member>"+
				"<member><ListenerArn>arn:443</ListenerArn><Port>443</Port></member></Listeners>"),
		"DescribeRules": elb("DescribeRules",
			"<Rules><member><RuleArn>arn:default</RuleArn><Priority>default</Priority></member>"+
				"<member><RuleArn>arn:7</RuleArn><Priority>7</Priority></member></Rules>"),
		"DescribeSecurityGroups": "<DescribeSecurityGroupsResponse><securityGroupInfo><item><groupId>sg-1</groupId></item></securityGroupInfo></DescribeSecurityGroupsResponse>",
		"DescribeLaunchTemplates": "<DescribeLaunchTemplatesResponse><launchTemplates><item>" +
			"<launchTemplateId>lt-1</launchTemplateId></item></launchTemplates></DescribeLaunchTemplatesResponse>",
		"ListNamespaces": `{"Namespaces": [{"Id": "ns-1", "Name": "other", "Arn": "arn:1"},
			{"Id": "ns-2", "Name": "shop-dev", "Arn": "arn:2"}]}`,
		"ListTagsForResource": `{"Tags": [{"Key": "project", "Value": "shop"}, {"Key": "stage", "Value": "dev"}]}`,
		"DescribeSecret":      `{"ARN": "arn:secret", "Name": "web-1"}`,
		"ListSecretVersionIds": `{"Versions": [{"VersionId": "old", "VersionStages": ["AWSPREVIOUS"]},
			{"VersionId": "new", "VersionStages": ["AWSCURRENT"]}]}`,
		"ListCertificates": `{"CertificateSummaryList": [{"CertificateArn": "arn:held", "DomainName": "example.com"},
			{"CertificateArn": "arn:new", "DomainName": "example.com"}]}`,
		"ListTagsForCertificate": `{"Tags": [{"Key": "project", "Value": "shop"}, {"Key": "stage", "Value": "dev"}]}`,
		"ListTaskDefinitions": `{"taskDefinitionArns": ` +
			`["arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-dev-web:3"]}`,
		"DescribeTaskDefinition": `{"tags": [{"key": "project", "value": "shop"}, {"key": "stage", "value": "dev"}]}`,
	})
	target := inputs{"serviceNamespace": "ecs", "resourceId": "service/shop-dev/web",
		"scalableDimension": "ecs:service:DesiredCount", "name": "cpu"}
	for token, c := range map[string]struct {
		in inputs
		id string
	}{
		"aws:acm/certificate:Certificate":  {inputs{"domainName": "example.com", "tags": owned}, "arn:new"},
		"aws:appautoscaling/policy:Policy": {target, "ecs/service/shop-dev/web/ecs:service:DesiredCount/cpu"},
		"aws:appautoscaling/scheduledAction:ScheduledAction": {inputs{"name": "web.night-1", "serviceNamespace": "ecs",
			"resourceId": "service/shop-dev/web"}, "web.night-1-ecs-service/shop-dev/web"},
		"aws:appautoscaling/target:Target":                          {target, "ecs/service/shop-dev/web/ecs:service:DesiredCount"},
		"aws:cloudwatch/logGroup:LogGroup":                          {inputs{"name": "/shop/dev/web"}, "/shop/dev/web"},
		"aws:cloudwatch/metricAlarm:MetricAlarm":                    {inputs{"name": "shop-dev-web-errors"}, "shop-dev-web-errors"},
		"aws:ec2/securityGroup:SecurityGroup":                       {inputs{"name": "web-1", "vpcId": "vpc-1"}, "sg-1"},
		"aws:ec2/launchTemplate:LaunchTemplate":                     {inputs{"name": "shop-dev-general"}, "lt-1"},
		"aws:autoscaling/group:Group":                               {inputs{"name": "shop-dev-general"}, "shop-dev-general"},
		"aws:ecs/capacityProvider:CapacityProvider":                 {inputs{"name": "shop-dev-general"}, "shop-dev-general"},
		"aws:iam/instanceProfile:InstanceProfile":                   {inputs{"name": "shop-dev-a-instances"}, "shop-dev-a-instances"},
		"aws:ecr/lifecyclePolicy:LifecyclePolicy":                   {inputs{"repository": "shop-dev/web"}, "shop-dev/web"},
		"aws:ecr/repositoryPolicy:RepositoryPolicy":                 {inputs{"repository": "shop-dev/web"}, "shop-dev/web"},
		"aws:ecr/repository:Repository":                             {inputs{"name": "shop-dev/web"}, "shop-dev/web"},
		"aws:ecs/cluster:Cluster":                                   {inputs{"name": "shop-dev"}, "shop-dev"},
		"aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": {inputs{"clusterName": "shop-dev"}, "shop-dev"},
		"aws:servicediscovery/httpNamespace:HttpNamespace":          {inputs{"name": "shop-dev", "tags": owned}, "ns-2"},
		"aws:ecs/service:Service": {inputs{"cluster": "arn:aws:ecs:eu-central-1:1:cluster/shop-dev",
			"name": "web"}, "shop-dev/web"},
		"aws:ecs/taskDefinition:TaskDefinition": {inputs{"family": "shop-dev-web", "tags": owned},
			"arn:aws:ecs:eu-central-1:123456789012:task-definition/shop-dev-web:3"},
		"aws:iam/role:Role":             {inputs{"name": "shop-dev-web-task"}, "shop-dev-web-task"},
		"aws:iam/rolePolicy:RolePolicy": {inputs{"role": "shop-dev-web-task", "name": "logs-1"}, "shop-dev-web-task:logs-1"},
		"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {inputs{"role": "web",
			"policyArn": "arn:aws:iam::1:policy/web-1"},
			"web/arn:aws:iam::1:policy/web-1"},
		"aws:iam/policy:Policy": {inputs{"name": "web-1", "path": "/shop/"},
			"arn:aws:iam::123456789012:policy/shop/web-1"},
		"aws:lb/listener:Listener":         {inputs{"loadBalancerArn": "arn:lb", "port": 443}, "arn:443"},
		"aws:lb/listenerRule:ListenerRule": {inputs{"listenerArn": "arn:443", "priority": 7}, "arn:7"},
		"aws:lb/loadBalancer:LoadBalancer": {inputs{"name": "shop-dev-1"}, "arn:lb"},
		"aws:lb/targetGroup:TargetGroup":   {inputs{"name": "web-1"}, "arn:tg"},
		"aws:route53/record:Record": {inputs{"zoneId": "Z1", "name": "_a1.Example.com.",
			"type": "CNAME"}, "Z1__a1.example.com_CNAME"},
		"aws:scheduler/schedule:Schedule":                {inputs{"name": "shop-dev-report"}, "default/shop-dev-report"},
		"aws:secretsmanager/secret:Secret":               {inputs{"name": "web-1"}, "arn:secret"},
		"aws:secretsmanager/secretVersion:SecretVersion": {inputs{"secretId": "arn:secret"}, "arn:secret|new"},
		"aws:wafv2/webAclAssociation:WebAclAssociation": {inputs{"webAclArn": "arn:acl", "resourceArn": "arn:lb"},
			"arn:acl,arn:lb"},
		"aws:ec2/securityGroupRule:SecurityGroupRule": {inputs{"securityGroupId": "sg-1", "type": "ingress",
			"protocol": "tcp", "fromPort": 80,
			"toPort": 80, "cidrBlocks": []any{"10.0.0.0/8"}, "ipv6CidrBlocks": []any{"fd00::/8"}},
			"sg-1_ingress_tcp_80_80_10.0.0.0/8_fd00::/8"},
	} {
		if derive := kinds[token].id; derive != nil {
			require.Equal(t, c.id, derive(c.in), token)
			continue
		}
		id, err := kinds[token].find(t.Context(), f, c.in)
		require.NoError(t, err, token)
		require.Equal(t, c.id, id, token)
	}
}

func TestEveryTypeThatIsIdentifiedIsTested(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("recovery_test.go")
	require.NoError(t, err)
	for token := range kinds {
		require.Contains(t, string(source), `"`+token+`":`)
	}
}

func TestWhatAWSDoesNotHaveHasNoID(t *testing.T) {
	t.Parallel()
	none := func(code string) string {
		return "<ErrorResponse><Error><Code>" + code + "</Code><Message>none</Message></Error></ErrorResponse>"
	}
	server := func(status int, answer string) *finder {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			fmt.Fprint(w, answer)
		}))
		t.Cleanup(server.Close)
		f := answering(t, nil)
		f.Query.Cfg.BaseEndpoint = &server.URL
		return f
	}
	in := inputs{"name": "x", "loadBalancerArn": "arn:lb", "listenerArn": "arn:l", "port": 80, "priority": 1}
	for token, code := range map[string]string{"aws:lb/loadBalancer:LoadBalancer": "LoadBalancerNotFound",
		"aws:lb/targetGroup:TargetGroup": "TargetGroupNotFound", "aws:lb/listener:Listener": "LoadBalancerNotFound",
		"aws:lb/listenerRule:ListenerRule": "ListenerNotFound"} {
		id, err := kinds[token].find(t.Context(), server(http.StatusBadRequest, none(code)), in)
		require.NoError(t, err, token)
		require.Empty(t, id, token)
		_, err = kinds[token].find(t.Context(), server(http.StatusForbidden, none("AccessDenied")), in)
		require.ErrorContains(t, err, "AccessDenied", token)
	}
	f := answering(t, map[string]string{"ListTaskDefinitions": `{"taskDefinitionArns": ["arn:other:9"]}`,
		"DescribeTaskDefinition": `{"tags": [{"key": "project", "value": "another"}]}`,
		"DescribeSecret":         `{"ARN": "arn:secret", "DeletedDate": 1700000000}`})
	for _, token := range []string{"aws:ecs/taskDefinition:TaskDefinition", "aws:secretsmanager/secret:Secret"} {
		id, err := kinds[token].find(t.Context(), f, inputs{"family": "web", "name": "web",
			"tags": map[string]any{"project": "shop", "stage": "dev"}})
		require.NoError(t, err, token)
		require.Empty(t, id, token)
	}
}

const exampleState = `{"version": 3, "deployment": {"resources": [
	{"urn": "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", "type": "pulumi:pulumi:Stack"},
	{"urn": "urn:pulumi:dev::shop::pulumi:providers:aws::default", "type": "pulumi:providers:aws", "id": "9"},
	{"urn": "urn:pulumi:dev::shop::aws:lb/targetGroup:TargetGroup::web", "type": "aws:lb/targetGroup:TargetGroup", "id": "arn:old",
		"inputs": {"port": 80, "name": "web-1", "__defaults": ["name"]}, "outputs": {"arn": "arn:aws:x:eu-central-1:123456789012:y"}},
	{"urn": "urn:pulumi:dev::shop::aws:iam/role:Role::web", "type": "aws:iam/role:Role", "id": "web", "pendingReplacement": true},
	{"urn": "urn:pulumi:dev::shop::aws:ecs/service:Service::web", "type": "aws:ecs/service:Service", "id": "arn:service",
		"dependencies": ["urn:pulumi:dev::shop::aws:lb/targetGroup:TargetGroup::web", "urn:pulumi:dev::shop::aws:iam/role:Role::web"]}
]}}`

func TestWhatAnOperationMadeTakesItsPlaceInTheState(t *testing.T) {
	t.Parallel()
	made := func(token string, inputs map[string]any) stateResource {
		return stateResource{"urn": "urn:pulumi:dev::shop::" + token + "::web", "type": token, "inputs": inputs,
			"custom":       true,
			"parent":       "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev",
			"provider":     "urn:pulumi:dev::shop::pulumi:providers:aws::default::9",
			"dependencies": []any{"urn:gone"}, "propertyDependencies": map[string]any{"vpcId": []any{"urn:gone"}}}
	}
	state, err := parseState([]byte(exampleState))
	require.NoError(t, err)
	require.Equal(t, "123456789012", state.account())
	ids := func() (ids []string) {
		for _, each := range state.resources() {
			mark := ""
			if each.is("delete") {
				mark = " to delete"
			}
			ids = append(ids, each.name()+" "+each.id()+mark)
		}
		return ids
	}
	group := made("aws:lb/targetGroup:TargetGroup", map[string]any{"port": 81, "name": "web-2",
		"__defaults": []any{"name"}})
	require.False(t, madeTwice(state.liveOf(group.urn()), group), "another port is a replacement")
	state.adopt(group, "arn:new")
	role := made("aws:iam/role:Role", nil)
	state.adopt(role, "web")
	require.Equal(t, []string{"shop-dev ", "default 9", "web web", "web arn:new", "web arn:old to delete",
		"web arn:service"}, ids(),
		"behind what it depends on, before what depends on it; what was deleted first is gone")
	require.Empty(t, state.liveOf(group.urn())["dependencies"])
	require.Equal(t, map[string]any{}, state.liveOf(group.urn())["outputs"])

	night := made(scheduledAction, map[string]any{"name": "night-1", "__defaults": []any{"name"},
		"scalableTargetAction": map[string]any{"__defaults": []any{}, "maxCapacity": 1}})
	state.adopt(night, "night-1-ecs-service/shop-dev/web")
	action := state.liveOf(night.urn())
	require.Equal(t, map[string]any{"name": "night-1", "scalableTargetAction": map[string]any{"maxCapacity": 1}},
		action["outputs"], "by which the provider reads what it cannot import")
	require.True(t, action.unread())
	action["outputs"].(map[string]any)["arn"] = "arn"
	require.False(t, action.unread())

	twin := made("aws:lb/targetGroup:TargetGroup", map[string]any{"port": 81, "name": "web-3"})
	require.True(t, madeTwice(state.liveOf(group.urn()), twin), "but for the name that the provider has made up")
	state.leave(twin, "arn:twin")
	require.Contains(t, ids(), "web arn:twin to delete")
}

func TestAReplacementThatWasNotMadeLeavesWhatItWasToReplace(t *testing.T) {
	t.Parallel()
	state, err := parseState([]byte(exampleState))
	require.NoError(t, err)
	const urn = "urn:pulumi:dev::shop::aws:lb/targetGroup:TargetGroup::web"
	made := stateResource{"urn": urn, "type": "aws:lb/targetGroup:TargetGroup", "inputs": map[string]any{"port": 81}}
	o := &recovered{URN: urn, Result: imported, ID: "arn:new", made: made}
	o.replaces = state.adopt(made, o.ID)
	require.Equal(t, "arn:old", o.replaces)
	state.setResources(slices.DeleteFunc(state.resources(), func(r stateResource) bool { return r.id() == "arn:new" }))
	o.settle(state) // the refresh found none
	require.Equal(t, forgotten, o.Result)
	require.Equal(t, "arn:old", state.liveOf(urn).id(), "it is not deleted by the next update")
}

func TestAResourceWithoutOutputsIsSettled(t *testing.T) {
	t.Parallel()
	state, err := parseState([]byte(`{"deployment": {"resources": [{"urn": "urn:a::b::aws:ecs/cluster:Cluster::web", "id": "web",
		"type": "aws:ecs/cluster:Cluster"}]}}`))
	require.NoError(t, err)
	o := &recovered{URN: "urn:a::b::aws:ecs/cluster:Cluster::web", Result: imported, ID: "web",
		made: stateResource{"inputs": map[string]any{"forceDelete": true}}}
	o.settle(state)
	require.Equal(t, map[string]any{"forceDelete": true}, state.liveOf(o.URN)["outputs"])
}

func TestWhatAWSDoesNotKnowComesFromTheOperation(t *testing.T) {
	t.Parallel()
	const urn = "urn:pulumi:dev::shop::aws:ecs/taskDefinition:TaskDefinition::web"
	state, err := parseState([]byte(`{"deployment": {"resources": [{"urn": "` + urn + `",
		"type": "aws:ecs/taskDefinition:TaskDefinition", "id": "web", "inputs": {"family": "web"},
		"outputs": {"family": "web", "skipDestroy": null, "trackLatest": false}}]}}`))
	require.NoError(t, err)
	o := &recovered{URN: urn, Result: imported, ID: "web",
		made: stateResource{"inputs": map[string]any{"family": "web", "skipDestroy": true}}}
	o.settle(state)
	read := state.liveOf(o.URN)
	require.Equal(t, map[string]any{"family": "web", "skipDestroy": true}, read["inputs"])
	require.Equal(t, map[string]any{"family": "web", "skipDestroy": true, "trackLatest": false}, read["outputs"])
}

func TestWhatBelongsToOthersIsSaid(t *testing.T) {
	t.Parallel()
	of := func(properties map[string]any) *recovered {
		return &recovered{ID: "x", made: stateResource{"inputs": properties}}
	}
	tagged := func(project string) map[string]any {
		return map[string]any{"tags": map[string]any{"project": project, "stage": "dev"}}
	}
	require.Empty(t, of(tagged("shop")).owner(tagged("shop")))
	require.Contains(t, of(tagged("shop")).owner(tagged("other")), "project=shop")
	require.Contains(t, of(tagged("shop")).owner(nil), "project=shop")
	alias := func(name string) map[string]any {
		return map[string]any{"aliases": []any{map[string]any{"name": name}}}
	}
	require.Empty(t, of(alias("lb-1.elb.amazonaws.com")).owner(alias("dualstack.LB-1.elb.amazonaws.com.")))
	require.Contains(t, of(alias("lb-1.elb.amazonaws.com")).owner(alias("lb-2.elb.amazonaws.com")), "leads to lb-2")
	record := func(values ...any) map[string]any { return map[string]any{"records": values} }
	require.Empty(t, of(record("10.0.0.1", "B.example.com.")).owner(record("b.example.com", "10.0.0.1")))
	require.Contains(t, of(record("10.0.0.1")).owner(record("10.0.0.2")), "leads to 10.0.0.2")
	require.Empty(t, of(map[string]any{"records": unknownValue}).owner(record("10.0.0.2")), "not known before it is made")
	schedule := func(arn string) map[string]any { return map[string]any{"target": map[string]any{"arn": arn}} }
	require.Empty(t, of(schedule("arn:a")).owner(schedule("arn:a")))
	require.Contains(t, of(schedule("arn:a")).owner(schedule("arn:b")), "leads to arn:b")
}

func TestRulesThatLetOthersThanAddressesIn(t *testing.T) {
	t.Parallel()
	for want, source := range map[string]inputs{
		"sg-1_ingress_tcp_80_80_pl-0123456789abcdef0": {"prefixListIds": []any{"pl-0123456789abcdef0"}},
		"sg-1_ingress_tcp_80_80_sg-0123456789abcdef0": {"sourceSecurityGroupId": "sg-0123456789abcdef0"},
	} {
		maps.Copy(source, inputs{"securityGroupId": "sg-1", "type": "ingress", "protocol": "tcp", "fromPort": 80,
			"toPort": 80})
		require.Equal(t, want, securityGroupRuleID(source))
	}
}
