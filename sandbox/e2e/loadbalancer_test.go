package e2e

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/vpc"
)

func TestAServiceIsReachedThroughTheLoadBalancer(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("route: {}")
	u := p.up("dev")
	u.builtNothing()
	require.Contains(t, u.output, "loadBalancer (Pulumi.dev.yaml): the stage has no certificate, so it serves plain HTTP")
	require.Equal(t, []string{"1 ACTIVE"}, p.aws.revisions("slipway-dev-web"), "no new revision: only the service moves")

	balancer, listener, rule, targets := p.aws.object(elb.LoadBalancer), p.aws.object(elb.Listener),
		p.aws.object(elb.ListenerRule), p.aws.object(elb.TargetGroup)
	require.Equal(t, false, balancer["internal"])
	require.EqualValues(t, 60, balancer["idleTimeout"])
	require.Len(t, balancer["subnets"], len(vpc.Subnets))
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

	service := p.aws.web()
	require.Equal(t, []ecs.ServiceLoadBalancer{{TargetGroupARN: targets["arn"].(string), ContainerName: "web",
		ContainerPort: 8080}}, service.Settings.LoadBalancers)
	require.Equal(t, 60, service.Settings.HealthCheckGracePeriod)
	require.Equal(t, "http://"+balancer["dnsName"].(string)+"/", p.state("dev").outputs().Services["web"].URL)
	requireSecurityGroupRules(p, balancer, service)

	p.withoutOptions()
	p.up("dev")
	for _, kind := range []string{elb.LoadBalancer, elb.Listener, elb.ListenerRule, elb.TargetGroup,
		vpc.SecurityGroupRule} {
		require.Empty(t, p.aws.objects(kind), kind)
	}
	require.Empty(t, p.aws.web().Settings.LoadBalancers)
	require.Equal(t, 1, p.aws.service("slipway-dev").Running)

	// With a route again: ECS takes a grace period only where a load balancer is.
	p.serviceKeys("route: {gracePeriod: 90}")
	p.up("dev")
	require.Len(t, p.aws.web().Settings.LoadBalancers, 1)
	require.Equal(t, 90, p.aws.web().Settings.HealthCheckGracePeriod)

	// Another port is open before the tasks that listen there come, and the earlier one shuts once the others are gone.
	p.replace("Pulumi.dev.yaml", "route: {gracePeriod: 90}", "route: {gracePeriod: 90}\n      port: 9090")
	changes := p.up("dev").changed()
	moved := slices.Index(changes, "Update aws:ecs/service:Service")
	require.Greater(t, moved, slices.Index(changes, "Create aws:ec2/securityGroupRule:SecurityGroupRule"))
	require.Less(t, moved, slices.Index(changes, "Delete aws:ec2/securityGroupRule:SecurityGroupRule"))
	require.Equal(t, 9090, p.aws.web().Settings.LoadBalancers[0].ContainerPort)
	p.settled("dev")
}

// requireSecurityGroupRules asserts that the world reaches the load balancer, that the load balancer and nobody else
// reaches the service's tasks, and that it reaches nothing but them.
func requireSecurityGroupRules(p *project, balancer account.Object, service *ecs.Service) {
	p.Helper()
	own, tasks := balancer["securityGroups"].([]any)[0], service.Settings.SecurityGroups[0]
	var rules []string
	for _, rule := range p.aws.objects(vpc.SecurityGroupRule) {
		from := rule["sourceSecurityGroupId"]
		if from == nil || from == "" {
			from = rule["cidrBlocks"]
		}
		rules = append(rules, fmt.Sprintf("%s of %s at %v: %v", rule["type"], rule["securityGroupId"], rule["fromPort"],
			from))
	}
	require.ElementsMatch(p, []string{
		fmt.Sprintf("ingress of %s at 80: [0.0.0.0/0]", own),
		fmt.Sprintf("ingress of %s at 8080: %s", tasks, own),
		fmt.Sprintf("egress of %s at 8080: %s", own, tasks),
	}, rules)
	for _, group := range p.aws.objects(vpc.SecurityGroup) {
		require.Empty(p, group["ingress"], "inline rules")
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
	balancer := p.aws.object(elb.LoadBalancer)
	arn := balancer["arn"].(string)

	p.serviceKeys("route: {hosts: [dev.example.com], protocol: grpc}")
	p.stageKeys("slipway:loadBalancer: {arn: \"" + arn + "\", zone: example.com}")
	u := p.up("dev")
	for _, change := range u.changed() {
		require.NotContains(t, change, "loadBalancer:LoadBalancer")
		require.NotContains(t, change, "listener:Listener")
		require.NotContains(t, change, "certificate")
	}
	require.Len(t, p.aws.objects(elb.LoadBalancer), 1)
	require.Len(t, p.aws.objects(elb.ListenerRule), 2)
	var protocols []any
	for _, targets := range p.aws.objects(elb.TargetGroup) {
		check := targets["healthCheck"].(map[string]any)
		protocols = append(protocols, fmt.Sprint(targets["protocolVersion"], " ", check["path"], " ", check["matcher"]))
	}
	require.ElementsMatch(t, []any{"HTTP1 / 200", "GRPC /AWS.ALB/healthcheck 12"}, protocols)
	require.Equal(t, "https://dev.example.com/", p.state("dev").outputs().Services["web"].URL)
	require.Equal(t, 1, p.aws.service("slipway-dev").Running, "its security group lets the load balancer through")
	p.settled("dev")

	p.withoutOptions()
	p.up("dev")
	require.Len(t, p.aws.objects(elb.ListenerRule), 1, "that of the other stage")
	require.Len(t, p.aws.objects(elb.LoadBalancer), 1)
}

func TestATaskThatFailsItsTargetsHealthChecksIsRed(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("route: {}")
	p.up("dev")
	p.aws.setFaults(map[string]string{"unhealthy-targets": "slipway-dev-web:2"})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.refused([]string{"services.web: the deployment of slipway-dev-web:2 failed and was rolled back",
		"Task failed ELB health checks",
		"Health checks failed with these codes: [503]", "Serving now: slipway-dev-web:1, 1 of 1 replicas"}, upArgs("dev")...)
}
