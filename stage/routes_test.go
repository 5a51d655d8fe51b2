package stage

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// routed is a sound stage but for what stands in its service's route.
func routed(route string) string { return oneService("      port: 80\n      route: " + route) }

// balancedBy is a sound stage but for its load balancer.
func balancedBy(settings string) string { return with("  slipway:loadBalancer: " + settings) }

// inRegion is a stage of one region and account.
func inRegion(stage string) string {
	return stage + "  aws:region: ap-northeast-2\n  aws:allowedAccountIds: ['123456789012']\n"
}

const (
	balancerARN    = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:loadbalancer/app/shared/50dc6c495c0c9188"
	certificateARN = "arn:aws:acm:ap-northeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012"
)

func TestMistakesInRoutesAndLoadBalancers(t *testing.T) {
	t.Parallel()
	long := "/" + strings.Repeat("a", 128)
	for name, test := range map[string]struct {
		stage, path string
		says        []string
	}{
		// the route as a whole
		"a route that is a list": {
			routed("[shop.example.com]"), "services.web.route", []string{"is a list; it must be an object"}},
		"a route that is empty": {
			routed(""), "services.web.route", []string{"is empty (null)"}},
		"an unknown key of a route": {
			routed("{host: [shop.example.com]}"), "services.web.route.host",
			[]string{`did you mean "hosts"?`, "paths, priority, protocol"}},
		"a route to a service without a port": {
			oneService("      route: {}"), "services.web.route",
			[]string{"leads to a service that has no port; write services.web.port, or remove route"}},
		"six hosts": {
			routed("{hosts: [a.example.com, b.example.com, c.example.com, d.example.com, e.example.com, f.example.com]}"),
			"services.web.route",
			[]string{"has 6 hosts and paths, and a rule of a load balancer takes 5 together; put several into one with *"}},
		"six hosts and paths": {
			routed("{hosts: [a.example.com, b.example.com, c.example.com], paths: [/a, /b, /c]}"), "services.web.route",
			[]string{"has 6 hosts and paths"}},

		// hosts
		"a host in capitals": {
			routed("{hosts: [Shop.example.com]}"), "services.web.route.hosts[0]",
			[]string{`is "Shop.example.com"; write a domain name in lower case, as in shop.example.com`}},
		"a host with a port": {
			routed("{hosts: ['shop.example.com:8080']}"), "services.web.route.hosts[0]",
			[]string{"write a domain name in lower case"}},
		"a URL": {
			routed("{hosts: ['https://shop.example.com']}"), "services.web.route.hosts[0]",
			[]string{"write a domain name in lower case"}},
		"every host by a star": {
			routed("{hosts: ['*']}"), "services.web.route.hosts[0]", []string{"as in shop.example.com or *.example.com"}},
		"a host without a domain": {
			routed("{hosts: [localhost]}"), "services.web.route.hosts[0]", []string{`is "localhost"; write a domain name`}},
		"a host that is too long": {
			routed("{hosts: [" + strings.Repeat("a.", 64) + "com]}"), "services.web.route.hosts[0]",
			[]string{"…", "131 characters long; allowed: up to 128"}},
		"an empty host": {
			routed("{hosts: ['']}"), "services.web.route.hosts[0]", []string{`is ""; write a domain name`}},
		"a host that is a number": {
			routed("{hosts: [1.5]}"), "services.web.route.hosts[0]", []string{"is the number 1.5; it must be text"}},
		"a host twice": {
			routed("{hosts: [shop.example.com, shop.example.com]}"), "services.web.route.hosts[1]",
			[]string{"duplicates shop.example.com; remove it"}},
		"a host for a list of them": {
			routed("{hosts: shop.example.com}"), "services.web.route.hosts", []string{"it must be a list"}},
		"a host outside the zone": {
			routed("{hosts: [shop.example.org]}\n  slipway:loadBalancer: {zone: example.com}"), "services.web.route.hosts[0]",
			[]string{"is shop.example.org, which is not in the zone example.com; write a host that ends with .example.com, or " +
				"correct loadBalancer.zone"}},
		"a host that only ends like the zone": {
			routed("{hosts: [myexample.com]}\n  slipway:loadBalancer: {zone: example.com}"), "services.web.route.hosts[0]",
			[]string{"is not in the zone example.com"}},
		"a wildcard that no record can have": {
			routed("{hosts: [shop-*.example.com]}\n  slipway:loadBalancer: {zone: example.com}"), "services.web.route.hosts[0]",
			[]string{"cannot have a DNS record in loadBalancer.zone; use * only as the whole first part, as in *.example.com"}},
		"any one character in a zone": {
			routed("{hosts: ['shop?.example.com']}\n  slipway:loadBalancer: {zone: example.com}"), "services.web.route.hosts[0]",
			[]string{"cannot have a DNS record"}},
		"a zone without hosts": {
			routed("{}\n  slipway:loadBalancer: {zone: example.com}"), "services.web.route.hosts",
			[]string{"is missing, and loadBalancer.zone is given; write the host in example.com that the service answers to"}},
		"a zone with paths alone": {
			routed("{paths: [/api/*]}\n  slipway:loadBalancer: {zone: example.com}"), "services.web.route.hosts",
			[]string{"is missing"}},

		// paths
		"a path without its slash": {
			routed("{paths: [api]}"), "services.web.route.paths[0]",
			[]string{`is "api"; write a path of up to 128 characters that begins with /, as in /api/*`}},
		"a path that is too long": {
			routed("{paths: [" + long + "]}"), "services.web.route.paths[0]", []string{"…", "up to 128 characters"}},
		"a path with a space": {
			routed("{paths: ['/a b']}"), "services.web.route.paths[0]", []string{`is "/a b"`}},
		"a path twice": {
			routed("{paths: [/a, /b, /a]}"), "services.web.route.paths[2]", []string{"duplicates /a; remove it"}},

		// priority
		"priority 0": {
			routed("{priority: 0}"), "services.web.route.priority", []string{"is 0; allowed: 1 to 50000, or remove it"}},
		"a priority beyond the last": {
			routed("{priority: 50001}"), "services.web.route.priority", []string{"is 50001; allowed: 1 to 50000"}},
		"a priority that is text": {
			routed("{priority: first}"), "services.web.route.priority", []string{"it must be a whole number"}},

		// protocol
		"a protocol that a load balancer does not speak": {
			routed("{protocol: tcp}"), "services.web.route.protocol", []string{`is "tcp"; allowed: http1, http2, grpc`}},
		"a protocol in capitals": {
			routed("{protocol: HTTP2}"), "services.web.route.protocol", []string{"allowed: http1, http2, grpc"}},
		"gRPC without HTTPS": {
			routed("{protocol: grpc}"), "services.web.route.protocol",
			[]string{"is grpc, which a load balancer speaks over HTTPS only; write loadBalancer.certificate or loadBalancer.zone"}},
		"http2 without HTTPS": {
			routed("{protocol: http2}"), "services.web.route.protocol",
			[]string{"is http2, which a load balancer speaks over HTTPS only"}},
		"seven wildcards": {
			routed("{hosts: ['*.a?.com'], paths: ['/*/*', '/?/*', '/?']}"), "services.web.route",
			[]string{"has 7 wildcards", "takes 6"}},

		// the load balancer's health check
		"an unknown key of a health check": {
			routed("{healthCheck: {command: [x]}}"), "services.web.route.healthCheck.command",
			[]string{"there is no such key", "healthyThreshold"}},
		"a health check's path without its slash": {
			routed("{healthCheck: {path: health}}"), "services.web.route.healthCheck.path",
			[]string{`is "health"; write a path of up to 1024 characters that begins with /`}},
		"a health check's path that is empty": {
			routed("{healthCheck: {path: ''}}"), "services.web.route.healthCheck.path", []string{"begins with /"}},
		"a health check's path that is too long": {
			routed("{healthCheck: {path: " + strings.Repeat(long, 8) + "}}"), "services.web.route.healthCheck.path",
			[]string{"up to 1024 characters", "…"}},
		"a code that is a number": {
			routed("{healthCheck: {codes: 200}}"), "services.web.route.healthCheck.codes", []string{`write "200" in quotes`}},
		"a code of failure": {
			routed("{healthCheck: {codes: '500'}}"), "services.web.route.healthCheck.codes",
			[]string{`is "500"; allowed: 200 to 499, as in 200 or 200-299 or 200,302`}},
		"codes by their class": {
			routed("{healthCheck: {codes: 2xx}}"), "services.web.route.healthCheck.codes", []string{"allowed: 200 to 499"}},
		"codes with a space": {
			routed("{healthCheck: {codes: '200, 302'}}"), "services.web.route.healthCheck.codes", []string{"200,302"}},
		"codes of gRPC that are those of HTTP": {
			routed("{protocol: grpc, healthCheck: {codes: '200'}}\n  slipway:loadBalancer: {certificate: '" + certificateARN +
				"'}"),
			"services.web.route.healthCheck.codes", []string{`is "200"; allowed: 0 to 99, as in 12 or 0-99`}},
		"an interval that is too short": {
			routed("{healthCheck: {interval: 4}}"), "services.web.route.healthCheck.interval",
			[]string{"is 4; allowed: 5 to 300"}},
		"an interval that is too long": {
			routed("{healthCheck: {interval: 301}}"), "services.web.route.healthCheck.interval", []string{"allowed: 5 to 300"}},
		"a timeout that is too short": {
			routed("{healthCheck: {timeout: 1}}"), "services.web.route.healthCheck.timeout",
			[]string{"is 1; allowed: 2 to 120"}},
		"a timeout as long as the interval": {
			routed("{healthCheck: {timeout: 10, interval: 10}}"), "services.web.route.healthCheck.timeout",
			[]string{"is 10, and a check must end before the next begins; write less than interval, which is 10"}},
		"a timeout longer than the default interval": {
			routed("{healthCheck: {timeout: 6}}"), "services.web.route.healthCheck.timeout",
			[]string{"write less than interval, which is 5"}},
		"one check for healthy": {
			routed("{healthCheck: {healthyThreshold: 1}}"), "services.web.route.healthCheck.healthyThreshold",
			[]string{"is 1; allowed: 2 to 10"}},
		"eleven checks for healthy": {
			routed("{healthCheck: {healthyThreshold: 11}}"), "services.web.route.healthCheck.healthyThreshold",
			[]string{"allowed: 2 to 10"}},
		"one check for unhealthy": {
			routed("{healthCheck: {unhealthyThreshold: 1}}"), "services.web.route.healthCheck.unhealthyThreshold",
			[]string{"allowed: 2 to 10"}},
		"half a check for unhealthy": {
			routed("{healthCheck: {unhealthyThreshold: 2.5}}"), "services.web.route.healthCheck.unhealthyThreshold",
			[]string{"whole number of checks"}},

		// times
		"a negative grace period": {
			routed("{gracePeriod: -1}"), "services.web.route.gracePeriod", []string{"is -1; allowed: 0 to 7200"}},
		"a grace period with its unit": {
			routed("{gracePeriod: 60s}"), "services.web.route.gracePeriod",
			[]string{`is the text "60s"; it must be a whole number of seconds`}},
		"a deregistration delay beyond AWS's": {
			routed("{deregistrationDelay: 3601}"), "services.web.route.deregistrationDelay", []string{"allowed: 0 to 3600"}},
		"a deregistration delay that is text": {
			routed("{deregistrationDelay: '20'}"), "services.web.route.deregistrationDelay", []string{"without quotes"}},
		"stickiness beyond a week": {
			routed("{stickiness: 604801}"), "services.web.route.stickiness", []string{"is 604801; allowed: 0 to 604800"}},
		"stickiness that is a boolean": {
			routed("{stickiness: true}"), "services.web.route.stickiness",
			[]string{"is the boolean true; it must be a whole number of seconds"}},

		// the load balancer
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
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", test.stage)
			requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says...)
		})
	}
}

// twoRoutes are two services, api and web, with a route each.
func twoRoutes(api, web string) string {
	return oneService("      port: 80\n      route: " + web + "\n    api: {image: web, port: 80, route: " + api + "}")
}

func TestServicesThatTakeRequestsFromEachOther(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		api, web, path string
		says           []string
	}{
		"one host": {
			"{hosts: [a.example.com, b.example.com]}", "{hosts: [c.example.com, a.example.com]}", "services.web.route",
			[]string{"answers to the same requests as services.api.route (host a.example.com, path /*); give them other hosts " +
				"or paths"}},
		"one path of a host": {
			"{hosts: [a.example.com], paths: [/x]}", "{hosts: [a.example.com], paths: [/y, /x]}", "services.web.route",
			[]string{"(host a.example.com, path /x)"}},
		"everything": {
			"{}", "{}", "services.web.route", []string{"services.api.route (host *, path /*)"}},
		"everything, by another word": {
			"{}", "{paths: ['/*']}", "services.web.route", []string{"services.api.route (host *, path /*)"}},
		"everything of a host, by another word": {
			"{hosts: [a.example.com], paths: ['/*']}", "{hosts: [a.example.com]}", "services.web.route",
			[]string{"(host a.example.com, path /*)"}},
		"one priority": {
			"{hosts: [a.example.com], priority: 5}", "{hosts: [b.example.com], priority: 5}", "services.web.route.priority",
			[]string{"is 5, which services.api.route has, too; write another one here: 1 to 1000 comes before all services " +
				"without one"}},
		"a priority that another one has by default": {
			fmt.Sprintf("{hosts: [a.example.com], priority: %d}", (Route{}).priority("slipway-dev-web")), "{}",
			"services.web.route.priority",
			[]string{"would be ", ", which services.api.route has, too; write another one here"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", twoRoutes(test.api, test.web))
			requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says...)
		})
	}
}

func TestGoodRoutesAndLoadBalancers(t *testing.T) {
	t.Parallel()
	for name, stage := range map[string]string{
		"every request":             routed("{}"),
		"five hosts and paths":      routed("{hosts: [a.example.com, b.example.com], paths: [/a, /b, /c]}"),
		"wildcards without a zone":  routed("{hosts: ['shop-*.example.com', 'shop?.example.com', '*.com']}"),
		"every character of a path": routed(`{paths: ['/aZ0_-.$/~"''@:+&*?']}`),
		"the longest path":          routed("{paths: [/" + strings.Repeat("a", 127) + "]}"),
		"the longest host":          routed("{hosts: [" + strings.Repeat("a.", 62) + "com]}"),
		"first and last priority":   twoRoutes("{priority: 1}", "{priority: 50000, hosts: [a.example.com]}"),
		"no times at all":           routed("{gracePeriod: 0, deregistrationDelay: 0, stickiness: 0}"),
		"the longest times":         routed("{gracePeriod: 7200, deregistrationDelay: 3600, stickiness: 604800}"),
		"the shortest check": routed("{healthCheck: {interval: 5, timeout: 4, healthyThreshold: 2, " +
			"unhealthyThreshold: 2}}"),
		"the longest check": routed("{healthCheck: {interval: 300, timeout: 120, healthyThreshold: 10, " +
			"unhealthyThreshold: 10}}"),
		"many codes":                   routed("{healthCheck: {path: '/health?deep=1', codes: '200-299,302,404-499'}}"),
		"http2 behind an existing one": routed("{protocol: http2}\n  slipway:loadBalancer: {arn: '" + balancerARN + "'}"),
		"gRPC with a zone": routed("{protocol: grpc, hosts: [a.example.com]}\n  slipway:loadBalancer: " +
			"{zone: example.com}"),
		"gRPC with a certificate": routed("{protocol: grpc, healthCheck: {codes: 0-99}}\n  slipway:loadBalancer: " +
			"{certificate: '" + certificateARN + "'}"),
		"gRPC behind an existing one": routed("{protocol: grpc}\n  slipway:loadBalancer: {arn: '" + balancerARN + "'}"),
		"the zone itself, and deeper": routed("{hosts: [example.com, a.b.example.com, '*.example.com']}\n  " +
			"slipway:loadBalancer: {zone: example.com}"),
		"one host and several paths": twoRoutes("{hosts: [a.example.com], paths: [/api/*]}", "{hosts: [a.example.com]}"),
		"an existing one with a zone": routed("{hosts: [a.example.com]}\n  slipway:loadBalancer: {arn: '" + balancerARN +
			"', port: 8443, zone: example.com}"),
		"a load balancer without a route": balancedBy("{zone: example.com, idleTimeout: 4000}"),
		"all of this region and account": inRegion(balancedBy("{certificate: '" + certificateARN +
			"', zone: example.com}\n")),
		"TLS 1.3 alone":                balancedBy("{tlsPolicy: ELBSecurityPolicy-TLS13-1-3-2021-06}"),
		"TLS 1.2 with forward secrecy": balancedBy("{tlsPolicy: ELBSecurityPolicy-FS-1-2-Res-2020-10}"),
		"one address":                  balancedBy("{allowFrom: [203.0.113.7/32]}"),
		"logs of a bucket with dots":   balancedBy("{accessLogs: {bucket: my.shop.logs, prefix: a/b}}"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", stage)
			require.NoError(t, err)
		})
	}
}

func TestMistakesOfRoutesInTheDefaults(t *testing.T) {
	t.Parallel()
	const shared = "config: {'slipway:defaults': {value: {services: {web: {port: 80, route: {hosts: " +
		"[shop.example.com]}}}, loadBalancer: {zone: example.com}}}}"
	_, err := loadFiles(t, "dev", shared, oneService("      route: {hosts: [shop.example.org]}"))
	requireMistake(t, err, "services.web.route.hosts[0]", "Pulumi.dev.yaml", "is not in the zone example.com")
	_, err = loadFiles(t, "dev", shared, with("  slipway:loadBalancer: {zone: example.org}"))
	requireMistake(t, err, "defaults.services.web.route.hosts[0]", "Pulumi.yaml", "is not in the zone example.org")
	_, err = loadFiles(t, "dev", "config: {'slipway:defaults': {value: {services: {web: {route: {priority: 0}}}}}}",
		oneService("      port: 80"))
	requireMistake(t, err, "defaults.services.web.route.priority", "Pulumi.yaml", "is 0; allowed: 1 to 50000")
	_, err = loadFiles(t, "dev", "config: {'slipway:defaults': {value: {loadBalancer: {idleTimeout: 60}}}}",
		balancedBy("{arn: '"+balancerARN+"'}"))
	requireMistake(t, err, "defaults.loadBalancer.idleTimeout", "Pulumi.yaml", "loadBalancer.arn names an existing one")
}

func TestARouteSaysWhatDependsOnItsProtocol(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ route, path, codes string }{
		{"{}", "/", "200"},
		{"{protocol: http2}", "/", "200"},
		{"{protocol: grpc}", "/AWS.ALB/healthcheck", "12"},
		{"{protocol: grpc, healthCheck: {path: /grpc.health.v1.Health/Check}}", "/grpc.health.v1.Health/Check", "12"},
		{"{healthCheck: {codes: '204'}}", "/", "204"},
	} {
		got, err := loadFiles(t, "dev", "",
			routed(test.route+"\n  slipway:loadBalancer: {certificate: '"+certificateARN+"'}"))
		require.NoError(t, err, test.route)
		check := got.Services["web"].Route.HealthCheck
		require.Equal(t, [2]string{test.path, test.codes}, [2]string{check.Path, check.Codes}, test.route)
	}
}

// priorities are those of a stage's services.
func priorities(services map[string]Route) map[string]int {
	s := Stage{Project: "shop", Name: "dev", Services: map[string]Service{}}
	for name, route := range services {
		s.Services[name] = Service{Route: &route}
	}
	all := map[string]int{}
	for name := range services {
		all[name] = s.Priority(name)
	}
	return all
}

// ranks are routes from the most specific to the least.
var ranks = [][]Route{
	{{Hosts: []string{"a.example.com"}, Paths: []string{"/a"}},
		{Hosts: []string{"b.example.com", "a.example.com"}, Paths: []string{"/a/b/c/d", "/"}}},
	{{Hosts: []string{"a.example.com"}, Paths: []string{"/a/b/c/*"}},
		{Hosts: []string{"a.example.com"}, Paths: []string{"/a", "/a/b/c/d/e?"}}},
	{{Hosts: []string{"a.example.com"}, Paths: []string{"/a/b/*"}},
		{Hosts: []string{"a.example.com"}, Paths: []string{"/a/b*", "/a"}}},
	{{Hosts: []string{"a.example.com"}, Paths: []string{"/a/*"}},
		{Hosts: []string{"a.example.com"}, Paths: []string{"/a?", "/a/b/*"}}},
	{{Hosts: []string{"a.example.com"}}, {Hosts: []string{"a.example.com"}, Paths: []string{"/*"}},
		{Hosts: []string{"a.example.com"}, Paths: []string{"/a", "/*.png"}}},
	{{Hosts: []string{"*.example.com"}, Paths: []string{"/a"}},
		{Hosts: []string{"a.example.com", "a?.example.com"}, Paths: []string{"/a"}}},
	{{Hosts: []string{"*.example.com"}, Paths: []string{"/a/b/c/*"}}},
	{{Hosts: []string{"*.example.com"}, Paths: []string{"/a/b/*"}}},
	{{Hosts: []string{"*.example.com"}, Paths: []string{"/a/*"}}},
	{{Hosts: []string{"*.example.com"}}, {Hosts: []string{"*.example.com"}, Paths: []string{"/*"}}},
	{{Paths: []string{"/a"}}, {Paths: []string{"/a", "/b"}}},
	{{Paths: []string{"/a/b/c/*"}}},
	{{Paths: []string{"/a/b/*"}}},
	{{Paths: []string{"/a/*"}}},
	{{}, {Paths: []string{"/*"}}},
}

func TestTheMoreSpecificRouteComesFirst(t *testing.T) {
	t.Parallel()
	require.Len(t, ranks, len(bands)*len(bands[0]))
	previous := firstPriority - 1
	for rank, routes := range ranks {
		first, last := previous+1, previous+int(bands[rank/len(bands[0])][rank%len(bands[0])])
		for _, route := range routes {
			for i := range 200 { // whatever the service is called
				name := fmt.Sprintf("service-%d", i)
				got := priorities(map[string]Route{name: route})[name]
				require.True(t, first <= got && got <= last, "%+v: %d is not in %d to %d", route, got, first, last)
			}
		}
		previous = last
	}
	require.Equal(t, 48000, previous, "as the comment of bands says")
}

func TestAWrittenPriorityIsTaken(t *testing.T) {
	t.Parallel()
	require.Equal(t, map[string]int{"a": 1, "b": 50000},
		priorities(map[string]Route{"a": {Priority: 1}, "b": {Hosts: []string{"a.example.com"}, Priority: 50000}}))
}

func TestAPriorityDependsOnTheServiceAlone(t *testing.T) {
	t.Parallel()
	web := Route{Hosts: []string{"shop.example.com"}}
	alone := priorities(map[string]Route{"web": web})["web"]
	require.Equal(t, 25365, alone, "a new release moves no rule") // whoever changes this moves the rules of every stage
	others := map[string]Route{"web": web, "api": {Hosts: []string{"shop.example.com"}, Paths: []string{"/api/*"}},
		"a": {}, "zz": {Priority: 7}}
	require.Equal(t, alone, priorities(others)["web"], "when others come")
	delete(others, "api")
	require.Equal(t, alone, priorities(others)["web"], "when they go")

	other := Stage{Project: "shop", Name: "qa", Services: map[string]Service{"web": {Route: &web}}}
	require.NotEqual(t, alone, other.Priority("web"), "two stages may share a load balancer")
	web.HealthCheck.Path, web.Protocol, web.GracePeriod, web.Hosts = "/health", "http2", 5, []string{"other.example.com"}
	require.Equal(t, alone, priorities(map[string]Route{"web": web})["web"], "the same kind of hosts and paths")
}

func TestNoPriorityLeavesItsBand(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	starts := [3][5]int{}
	next := firstPriority
	for i, row := range bands {
		for j, width := range row {
			starts[i][j] = next
			next += int(width)
		}
	}
	for range 20000 {
		var route Route
		wantHosts, wantPaths := 2, 4
		if count := random.IntN(4); count > 0 {
			wantHosts = 0
			for range count {
				host := pick("a", "shop", "*", "x-*", "b?") + pick(".example.com", ".example.org", ".*.com")
				route.Hosts = append(route.Hosts, host)
				if strings.ContainsAny(host, "*?") {
					wantHosts = 1
				}
			}
		}
		if count := random.IntN(3); count > 0 {
			wantPaths = 0
			for range count {
				depth := random.IntN(5)
				path := strings.Repeat("/x", depth) + pick("/", "/*", "/?")
				route.Paths = append(route.Paths, path)
				if strings.ContainsAny(path, "*?") {
					wantPaths = max(wantPaths, 4-min(depth, 3))
				}
			}
		}
		name := fmt.Sprintf("s%d", random.Uint64())
		got, start := priorities(map[string]Route{name: route})[name], starts[wantHosts][wantPaths]
		require.True(t, start <= got && got < start+int(bands[wantHosts][wantPaths]), "%s %+v: %d", name, route, got)
		require.True(t, 1001 <= got && got <= 48000)
	}
}

func TestCertificateDomains(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		hosts [][]string // by service; nil for a service without a route
		want  []string
	}{
		"a host": {[][]string{{"shop.example.com"}}, []string{"*.example.com"}},
		"hosts of several services": {[][]string{{"shop.example.com"}, nil, {"api.example.com", "www.example.com"}},
			[]string{"*.example.com"}},
		"a wildcard":      {[][]string{{"*.example.com"}}, []string{"*.example.com"}},
		"the zone itself": {[][]string{{"example.com"}}, []string{"example.com"}},
		"the zone and hosts in it": {[][]string{{"example.com", "www.example.com"}},
			[]string{"*.example.com", "example.com"}},
		"a host that is deeper": {[][]string{{"a.dev.example.com"}}, []string{"*.dev.example.com"}},
		"a wildcard that is deeper": {[][]string{{"*.dev.example.com"}, {"dev.example.com"}},
			[]string{"*.dev.example.com", "*.example.com"}},
		"no host": {[][]string{nil, {}}, nil},
		"a host that others come from": {[][]string{{"a.example.com", "b.a.example.com"}},
			[]string{"*.a.example.com", "*.example.com"}},
	} {
		s := Stage{LoadBalancer: LoadBalancer{Zone: "example.com"}, Services: map[string]Service{}}
		for i, hosts := range test.hosts {
			service := Service{}
			if hosts != nil {
				service.Route = &Route{Hosts: hosts}
			}
			s.Services[fmt.Sprint(i)] = service
		}
		require.Equal(t, test.want, s.CertificateDomains(), name)
	}
}

func TestAHostHasOneRecord(t *testing.T) {
	t.Parallel()
	route := func(hosts ...string) Service { return Service{Route: &Route{Hosts: hosts}} }
	s := Stage{Services: map[string]Service{
		"api": route("a.example.com", "b.example.com"), "job": {},
		"web": route("b.example.com", "c.example.com", "a.example.com"), "xyz": route("c.example.com"),
	}}
	require.Equal(t, []string{"a.example.com", "b.example.com"}, s.RecordHosts("api"))
	require.Equal(t, []string{"c.example.com"}, s.RecordHosts("web"))
	require.Empty(t, s.RecordHosts("xyz"))
	delete(s.Services, "api")
	require.Equal(t, []string{"b.example.com", "c.example.com", "a.example.com"}, s.RecordHosts("web"))
}

func TestExactPath(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		paths []string
		want  string
	}{
		{nil, "/"},
		{[]string{"/"}, "/"},
		{[]string{"/*"}, "/"},
		{[]string{"/shop"}, "/shop"},
		{[]string{"/shop/*"}, "/shop/"},
		{[]string{"/shop*"}, "/shop"},
		{[]string{"/a?/b"}, "/a"},
		{[]string{"/*/b/?"}, "/"},
		{[]string{"/first", "/second"}, "/first"},
	} {
		require.Equal(t, test.want, Route{Paths: test.paths}.ExactPath(), "%q", test.paths)
	}
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
