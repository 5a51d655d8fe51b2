package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
func everyOptionOfWeb(t *testing.T) []string {
	t.Helper()
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
	}, several(busybox(t).String())...)
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
	bare, settings := p.aws.container("slipway-dev-web:1"), p.aws.web().Settings
	boundary, err := iam.AddPolicy(p.aws.open(), "boundary", `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`)
	require.NoError(t, err)
	p.seedParameter()
	p.serviceKeys(everyOptionOfWeb(t)...)
	p.stageKeys(everyOptionOfDev(boundary)...)
	p.encrypt("dev", "API_KEY", "hunter2-every")
	u := p.up("dev")
	u.builtNothing()
	require.NotContains(t, u.output, "plain HTTP")
	requireEveryOptionOfTheLoadBalancer(p)
	requireEveryOptionOfScaling(p)
	requireEveryOptionOfTheService(p, boundary)
	requireTags(p, map[string]string{"team": "shop", "owner": "kim", "cost:center": "42 a"})
	p.settled("dev")

	// Tags, and what else is no new revision, are no deployment.
	deployment, revisions := p.aws.web().Deployments[0].ID, p.aws.revisions("slipway-dev-web")
	p.replace("Pulumi.dev.yaml", "team: shop, owner: kim", "team: kiosk")
	p.replace("Pulumi.dev.yaml", "deletionProtection: true", "deletionProtection: false")
	p.replace("Pulumi.dev.yaml", "logRetention: 90", "logRetention: 1")
	p.replace("Pulumi.dev.yaml", "maximum: 150, circuitBreaker: stop", "maximum: 200, circuitBreaker: off")
	p.replace("Pulumi.dev.yaml", "containerInsights: enabled", "containerInsights: enhanced")
	for _, change := range p.up("dev").changed() {
		require.True(t, strings.HasPrefix(change, "Update "), change)
	}
	requireTags(p, map[string]string{"team": "kiosk", "cost:center": "42 a"})
	require.Equal(t, revisions, p.aws.revisions("slipway-dev-web"))
	require.Equal(t, deployment, p.aws.web().Deployments[0].ID)
	require.Len(t, p.aws.web().Deployments, 1)
	require.Equal(t, false, p.aws.object(elb.LoadBalancer)["enableDeletionProtection"])
	require.EqualValues(t, 1, p.aws.object(logs.LogGroup)["retentionInDays"])
	require.Equal(t, []any{200, false}, []any{p.aws.web().Settings.MaximumPercent,
		p.aws.web().Settings.CircuitBreaker})
	require.Equal(t, "enhanced", containerInsights(p))

	// The least of what has options of its own.
	p.withoutOptions()
	p.serviceKeys("route: {hosts: [web.dev.example.com]}", "scaling: {max: 4, cpu: 50}", "exec: true",
		"permissions: [{actions: [\"s3:GetObject\"], resources: [\"arn:aws:s3:::shop-uploads/*\"]}]",
		"healthCheck: {command: [CMD-SHELL, \"/app -healthcheck || exit 1\"]}")
	u = p.up("dev")
	u.builtNothing()
	requireTheLeast(p, u)
	p.settled("dev")

	p.withoutOptions()
	p.up("dev").builtNothing()
	for _, kind := range []string{elb.LoadBalancer, elb.Listener, elb.ListenerRule, elb.TargetGroup,
		vpc.SecurityGroupRule, scaling.MetricAlarm, scaling.ScalableTarget, scaling.ScalingPolicy,
		scaling.ScheduledAction, dns.Certificate} {
		require.Empty(t, p.aws.objects(kind), kind)
	}
	require.Empty(t, p.aws.taskPolicies())
	require.NotEmpty(t, p.aws.object(secrets.Secret)["deletedDate"])
	require.Equal(t, bare, p.aws.container("slipway-dev-web:4"))
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE", "3 ACTIVE", "4 ACTIVE"}, p.aws.revisions("slipway-dev-web"))
	require.False(t, p.aws.web().Settings.Alarms.Enable)
	left := p.aws.web().Settings
	left.Alarms, left.HealthCheckGracePeriod = settings.Alarms, settings.HealthCheckGracePeriod // both are off
	for _, key := range []string{"alarms", "healthCheckGracePeriodSeconds", "id", "taskDefinition"} {
		delete(left.Other, key)
		delete(settings.Other, key)
	}
	require.Equal(t, settings, left)
	require.Equal(t, 1, p.aws.service("slipway-dev").Running)
	for _, kind := range []string{ecs.Cluster, logs.LogGroup, ecr.Repository, iam.Role,
		vpc.SecurityGroup} {
		for _, object := range p.aws.objects(kind) {
			requireTagged(p, object["tagsAll"], nil)
		}
	}
	p.settled("dev")
}
