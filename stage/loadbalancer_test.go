package stage

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// balancedBy is a sound stage but for its load balancer.
func balancedBy(settings string) string { return with("  slipway:loadBalancer: " + settings) }

const (
	balancerARN    = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:loadbalancer/app/shared/50dc6c495c0c9188"
	webACLARN      = "arn:aws:wafv2:ap-northeast-2:123456789012:regional/webacl/shop/12345678-1234-1234-1234-123456789012"
	certificateARN = "arn:aws:acm:ap-northeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012"
)

func TestMistakesInLoadBalancers(t *testing.T) {
	t.Parallel()
	requireMistakes(t, map[string]mistake{
		"an unknown key of the load balancer": {
			balancedBy("{scheme: internal}"), "loadBalancer.scheme", []string{"there is no such key", "zone, certificate"}},
		"a load balancer that is its ARN": {
			balancedBy(balancerARN), "loadBalancer", []string{"it must be an object"}},
		"a load balancer by its name": {
			balancedBy("{arn: shared}"), "loadBalancer.arn",
			[]string{`is "shared"; write the ARN of an Application Load Balancer`}},
		"a network load balancer": {
			balancedBy("{arn: '" + strings.Replace(balancerARN, "/app/", "/net/", 1) + "'}"), "loadBalancer.arn",
			[]string{"write the ARN of an Application Load Balancer"}},
		"a load balancer of another region": {
			inRegion(balancedBy("{arn: '" + strings.Replace(balancerARN, "ap-northeast-2", "us-east-1", 1) + "'}\n")),
			"loadBalancer.arn",
			[]string{"is in region us-east-1, and the stage runs in ap-northeast-2 (aws:region); name one in ap-northeast-2"}},
		"a load balancer of another account": {
			inRegion(balancedBy("{arn: '" + strings.Replace(balancerARN, "123456789012", "210987654321", 1) + "'}\n")),
			"loadBalancer.arn",
			[]string{"is in account 210987654321, and the stage may use 123456789012 (aws:allowedAccountIds)"}},
		"a certificate for an existing load balancer": {
			balancedBy("{arn: '" + balancerARN + "', certificate: '" + certificateARN + "'}"), "loadBalancer.certificate",
			[]string{"is for a load balancer that the stage makes, and loadBalancer.arn names an existing one; remove one of them"}},
		"a TLS policy for an existing load balancer": {
			balancedBy("{arn: '" + balancerARN + "', tlsPolicy: ELBSecurityPolicy-TLS13-1-2-2021-06}"), "loadBalancer.tlsPolicy",
			[]string{"names an existing one"}},
		"internal for an existing load balancer": {
			balancedBy("{arn: '" + balancerARN + "', internal: false}"), "loadBalancer.internal",
			[]string{"names an existing one"}},
		"subnets for an existing load balancer": {
			balancedBy("{arn: '" + balancerARN + "', subnets: [subnet-01234567, subnet-01234568]}"), "loadBalancer.subnets",
			[]string{"names an existing one"}},
		"addresses for an existing load balancer": {
			balancedBy("{arn: '" + balancerARN + "', allowFrom: [10.0.0.0/8]}"), "loadBalancer.allowFrom",
			[]string{"names an existing one"}},
		"an idle timeout for an existing load balancer": {
			balancedBy("{arn: '" + balancerARN + "', idleTimeout: 60}"), "loadBalancer.idleTimeout",
			[]string{"names an existing one"}},
		"a web ACL for an existing load balancer": {
			balancedBy("{arn: '" + balancerARN + "', webAcl: '" + webACLARN + "'}"), "loadBalancer.webAcl",
			[]string{"names an existing one"}},
		"a web ACL for CloudFront": {
			balancedBy("{webAcl: '" + strings.Replace(webACLARN, ":regional/", ":global/", 1) + "'}"), "loadBalancer.webAcl",
			[]string{"which is for CloudFront; write the ARN of one with the scope REGIONAL"}},
		"a web ACL by its name": {
			balancedBy("{webAcl: shop}"), "loadBalancer.webAcl", []string{`is "shop"; write the ARN of a web ACL of AWS WAF`}},
		"a web ACL of another region": {
			inRegion(balancedBy("{webAcl: '" + strings.Replace(webACLARN, "ap-northeast-2", "us-east-1", 1) + "'}\n")),
			"loadBalancer.webAcl", []string{"is in region us-east-1, and the stage runs in ap-northeast-2"}},
		"deletion protection for an existing load balancer": {
			balancedBy("{arn: '" + balancerARN + "', deletionProtection: true}"), "loadBalancer.deletionProtection",
			[]string{"names an existing one"}},
		"access logs for an existing load balancer": {
			balancedBy("{arn: '" + balancerARN + "', accessLogs: {bucket: logs}}"), "loadBalancer.accessLogs",
			[]string{"names an existing one"}},
		"a port without an existing load balancer": {
			balancedBy("{port: 443}"), "loadBalancer.port",
			[]string{"is that of an existing load balancer's listener; write its loadBalancer.arn, or remove port"}},
		"port 0 of an existing load balancer": {
			balancedBy("{arn: '" + balancerARN + "', port: 0}"), "loadBalancer.port",
			[]string{"is 0; allowed: 1 to 65535, or remove it"}},
		"a zone by its id": {
			balancedBy("{zone: Z0123456789ABC}"), "loadBalancer.zone",
			[]string{`is "Z0123456789ABC"; write the name of a hosted zone, as in example.com`}},
		"a zone with its last dot": {
			balancedBy("{zone: example.com.}"), "loadBalancer.zone", []string{"as in example.com"}},
		"a zone that is wrong, with hosts": {
			routed("{hosts: [shop.example.com]}\n  slipway:loadBalancer: {zone: Example.com}"), "loadBalancer.zone",
			[]string{`is "Example.com"`}},
		"a zone that is empty": {
			balancedBy("{zone: ''}"), "loadBalancer.zone", []string{`is ""; write the name`}},
		"a certificate by its domain": {
			balancedBy("{certificate: example.com}"), "loadBalancer.certificate",
			[]string{`is "example.com"; write the ARN of a certificate`}},
		"a certificate of IAM": {
			balancedBy("{certificate: 'arn:aws:iam::123456789012:server-certificate/shop'}"), "loadBalancer.certificate",
			[]string{"write the ARN of a certificate"}},
		"a certificate of another region": {
			inRegion(balancedBy("{certificate: '" + strings.Replace(certificateARN, "ap-northeast-2", "us-east-1", 1) + "'}\n")),
			"loadBalancer.certificate",
			[]string{"is in region us-east-1, and the stage runs in ap-northeast-2 (aws:region)"}},
		"a certificate of another account": {
			inRegion(balancedBy("{certificate: '" + strings.Replace(certificateARN, "123456789012", "210987654321", 1) +
				"'}\n")), "loadBalancer.certificate",
			[]string{"is in account 210987654321, and the stage may use 123456789012 (aws:allowedAccountIds)"}},
		"a certificate of the wrong type, for gRPC": {
			routed("{protocol: grpc}\n  slipway:loadBalancer: {certificate: 5}"), "loadBalancer.certificate",
			[]string{"is the number 5; it must be text"}},
		"a TLS policy that admits TLS 1.0": {
			balancedBy("{tlsPolicy: ELBSecurityPolicy-2016-08}"), "loadBalancer.tlsPolicy",
			[]string{`is "ELBSecurityPolicy-2016-08"; write a policy that admits no TLS before 1.2, such as ` +
				`ELBSecurityPolicy-TLS13-1-2-2021-06`}},
		"a TLS policy that admits TLS 1.1": {
			balancedBy("{tlsPolicy: ELBSecurityPolicy-TLS13-1-1-2021-06}"), "loadBalancer.tlsPolicy",
			[]string{"no TLS before 1.2"}},
		"a TLS version": {
			balancedBy("{tlsPolicy: '1.3'}"), "loadBalancer.tlsPolicy", []string{`is "1.3"; write a policy`}},
		"internal that is text": {
			balancedBy("{internal: 'true'}"), "loadBalancer.internal", []string{"must be true or false, without quotes"}},
		"one subnet": {
			balancedBy("{subnets: [subnet-01234567]}"), "loadBalancer.subnets",
			[]string{"has 1 subnets; allowed: 2 to 16, in two availability zones or more"}},
		"no subnets": {
			balancedBy("{subnets: []}"), "loadBalancer.subnets", []string{"has 0 subnets"}},
		"a subnet by its name": {
			balancedBy("{subnets: [subnet-01234567, b]}"), "loadBalancer.subnets[1]", []string{`is "b"; write a subnet's id`}},
		"a subnet twice": {
			balancedBy("{subnets: [subnet-01234567, subnet-01234567]}"), "loadBalancer.subnets[1]", []string{"duplicates "}},
		"no address": {
			balancedBy("{allowFrom: []}"), "loadBalancer.allowFrom",
			[]string{"is empty, so nothing reaches the load balancer; name ranges of addresses, or remove it to admit every " +
				"address"}},
		"an address that is no range": {
			balancedBy("{allowFrom: [10.0.0.1]}"), "loadBalancer.allowFrom[0]", []string{`is "10.0.0.1"`, "203.0.113.7/32"}},
		"a range of IPv6": {
			balancedBy("{allowFrom: [10.0.0.0/8, '::/0']}"), "loadBalancer.allowFrom[1]",
			[]string{"the load balancer has IPv4 addresses only; remove it"}},
		"an idle timeout of nothing": {
			balancedBy("{idleTimeout: 0}"), "loadBalancer.idleTimeout", []string{"is 0; allowed: 1 to 4000"}},
		"an idle timeout beyond AWS's": {
			balancedBy("{idleTimeout: 4001}"), "loadBalancer.idleTimeout", []string{"allowed: 1 to 4000"}},
		"deletion protection that is a number": {
			balancedBy("{deletionProtection: 1}"), "loadBalancer.deletionProtection", []string{"must be true or false"}},
		"access logs without a bucket": {
			balancedBy("{accessLogs: {}}"), "loadBalancer.accessLogs.bucket",
			[]string{"is missing; name the S3 bucket that the access logs go to"}},
		"access logs that are a bucket": {
			balancedBy("{accessLogs: shop-logs}"), "loadBalancer.accessLogs", []string{"it must be an object"}},
		"a bucket in capitals": {
			balancedBy("{accessLogs: {bucket: ShopLogs}}"), "loadBalancer.accessLogs.bucket",
			[]string{`is "ShopLogs"; write the name of a bucket: 3 to 63 lower case letters`}},
		"a bucket by its URL": {
			balancedBy("{accessLogs: {bucket: 's3://shop-logs'}}"), "loadBalancer.accessLogs.bucket",
			[]string{"write the name of a bucket"}},
		"a prefix that begins with a slash": {
			balancedBy("{accessLogs: {bucket: shop-logs, prefix: /dev}}"), "loadBalancer.accessLogs.prefix",
			[]string{`is "/dev"; write text that does not begin or end with /`}},
		"a prefix that AWS keeps for itself": {
			balancedBy("{accessLogs: {bucket: shop-logs, prefix: dev/AWSLogs}}"), "loadBalancer.accessLogs.prefix",
			[]string{"does not contain AWSLogs"}},
	})
}

func TestSettingsOfALoadBalancer(t *testing.T) {
	t.Parallel()
	require.False(t, LoadBalancer{}.HTTPS())
	require.True(t, LoadBalancer{Zone: "example.com"}.HTTPS())
	require.True(t, LoadBalancer{Certificate: certificateARN}.HTTPS())
	require.Equal(t, 443, LoadBalancer{}.ListenerPort())
	require.Equal(t, 8443, LoadBalancer{Port: 8443}.ListenerPort())
	require.False(t, (&Stage{Services: map[string]Service{"web": {}}}).HasRoutes())
	require.True(t, (&Stage{Services: map[string]Service{"web": {}, "api": {Route: &Route{}}}}).HasRoutes())
}
