package components

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/stretchr/testify/require"
)

const ruleType = "aws:ec2/securityGroupRule:SecurityGroupRule"

func TestGroupsPrefixListsAndServicesReachPorts(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, map[string]string{"services": `{
		"api": {"image": "web", "port": 8080, "name": "api",
			"allowFrom": ["pl-0123456789abcdef0", "sg-0123456789abcdef0", "web", "api", "caller"],
			"ports": [{"port": 9090, "allowFrom": ["web", "sg-0123456789abcdef0"]}]},
		"web": {"image": "web"}, "caller": {"image": "web", "calls": ["api"]}}`}, nil)
	for name, want := range map[string]map[string]any{
		"api-from-pl-0123456789abcdef0":          {"prefixListIds": []any{"pl-0123456789abcdef0"}},
		"api-from-sg-0123456789abcdef0":          {"sourceSecurityGroupId": "sg-0123456789abcdef0"},
		"api-from-service-web":                   {"sourceSecurityGroupId": "web-id"},
		"api-from-service-api":                   {"sourceSecurityGroupId": "api-id"},
		"api-from-service-caller":                {"sourceSecurityGroupId": "caller-id"}, // once, though it calls, too
		"api-9090-tcp-from-service-web":          {"sourceSecurityGroupId": "web-id"},
		"api-9090-tcp-from-sg-0123456789abcdef0": {"sourceSecurityGroupId": "sg-0123456789abcdef0"},
	} {
		inputs := recorded.named(t, ruleType, name).Inputs.Mappable()
		port := 8080.0
		if strings.HasPrefix(name, "api-9090") {
			port = 9090
		}
		for key, value := range map[string]any{"securityGroupId": "api-id", "type": "ingress", "protocol": "tcp",
			"fromPort": port, "toPort": port} {
			want[key] = value
		}
		require.Equal(t, want, inputs, name)
		require.True(t, dependsOn(recorded.named(t, "aws:ecs/service:Service", "api"), ruleType, name), name)
	}
	require.Len(t, recorded.all(ruleType), 7)
}

func TestPrefixListsReachALoadBalancerByHTTPSAlone(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, oneRoute(`{}`, `{"certificate": "`+certificateARN+`",
		"allowFrom": ["pl-0123456789abcdef0", "sg-0123456789abcdef0"]}`), nil)
	var names []string
	for _, rule := range recorded.all(ruleType) {
		if strings.HasPrefix(rule.Name, "dev-") {
			names = append(names, rule.Name)
		}
	}
	require.ElementsMatch(t, []string{"dev-https-from-pl-0123456789abcdef0-443",
		"dev-https-from-sg-0123456789abcdef0-443", "dev-http-from-sg-0123456789abcdef0-80"}, names)
	recorded = declareStage(t, oneRoute(`{}`, `{"allowFrom": ["pl-0123456789abcdef0"]}`), nil)
	recorded.named(t, ruleType, "dev-http-from-pl-0123456789abcdef0")
}

func TestTheGroupOfAnExistingLoadBalancerIsLetInOnce(t *testing.T) {
	t.Parallel()
	keys := map[string]string{
		"services": `{"web": {"image": "web", "port": 8080, "route": {}, "allowFrom": ["sg-01234567", "sg-89abcdef"]}}`,
		"loadBalancer": `{"arn":
			"arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:loadbalancer/app/shared/50dc6c495c0c9188"}`}
	recorded := declareStage(t, keys, func(s *Preflight) {
		s.ingress.Existing = &lb.LookupLoadBalancerResult{SecurityGroups: []string{"sg-01234567"}}
		s.ingress.Listener = &lb.LookupListenerResult{Arn: "arn:listener", Port: 443, Protocol: "HTTPS"}
	})
	var admitted []string
	for _, rule := range recorded.all(ruleType) {
		admitted = append(admitted, rule.Inputs["sourceSecurityGroupId"].StringValue())
	}
	require.ElementsMatch(t, []string{"sg-01234567", "sg-89abcdef"}, admitted)
}
