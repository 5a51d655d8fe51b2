package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

func TestAServiceIsReachedThroughTheLoadBalancer(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("route: {}")
	u := p.up("dev")
	u.builtNothing()
	require.Contains(t, u.output, "loadBalancer (Pulumi.dev.yaml): the stage has no certificate, so it serves plain HTTP")
	require.Equal(t, []string{"1 ACTIVE"}, p.revisions("slipway-dev-web"), "no new revision: only the service moves")

	balancer, listener, rule, targets := p.object(account.LoadBalancer), p.object(account.Listener),
		p.object(account.ListenerRule), p.object(account.TargetGroup)
	require.Equal(t, false, balancer["internal"])
	require.EqualValues(t, 60, balancer["idleTimeout"])
	require.Len(t, balancer["subnets"], len(account.Subnets))
	require.EqualValues(t, 80, listener["port"])
	require.Equal(t, "HTTP", listener["protocol"])
	require.Equal(t, "404",
		listener["defaultActions"].([]any)[0].(map[string]any)["fixedResponse"].(map[string]any)["statusCode"])
	require.Equal(t, targets["arn"], rule["actions"].([]any)[0].(map[string]any)["targetGroupArn"])
	require.Equal(t, []any{"/*"}, values(rule, "pathPattern"))

	check := targets["healthCheck"].(map[string]any)
	for key, want := range map[string]any{"path": "/", "matcher": "200", "interval": 5, "timeout": 4,
		"healthyThreshold": 2, "unhealthyThreshold": 3} {
		require.EqualValues(t, want, check[key], key)
	}
	require.EqualValues(t, 15, targets["deregistrationDelay"])
	require.Equal(t, "ip", targets["targetType"])
	require.Equal(t, false, targets["stickiness"].(map[string]any)["enabled"])

	service := p.ecsService()
	require.Equal(t, []account.ServiceLoadBalancer{{TargetGroupARN: targets["arn"].(string), ContainerName: "web",
		ContainerPort: 8080}}, service.Settings.LoadBalancers)
	require.Equal(t, 60, service.Settings.HealthCheckGracePeriod)
	require.Equal(t, "http://"+balancer["dnsName"].(string)+"/", p.outputs("dev").Services["web"].URL)
	p.requireDoors(balancer, service)
	p.settled("dev")

	p.withoutOptions()
	p.up("dev")
	for _, kind := range []string{account.LoadBalancer, account.Listener, account.ListenerRule, account.TargetGroup,
		account.SecurityGroupRule} {
		require.Empty(t, p.objects(kind), kind)
	}
	require.Empty(t, p.ecsService().Settings.LoadBalancers)
	require.Equal(t, 1, p.service("slipway-dev").Running)
	p.settled("dev")
}

// values are those of the one condition of a listener rule that has such a field.
func values(rule account.Object, field string) any {
	for _, condition := range rule["conditions"].([]any) {
		if found, is := condition.(map[string]any)[field].(map[string]any); is {
			return found["values"]
		}
	}
	return nil
}

// requireDoors asserts that the world reaches the load balancer, that the load balancer and nobody else reaches the
// service's tasks, and that it reaches nothing but them.
func (p *project) requireDoors(balancer account.Object, service *account.Service) {
	p.Helper()
	own, tasks := balancer["securityGroups"].([]any)[0], service.Settings.SecurityGroups[0]
	var doors []string
	for _, rule := range p.objects(account.SecurityGroupRule) {
		from := rule["sourceSecurityGroupId"]
		if from == nil || from == "" {
			from = rule["cidrBlocks"]
		}
		doors = append(doors, fmt.Sprintf("%s of %s at %v: %v", rule["type"], rule["securityGroupId"], rule["fromPort"],
			from))
	}
	require.ElementsMatch(p, []string{
		fmt.Sprintf("ingress of %s at 80: [0.0.0.0/0]", own),
		fmt.Sprintf("ingress of %s at 8080: %s", tasks, own),
		fmt.Sprintf("egress of %s at 8080: %s", own, tasks),
	}, doors)
	for _, group := range p.objects(account.SecurityGroup) {
		require.Empty(p, group["ingress"], "inline rules")
	}
}

func TestHTTPSWithACertificateMadeForTheZone(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("route: {hosts: [web.dev.example.com, example.com], paths: [\"/shop/*\"]}")
	p.stageKeys("slipway:loadBalancer: {zone: example.com}")
	u := p.up("dev")
	require.NotContains(t, u.output, "plain HTTP")

	certificate := p.object(account.Certificate)
	require.ElementsMatch(t, []any{"*.dev.example.com", "example.com"}, certificate["subjectAlternativeNames"])
	require.Equal(t, "DNS", certificate["validationMethod"])
	records := map[string]string{}
	for _, record := range p.objects(account.Record) {
		records[fmt.Sprint(record["name"], " ", record["type"])] = fmt.Sprint(record["aliases"])
	}
	require.Len(t, records, 4, "%v", records)
	name := p.object(account.LoadBalancer)["dnsName"].(string)
	for _, host := range []string{"web.dev.example.com", "example.com"} {
		require.Contains(t, records[host+" A"], name)
	}
	listeners := map[any]account.Object{}
	for _, listener := range p.objects(account.Listener) {
		listeners[listener["protocol"]] = listener
	}
	require.Equal(t, certificate["arn"], listeners["HTTPS"]["certificateArn"])
	require.Equal(t, "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", listeners["HTTPS"]["sslPolicy"])
	redirect := listeners["HTTP"]["defaultActions"].([]any)[0].(map[string]any)["redirect"].(map[string]any)
	require.Equal(t, "HTTP_301", redirect["statusCode"])
	require.Equal(t, "HTTPS", redirect["protocol"])
	rule := p.object(account.ListenerRule)
	require.Equal(t, listeners["HTTPS"]["arn"], rule["listenerArn"])
	require.ElementsMatch(t, []any{"web.dev.example.com", "example.com"}, values(rule, "hostHeader"))
	require.Equal(t, []any{"/shop/*"}, values(rule, "pathPattern"))
	require.Equal(t, "https://web.dev.example.com/shop/", p.outputs("dev").Services["web"].URL)
	p.settled("dev")

	// Another host in a domain that is covered leaves the certificate and the listeners alone.
	p.replace("Pulumi.dev.yaml", "web.dev.example.com,", "web.dev.example.com, api.dev.example.com,")
	require.ElementsMatch(t, []string{"Create aws:route53/record:Record", "Update aws:lb/listenerRule:ListenerRule"},
		p.up("dev").changed())

	// Another service at the same host shares its record, whichever of them comes and goes.
	p.replace("Pulumi.dev.yaml", "    web:\n      replicas",
		"    api: {image: web, port: 8080, route: {hosts: [web.dev.example.com], paths: [\"/api/*\"]}}\n    web:\n      "+
			"replicas")
	for _, change := range p.up("dev").changed() {
		require.True(t, strings.HasPrefix(change, "Create ") && !strings.Contains(change, "route53"), change)
	}
	p.replace("Pulumi.dev.yaml",
		"    api: {image: web, port: 8080, route: {hosts: [web.dev.example.com], paths: [\"/api/*\"]}}\n", "")
	for _, change := range p.up("dev").changed() {
		require.True(t, strings.HasPrefix(change, "Delete ") && !strings.Contains(change, "route53"), change)
	}
	p.settled("dev")

	// Without HTTPS the stage goes on to serve, and says so. The proof of the domain stays, for other stages'
	// certificates.
	p.replace("Pulumi.dev.yaml", "  slipway:loadBalancer: {zone: example.com}\n", "")
	u = p.up("dev")
	require.Contains(t, u.output, "plain HTTP")
	require.NotContains(t, u.changed(), "Delete aws:ecs/service:Service")
	require.Empty(t, p.objects(account.Certificate))
	require.Equal(t, "HTTP", p.object(account.Listener)["protocol"])
	for _, record := range p.objects(account.Record) {
		require.Equal(t, "CNAME", record["type"])
	}
	p.settled("dev")
}

func TestEveryOptionOfTheLoadBalancer(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	const certificate = "arn:aws:acm:ap-northeast-2:123456789012:certificate/0a1b2c3d-0000-1111-2222-0a1b2c3d4e5f"
	two := account.Subnets[0].ID + ", " + account.Subnets[1].ID
	p.serviceKeys("route: {}")
	p.stageKeys("slipway:loadBalancer:", "  certificate: "+certificate, "  tlsPolicy: ELBSecurityPolicy-TLS13-1-3-2021-06",
		"  internal: true",
		"  subnets: ["+two+"]", "  allowFrom: [10.0.0.0/8, 192.168.0.0/16]", "  idleTimeout: 120",
		"  accessLogs: {bucket: shop-logs, prefix: dev}")
	p.up("dev")
	balancer := p.object(account.LoadBalancer)
	require.Equal(t, true, balancer["internal"])
	require.ElementsMatch(t, []any{account.Subnets[0].ID, account.Subnets[1].ID}, balancer["subnets"])
	require.EqualValues(t, 120, balancer["idleTimeout"])
	logs := balancer["accessLogs"].(map[string]any)
	require.Equal(t, []any{"shop-logs", "dev", true}, []any{logs["bucket"], logs["prefix"], logs["enabled"]})
	for _, listener := range p.objects(account.Listener) {
		if listener["protocol"] == "HTTPS" {
			require.Equal(t, certificate, listener["certificateArn"])
			require.Equal(t, "ELBSecurityPolicy-TLS13-1-3-2021-06", listener["sslPolicy"])
		}
	}
	var admitted []string
	for _, rule := range p.objects(account.SecurityGroupRule) {
		if rule["cidrBlocks"] != nil && rule["type"] == "ingress" {
			admitted = append(admitted, fmt.Sprint(rule["fromPort"], rule["cidrBlocks"]))
		}
	}
	require.ElementsMatch(t, []string{"80 [10.0.0.0/8]", "443 [10.0.0.0/8]", "80 [192.168.0.0/16]",
		"443 [192.168.0.0/16]"}, admitted)
	p.settled("dev")

	p.replace("Pulumi.dev.yaml", "    idleTimeout: 120\n    accessLogs: {bucket: shop-logs, prefix: dev}\n",
		"    deletionProtection: true\n")
	require.Contains(t, p.up("dev").changed(), "Update aws:lb/loadBalancer:LoadBalancer")
	balancer = p.object(account.LoadBalancer)
	require.EqualValues(t, 60, balancer["idleTimeout"])
	require.Equal(t, false, balancer["accessLogs"].(map[string]any)["enabled"])
	require.Equal(t, true, balancer["enableDeletionProtection"])
	p.settled("dev")

	p.replace("Pulumi.dev.yaml", "    deletionProtection: true\n", "")
	p.up("dev")
	require.Equal(t, false, p.object(account.LoadBalancer)["enableDeletionProtection"])
	p.replace("Pulumi.dev.yaml", "    internal: true\n", "")
	u := p.up("dev")
	require.NotContains(t, u.changed(), "Delete aws:ecs/service:Service")
	require.NotContains(t, u.changed(), "Delete aws:lb/targetGroup:TargetGroup")
	require.Equal(t, "Delete aws:lb/loadBalancer:LoadBalancer", u.changed()[len(u.changed())-1], "the old one goes last")
	require.Equal(t, false, p.object(account.LoadBalancer)["internal"], "a new one took its place")
	require.Equal(t, 1, p.service("slipway-dev").Running)
	p.settled("dev")
}

func TestEveryOptionOfARoute(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.stageKeys("slipway:loadBalancer: {zone: example.com}")
	p.serviceKeys("route:", "  hosts: [web.example.com]", "  paths: [/a, \"/b/*\"]", "  priority: 7", "  protocol: http2",
		"  gracePeriod: 0", "  deregistrationDelay: 5", "  stickiness: 600",
		"  healthCheck: {path: /health, codes: \"200-299,302\", interval: 10, timeout: 3, healthyThreshold: 3, "+
			"unhealthyThreshold: 4}")
	p.up("dev")
	rule, targets := p.object(account.ListenerRule), p.object(account.TargetGroup)
	require.EqualValues(t, 7, rule["priority"])
	require.ElementsMatch(t, []any{"/a", "/b/*"}, values(rule, "pathPattern"))
	require.Equal(t, []any{"web.example.com"}, values(rule, "hostHeader"))
	require.Equal(t, "HTTP2", targets["protocolVersion"])
	require.EqualValues(t, 5, targets["deregistrationDelay"])
	stickiness := targets["stickiness"].(map[string]any)
	require.Equal(t, true, stickiness["enabled"])
	require.EqualValues(t, 600, stickiness["cookieDuration"])
	check := targets["healthCheck"].(map[string]any)
	for key, want := range map[string]any{"path": "/health", "matcher": "200-299,302", "interval": 10, "timeout": 3,
		"healthyThreshold": 3, "unhealthyThreshold": 4} {
		require.EqualValues(t, want, check[key], key)
	}
	require.Zero(t, p.ecsService().Settings.HealthCheckGracePeriod)
	p.settled("dev")

	// Back to a bare route: each option is as if it had never been there.
	stage := p.read("Pulumi.dev.yaml")
	from, to := strings.Index(stage, "      route:\n"), strings.Index(stage, "      environment:")
	p.write("Pulumi.dev.yaml", stage[:from]+"      route: {hosts: [web.example.com]}\n"+stage[to:])
	p.up("dev")
	targets = p.object(account.TargetGroup)
	require.NotEqual(t, "HTTP2", targets["protocolVersion"])
	require.Equal(t, false, targets["stickiness"].(map[string]any)["enabled"])
	require.EqualValues(t, 15, targets["deregistrationDelay"])
	require.Greater(t, p.object(account.ListenerRule)["priority"], 1000.0)
	require.Equal(t, 60, p.ecsService().Settings.HealthCheckGracePeriod)
	p.settled("dev")

	// Without a route, and with one again: ECS takes a grace period only where a load balancer is.
	bare := p.read("Pulumi.dev.yaml")
	p.write("Pulumi.dev.yaml", stage[:from]+stage[to:])
	p.up("dev")
	require.Empty(t, p.ecsService().Settings.LoadBalancers)
	p.settled("dev")
	p.write("Pulumi.dev.yaml", strings.Replace(bare, "route: {", "route: {gracePeriod: 90, ", 1))
	p.up("dev")
	require.Len(t, p.ecsService().Settings.LoadBalancers, 1)
	require.Equal(t, 90, p.ecsService().Settings.HealthCheckGracePeriod)
	p.settled("dev")
}

func TestGRPCOverHTTPS(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("route: {hosts: [grpc.example.com], protocol: grpc}")
	p.stageKeys("slipway:loadBalancer: {zone: example.com}")
	p.up("dev")
	targets := p.object(account.TargetGroup)
	require.Equal(t, "GRPC", targets["protocolVersion"])
	check := targets["healthCheck"].(map[string]any)
	require.Equal(t, "/AWS.ALB/healthcheck", check["path"])
	require.Equal(t, "12", check["matcher"])
	p.settled("dev")
}

func TestTheTenthServiceTouchesNoneOfTheNine(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	services := func(n int) string {
		var lines strings.Builder
		for i := range n {
			fmt.Fprintf(&lines, "    s%d: {image: web, port: 8080, route: {hosts: [s%d.example.com]}}\n", i, i)
		}
		return lines.String()
	}
	stage := p.read("Pulumi.dev.yaml")
	p.write("Pulumi.dev.yaml", stage+services(9)+"  slipway:loadBalancer: {zone: example.com}\n")
	p.up("dev")
	before := map[any]any{}
	for _, rule := range p.objects(account.ListenerRule) {
		before[rule["arn"]] = rule["priority"]
	}
	require.Len(t, before, 9)
	p.write("Pulumi.dev.yaml", stage+services(10)+"  slipway:loadBalancer: {zone: example.com}\n")
	u := p.up("dev")
	for _, change := range u.changed() {
		require.True(t, strings.HasPrefix(change, "Create "), change)
	}
	after := map[any]any{}
	for _, rule := range p.objects(account.ListenerRule) {
		after[rule["arn"]] = rule["priority"]
	}
	require.Len(t, after, 10)
	for arn, priority := range before {
		require.Equal(t, priority, after[arn])
	}
	p.write("Pulumi.dev.yaml", stage+services(3)+"  slipway:loadBalancer: {zone: example.com}\n")
	for _, change := range p.up("dev").changed() {
		require.True(t, strings.HasPrefix(change, "Delete "), change)
	}
}

func TestAnExistingLoadBalancerGetsRulesOnly(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	// The stage `shared` makes the load balancer that dev uses.
	p.write("Pulumi.shared.yaml", p.read("Pulumi.dev.yaml")+"  slipway:loadBalancer: {zone: example.com}\n")
	p.replace("Pulumi.shared.yaml", "      replicas: 1\n",
		"      replicas: 1\n      route: {hosts: [shared.example.com]}\n")
	p.ok("pulumi", "stack", "init", "shared")
	p.up("shared")
	balancer := p.object(account.LoadBalancer)
	arn := balancer["arn"].(string)

	p.serviceKeys("route: {hosts: [dev.example.com]}")
	p.stageKeys("slipway:loadBalancer: {arn: \"" + arn + "\", zone: example.com}")
	u := p.up("dev")
	for _, change := range u.changed() {
		require.NotContains(t, change, "loadBalancer:LoadBalancer")
		require.NotContains(t, change, "listener:Listener")
		require.NotContains(t, change, "certificate")
	}
	require.Len(t, p.objects(account.LoadBalancer), 1)
	require.Len(t, p.objects(account.ListenerRule), 2)
	require.Equal(t, "https://dev.example.com/", p.outputs("dev").Services["web"].URL)
	require.Equal(t, 1, p.service("slipway-dev").Running, "its security group lets the load balancer through")
	p.settled("dev")

	p.replace("Pulumi.dev.yaml", "zone: example.com}", "port: 8443}")
	p.refused([]string{"loadBalancer.arn (Pulumi.dev.yaml)", "no listener at port 8443"}, upArgs("dev")...)
	p.replace("Pulumi.dev.yaml", arn, strings.Replace(arn, "/app/", "/app/x", 1))
	p.refused([]string{"loadBalancer.arn (Pulumi.dev.yaml)", "cannot be read"}, upArgs("dev")...)
	p.withoutOptions()
	p.up("dev")
	require.Len(t, p.objects(account.ListenerRule), 1, "that of the other stage")
	require.Len(t, p.objects(account.LoadBalancer), 1)
}

func TestATaskThatFailsItsTargetsHealthChecksIsRed(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("route: {}")
	p.up("dev")
	p.faults(map[string]string{"unhealthy-targets": "slipway-dev-web:2"})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.refused([]string{"services.web: the deployment of slipway-dev-web:2 failed and was rolled back",
		"Task failed ELB health checks",
		"Health checks failed with these codes: [503]", "Serving now: slipway-dev-web:1, 1 of 1 replicas"}, upArgs("dev")...)
}

func TestALoadBalancerThatCannotWorkIsRefusedFirst(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("route: {}")
	for options, says := range map[string][]string{
		"zone: example.org": {"loadBalancer.zone (Pulumi.dev.yaml)", "there is no public hosted zone example.org"},
		"subnets: [" + account.Subnets[0].ID + ", subnet-0123456789abcdef0]": {"loadBalancer.subnets (Pulumi.dev.yaml)",
			"subnet-0123456789abcdef0 cannot be read"},
	} {
		stage := p.read("Pulumi.dev.yaml")
		p.stageKeys("slipway:loadBalancer: {" + options + "}")
		if strings.Contains(options, "zone") {
			p.replace("Pulumi.dev.yaml", "route: {}", "route: {hosts: [web.example.org]}")
		}
		p.refused(says, upArgs("dev")...)
		p.write("Pulumi.dev.yaml", stage)
	}
	require.Empty(t, p.objects(account.TargetGroup), "nothing was made")
}

func TestWrongValuesOfRoutesAndLoadBalancersAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("route:", "  hosts: [Shop, \"a b\"]", "  paths: [api, api]", "  priority: 50001", "  protocol: tcp",
		"  gracePeriod: -1", "  deregistrationDelay: 3601", "  stickiness: 604801",
		"  healthCheck: {path: health, codes: \"99\", interval: 4, timeout: 121, healthyThreshold: 1, unhealthyThreshold: 11}")
	p.stageKeys("slipway:loadBalancer:", "  port: 70000", "  zone: Example", "  certificate: cert",
		"  tlsPolicy: ELBSecurityPolicy-2016-08", "  internal: \"yes\"", "  subnets: [one]",
		"  allowFrom: [10.0.0.1]", "  idleTimeout: 0", "  deletionProtection: 1", "  accessLogs: {prefix: /dev/}")
	r := p.refused([]string{"loadBalancer.port (Pulumi.dev.yaml): is 70000", "loadBalancer.internal (Pulumi.dev.yaml)",
		"loadBalancer.idleTimeout (Pulumi.dev.yaml): is 0; allowed: 1 to 4000",
		"loadBalancer.zone (Pulumi.dev.yaml)", "loadBalancer.certificate (Pulumi.dev.yaml)",
		"loadBalancer.tlsPolicy (Pulumi.dev.yaml)", "loadBalancer.subnets (Pulumi.dev.yaml): has 1 subnets",
		"loadBalancer.subnets[0] (Pulumi.dev.yaml)", "loadBalancer.allowFrom[0] (Pulumi.dev.yaml)",
		"loadBalancer.deletionProtection (Pulumi.dev.yaml)",
		"loadBalancer.accessLogs.bucket (Pulumi.dev.yaml): is missing", "loadBalancer.accessLogs.prefix (Pulumi.dev.yaml)"},
		upArgs("dev")...)
	for _, key := range []string{"hosts[0]", "hosts[1]", "paths[0]", "paths[1]", "priority", "protocol", "gracePeriod",
		"deregistrationDelay", "stickiness", "healthCheck.path",
		"healthCheck.codes", "healthCheck.interval", "healthCheck.timeout", "healthCheck.healthyThreshold",
		"healthCheck.unhealthyThreshold"} {
		require.Contains(t, r.output, "services.web.route."+key+" (Pulumi.dev.yaml)")
	}
	require.Empty(t, p.objects(account.TargetGroup))
}

func TestAnotherPortOpensTheNewDoorBeforeItShutsTheOldOne(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("route: {}")
	p.up("dev")
	p.replace("Pulumi.dev.yaml", "route: {}", "route: {}\n      port: 9090")
	changes := p.up("dev").changed()
	service := slices.Index(changes, "Update aws:ecs/service:Service")
	require.Greater(t, service, slices.Index(changes, "Create aws:ec2/securityGroupRule:SecurityGroupRule"))
	require.Less(t, service, slices.Index(changes, "Delete aws:ec2/securityGroupRule:SecurityGroupRule"))
	require.Equal(t, 9090, p.ecsService().Settings.LoadBalancers[0].ContainerPort)
	p.settled("dev")
}
