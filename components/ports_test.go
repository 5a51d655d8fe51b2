package components

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

var withPorts = map[string]string{
	"services": `{"web": {"image": "web", "port": 8080, "ephemeralStorage": 50, "pidMode": "task",
		"ports": [{"port": 9090, "allowFrom": ["10.0.0.0/8", "fd00::/8"]}, {"port": 53, "protocol": "udp"}],
		"containers": {"statsd": {"image": "web", "memoryReservation": 64,
			"ports": [{"port": 8125, "protocol": "udp", "allowFrom": ["10.0.0.0/8"]}]}}}}`,
	"tasks": `{"report": {"image": "web", "ports": [{"port": 9090, "allowFrom": ["10.0.0.0/8"]}]}}`,
}

func TestFurtherPortsAreOpenToWhomTheySay(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, withPorts, nil)
	for name, want := range map[string]map[string]any{
		"web-9090-tcp-from-10.0.0.0/8": {"protocol": "tcp", "fromPort": 9090.0, "toPort": 9090.0, "type": "ingress",
			"cidrBlocks": []any{"10.0.0.0/8"}},
		"web-9090-tcp-from-fd00::/8": {"protocol": "tcp", "fromPort": 9090.0, "toPort": 9090.0, "type": "ingress",
			"ipv6CidrBlocks": []any{"fd00::/8"}},
		"web-8125-udp-from-10.0.0.0/8": {"protocol": "udp", "fromPort": 8125.0, "toPort": 8125.0, "type": "ingress",
			"cidrBlocks": []any{"10.0.0.0/8"}},
		"report-9090-tcp-from-10.0.0.0/8": {"protocol": "tcp", "fromPort": 9090.0, "toPort": 9090.0, "type": "ingress",
			"cidrBlocks": []any{"10.0.0.0/8"}},
	} {
		inputs := recorded.named(t, "aws:ec2/securityGroupRule:SecurityGroupRule", name).Inputs.Mappable()
		delete(inputs, "securityGroupId")
		require.Equal(t, want, inputs, name)
	}
	require.Len(t, recorded.all("aws:ec2/securityGroupRule:SecurityGroupRule"), 4)
	service := recorded.named(t, "aws:ecs/service:Service", "web")
	require.True(t, dependsOn(service, "aws:ec2/securityGroupRule:SecurityGroupRule", "web-9090-tcp-from-10.0.0.0/8"))
}

func TestPortsDisksAndProcessesOfATask(t *testing.T) {
	t.Parallel()
	containers := containersOf(t, map[string]string{"services": withPorts["services"]})
	mapping := func(port float64, protocol string) any {
		return map[string]any{"containerPort": port, "hostPort": port, "protocol": protocol}
	}
	require.Equal(t, []any{mapping(8080, "tcp"), mapping(53, "udp"), mapping(9090, "tcp")},
		containers["web"]["portMappings"])
	require.Equal(t, []any{mapping(8125, "udp")}, containers["statsd"]["portMappings"])
	require.InDelta(t, 64, containers["statsd"]["memoryReservation"], 0)
	require.NotContains(t, containers["web"], "memoryReservation")
	recorded := declareStage(t, withPorts, nil)
	definition := recorded.named(t, "aws:ecs/taskDefinition:TaskDefinition", "web").Inputs
	require.Equal(t, map[string]any{"sizeInGib": 50.0}, definition["ephemeralStorage"].Mappable())
	require.Equal(t, "task", definition["pidMode"].StringValue())
	report := recorded.named(t, "aws:ecs/taskDefinition:TaskDefinition", "report").Inputs
	for _, key := range []resource.PropertyKey{"ephemeralStorage", "pidMode"} {
		require.NotContains(t, report, key)
	}
}
