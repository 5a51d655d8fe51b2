package aws

import (
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/vpc"
)

const (
	elbToken      = "aws:lb/loadBalancer:LoadBalancer"
	groupToken    = "aws:lb/targetGroup:TargetGroup"
	listenerToken = "aws:lb/listener:Listener"
	ruleToken     = "aws:lb/listenerRule:ListenerRule"
)

func elbInputs(more values) values {
	inputs := values{"name": "shop-dev", "subnets": []any{vpc.Subnets[1].ID, vpc.Subnets[0].ID}}
	for key, value := range more {
		inputs[key] = value
	}
	return inputs
}

func groupInputs(more values) values {
	inputs := values{"name": "web", "port": 8080.0, "protocol": "HTTP", "targetType": "ip", "vpcId": vpc.DefaultVPC}
	for key, value := range more {
		inputs[key] = value
	}
	return inputs
}

func listenerInputs(balancer string, port float64, action values) values {
	return values{"loadBalancerArn": balancer, "port": port, "protocol": "HTTP", "defaultActions": []any{action}}
}

func ruleInputs(listener string, action values, conditions ...any) values {
	return values{"listenerArn": listener, "actions": []any{action}, "conditions": conditions}
}

func pathIs(patterns ...any) values { return values{"pathPattern": values{"values": patterns}} }

func to(group *tracked) values { return values{"type": "forward", "targetGroupArn": group.id} }

var notFound = values{"type": "fixed-response", "fixedResponse": values{"contentType": "text/plain",
	"statusCode": "404"}}

const ownCertificate = "arn:aws:acm:ap-northeast-2:123456789012:certificate/0a1b2c3d-0000-1111-2222-0a1b2c3d4e5f"

// invoke calls a function of the provider.
func (c *client) invoke(token string, args values) (values, error) {
	c.t.Helper()
	answer, err := c.Invoke(c.t.Context(), &pulumirpc.InvokeRequest{Tok: token, Args: c.structure(args)})
	return answer.GetReturn().AsMap(), err
}

func TestLoadBalancerWithAllThatBelongsToIt(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	group := c.create("aws:ec2/securityGroup:SecurityGroup", "lb", values{})
	balancer := c.create(elbToken, "shop", elbInputs(values{"securityGroups": []any{group.id},
		"accessLogs": values{"bucket": "logs", "enabled": true, "prefix": "shop"}}))
	require.Regexp(t, `^shop-dev-\d{10}\.ap-northeast-2\.elb\.amazonaws\.com$`, balancer.outputs["dnsName"])
	require.Equal(t, "ZWKZPGTI48KDX", balancer.outputs["zoneId"])
	require.Equal(t, "app/shop-dev/"+balancer.id[len(balancer.id)-16:], balancer.outputs["arnSuffix"])
	internal := c.create(elbToken, "inner", values{"subnets": []any{vpc.Subnets[0].ID, vpc.Subnets[2].ID},
		"internal": true})
	require.Regexp(t, `^internal-inner-[0-9a-f]{7}-\d{10}\.`, internal.outputs["dnsName"])
	require.Equal(t, []any{vpc.DefaultSecurityGroup}, internal.outputs["securityGroups"])

	web := c.create(groupToken, "web",
		groupInputs(values{"stickiness": values{"type": "lb_cookie", "cookieDuration": 600.0}}))
	require.Equal(t, 300.0, web.outputs["deregistrationDelay"])
	rpc := c.create(groupToken, "rpc",
		groupInputs(values{"name": "rpc", "protocolVersion": "GRPC", "healthCheck": values{"interval": 10.0}}))
	require.Equal(t, "12", rpc.outputs["healthCheck"].(values)["matcher"])
	require.NoError(t, c.tryUpdate(rpc,
		groupInputs(values{"name": "rpc", "protocolVersion": "GRPC", "healthCheck": values{"interval": 20.0}})))
	require.Equal(t, "/AWS.ALB/healthcheck", rpc.outputs["healthCheck"].(values)["path"])

	redirect := c.create(listenerToken, "http", listenerInputs(balancer.id, 80, values{"type": "redirect",
		"redirect": values{"port": "443", "protocol": "HTTPS", "statusCode": "HTTP_301"}}))
	require.Equal(t, "", redirect.outputs["sslPolicy"])
	secure := listenerInputs(balancer.id, 443, notFound)
	secure["protocol"], secure["certificateArn"] = "HTTPS", ownCertificate
	https := c.create(listenerToken, "https", secure)
	require.Equal(t, "ELBSecurityPolicy-2016-08", https.outputs["sslPolicy"])

	first := c.create(ruleToken, "web", ruleInputs(https.id, to(web),
		values{"sourceIp": values{"values": []any{"10.0.0.0/8"}}},
		values{"hostHeader": values{"values": []any{"www.example.com", "example.com"}}}, pathIs("/b/*", "/a/*")))
	require.Equal(t, 1.0, first.outputs["priority"])
	weighted := c.create(ruleToken, "rpc", ruleInputs(https.id,
		values{"type": "forward", "forward": values{"targetGroups": []any{
			values{"arn": rpc.id, "weight": 3.0}, values{"arn": web.id}},
			"stickiness": values{"duration": 60.0, "enabled": true}}},
		values{"queryStrings": []any{values{"key": "a", "value": "b"}}}))
	require.Equal(t, 2.0, weighted.outputs["priority"])
	moved := ruleInputs(https.id, to(web), pathIs("/b/*"))
	moved["priority"] = 2.0
	require.ErrorContains(t, c.tryUpdate(first, moved), "PriorityInUse: Priority '2' is currently in use")
	moved["priority"] = 7.0
	require.NoError(t, c.tryUpdate(first, moved))

	found, err := c.invoke("aws:lb/getLoadBalancer:getLoadBalancer", values{"arn": balancer.id})
	require.NoError(t, err)
	require.Equal(t, balancer.outputs["dnsName"], found["dnsName"])
	require.Equal(t, []any{group.id}, found["securityGroups"])
	found, err = c.invoke("aws:lb/getListener:getListener", values{"loadBalancerArn": balancer.id, "port": 443.0})
	require.NoError(t, err)
	require.Equal(t, https.id, found["arn"])
	require.Equal(t, "404",
		found["defaultActions"].([]any)[0].(values)["fixedResponses"].([]any)[0].(values)["statusCode"])
	_, err = c.invoke("aws:lb/getListener:getListener", values{"loadBalancerArn": balancer.id, "port": 8080.0})
	require.ErrorContains(t, err, "no matching ELBv2 Listener found")

	require.ErrorContains(t, c.remove(web),
		"ResourceInUse: Target group '"+web.id+"' is currently in use by a listener or a rule")
	require.ErrorContains(t, c.remove(group),
		"deleting Security Group ("+group.outputs["name"].(string)+"): DependencyViolation: resource "+
			group.id+" has a dependent object")
	require.NoError(t, c.remove(balancer), "its listeners and rules go with it")
	c.refresh(first)
	require.Empty(t, first.id)
	require.NoError(t, c.remove(web))
	require.NoError(t, c.remove(group))
	_, err = c.invoke("aws:lb/getLoadBalancer:getLoadBalancer", values{"arn": balancer.id})
	require.ErrorContains(t, err, "Search returned 0 results, please revise so only one is returned")
}

func TestWhatElasticLoadBalancingRefuses(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	balancer := c.create(elbToken, "shop", elbInputs(nil))
	other := c.create(elbToken, "other", elbInputs(values{"name": "other", "enableDeletionProtection": true}))
	group := c.create(groupToken, "web", groupInputs(nil))
	rpc := c.create(groupToken, "rpc", groupInputs(values{"name": "rpc", "protocolVersion": "GRPC"}))
	http := c.create(listenerToken, "http", listenerInputs(balancer.id, 80, to(group)))
	taken := ruleInputs(http.id, notFound, pathIs("/*"))
	taken["priority"] = 5.0
	c.create(ruleToken, "taken", taken)
	secure := func(certificate any) values {
		inputs := listenerInputs(balancer.id, 443, notFound)
		inputs["protocol"], inputs["certificateArn"] = "HTTPS", certificate
		return inputs
	}
	const goneGroup = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/web/0000000000000000"
	for name, want := range map[string]struct {
		token  string
		inputs values
		want   string
	}{
		"a load balancer in one zone": {elbToken, elbInputs(values{"name": "x", "subnets": []any{vpc.Subnets[0].ID}}),
			"ValidationError: At least two subnets in two different Availability Zones must be specified"},
		"a security group that is not there": {elbToken, elbInputs(values{"name": "x", "securityGroups": []any{"sg-1"}}),
			"InvalidSecurityGroup: The security group 'sg-1' does not exist"},
		"a load balancer's name twice": {elbToken, elbInputs(nil),
			"creating ELBv2 application Load Balancer (shop-dev): DuplicateLoadBalancerName: A load balancer with the same " +
				"name 'shop-dev' exists"},
		"a target group's name twice": {groupToken, groupInputs(nil),
			"creating ELBv2 Target Group (web): DuplicateTargetGroupName: A target group with the same name 'web' exists"},
		"a timeout as long as the interval": {groupToken,
			groupInputs(values{"name": "x", "healthCheck": values{"interval": 5.0, "timeout": 5.0}}),
			"ValidationError: Health check timeout '5' must be smaller than the interval '5'"},
		"a listener of nothing": {listenerToken, listenerInputs("arn:x", 80, notFound),
			"LoadBalancerNotFound: Load balancers '[arn:x]' not found"},
		"a port twice": {listenerToken, listenerInputs(balancer.id, 80, notFound),
			"DuplicateListener: A listener already exists on this port for this load balancer"},
		"HTTPS and no certificate": {listenerToken, secure(nil),
			"ValidationError: A certificate must be specified for HTTPS listeners"},
		"a certificate elsewhere": {listenerToken, secure(strings.Replace(ownCertificate, "ap-northeast-2", "us-east-1", 1)),
			"CertificateNotFound: Certificate ARN " +
				"'arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0000-1111-2222-0a1b2c3d4e5f' is not found"},
		"gRPC without TLS": {listenerToken, listenerInputs(balancer.id, 81, to(rpc)),
			"InvalidLoadBalancerAction: Listener protocol 'HTTP' is not " +
				"supported with a target group with the protocol-version 'GRPC'"},
		"one target group for two load balancers": {listenerToken, listenerInputs(other.id, 80, to(group)),
			"TargetGroupAssociationLimit: The following target groups cannot be associated with more than one load balancer: " +
				group.id},
		"a rule of nothing": {ruleToken, ruleInputs("arn:x", notFound, pathIs("/*")),
			"ListenerNotFound: One or more listeners not found"},
		"a priority twice": {ruleToken, taken, "PriorityInUse: Priority '5' is currently in use"},
		"six values of rules": {ruleToken, ruleInputs(http.id, notFound, pathIs("/1", "/2", "/3"),
			values{"hostHeader": values{"values": []any{"a", "b", "c"}}}),
			"ValidationError: A rule can have up to 5 condition values"},
		"a long path": {ruleToken, ruleInputs(http.id, notFound, pathIs("/"+strings.Repeat("a", 128))),
			"exceeds the maximum length of 128 characters"},
		"a target group that is not there": {ruleToken, ruleInputs(http.id,
			values{"type": "forward", "targetGroupArn": goneGroup}, pathIs("/*")),
			"TargetGroupNotFound: Target groups '[" + goneGroup + "]' not found"},
	} {
		_, err := c.tryCreate(want.token, "web", want.inputs)
		require.ErrorContains(t, err, want.want, name)
	}
	require.ErrorContains(t, c.remove(other), "OperationNotPermitted: Load balancer '"+other.id+"' cannot be deleted")
}

func TestWhatTheProviderRefusesOfLoadBalancing(t *testing.T) {
	t.Parallel()
	c := newClient(t)
	for name, want := range map[string]struct {
		token  string
		inputs values
		want   string
	}{
		"a name that is too long": {elbToken, elbInputs(values{"name": strings.Repeat("a", 33)}),
			`"name" cannot be longer than 32 characters`},
		"a name with an underscore": {groupToken, groupInputs(values{"name": "shop_web"}),
			`only alphanumeric characters and hyphens allowed in "name": "shop_web". Examine values at 'web.name'.`},
		"a name that begins with one": {groupToken, groupInputs(values{"name": "-web"}),
			`"name" cannot begin with a hyphen`},
		"a name that ends with one": {groupToken, groupInputs(values{"name": "web-"}), `"name" cannot end with a hyphen`},
		"an internal name": {elbToken, elbInputs(values{"name": "internal-web"}),
			`"name" cannot begin with "internal-"`},
		"a network load balancer": {elbToken, elbInputs(values{"loadBalancerType": "network"}),
			"The sandbox has application load balancers only"},
		"subnet mappings": {elbToken, elbInputs(values{"subnetMappings": []any{}}),
			"The sandbox does not support this property. Examine values at 'web.subnetMappings'."},
		"a long deregistration": {groupToken, groupInputs(values{"deregistrationDelay": 3601.0}),
			"expected deregistration_delay to be in the range (0 - 3600), got 3601"},
		"a threshold of one": {groupToken, groupInputs(values{"healthCheck": values{"healthyThreshold": 1.0}}),
			"expected healthy_threshold to be in the range (2 - 10), got 1. Examine values at " +
				"'web.healthCheck.healthyThreshold'."},
		"a timeout of one second": {groupToken, groupInputs(values{"healthCheck": values{"timeout": 1.0}}),
			"expected timeout to be in the range (2 - 120), got 1"},
		"port 0": {groupToken, groupInputs(values{"port": 0.0}),
			"expected port to be in the range (1 - 65535), got 0"},
		"a protocol version": {groupToken, groupInputs(values{"protocolVersion": "HTTP3"}),
			`expected protocol_version to be one of ["GRPC" "HTTP1" "HTTP2"], got HTTP3`},
		"a type of stickiness": {groupToken, groupInputs(values{"stickiness": values{"type": "cookie"}}),
			`expected type to be one of ["lb_cookie" "app_cookie"], got cookie`},
		"stickiness beyond a week": {groupToken,
			groupInputs(values{"stickiness": values{"type": "lb_cookie", "cookieDuration": 604801.0}}),
			"expected cookie_duration to be in the range (0 - 604800), got 604801"},
		"a priority that is too high": {ruleToken, values{"listenerArn": "x", "priority": 50001.0,
			"actions": []any{notFound}, "conditions": []any{pathIs("/")}},
			"expected priority to be in the range (1 - 50000), got 50001"},
		"a redirect to nowhere": {listenerToken, listenerInputs("x", 80, values{"type": "redirect"}),
			`Attribute "default_action[0].redirect" must be specified when "default_action[0].type" is "redirect"`},
		"a forward to nothing": {listenerToken, listenerInputs("x", 80, values{"type": "forward"}),
			`Either "default_action[0].target_group_arn" or "default_action[0].forward" must be specified`},
		"two fields in one condition": {ruleToken, ruleInputs("x", notFound,
			values{"pathPattern": values{"values": []any{"/"}}, "sourceIp": values{"values": []any{"10.0.0.0/8"}}}),
			"one and only one of"},
		"a property that is misspelled": {listenerToken, listenerInputs("x", 80,
			values{"type": "redirect", "redirect": values{"statusCode": "HTTP_301", "hots": "x"}}),
			"Invalid or unknown key. Examine values at 'web.defaultActions[0].redirect.hots'."},
	} {
		_, reasons := c.check(want.token, "web", nil, want.inputs)
		require.Contains(t, strings.Join(reasons, "\n"), want.want, name)
	}
	_, err := c.Check(t.Context(),
		&pulumirpc.CheckRequest{Urn: "urn:pulumi:dev::shop::" + groupToken + "::" + strings.Repeat("w", 25),
			News: c.structure(values{})})
	require.EqualError(t, err, "name '"+strings.Repeat("w", 25)+"-' plus 7 random chars is longer than maximum length 32")
}
