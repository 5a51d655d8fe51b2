package stage

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// routed is a sound stage but for what stands in its service's route.
func routed(route string) string { return oneService("      port: 80\n      route: " + route) }

// inRegion is a stage of one region and account.
func inRegion(stage string) string {
	return stage + "  aws:region: ap-northeast-2\n  aws:allowedAccountIds: ['123456789012']\n"
}

func TestMistakesInRoutes(t *testing.T) {
	t.Parallel()
	long := "/" + strings.Repeat("a", 128)
	requireMistakes(t, map[string]mistake{
		// the route as a whole
		"a route that is a list": {
			routed("[shop.example.com]"), "services.web.route", []string{"is a list; it must be an object"}},
		"a route that is empty": {
			routed(""), "services.web.route", []string{"is empty (null)"}},
		"an unknown key of a route": {
			routed("{host: [shop.example.com]}"), "services.web.route.host",
			[]string{`did you mean "hosts"?`, "paths, headers, priority, protocol"}},
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
	})
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
