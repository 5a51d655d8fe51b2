package e2e

import (
	"fmt"
	"slices"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/dns"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/logs"
	"slipway/sandbox/account/scaling"
	"slipway/sandbox/account/vpc"
)

func requireEveryOptionOfTheLoadBalancer(p *project) {
	p.Helper()
	balancer := p.aws.object(elb.LoadBalancer)
	for key, want := range map[string]any{"internal": true, "idleTimeout": 120, "enableDeletionProtection": true} {
		require.EqualValues(p, want, balancer[key], key)
	}
	require.ElementsMatch(p, []any{vpc.Subnets[0].ID, vpc.Subnets[1].ID}, balancer["subnets"])
	logs := balancer["accessLogs"].(map[string]any)
	require.Equal(p, []any{"shop-logs", "dev", true}, []any{logs["bucket"], logs["prefix"], logs["enabled"]})
	var admitted []string
	for _, rule := range p.aws.objects(vpc.SecurityGroupRule) {
		if blocks, given := rule["cidrBlocks"]; given && blocks != nil && rule["type"] == "ingress" {
			admitted = append(admitted, fmt.Sprint(rule["fromPort"], blocks))
		}
	}
	require.Subset(p, admitted, []string{"80 [10.0.0.0/8]", "443 [10.0.0.0/8]", "80 [192.168.0.0/16]",
		"443 [192.168.0.0/16]", "8080 [10.0.0.0/8]"})

	certificate := p.aws.object(dns.Certificate)
	require.ElementsMatch(p, []any{"*.dev.example.com", "example.com"}, certificate["subjectAlternativeNames"])
	require.Equal(p, "DNS", certificate["validationMethod"])
	records := map[string]string{}
	for _, record := range p.aws.objects(dns.Record) {
		records[fmt.Sprint(record["name"], " ", record["type"])] = fmt.Sprint(record["aliases"])
	}
	require.Len(p, records, 4, "%v", records)
	for _, host := range []string{"web.dev.example.com", "example.com"} {
		require.Contains(p, records[host+" A"], balancer["dnsName"].(string))
	}
	listeners := map[any]account.Object{}
	for _, listener := range p.aws.objects(elb.Listener) {
		listeners[listener["protocol"]] = listener
	}
	require.Equal(p, certificate["arn"], listeners["HTTPS"]["certificateArn"])
	require.Equal(p, "ELBSecurityPolicy-TLS13-1-3-2021-06", listeners["HTTPS"]["sslPolicy"])
	redirect := listeners["HTTP"]["defaultActions"].([]any)[0].(map[string]any)["redirect"].(map[string]any)
	require.Equal(p, []any{"HTTP_301", "HTTPS"}, []any{redirect["statusCode"], redirect["protocol"]})

	rule, targets := p.aws.object(elb.ListenerRule), p.aws.object(elb.TargetGroup)
	require.Equal(p, listeners["HTTPS"]["arn"], rule["listenerArn"])
	require.EqualValues(p, 7, rule["priority"])
	require.ElementsMatch(p, []any{"/a", "/b/*"}, values(rule, "pathPattern"))
	require.ElementsMatch(p, []any{"web.dev.example.com", "example.com"}, values(rule, "hostHeader"))
	require.Equal(p, "HTTP2", targets["protocolVersion"])
	require.EqualValues(p, 5, targets["deregistrationDelay"])
	stickiness := targets["stickiness"].(map[string]any)
	require.Equal(p, true, stickiness["enabled"])
	require.EqualValues(p, 600, stickiness["cookieDuration"])
	check := targets["healthCheck"].(map[string]any)
	for key, want := range map[string]any{"path": "/health", "matcher": "200-299,302", "interval": 10, "timeout": 3,
		"healthyThreshold": 3, "unhealthyThreshold": 4} {
		require.EqualValues(p, want, check[key], key)
	}
	require.Equal(p, "https://web.dev.example.com/a", p.state("dev").outputs().Services["web"].URL)
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

func requireEveryOptionOfScaling(p *project) {
	p.Helper()
	target := p.aws.object(scaling.ScalableTarget)
	require.EqualValues(p, 0, target["minCapacity"])
	require.EqualValues(p, 6, target["maxCapacity"])
	label := nameInCloudWatch(p.aws.object(elb.LoadBalancer)) + "/" + nameInCloudWatch(p.aws.object(elb.TargetGroup))
	require.Regexp(p, `^app/[^/]+/[0-9a-f]+/targetgroup/[^/]+/[0-9a-f]+$`, label)
	policies := p.aws.scalingPolicies()
	require.Len(p, policies, 3)
	require.Equal(p, label,
		policies["ALBRequestCountPerTarget"]["predefinedMetricSpecification"].(map[string]any)["resourceLabel"])
	for metric, settings := range policies {
		require.EqualValues(p, 600, settings["scaleInCooldown"], metric)
		require.EqualValues(p, 0, settings["scaleOutCooldown"], metric)
		require.NotEqual(p, true, settings["disableScaleIn"], metric)
	}
	require.Len(p, p.aws.objects(scaling.ScheduledAction), 3)
}

func requireEveryOptionOfTheService(p *project, boundary string) {
	p.Helper()
	s := p.aws.web().Settings
	require.Equal(p, []any{0, 150, true, false, 0},
		[]any{s.MinimumHealthyPercent, s.MaximumPercent, s.CircuitBreaker, s.Rollback, s.HealthCheckGracePeriod})
	require.ElementsMatch(p, []string{"slipway-dev-web-errors", "shop-latency"}, s.Alarms.Names)
	require.ElementsMatch(p, []string{vpc.Subnets[0].ID, vpc.Subnets[1].ID}, s.Subnets)
	require.Equal(p, true, s.Other["enableExecuteCommand"])
	require.EqualValues(p, 90, p.aws.object(logs.LogGroup)["retentionInDays"])
	require.Equal(p, "enabled", containerInsights(p))

	registered, err := ecs.FindTaskDefinition(p.aws.open(), "slipway-dev-web:2")
	require.NoError(p.TB, err)
	require.Len(p, registered.Containers, 3)
	main := registered.Containers[2]
	require.EqualValues(p, 120, main["stopTimeout"])
	require.Equal(p, map[string]any{"command": []any{"CMD", "/app", "-healthcheck"}, "interval": 30.0, "timeout": 3.0,
		"retries": 2.0, "startPeriod": 15.0}, main["healthCheck"])
	require.Equal(p, map[string]any{"initProcessEnabled": true}, main["linuxParameters"])
	const roles = "arn:aws:iam::123456789012:role/slipway/dev/"
	require.Equal(p, []string{roles + "slipway-dev-web-execution", roles + "slipway-dev-web-task"},
		[]string{registered.ExecutionRoleARN, registered.TaskRoleARN})
	require.Len(p, p.aws.objects(iam.Role), 2)
	for _, role := range p.aws.objects(iam.Role) {
		require.Equal(p, []any{"/slipway/dev/", boundary}, []any{role["path"], role["permissionsBoundary"]})
	}
	require.ElementsMatch(p, []string{"Login", "Pull", "Log", "Secrets", "Parameters"},
		keys(p.aws.statements("slipway-dev-web-execution")))
	require.Equal(p, statement{Effect: "Allow", Action: []string{"s3:GetObject", "s3:Put*"},
		Resource: []string{"arn:aws:s3:::shop-uploads/*"},
		Condition: map[string]map[string][]string{"StringEquals": {"aws:ResourceTag/team": {"shop", "web"}},
			"ForAnyValue:StringLike": {"aws:TagKeys": {"a*"}}}}, p.aws.statements("slipway-dev-web-task")["0"])
	require.ElementsMatch(p, []string{"0", "1", "Exec"}, keys(p.aws.statements("slipway-dev-web-task")))
	healthy := 0
	for _, task := range p.aws.web().Tasks {
		if task.LastStatus == "RUNNING" {
			require.Equal(p, "HEALTHY", task.Health)
			healthy++
		}
	}
	require.Equal(p, 1, healthy)
}

// containerInsights is what the cluster's settings say of Container Insights.
func containerInsights(p *project) any {
	p.Helper()
	settings := p.aws.object(ecs.Cluster)["settings"].([]any)
	require.Len(p, settings, 1)
	setting := settings[0].(map[string]any)
	require.Equal(p, "containerInsights", setting["name"])
	return setting["value"]
}

// requireTheLeast asserts what an update has left of every option, for a service with a bare route, scaling and check.
func requireTheLeast(p *project, u *update) {
	p.Helper()
	require.Contains(p, u.output, "loadBalancer (Pulumi.dev.yaml): the stage has no certificate, so it serves plain HTTP")
	changed := u.changed()
	require.NotContains(p, changed, "Delete aws:ecs/service:Service")
	require.Greater(p, slices.Index(changed, "Delete aws:lb/loadBalancer:LoadBalancer"),
		slices.Index(changed, "Update aws:ecs/service:Service"), "the old one goes once the service has left it")
	balancer, targets := p.aws.object(elb.LoadBalancer), p.aws.object(elb.TargetGroup)
	require.Equal(p, false, balancer["internal"], "a new one took its place")
	require.EqualValues(p, 60, balancer["idleTimeout"])
	require.Equal(p, false, balancer["accessLogs"].(map[string]any)["enabled"])
	require.Len(p, balancer["subnets"], len(vpc.Subnets))
	require.Equal(p, "HTTP", p.aws.object(elb.Listener)["protocol"])
	require.NotEqual(p, "HTTP2", targets["protocolVersion"])
	require.Equal(p, false, targets["stickiness"].(map[string]any)["enabled"])
	require.EqualValues(p, 15, targets["deregistrationDelay"])
	require.Greater(p, p.aws.object(elb.ListenerRule)["priority"], 1000.0)
	require.Equal(p, 60, p.aws.web().Settings.HealthCheckGracePeriod)
	require.Empty(p, p.aws.objects(dns.Certificate))
	for _, record := range p.aws.objects(dns.Record) {
		require.Equal(p, "CNAME", record["type"], "the proof of a domain stays, for other stages' certificates")
	}

	target := p.aws.object(scaling.ScalableTarget)
	require.EqualValues(p, 1, target["minCapacity"])
	require.EqualValues(p, 4, target["maxCapacity"])
	policies := p.aws.scalingPolicies()
	require.Len(p, policies, 1)
	require.EqualValues(p, 50, policies["ECSServiceAverageCPUUtilization"]["targetValue"])
	require.EqualValues(p, 300, policies["ECSServiceAverageCPUUtilization"]["scaleInCooldown"])
	require.EqualValues(p, 60, policies["ECSServiceAverageCPUUtilization"]["scaleOutCooldown"])
	require.Empty(p, p.aws.objects(scaling.ScheduledAction))
	require.Empty(p, p.aws.objects(scaling.MetricAlarm))

	require.Equal(p, map[string]any{"command": []any{"CMD-SHELL", "/app -healthcheck || exit 1"}, "interval": 10.0,
		"timeout": 5.0, "retries": 3.0}, p.aws.container("slipway-dev-web:3")["healthCheck"])
	require.Nil(p, p.aws.statements("slipway-dev-web-task")["0"].Condition)
	require.ElementsMatch(p, []string{"0", "Exec"}, keys(p.aws.statements("slipway-dev-web-task")))
	require.ElementsMatch(p, []string{"Login", "Pull", "Log"}, keys(p.aws.statements("slipway-dev-web-execution")))
	for _, role := range p.aws.objects(iam.Role) {
		require.Equal(p, "/", role["path"])
		require.Empty(p, role["permissionsBoundary"])
	}
	require.EqualValues(p, 30, p.aws.object(logs.LogGroup)["retentionInDays"])
	require.Equal(p, "disabled", containerInsights(p))
	require.Equal(p, 1, p.aws.service("slipway-dev").Running)
}
