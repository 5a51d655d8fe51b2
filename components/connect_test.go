package components

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func TestServicesCallEachOtherByName(t *testing.T) {
	t.Parallel()
	const service, namespace = "aws:ecs/service:Service", "aws:servicediscovery/httpNamespace:HttpNamespace"
	recorded := declareStage(t, map[string]string{"services": `{"web": {"image": "web", "calls": ["api"]},
		"api": {"image": "web", "port": 8080, "name": "backend", "appProtocol": "http"}, "other": {"image": "web"}}`}, nil)
	require.Equal(t, "shop-dev", recorded.named(t, namespace, "dev").Inputs["name"].StringValue())
	api := recorded.named(t, service, "api").Inputs["serviceConnectConfiguration"].ObjectValue().Mappable()
	require.Equal(t, map[string]any{"enabled": true, "namespace": "arn:dev", "services": []any{map[string]any{
		"portName": "backend", "discoveryName": "backend",
		"clientAlias": []any{map[string]any{"dnsName": "backend", "port": 8080.0}}}}}, api)
	web := recorded.named(t, service, "web")
	require.Equal(t, map[string]any{"enabled": true, "namespace": "arn:dev"},
		web.Inputs["serviceConnectConfiguration"].ObjectValue().Mappable(), "a client only")
	require.True(t, dependsOn(web, service, "api"), "a name has to be there when a deployment of its caller begins")
	definition := recorded.named(t, "aws:ecs/taskDefinition:TaskDefinition", "api").Inputs["containerDefinitions"]
	require.Contains(t, definition.StringValue(),
		`{"appProtocol":"http","containerPort":8080,"hostPort":8080,"name":"backend","protocol":"tcp"}`)
	rule := recorded.named(t, "aws:ec2/securityGroupRule:SecurityGroupRule", "api-from-service-web").Inputs
	require.Equal(t, "web-id", rule["sourceSecurityGroupId"].StringValue())
	require.Equal(t, "api-id", rule["securityGroupId"].StringValue())
	require.InDelta(t, 8080, rule["fromPort"].NumberValue(), 0)

	other := recorded.named(t, service, "other")
	require.NotContains(t, other.Inputs, resource.PropertyKey("serviceConnectConfiguration"))
}

func TestAServiceThatHadANameIsSwitchedOff(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, map[string]string{"services": `{"web": {"image": "web"}}`}, func(s *Preflight) {
		s.kept.connected = map[string]bool{"web": true}
	})
	web := recorded.named(t, "aws:ecs/service:Service", "web")
	require.Equal(t, map[string]any{"enabled": false},
		web.Inputs["serviceConnectConfiguration"].ObjectValue().Mappable())
}
