package stage

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/internal/awslimits"
)

// Route is how the stage's load balancer comes to send requests to a service, and watches its tasks.
type Route struct {
	// Internal has the service reached through the second load balancer, `internalLoadBalancer`, from within the VPC only.
	// Another value moves the service from one load balancer to the other: nothing answers for some seconds.
	//
	// Example: internal: true
	// Rule: [Load balancer scheme](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#load-balancer-scheme)
	Internal bool `json:"internal" default:"false"`

	// Hosts are the names that the service answers to.
	//
	// Default: none; every host
	// Allowed: domain names in lower case, in which `*` stands for any text and `?` for one character, each once;
	// together with `paths` at most 5. Where `loadBalancer.zone` is given: at least one, and all in that zone, unless the
	// route is internal: who calls it has to have the DNS records
	// Example: hosts: [shop.example.com]
	// Rule: [Host conditions](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html#host-conditions)
	Hosts []string `json:"hosts"`

	// Paths are the paths that the service answers to.
	//
	// Default: none; every path
	// Allowed: paths of up to 128 characters that begin with `/`, in which `*` stands for any text and `?` for one
	// character, each once
	// Example: paths: ["/api/*"]
	// Rule: [Path conditions](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html#path-conditions)
	Paths []string `json:"paths"`

	// Headers are headers that a request must have for the service to answer it, each with one of its values; so a CDN
	// that adds one with a secret value is the only way in. Upper and lower case of values are the same. Whoever may
	// describe the load balancer's rules can read the values. Headers cost nothing. Not in place of a login: each request
	// has the same value.
	//
	// Default: none; whatever headers a request has
	// Allowed: names of up to 40 characters, not `Host`, each with 1 to 3 values of up to 128 characters, in which `*`
	// stands for any text and `?` for one character; together with `hosts` and `paths` at most 5 values
	// Example: headers: {X-Origin-Secret: [c2VjcmV0LW9mLXRoZS1jZG4]}
	// Rule: [HTTP header conditions](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html#http-header-conditions)
	Headers map[string][]string `json:"headers"`

	// Priority decides which rule is looked at first where a request fits several: the one with the lowest. It is
	// needed only where two services would have the same one, which an error says. The default depends on the
	// service's own name, hosts and paths and on nothing else, so it stays put when services come and go. Exact hosts
	// come before wildcards and before no hosts, then exact paths before longer and shorter ones.
	//
	// Default: none; made from the service's name, hosts and paths
	// Allowed: no two services with the same
	// Example: priority: 10
	// Rule: [Listener rule priority](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html)
	Priority int `json:"priority" min:"1" max:"50000"`

	// Protocol is what the load balancer speaks with the service's tasks. Clients of an `http2` or `grpc` service
	// must speak HTTP/2, too: HTTP/1.1 requests get a 464 response. Another protocol is another target group,
	// which has no tasks until the new revision runs: nothing answers meanwhile.
	//
	// Allowed: `http2` and `grpc` only where HTTPS is served
	// Example: protocol: http2
	// Rule: [Protocol versions](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html#target-group-protocol-version)
	Protocol string `json:"protocol" default:"http1" enum:"http1,http2,grpc"`

	// HealthCheck is how the load balancer tells a healthy task.
	//
	// Example: healthCheck: {path: /health}
	// Rule: [Target group health checks](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html)
	HealthCheck TargetHealthCheck `json:"healthCheck"`

	// GracePeriod is how long the health checks of a task that has just started are not held against it. A healthy
	// task serves as soon as it passes them, so this costs a good deployment nothing; a bad one is found out that
	// much later.
	//
	// Example: gracePeriod: 120
	// Rule: [ECS CreateService](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html)
	GracePeriod int `json:"gracePeriod" default:"60" min:"0" max:"7200" unit:"seconds"`

	// DeregistrationDelay is how long requests that are under way may take to end when a task is to stop. Set it just
	// above the longest request: every deployment waits for it. (AWS's own default is 300.)
	//
	// Example: deregistrationDelay: 60
	// Rule: [Deregistration delay](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#deregistration-delay)
	DeregistrationDelay int `json:"deregistrationDelay" default:"15" min:"0" max:"3600" unit:"seconds"`

	// Stickiness is how long a client's requests go to the same task, by a cookie; 0 for not at all.
	//
	// Example: stickiness: 3600
	// Rule: [Sticky sessions](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/sticky-sessions.html)
	Stickiness int `json:"stickiness" default:"0" min:"0" max:"604800" unit:"seconds"`
}

// TargetHealthCheck is how a load balancer tells a healthy task.
//
// Rule: [Target group health checks](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html)
type TargetHealthCheck struct {
	// Path is what the load balancer asks for.
	//
	// Default: none; `/`, and `/AWS.ALB/healthcheck` with `grpc`
	// Allowed: a path of up to 1024 characters that begins with `/`
	// Example: path: /health
	Path string `json:"path"`

	// Codes are the answers of a healthy task.
	//
	// Default: none; `200`, and `12` with `grpc`
	// Allowed: codes and ranges of codes, separated by commas: 200 to 499, and 0 to 99 with `grpc`
	// Example: codes: "200-299"
	// Rule: [Target group matcher](https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Matcher.html)
	Codes string `json:"codes"`

	// Interval is the time between two checks of a task.
	//
	// Example: interval: 10
	Interval int `json:"interval" default:"5" min:"5" max:"300" unit:"seconds"`

	// Timeout is how long an answer may take.
	//
	// Allowed: less than `interval`
	// Example: timeout: 3
	Timeout int `json:"timeout" default:"4" min:"2" max:"120" unit:"seconds"`

	// HealthyThreshold is how many checks in a row a task passes before it is healthy.
	//
	// Example: healthyThreshold: 3
	HealthyThreshold int `json:"healthyThreshold" default:"2" min:"2" max:"10" unit:"checks"`

	// UnhealthyThreshold is how many checks in a row a task fails before it is replaced.
	//
	// Example: unhealthyThreshold: 2
	UnhealthyThreshold int `json:"unhealthyThreshold" default:"3" min:"2" max:"10" unit:"checks"`
}

const (
	grpc = "grpc"
)

// NeedsHTTPS tells whether the load balancer speaks the protocol only to clients that come by HTTPS.
//
// Example: NeedsHTTPS() is true of protocol: grpc
func (r Route) NeedsHTTPS() bool { return r.Protocol != "http1" }

// withDefaults fills in what depends on the protocol.
func (r Route) withDefaults() *Route {
	path, codes := "/", "200"
	if r.Protocol == grpc {
		path, codes = "/AWS.ALB/healthcheck", "12"
	}
	if r.HealthCheck.Path == "" {
		r.HealthCheck.Path = path
	}
	if r.HealthCheck.Codes == "" {
		r.HealthCheck.Codes = codes
	}
	return &r
}

func (c *checker) checkRoute(name string, service Service) {
	route := service.Route
	here := c.at("services", name, "route")
	if route == nil || here.bad {
		return
	}
	if port := c.at("services", name, "port"); !port.present && !port.bad {
		here.fail("leads to a service that has no port; write services.%s.port, or remove route", name)
	}
	c.checkHosts(name, *route)
	for i, path := range route.Paths {
		switch {
		case len(path) > awslimits.RuleValue || !awslimits.PathPattern.MatchString(path):
			here.at("paths", i).fail("is %q; write a path of up to %d characters that begins with /, as in /api/*",
				shorten(path), awslimits.RuleValue)
		case slices.Contains(route.Paths[:i], path):
			here.at("paths", i).fail("duplicates %s; remove it", path)
		}
	}
	checkHeaders(here.at("headers"), route.Headers)
	headers := slices.Concat(slices.Collect(maps.Values(route.Headers))...)
	if values := len(route.Hosts) + len(route.Paths) + len(headers); values > awslimits.RuleValues {
		what := "hosts and paths"
		if len(headers) > 0 {
			what = "hosts, paths and values of headers"
		}
		here.fail("has %d %s, and a rule of a load balancer takes %d together; put several into one "+
			"with *, as in *.example.com or /api/*", values, what, awslimits.RuleValues)
	}
	patterns := strings.Join(route.Hosts, "") + strings.Join(route.Paths, "") + strings.Join(headers, "")
	if wildcards := strings.Count(patterns, "*") + strings.Count(patterns, "?"); wildcards > awslimits.RuleWildcards {
		here.fail("has %d wildcards in its values, and a rule of a load balancer takes %d; write fewer * and ?",
			wildcards, awslimits.RuleWildcards)
	}
	maySpeakHTTPS := slices.ContainsFunc([]string{"arn", "certificate", "zone"}, func(key string) bool {
		at := c.at(route.balancerKey(), key)
		return at.present || at.bad // it may have been meant
	})
	if protocol := here.at("protocol"); !protocol.bad && route.NeedsHTTPS() && !maySpeakHTTPS {
		advice := "loadBalancer.certificate or loadBalancer.zone"
		if route.Internal {
			advice = "internalLoadBalancer.certificate"
		}
		protocol.fail("is %s, which a load balancer speaks over HTTPS only; write %s", route.Protocol, advice)
	}
	checkTargetHealth(here.at("healthCheck"), route)
}

func checkTargetHealth(here place, route *Route) {
	check, most := route.HealthCheck, awslimits.HealthCheckPath
	here.at("path").expect(len(check.Path) <= most && strings.HasPrefix(check.Path, "/"), check.Path,
		fmt.Sprintf("a path of up to %d characters that begins with /", most))
	first, last, example := 200, 499, "200 or 200-299 or 200,302"
	if route.Protocol == grpc {
		first, last, example = 0, 99, "12 or 0-99"
	}
	if codes := here.at("codes"); codes.present && !awslimits.Codes(check.Codes, first, last) {
		codes.fail("is %q; allowed: %d to %d, as in %s", check.Codes, first, last, example)
	}
	if check.Timeout >= check.Interval && !here.at("interval").bad {
		here.at("timeout").fail("is %d, and a check must end before the next begins; write less than interval, which is %d",
			check.Timeout, check.Interval)
	}
}

// ExactPath is what the first path begins with, up to its first wildcard.
//
// Example: ExactPath() is /api/ of paths: ["/api/*"]
func (r Route) ExactPath() string {
	if len(r.Paths) == 0 {
		return "/"
	}
	exact, _, _ := strings.Cut(strings.ReplaceAll(r.Paths[0], "?", "*"), "*")
	return exact
}
