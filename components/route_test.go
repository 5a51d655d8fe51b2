package components

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

// oneRoute is a stage whose service web has a route, and a load balancer with settings.
func oneRoute(route, loadBalancer string) map[string]string {
	return map[string]string{"services": `{"web": {"image": "web", "port": 8080, "route": ` + route + `}}`,
		"loadBalancer": loadBalancer}
}

const certificateARN = "arn:aws:acm:ap-northeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012"

func TestAServiceWithARouteIsReachedThroughTheLoadBalancer(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, oneRoute(`{}`, `{"allowFrom": ["203.0.113.0/24"]}`), nil)
	service := recorded.named(t, "aws:ecs/service:Service", "web")
	require.Equal(t, []any{map[string]any{"containerName": "web", "containerPort": 8080.0, "targetGroupArn": "arn:web"}},
		plain(service.Inputs["loadBalancers"]).Mappable())
	require.InDelta(t, 60, service.Inputs["healthCheckGracePeriodSeconds"].NumberValue(), 0)
	for _, ready := range [][2]string{
		{"aws:lb/listenerRule:ListenerRule", "web"},
		{"aws:ec2/securityGroupRule:SecurityGroupRule", "web-from-load-balancer"},
		{"aws:ec2/securityGroupRule:SecurityGroupRule", "web-from-load-balancer-out"},
		{"aws:cloudwatch/logGroup:LogGroup", "web"},
		{"aws:iam/rolePolicy:RolePolicy", "web-execution"},
	} {
		require.True(t, dependsOn(service, ready[0], ready[1]), "%s: %v", ready, service.RegisterRPC.GetDependencies())
	}
	in := recorded.named(t, "aws:ec2/securityGroupRule:SecurityGroupRule", "web-from-load-balancer").Inputs
	out := recorded.named(t, "aws:ec2/securityGroupRule:SecurityGroupRule", "web-from-load-balancer-out").Inputs
	require.Equal(t, map[string]any{
		"type": "ingress", "protocol": "tcp", "fromPort": 8080.0, "toPort": 8080.0, "securityGroupId": "web-id",
		"sourceSecurityGroupId": "dev-id",
	}, in.Mappable())
	require.Equal(t, map[string]any{
		"type": "egress", "protocol": "tcp", "fromPort": 8080.0, "toPort": 8080.0, "securityGroupId": "dev-id",
		"sourceSecurityGroupId": "web-id",
	}, out.Mappable())
	require.NotContains(t, recorded.named(t, "aws:ec2/securityGroup:SecurityGroup", "dev").Inputs,
		resource.PropertyKey("egress"), "the load balancer reaches its services alone")

	target := recorded.inputs(t, "aws:lb/targetGroup:TargetGroup")
	require.Equal(t, "ip", target["targetType"].StringValue())
	require.Equal(t, "HTTP1", target["protocolVersion"].StringValue())
	require.Equal(t, map[string]any{"enabled": false, "type": "lb_cookie", "cookieDuration": 86400.0},
		target["stickiness"].ObjectValue().Mappable())
	rule := recorded.named(t, "aws:lb/listenerRule:ListenerRule", "web")
	require.True(t, rule.RegisterRPC.GetDeleteBeforeReplace())
	require.Equal(t, []any{map[string]any{"pathPattern": map[string]any{"values": []any{"/*"}}}},
		rule.Inputs["conditions"].Mappable())
	require.Equal(t, "arn:dev-http", rule.Inputs["listenerArn"].StringValue())

	for _, port := range []string{`"port": 8080`, `"port": 9090`} {
		keys := oneRoute(`{}`, `{}`)
		keys["services"] = strings.Replace(keys["services"], `"port": 8080`, port, 1)
		require.InDelta(t, 80, declareStage(t, keys, nil).inputs(t,
			"aws:lb/targetGroup:TargetGroup")["port"].NumberValue(), 0,
			"the container's port makes no other target group")
	}
	require.NotContains(t, declareService(t, nil).inputs(t, "aws:ecs/service:Service"),
		resource.PropertyKey("healthCheckGracePeriodSeconds"))
	require.NotContains(t, declareService(t, nil).inputs(t, "aws:ecs/service:Service"),
		resource.PropertyKey("loadBalancers"))
}

func TestTheTargetGroupIsWhatTheRouteSays(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, oneRoute(`{"protocol": "grpc", "hosts": ["a.example.com"], "paths": ["/x/*"], "priority": 7, "stickiness": 60, "deregistrationDelay": 5,
		"gracePeriod": 0, "healthCheck": {"interval": 10, "timeout": 3, "healthyThreshold": 3, "unhealthyThreshold": 4}}`, `{"certificate": "`+certificateARN+`"}`), nil)
	target := recorded.inputs(t, "aws:lb/targetGroup:TargetGroup")
	require.Equal(t, "GRPC", target["protocolVersion"].StringValue())
	require.InDelta(t, 5, target["deregistrationDelay"].NumberValue(), 0)
	require.Equal(t, map[string]any{
		"enabled": true, "protocol": "HTTP", "port": "traffic-port", "path": "/AWS.ALB/healthcheck", "matcher": "12",
		"interval": 10.0, "timeout": 3.0, "healthyThreshold": 3.0, "unhealthyThreshold": 4.0,
	}, target["healthCheck"].ObjectValue().Mappable())
	require.Equal(t, map[string]any{"enabled": true, "type": "lb_cookie", "cookieDuration": 60.0},
		target["stickiness"].ObjectValue().Mappable())
	require.InDelta(t, 0, recorded.inputs(t, "aws:ecs/service:Service")["healthCheckGracePeriodSeconds"].NumberValue(), 0)
	rule := recorded.inputs(t, "aws:lb/listenerRule:ListenerRule")
	require.InDelta(t, 7, rule["priority"].NumberValue(), 0)
	require.Equal(t, []any{
		map[string]any{"hostHeader": map[string]any{"values": []any{"a.example.com"}}},
		map[string]any{"pathPattern": map[string]any{"values": []any{"/x/*"}}},
	}, rule["conditions"].Mappable())
}

func TestALoadBalancerWithoutACertificateServesHTTP(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, oneRoute(`{}`, `{}`), nil)
	require.Empty(t, recorded.all("aws:acm/certificate:Certificate"))
	require.Empty(t, recorded.all("aws:route53/record:Record"))
	listeners := recorded.all("aws:lb/listener:Listener")
	require.Len(t, listeners, 1)
	require.Equal(t, "HTTP", listeners[0].Inputs["protocol"].StringValue())
	require.InDelta(t, 80, listeners[0].Inputs["port"].NumberValue(), 0)
	require.Equal(t, "fixed-response",
		listeners[0].Inputs["defaultActions"].ArrayValue()[0].ObjectValue()["type"].StringValue())
	require.Equal(t, map[string]string{"dev-http-from-0.0.0.0/0": "ingress 80"}, balancerRules(recorded))

	balancer := recorded.inputs(t, "aws:lb/loadBalancer:LoadBalancer")
	require.Equal(t, []any{"subnet-2", "subnet-3"}, balancer["subnets"].Mappable())
	require.False(t, balancer["internal"].BoolValue())
	require.Equal(t, map[string]any{"bucket": "", "enabled": false}, balancer["accessLogs"].ObjectValue().Mappable(),
		"what is left out would stay")
}

// balancerRules are the rules of the load balancer's security group that let clients in, by name.
func balancerRules(recorded *recorder) map[string]string {
	rules := map[string]string{}
	for _, rule := range recorded.all("aws:ec2/securityGroupRule:SecurityGroupRule") {
		if strings.HasPrefix(rule.Name, "dev-") {
			rules[besideName(rule.Name)] = fmt.Sprint(rule.Inputs["type"].StringValue(), " ",
				rule.Inputs["fromPort"].NumberValue())
		}
	}
	return rules
}

func TestALoadBalancerWithACertificateServesHTTPS(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, oneRoute(`{}`, `{"certificate": "`+certificateARN+`", "allowFrom": ["10.0.0.0/8"], "internal": true, "idleTimeout": 120,
		"deletionProtection": true, "tlsPolicy": "ELBSecurityPolicy-TLS13-1-3-2021-06", "accessLogs": {"bucket": "shop-logs", "prefix": "dev"}}`), nil)
	require.Empty(t, recorded.all("aws:acm/certificate:Certificate"))
	https := recorded.named(t, "aws:lb/listener:Listener", "dev-https").Inputs
	require.Equal(t, certificateARN, https["certificateArn"].StringValue())
	require.Equal(t, "ELBSecurityPolicy-TLS13-1-3-2021-06", https["sslPolicy"].StringValue())
	require.InDelta(t, 443, https["port"].NumberValue(), 0)
	http := recorded.named(t, "aws:lb/listener:Listener", "dev-http").Inputs
	require.Equal(t, []any{map[string]any{"type": "redirect", "redirect": map[string]any{"protocol": "HTTPS",
		"port": "443", "statusCode": "HTTP_301"}}},
		http["defaultActions"].Mappable())
	require.Equal(t, "arn:dev-https", recorded.inputs(t, "aws:lb/listenerRule:ListenerRule")["listenerArn"].StringValue())
	require.Equal(t, map[string]string{"dev-http-from-10.0.0.0/8": "ingress 80",
		"dev-https-from-10.0.0.0/8": "ingress 443"}, balancerRules(recorded))

	balancer := recorded.named(t, "aws:lb/loadBalancer:LoadBalancer", "shop-dev")
	require.True(t, balancer.Inputs["internal"].BoolValue())
	require.True(t, balancer.Inputs["enableDeletionProtection"].BoolValue())
	require.InDelta(t, 120, balancer.Inputs["idleTimeout"].NumberValue(), 0)
	require.Equal(t, map[string]any{"bucket": "shop-logs", "prefix": "dev", "enabled": true},
		balancer.Inputs["accessLogs"].ObjectValue().Mappable())
	require.True(t, dependsOn(balancer, "aws:ec2/securityGroupRule:SecurityGroupRule", "dev-https-from-10.0.0.0/8"))
}

func TestAZoneGivesACertificateAndRecords(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, map[string]string{
		"services": `{
			"web": {"image": "web", "port": 80, "route": {"hosts": ["example.com", "*.example.com"]}},
			"api": {"image": "web", "port": 80, "route": {"hosts": ["api.dev.example.com", "example.com"], "paths": ["/api/*"]}}
		}`, "loadBalancer": `{"zone": "example.com"}`,
	}, nil)
	certificate := recorded.inputs(t, "aws:acm/certificate:Certificate")
	require.Equal(t, "DNS", certificate["validationMethod"].StringValue())
	require.Equal(t, []any{"*.dev.example.com", "*.example.com", "example.com"},
		certificate["subjectAlternativeNames"].Mappable())

	proofs, hosts := map[string]string{}, map[string]string{}
	for _, record := range recorded.all("aws:route53/record:Record") {
		require.Equal(t, "Z1", record.Inputs["zoneId"].StringValue())
		if record.Inputs["type"].StringValue() == "A" {
			hosts[record.Name] = record.Inputs["name"].StringValue()
			require.Equal(t, []any{map[string]any{"name": "dnsName:shop-dev", "zoneId": "zoneId:shop-dev",
				"evaluateTargetHealth": true}}, record.Inputs["aliases"].Mappable())
			require.False(t, record.RegisterRPC.GetRetainOnDelete())
			require.NotContains(t, record.Inputs, resource.PropertyKey("allowOverwrite"),
				"somebody else's record is not taken over")
			continue
		}
		proofs[record.Name] = fmt.Sprint(record.Inputs["name"].StringValue(), " ", record.Inputs["type"].StringValue(), " ",
			record.Inputs["records"].Mappable())
		require.True(t, record.RegisterRPC.GetRetainOnDelete(), "another stage's certificate may need it")
		require.True(t, record.Inputs["allowOverwrite"].BoolValue(), "another stage may have it already")
	}
	require.Equal(t, map[string]string{
		"example.com":     "_proof.example.com CNAME [_answer.example.com]", // for the zone and the wildcard in it
		"dev.example.com": "_proof.dev.example.com CNAME [_answer.dev.example.com]",
	}, proofs)
	require.Equal(t, map[string]string{"example.com": "example.com", "*.example.com": "*.example.com",
		"api.dev.example.com": "api.dev.example.com"}, hosts,
		"one record for the host that two services share")
	require.Len(t, recorded.inputs(t,
		"aws:acm/certificateValidation:CertificateValidation")["validationRecordFqdns"].ArrayValue(), 2)
	https := recorded.named(t, "aws:lb/listener:Listener", "dev-https")
	require.Equal(t, "arn:dev", https.Inputs["certificateArn"].StringValue())
	require.True(t, dependsOn(https, "aws:acm/certificateValidation:CertificateValidation", "dev"),
		"a listener takes only a certificate that is issued")
}

func TestACertificateBesideAZoneIsTaken(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, oneRoute(`{"hosts": ["a.example.com"]}`,
		`{"zone": "example.com", "certificate": "`+certificateARN+`"}`), nil)
	require.Empty(t, recorded.all("aws:acm/certificate:Certificate"))
	require.Len(t, recorded.all("aws:route53/record:Record"), 1)
}

func TestAnExistingLoadBalancerIsLeftToItsOwner(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:loadbalancer/app/shared/50dc6c495c0c9188"
	recorded := declareStage(t, oneRoute(`{"hosts": ["a.example.com"], "paths": ["/x*"]}`,
		`{"arn": "`+arn+`", "zone": "example.com"}`), func(preflight *Preflight) {
		preflight.ingress = &ingressLookup{
			ZoneID: "Z1",
			Existing: &lb.LookupLoadBalancerResult{DnsName: "shared.elb", ZoneId: "Z2", ArnSuffix: "app/shared/1",
				SecurityGroups: []string{"sg-1", "sg-2"}},
			Listener: &lb.LookupListenerResult{Arn: "arn:listener", Protocol: "HTTPS"},
		}
	})
	for _, token := range []string{"aws:lb/loadBalancer:LoadBalancer", "aws:lb/listener:Listener",
		"aws:acm/certificate:Certificate"} {
		require.Empty(t, recorded.all(token), token)
	}
	require.Equal(t, "arn:listener", recorded.inputs(t, "aws:lb/listenerRule:ListenerRule")["listenerArn"].StringValue())
	sources := map[string]string{}
	for _, rule := range recorded.all("aws:ec2/securityGroupRule:SecurityGroupRule") {
		require.Equal(t, "web-id", rule.Inputs["securityGroupId"].StringValue(), "the groups of its owner are not changed")
		sources[besideName(rule.Name)] = rule.Inputs["sourceSecurityGroupId"].StringValue()
		service := recorded.named(t, "aws:ecs/service:Service", "web")
		require.True(t, dependsOn(service, rule.TypeToken, besideName(rule.Name)))
	}
	require.Equal(t, map[string]string{"web-from-sg-1": "sg-1", "web-from-sg-2": "sg-2"}, sources)
	record := recorded.inputs(t, "aws:route53/record:Record")
	require.Equal(t, []any{map[string]any{"name": "shared.elb", "zoneId": "Z2", "evaluateTargetHealth": true}},
		record["aliases"].Mappable())
}

func TestAStageWithoutARouteHasNoLoadBalancer(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, map[string]string{"services": `{"web": {"image": "web", "port": 80}}`,
		"loadBalancer": `{"zone": "example.com"}`}, nil)
	for _, registered := range recorded.resources {
		require.NotContains(t, registered.TypeToken, "aws:lb/")
		require.NotContains(t, registered.TypeToken, "aws:acm/")
		require.NotContains(t, registered.TypeToken, "aws:route53/")
	}
}

func TestARouteMayAskForHeaders(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, oneRoute(`{"headers": {"X-B": ["c*"], "X-A": ["a", "b"]}}`, `{}`), nil)
	header := func(name string, values ...any) any {
		return map[string]any{"httpHeader": map[string]any{"httpHeaderName": name, "values": values}}
	}
	require.Equal(t, []any{header("X-A", "a", "b"), header("X-B", "c*")},
		recorded.inputs(t, "aws:lb/listenerRule:ListenerRule")["conditions"].Mappable())
}
