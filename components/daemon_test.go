package components

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func TestADaemonHasATaskOnEachInstance(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, map[string]string{"instances": `{"general": {"types": ["m7i.large"], "max": 4},
		"more": {"types": ["c7i.large"], "max": 4}}`, "services": `{
		"collector": {"image": "web", "daemon": true, "network": "host", "port": 8125, "allowFrom": ["api"],
			"ports": [{"port": 9000, "protocol": "udp", "allowFrom": ["10.0.0.0/8"]}], "capacity": {"instances": "general"},
			"placement": ["attribute:ecs.os-type == linux"]},
		"agent": {"image": "web", "daemon": true, "port": 80, "allowFrom": ["10.0.0.0/8"]}, "api": {"image": "web"}}`}, nil)
	collector := recorded.named(t, "aws:ecs/service:Service", "collector").Inputs
	for key, want := range map[string]any{"schedulingStrategy": "DAEMON", "launchType": "EC2",
		"deploymentMaximumPercent": 100.0, "deploymentMinimumHealthyPercent": 0.0, "placementConstraints": []any{
			map[string]any{"type": "memberOf", "expression": "attribute:ecs.os-type == linux"},
			map[string]any{"type": "memberOf", "expression": "attribute:slipway.instances == general"}}} {
		require.Equal(t, want, collector[resource.PropertyKey(key)].Mappable(), key)
	}
	for _, key := range []resource.PropertyKey{"desiredCount", "networkConfiguration", "capacityProviderStrategies"} {
		require.NotContains(t, collector, key)
	}
	definition := recorded.named(t, "aws:ecs/taskDefinition:TaskDefinition", "collector").Inputs
	require.Equal(t, "host", definition["networkMode"].StringValue())
	require.Equal(t, []any{"EC2"}, definition["requiresCompatibilities"].Mappable())

	agent := recorded.named(t, "aws:ecs/service:Service", "agent").Inputs
	require.NotContains(t, agent, resource.PropertyKey("placementConstraints"), "all instances")
	require.Contains(t, agent, resource.PropertyKey("networkConfiguration"))
	doors := map[string]string{}
	for _, rule := range recorded.all("aws:ec2/securityGroupRule:SecurityGroupRule") {
		doors[besideName(rule.Name)] = rule.Inputs["securityGroupId"].StringValue()
	}
	require.Equal(t, map[string]string{"collector-on-general-from-service-api": "general-id",
		"collector-on-general-9000-udp-from-10.0.0.0/8": "general-id", "agent-from-10.0.0.0/8": "agent-id"}, doors)
}

func TestAServiceStaysADaemonOrNone(t *testing.T) {
	t.Parallel()
	settings := loadStage(t, map[string]string{"instances": `{"general": {"types": ["m7i.large"], "max": 4}}`, "services": `{
		"agent": {"image": "web", "daemon": true, "network": "host"}, "own": {"image": "web", "daemon": true},
		"web": {"image": "web"}}`})
	own := &types.NetworkConfiguration{}
	for name, test := range map[string]struct {
		service string
		found   types.Service
		says    string
	}{
		"a daemon":        {"agent", types.Service{SchedulingStrategy: "DAEMON"}, ""},
		"replicas":        {"web", types.Service{SchedulingStrategy: "REPLICA", NetworkConfiguration: own}, ""},
		"becomes one":     {"agent", types.Service{SchedulingStrategy: "REPLICA"}, "services.agent.daemon (Pulumi.dev.yaml): the service is a REPLICA"},
		"ceases to be":    {"web", types.Service{SchedulingStrategy: "DAEMON"}, "services.web.daemon (Pulumi.dev.yaml): the service is a DAEMON"},
		"another network": {"agent", types.Service{SchedulingStrategy: "DAEMON", NetworkConfiguration: own}, "services.agent.network (Pulumi.dev.yaml): is host"},
		"its own network": {"own", types.Service{SchedulingStrategy: "DAEMON"}, "services.own.network (Pulumi.dev.yaml): is awsvpc"},
	} {
		test.found.Status = new("ACTIVE")
		err := checkScheduling(settings, test.service, test.found)
		if test.says == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, test.says, name)
	}
	deleted := types.Service{SchedulingStrategy: "REPLICA", Status: new("INACTIVE")}
	require.NoError(t, checkScheduling(settings, "agent", deleted))
}
