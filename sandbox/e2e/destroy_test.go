package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/discovery"
	"slipway/sandbox/account/dns"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/instances"
	"slipway/sandbox/account/logs"
	"slipway/sandbox/account/scaling"
	"slipway/sandbox/account/scheduler"
	"slipway/sandbox/account/vpc"
	"slipway/sandbox/account/waf"
)

func TestDestroyKeepsImagesUntilToldOtherwise(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.refused([]string{"RepositoryNotEmptyException", "slipway-dev/web"}, destroyArgs("dev")...)
	require.Len(t, p.aws.images(), 1, "nothing is lost")
	r := p.refused([]string{"the last destroy failed", "services.web: ECS no longer has it: a destroy was under way"},
		"slipway", "status", "dev", "--exit-code")
	require.NotContains(t, r.output, "by hand")

	p.write("Pulumi.dev.yaml", p.read("Pulumi.dev.yaml")+"  slipway:repository:\n    forceDelete: true\n")
	p.up("dev")
	p.ok(destroyArgs("dev")...)
	require.Empty(t, p.aws.images())
	require.Equal(t, "1 ACTIVE", p.aws.revisions("slipway-dev-web")[0], "revisions stay")
	a := p.aws.open()
	for _, kind := range []string{ecs.Cluster, logs.LogGroup, ecr.Repository, iam.Role, iam.RolePolicy,
		vpc.SecurityGroup, vpc.SecurityGroupRule, ecr.LifecyclePolicy} {
		objects, err := a.Objects(kind)
		require.NoError(t, err)
		require.Empty(t, objects, kind)
	}
	require.Empty(t, p.state("dev").ofType("aws:ecs/service:Service"))
}

// What a stage can have comes up from nothing, all at once, and goes with it.
func TestEverythingAtOnceComesFromNothingAndGoes(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.seedParameter()
	p.seedWebACLs()
	p.serviceKeys(append(everyTaskOption(busybox(t).String()), "route: {hosts: [shop.example.com]}", "calls: [api, db]",
		"capacity: {spot: 3, onDemand: 1, base: 1}", "scaling: {min: 1, max: 4, cpu: 60, requests: 1000}",
		"deployment: {maxErrors: 10}")...)
	p.replace("Pulumi.dev.yaml", "  slipway:services:\n", "  slipway:services:\n"+
		"    api: {image: web, port: 8080, name: api, appProtocol: http, calls: [db], exec: true}\n"+
		"    db: {image: web, port: 5432, name: db, capacity: {onDemand: 1}, replicas: 2}\n"+
		"    admin: {image: web, port: 8080, route: {internal: true}}\n")
	p.stageKeys("slipway:secrets: {TOKEN: \""+parameter+"\"}", "slipway:capacity: {spot: 1}",
		"slipway:instances: {general: {types: [m7i.large], max: 2}}",
		"slipway:loadBalancer: {zone: example.com, webAcl: \""+webACL+"\"}", "slipway:repository: {forceDelete: true}",
		"slipway:tasks: {migrate: {image: web, command: [-describe], before: [web]}, "+
			"report: {image: web, command: [-describe], schedule: {when: \"rate(1 day)\"}}}")
	p.encrypt("dev", "API_KEY", "hunter2-at-once")
	p.up("dev")
	p.settled("dev")
	p.ok(destroyArgs("dev")...)
	require.Empty(t, p.state("dev").inputsByURN())
	for _, kind := range []string{ecs.Cluster, discovery.Namespace, logs.LogGroup, ecr.Repository, iam.Role,
		iam.RolePolicy, vpc.SecurityGroup, vpc.SecurityGroupRule, elb.LoadBalancer, elb.Listener, elb.ListenerRule,
		elb.TargetGroup, dns.Certificate, scaling.ScalableTarget, scaling.MetricAlarm, scheduler.Schedule, instances.Group,
		instances.LaunchTemplate, iam.InstanceProfile, ecs.CapacityProvider, waf.Association} {
		require.Empty(t, p.aws.objects(kind), kind)
	}
	require.Equal(t, []string{"1 ACTIVE"}, p.aws.revisions("slipway-dev-web"), "revisions stay")
	for _, record := range p.aws.objects(dns.Record) {
		require.Regexp(t, "^_", record["fqdn"], "only what validates certificates stays, as other stages have it, too")
	}
}
