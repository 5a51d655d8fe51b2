package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/dns"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/logs"
	"slipway/sandbox/account/scaling"
	"slipway/sandbox/account/secrets"
	"slipway/sandbox/account/vpc"
)

// everyOptionOfWeb and everyOptionOfDev are what stage dev can have of a service and of all of it.
func everyOptionOfWeb() []string {
	return append([]string{
		"route: {hosts: [web.dev.example.com, example.com], paths: [/a, \"/b/*\"], priority: 7, protocol: http2, " +
			"gracePeriod: 0, deregistrationDelay: 5, stickiness: 600, healthCheck: {path: /health, codes: \"200-299,302\", " +
			"interval: 10, timeout: 3, healthyThreshold: 3, unhealthyThreshold: 4}}",
		"scaling: {min: 0, max: 6, cpu: 60, memory: 70, requests: 1000, scaleInCooldown: 600, scaleOutCooldown: 0, " +
			"schedules: {night: {when: \"cron(0 22 ? * MON-FRI *)\", timeZone: Asia/Seoul, min: 0, max: 2}, " +
			"sale: {when: \"at(2036-12-24T18:00:00)\", min: 3}, often: {when: \"rate(2 hours)\", max: 5}}}",
		"deployment: {minimumHealthy: 0, maximum: 150, circuitBreaker: stop, maxErrors: 10, alarms: [shop-latency]}",
		"secrets: [API_KEY, TOKEN]",
		"permissions:",
		"  - {actions: [\"s3:GetObject\", \"s3:Put*\"], resources: [\"arn:aws:s3:::shop-uploads/*\"], conditions: " +
			"{StringEquals: {\"aws:ResourceTag/team\": [shop, web]}, \"ForAnyValue:StringLike\": {\"aws:TagKeys\": [\"a*\"]}}}",
		"  - {actions: [\"cloudwatch:PutMetricData\"], resources: [\"*\"]}",
		`allowFrom: [10.0.0.0/8, "fd00::/8"]`,
		"logRetention: 90", "stopTimeout: 120", "exec: true",
		"healthCheck: {command: [CMD, /app, -healthcheck], interval: 30, timeout: 3, retries: 2, startPeriod: 15}",
	}, several...)
}

func everyOptionOfDev(boundary string) []string {
	two := vpc.Subnets[0].ID + ", " + vpc.Subnets[1].ID
	return []string{
		"slipway:secrets: {TOKEN: \"" + parameter + "\"}",
		"slipway:loadBalancer: {zone: example.com, tlsPolicy: ELBSecurityPolicy-TLS13-1-3-2021-06, internal: true, subnets: [" +
			two + "], allowFrom: [10.0.0.0/8, 192.168.0.0/16], idleTimeout: 120, deletionProtection: true, " +
			"accessLogs: {bucket: shop-logs, prefix: dev}}",
		"slipway:network: {vpc: " + vpc.DefaultVPC + ", subnets: [" + two + "], assignPublicIp: true}",
		"slipway:roles: {path: /slipway/dev/, permissionsBoundary: \"" + boundary + "\"}",
		"slipway:tags: {team: shop, owner: kim, \"cost:center\": \"42 a\"}",
		"slipway:cluster: {containerInsights: enabled}",
		"slipway:repository: {forceDelete: true, keepImages: 50}",
	}
}

// Each option comes into the account, none of them leaves anything to be done, and what is removed from the stage file
// is as if it had never been there.
func TestEveryOptionComesAndGoes(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	bare, settings := p.container("slipway-dev-web:1"), p.ecsService().Settings
	boundary, err := iam.AddPolicy(p.open(), "boundary", `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`)
	require.NoError(t, err)
	p.serviceKeys(everyOptionOfWeb()...)
	p.stageKeys(everyOptionOfDev(boundary)...)
	p.encrypt("API_KEY", "hunter2-every")
	u := p.up("dev")
	u.builtNothing()
	require.NotContains(t, u.output, "plain HTTP")
	p.requireEveryOptionOfTheLoadBalancer()
	p.requireEveryOptionOfScaling()
	p.requireEveryOptionOfTheService(boundary)
	p.requireTags(map[string]string{"team": "shop", "owner": "kim", "cost:center": "42 a"})
	p.settled("dev")

	// Tags, and what else is no new revision, are no deployment.
	deployment, revisions := p.ecsService().Deployments[0].ID, p.revisions("slipway-dev-web")
	p.replace("Pulumi.dev.yaml", "team: shop, owner: kim", "team: kiosk")
	p.replace("Pulumi.dev.yaml", "deletionProtection: true", "deletionProtection: false")
	p.replace("Pulumi.dev.yaml", "logRetention: 90", "logRetention: 1")
	p.replace("Pulumi.dev.yaml", "maximum: 150, circuitBreaker: stop", "maximum: 200, circuitBreaker: off")
	p.replace("Pulumi.dev.yaml", "containerInsights: enabled", "containerInsights: enhanced")
	for _, change := range p.up("dev").changed() {
		require.True(t, strings.HasPrefix(change, "Update "), change)
	}
	p.requireTags(map[string]string{"team": "kiosk", "cost:center": "42 a"})
	require.Equal(t, revisions, p.revisions("slipway-dev-web"))
	require.Equal(t, deployment, p.ecsService().Deployments[0].ID)
	require.Len(t, p.ecsService().Deployments, 1)
	require.Equal(t, false, p.object(elb.LoadBalancer)["enableDeletionProtection"])
	require.EqualValues(t, 1, p.object(logs.LogGroup)["retentionInDays"])
	require.Equal(t, []any{200, false}, []any{p.ecsService().Settings.MaximumPercent,
		p.ecsService().Settings.CircuitBreaker})
	require.Equal(t, "enhanced", p.insights())

	// The least of what has options of its own.
	p.withoutOptions()
	p.serviceKeys("route: {hosts: [web.dev.example.com]}", "scaling: {max: 4, cpu: 50}", "exec: true",
		"permissions: [{actions: [\"s3:GetObject\"], resources: [\"arn:aws:s3:::shop-uploads/*\"]}]",
		"healthCheck: {command: [CMD-SHELL, \"/app -healthcheck || exit 1\"]}")
	u = p.up("dev")
	u.builtNothing()
	p.requireTheLeast(u)
	p.settled("dev")

	p.withoutOptions()
	p.up("dev").builtNothing()
	for _, kind := range []string{elb.LoadBalancer, elb.Listener, elb.ListenerRule, elb.TargetGroup,
		vpc.SecurityGroupRule, scaling.MetricAlarm, scaling.ScalableTarget, scaling.ScalingPolicy,
		scaling.ScheduledAction, dns.Certificate} {
		require.Empty(t, p.objects(kind), kind)
	}
	require.Empty(t, p.taskPolicies())
	require.NotEmpty(t, p.object(secrets.Secret)["deletedDate"])
	require.Equal(t, bare, p.container("slipway-dev-web:4"))
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE", "3 ACTIVE", "4 ACTIVE"}, p.revisions("slipway-dev-web"))
	require.False(t, p.ecsService().Settings.Alarms.Enable)
	left := p.ecsService().Settings
	left.Alarms, left.HealthCheckGracePeriod = settings.Alarms, settings.HealthCheckGracePeriod // both are off
	for _, key := range []string{"alarms", "healthCheckGracePeriodSeconds", "id", "taskDefinition"} {
		delete(left.Other, key)
		delete(settings.Other, key)
	}
	require.Equal(t, settings, left)
	require.Equal(t, 1, p.service("slipway-dev").Running)
	for _, kind := range []string{ecs.Cluster, logs.LogGroup, ecr.Repository, iam.Role,
		vpc.SecurityGroup} {
		for _, object := range p.objects(kind) {
			p.requireTagged(object["tagsAll"], nil)
		}
	}
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

func (p *project) requireEveryOptionOfTheLoadBalancer() {
	p.Helper()
	balancer := p.object(elb.LoadBalancer)
	for key, want := range map[string]any{"internal": true, "idleTimeout": 120, "enableDeletionProtection": true} {
		require.EqualValues(p, want, balancer[key], key)
	}
	require.ElementsMatch(p, []any{vpc.Subnets[0].ID, vpc.Subnets[1].ID}, balancer["subnets"])
	logs := balancer["accessLogs"].(map[string]any)
	require.Equal(p, []any{"shop-logs", "dev", true}, []any{logs["bucket"], logs["prefix"], logs["enabled"]})
	var admitted []string
	for _, rule := range p.objects(vpc.SecurityGroupRule) {
		if blocks, given := rule["cidrBlocks"]; given && blocks != nil && rule["type"] == "ingress" {
			admitted = append(admitted, fmt.Sprint(rule["fromPort"], blocks))
		}
	}
	require.Subset(p, admitted, []string{"80 [10.0.0.0/8]", "443 [10.0.0.0/8]", "80 [192.168.0.0/16]",
		"443 [192.168.0.0/16]", "8080 [10.0.0.0/8]"})

	certificate := p.object(dns.Certificate)
	require.ElementsMatch(p, []any{"*.dev.example.com", "example.com"}, certificate["subjectAlternativeNames"])
	require.Equal(p, "DNS", certificate["validationMethod"])
	records := map[string]string{}
	for _, record := range p.objects(dns.Record) {
		records[fmt.Sprint(record["name"], " ", record["type"])] = fmt.Sprint(record["aliases"])
	}
	require.Len(p, records, 4, "%v", records)
	for _, host := range []string{"web.dev.example.com", "example.com"} {
		require.Contains(p, records[host+" A"], balancer["dnsName"].(string))
	}
	listeners := map[any]account.Object{}
	for _, listener := range p.objects(elb.Listener) {
		listeners[listener["protocol"]] = listener
	}
	require.Equal(p, certificate["arn"], listeners["HTTPS"]["certificateArn"])
	require.Equal(p, "ELBSecurityPolicy-TLS13-1-3-2021-06", listeners["HTTPS"]["sslPolicy"])
	redirect := listeners["HTTP"]["defaultActions"].([]any)[0].(map[string]any)["redirect"].(map[string]any)
	require.Equal(p, []any{"HTTP_301", "HTTPS"}, []any{redirect["statusCode"], redirect["protocol"]})

	rule, targets := p.object(elb.ListenerRule), p.object(elb.TargetGroup)
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
	require.Equal(p, "https://web.dev.example.com/a", p.outputs("dev").Services["web"].URL)
}

func (p *project) requireEveryOptionOfScaling() {
	p.Helper()
	target := p.object(scaling.ScalableTarget)
	require.EqualValues(p, 0, target["minCapacity"])
	require.EqualValues(p, 6, target["maxCapacity"])
	label := nameInCloudWatch(p.object(elb.LoadBalancer)) + "/" + nameInCloudWatch(p.object(elb.TargetGroup))
	require.Regexp(p, `^app/[^/]+/[0-9a-f]+/targetgroup/[^/]+/[0-9a-f]+$`, label)
	policies := p.policies()
	require.Len(p, policies, 3)
	require.Equal(p, label,
		policies["ALBRequestCountPerTarget"]["predefinedMetricSpecification"].(map[string]any)["resourceLabel"])
	for metric, settings := range policies {
		require.EqualValues(p, 600, settings["scaleInCooldown"], metric)
		require.EqualValues(p, 0, settings["scaleOutCooldown"], metric)
		require.NotEqual(p, true, settings["disableScaleIn"], metric)
	}
	require.Len(p, p.objects(scaling.ScheduledAction), 3)
}

func (p *project) requireEveryOptionOfTheService(boundary string) {
	p.Helper()
	s := p.ecsService().Settings
	require.Equal(p, []any{0, 150, true, false, 0},
		[]any{s.MinimumHealthyPercent, s.MaximumPercent, s.CircuitBreaker, s.Rollback, s.HealthCheckGracePeriod})
	require.ElementsMatch(p, []string{"slipway-dev-web-errors", "shop-latency"}, s.Alarms.Names)
	require.ElementsMatch(p, []string{vpc.Subnets[0].ID, vpc.Subnets[1].ID}, s.Subnets)
	require.Equal(p, true, s.Other["enableExecuteCommand"])
	require.EqualValues(p, 90, p.object(logs.LogGroup)["retentionInDays"])
	require.Equal(p, "enabled", p.insights())

	registered, err := ecs.FindTaskDefinition(p.open(), "slipway-dev-web:2")
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
	require.Len(p, p.objects(iam.Role), 2)
	for _, role := range p.objects(iam.Role) {
		require.Equal(p, []any{"/slipway/dev/", boundary}, []any{role["path"], role["permissionsBoundary"]})
	}
	require.ElementsMatch(p, []string{"Login", "Pull", "Log", "Secrets", "Parameters"},
		keys(p.statements("slipway-dev-web-execution")))
	require.Equal(p, statement{Effect: "Allow", Action: []string{"s3:GetObject", "s3:Put*"},
		Resource: []string{"arn:aws:s3:::shop-uploads/*"},
		Condition: map[string]map[string][]string{"StringEquals": {"aws:ResourceTag/team": {"shop", "web"}},
			"ForAnyValue:StringLike": {"aws:TagKeys": {"a*"}}}}, p.statements("slipway-dev-web-task")["0"])
	require.ElementsMatch(p, []string{"0", "1", "Exec"}, keys(p.statements("slipway-dev-web-task")))
	healthy := 0
	for _, task := range p.ecsService().Tasks {
		if task.LastStatus == "RUNNING" {
			require.Equal(p, "HEALTHY", task.Health)
			healthy++
		}
	}
	require.Equal(p, 1, healthy)
}

// requireTheLeast asserts what an update has left of every option, for a service with a bare route, scaling and check.
func (p *project) requireTheLeast(u *update) {
	p.Helper()
	require.Contains(p, u.output, "loadBalancer (Pulumi.dev.yaml): the stage has no certificate, so it serves plain HTTP")
	changed := u.changed()
	require.NotContains(p, changed, "Delete aws:ecs/service:Service")
	require.Greater(p, slices.Index(changed, "Delete aws:lb/loadBalancer:LoadBalancer"),
		slices.Index(changed, "Update aws:ecs/service:Service"), "the old one goes once the service has left it")
	balancer, targets := p.object(elb.LoadBalancer), p.object(elb.TargetGroup)
	require.Equal(p, false, balancer["internal"], "a new one took its place")
	require.EqualValues(p, 60, balancer["idleTimeout"])
	require.Equal(p, false, balancer["accessLogs"].(map[string]any)["enabled"])
	require.Len(p, balancer["subnets"], len(vpc.Subnets))
	require.Equal(p, "HTTP", p.object(elb.Listener)["protocol"])
	require.NotEqual(p, "HTTP2", targets["protocolVersion"])
	require.Equal(p, false, targets["stickiness"].(map[string]any)["enabled"])
	require.EqualValues(p, 15, targets["deregistrationDelay"])
	require.Greater(p, p.object(elb.ListenerRule)["priority"], 1000.0)
	require.Equal(p, 60, p.ecsService().Settings.HealthCheckGracePeriod)
	require.Empty(p, p.objects(dns.Certificate))
	for _, record := range p.objects(dns.Record) {
		require.Equal(p, "CNAME", record["type"], "the proof of a domain stays, for other stages' certificates")
	}

	target := p.object(scaling.ScalableTarget)
	require.EqualValues(p, 1, target["minCapacity"])
	require.EqualValues(p, 4, target["maxCapacity"])
	policies := p.policies()
	require.Len(p, policies, 1)
	require.EqualValues(p, 50, policies["ECSServiceAverageCPUUtilization"]["targetValue"])
	require.EqualValues(p, 300, policies["ECSServiceAverageCPUUtilization"]["scaleInCooldown"])
	require.EqualValues(p, 60, policies["ECSServiceAverageCPUUtilization"]["scaleOutCooldown"])
	require.Empty(p, p.objects(scaling.ScheduledAction))
	require.Empty(p, p.objects(scaling.MetricAlarm))

	require.Equal(p, map[string]any{"command": []any{"CMD-SHELL", "/app -healthcheck || exit 1"}, "interval": 10.0,
		"timeout": 5.0, "retries": 3.0}, p.container("slipway-dev-web:3")["healthCheck"])
	require.Nil(p, p.statements("slipway-dev-web-task")["0"].Condition)
	require.ElementsMatch(p, []string{"0", "Exec"}, keys(p.statements("slipway-dev-web-task")))
	require.ElementsMatch(p, []string{"Login", "Pull", "Log"}, keys(p.statements("slipway-dev-web-execution")))
	for _, role := range p.objects(iam.Role) {
		require.Equal(p, "/", role["path"])
		require.Empty(p, role["permissionsBoundary"])
	}
	require.EqualValues(p, 30, p.object(logs.LogGroup)["retentionInDays"])
	require.Equal(p, "disabled", p.insights())
	require.Equal(p, 1, p.service("slipway-dev").Running)
}
