package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

// scaledTo makes the desired count of stage dev's service what a scaler decides.
func (p *project) scaledTo(count int) {
	p.Helper()
	_, err := p.open().UpdateService("slipway-dev", "web", "", false,
		func(s *account.ServiceSettings) { s.DesiredCount = count })
	require.NoError(p.TB, err)
}

// policies are the scaling policies by what they measure.
func (p *project) policies() map[string]map[string]any {
	p.Helper()
	found := map[string]map[string]any{}
	for _, policy := range p.objects(account.ScalingPolicy) {
		require.Equal(p, "TargetTrackingScaling", policy["policyType"])
		require.Equal(p, "service/slipway-dev/web", policy["resourceId"])
		settings := policy["targetTrackingScalingPolicyConfiguration"].(map[string]any)
		found[settings["predefinedMetricSpecification"].(map[string]any)["predefinedMetricType"].(string)] = settings
	}
	return found
}

// nameInCloudWatch is what CloudWatch calls a load balancer or a target group.
func nameInCloudWatch(object account.Object) string {
	_, resource, _ := strings.Cut(object["arn"].(string), ":"+account.ID+":")
	return strings.TrimPrefix(resource, "loadbalancer/")
}

func TestEveryOptionOfScaling(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("route: {}", "scaling:", "  min: 0", "  max: 6", "  cpu: 60", "  memory: 70", "  requests: 1000",
		"  scaleInCooldown: 600", "  scaleOutCooldown: 0", "  schedules:",
		"    night: {when: \"cron(0 22 ? * MON-FRI *)\", timeZone: Asia/Seoul, min: 0, max: 2}",
		"    sale: {when: \"at(2036-12-24T18:00:00)\", min: 3}", "    often: {when: \"rate(2 hours)\", max: 5}")
	p.up("dev").builtNothing()
	target := p.object(account.ScalableTarget)
	for key, want := range map[string]any{"resourceId": "service/slipway-dev/web",
		"scalableDimension": "ecs:service:DesiredCount", "serviceNamespace": "ecs",
		"minCapacity": 0, "maxCapacity": 6} {
		require.EqualValues(t, want, target[key], key)
	}
	label := nameInCloudWatch(p.object(account.LoadBalancer)) + "/" + nameInCloudWatch(p.object(account.TargetGroup))
	require.Regexp(t, `^app/[^/]+/[0-9a-f]+/targetgroup/[^/]+/[0-9a-f]+$`, label)
	policies := p.policies()
	require.Len(t, policies, 3)
	for metric, want := range map[string]struct {
		target int
		label  string
	}{"ECSServiceAverageCPUUtilization": {60, ""}, "ECSServiceAverageMemoryUtilization": {70, ""},
		"ALBRequestCountPerTarget": {1000, label}} {
		settings := policies[metric]
		require.EqualValues(t, want.target, settings["targetValue"], metric)
		require.EqualValues(t, 600, settings["scaleInCooldown"], metric)
		require.EqualValues(t, 0, settings["scaleOutCooldown"], metric)
		require.NotEqual(t, true, settings["disableScaleIn"], metric)
		require.Equal(t, want.label, settings["predefinedMetricSpecification"].(map[string]any)["resourceLabel"], metric)
	}
	var schedules []string
	for _, action := range p.objects(account.ScheduledAction) {
		require.Equal(t, "service/slipway-dev/web", action["resourceId"])
		capacity := action["scalableTargetAction"].(map[string]any)
		schedules = append(schedules, fmt.Sprint(action["schedule"], " ", action["timezone"], " ", capacity["minCapacity"],
			" ", capacity["maxCapacity"]))
	}
	require.ElementsMatch(t, []string{"cron(0 22 ? * MON-FRI *) Asia/Seoul 0 2", "at(2036-12-24T18:00:00) UTC 3 <nil>",
		"rate(2 hours) UTC <nil> 5"}, schedules)
	p.settled("dev")

	// Back to the least that scales: each option is as if it had never been there.
	stage := p.read("Pulumi.dev.yaml")
	from, to := strings.Index(stage, "      scaling:\n"), strings.Index(stage, "      environment:")
	p.write("Pulumi.dev.yaml", stage[:from]+"      scaling: {max: 4, cpu: 50}\n"+stage[to:])
	p.up("dev")
	target = p.object(account.ScalableTarget)
	require.EqualValues(t, 1, target["minCapacity"])
	require.EqualValues(t, 4, target["maxCapacity"])
	policies = p.policies()
	require.Len(t, policies, 1)
	settings := policies["ECSServiceAverageCPUUtilization"]
	require.EqualValues(t, 50, settings["targetValue"])
	require.EqualValues(t, 300, settings["scaleInCooldown"])
	require.EqualValues(t, 60, settings["scaleOutCooldown"])
	require.Empty(t, p.objects(account.ScheduledAction))
	p.settled("dev")

	// A schedule is enough to scale by.
	p.replace("Pulumi.dev.yaml", "{max: 4, cpu: 50}", "{max: 4, schedules: {night: {when: \"rate(1 day)\", max: 1}}}")
	p.up("dev")
	require.Empty(t, p.objects(account.ScalingPolicy))
	require.Equal(t, "rate(1 day)", p.object(account.ScheduledAction)["schedule"])
	p.settled("dev")

	p.withoutOptions()
	p.up("dev")
	for _, kind := range []string{account.ScalableTarget, account.ScalingPolicy, account.ScheduledAction} {
		require.Empty(t, p.objects(kind), kind)
	}
	require.Equal(t, []string{"1 ACTIVE"}, p.revisions("slipway-dev-web"), "no new revision at any time")
	p.settled("dev")
}

func TestTheScalersCountStays(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.replace("Pulumi.dev.yaml", "    web:\n      replicas: 1",
		"    worker: {image: web, scaling: {min: 2, max: 4, memory: 80}}\n    web:\n      replicas: 1")
	p.serviceKeys("scaling: {max: 6, cpu: 60}")
	p.up("dev")
	worker, err := p.open().FindService("slipway-dev", "worker")
	require.NoError(t, err)
	require.Equal(t, 2, worker.Settings.DesiredCount, "a service starts with the smallest count")
	require.Equal(t, 1, p.service("slipway-dev").Desired)
	requireCount := func(revision int) {
		t.Helper()
		service := p.service("slipway-dev")
		require.Equal(t, []int{3, 3, revision}, []int{service.Desired, service.Running, service.Revision})
	}

	p.scaledTo(3)
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	u := p.up("dev")
	require.Contains(t, u.changed(), "Update aws:ecs/service:Service")
	requireCount(2)
	require.Empty(t, p.up("dev", "--expect-no-changes").changed())
	requireCount(2)
	p.ok("pulumi", "refresh", "--stack", "dev", "--yes", "--non-interactive")
	require.Empty(t, p.up("dev", "--expect-no-changes").changed())
	requireCount(2)
	p.replace("Pulumi.dev.yaml", "hello again", "hello for the third time")
	p.up("dev", "--refresh")
	requireCount(3)
	p.settled("dev")

	// Replicas are what the service starts with, and so say nothing of one that runs.
	p.replace("Pulumi.dev.yaml", "replicas: 1", "replicas: 2")
	require.Empty(t, p.up("dev").changed())
	requireCount(3)

	p.withoutOptions()
	p.up("dev", "--refresh")
	require.Equal(t, 1, p.service("slipway-dev").Desired, "the count is the stage file's again")
	require.Equal(t, 1, p.service("slipway-dev").Running)
	require.Empty(t, p.objects(account.ScalableTarget))
	p.settled("dev")
}

func TestWrongScalingIsRefusedAtOnce(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.replace("Pulumi.dev.yaml", "    web:\n      replicas: 1", `    a: {image: web, scaling: {min: 5001, max: 5001, cpu: 101, memory: 101, requests: 100000001, scaleInCooldown: 86401, scaleOutCooldown: 86401}}
    b: {image: web, scaling: {min: 3, max: 2, requests: 10}}
    c: {image: web, scaling: {}}
    d: {image: web, replicas: 7, scaling: {max: 6, cpu: 60}}
    e: {image: web, scaling: {min: one, max: "2", cpu: 0.5, schedules: []}}
    web:
      replicas: 1`)
	p.serviceKeys("scaling:", "  min: -1", "  max: 0", "  cpu: 0", "  memory: 0", "  requests: 0", "  scaleInCooldown: -1",
		"  scaleOutCooldown: -1", "  schedules:",
		"    \"a b\": {when: \"cron(0 6 * * * *)\", timeZone: Seoul, min: 3, max: 2}",
		"    none: {when: \"rate(0 hours)\", timeZone: \"\"}", "    some: {min: -1, max: 5001}",
		"    other: {when: \"at(2036-12-24)\", min: 5001, max: -1}")
	r := p.refused([]string{"services.b.scaling.max (Pulumi.dev.yaml): is 2, less than min, which is 3",
		"services.b.scaling.requests (Pulumi.dev.yaml): counts what the load balancer sends",
		"services.c.scaling.max (Pulumi.dev.yaml): is missing",
		"services.c.scaling (Pulumi.dev.yaml): has nothing to scale by", "services.d.replicas (Pulumi.dev.yaml): is 7",
		"services.e.scaling.min (Pulumi.dev.yaml)", "services.e.scaling.max (Pulumi.dev.yaml)",
		"services.e.scaling.cpu (Pulumi.dev.yaml)", "services.e.scaling.schedules (Pulumi.dev.yaml)",
		`services.web.scaling.schedules["a b"] (Pulumi.dev.yaml): cannot name a schedule`,
		`services.web.scaling.schedules["a b"].max (Pulumi.dev.yaml): is 2, less than min`,
		"services.web.scaling.schedules.none (Pulumi.dev.yaml): changes nothing",
		"services.web.scaling.schedules.some.when (Pulumi.dev.yaml): is missing"}, upArgs("dev")...)
	for _, key := range []string{"min", "max", "cpu", "memory", "requests", "scaleInCooldown", "scaleOutCooldown"} {
		for _, service := range []string{"a", "web"} {
			require.Contains(t, r.output, "services."+service+".scaling."+key+" (Pulumi.dev.yaml)")
		}
	}
	for _, key := range []string{`["a b"].when`, `["a b"].timeZone`, ".none.when", ".none.timeZone", ".some.min",
		".some.max", ".other.when", ".other.min", ".other.max"} {
		require.Contains(t, r.output, "services.web.scaling.schedules"+key+" (Pulumi.dev.yaml)")
	}
	require.Empty(t, p.objects(account.ScalableTarget))
}

func TestAServiceThatIsMadeAnewIsScaledAgain(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("scaling: {max: 4, cpu: 60}")
	p.up("dev")
	urn := p.state("dev")["aws:ecs/service:Service"][0].URN
	p.up("dev", "--replace", urn)
	require.Len(t, p.objects(account.ScalableTarget), 1, "AWS forgets it with the service")
	require.Len(t, p.objects(account.ScalingPolicy), 1)
	p.settled("dev")
}
