package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/scaling"
)

func TestADeploymentThatIsStoppedIsRedAndNotRolledBack(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("deployment: {circuitBreaker: stop}")
	p.up("dev")
	s := p.aws.web().Settings
	require.Equal(t, []bool{true, false}, []bool{s.CircuitBreaker, s.Rollback})

	p.aws.setFaults(failing("2"))
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	u := p.tryUp("dev")
	require.NotZero(t, u.status)
	for _, says := range []string{"services.web: the deployment of slipway-dev-web:2 failed\n", "exit code 3",
		"tasks failed to start", "Serving now: slipway-dev-web:1, 1 of 1 replicas"} {
		require.Contains(t, u.output, says)
	}
	require.NotContains(t, u.output, "rolled back")
	service := p.aws.web()
	require.Contains(t, service.TaskDefinition, "slipway-dev-web:2", "ECS leaves it there")
	require.Equal(t, ecs.Failed, service.Deployments[0].RolloutState)
	again := p.tryUp("dev")
	require.NotZero(t, again.status, "an unchanged retry stays red")
	require.Contains(t, again.output, "slipway-dev-web:2 failed")

	p.aws.setFaults(nil)
	p.replace("Pulumi.dev.yaml", "hello again", "hello at last")
	p.up("dev")
	require.Equal(t, 3, p.aws.service("slipway-dev").Revision)
	require.Equal(t, 1, p.aws.service("slipway-dev").Running)
	p.settled("dev")
}

func TestAnAlarmTakesADeploymentBack(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("deployment: {alarms: [shop-latency, shop-errors]}")
	u := p.up("dev")
	require.Equal(t, []string{"Update aws:ecs/service:Service"}, u.changed())
	alarms := p.aws.web().Settings.Alarms
	require.ElementsMatch(t, []string{"shop-latency", "shop-errors"}, alarms.Names)
	require.Equal(t, []bool{true, true}, []bool{alarms.Enable, alarms.Rollback})
	require.Empty(t, p.aws.objects(scaling.MetricAlarm), "they are somebody else's")

	p.aws.setFaults(map[string]string{"alarm": "shop-latency"})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	u = p.tryUp("dev")
	require.NotZero(t, u.status)
	for _, says := range []string{"services.web: the deployment of slipway-dev-web:2 failed and was rolled back",
		"alarm detected", "Serving now: slipway-dev-web:1, 1 of 1 replicas"} {
		require.Contains(t, u.output, says)
	}
	p.refused([]string{"ECS rolled back; serving revision 1", "alarm detected"}, "slipway", "status", "dev", "--exit-code")
	require.Equal(t, 1, p.aws.service("slipway-dev").Revision)
	require.Equal(t, "hello from dev", p.aws.service("slipway-dev").Environment["GREETING"])

	// An empty list switches them off: the alarm still goes off, and the deployment goes on.
	p.replace("Pulumi.dev.yaml", "[shop-latency, shop-errors]", "[]")
	p.replace("Pulumi.dev.yaml", "hello again", "hello at last")
	p.up("dev")
	alarms = p.aws.web().Settings.Alarms
	require.Equal(t, []bool{false, false}, []bool{alarms.Enable, alarms.Rollback})
	require.Equal(t, 3, p.aws.service("slipway-dev").Revision)
	require.Equal(t, "hello at last", p.aws.service("slipway-dev").Environment["GREETING"])
	p.settled("dev")
}

func TestTooManyErrorsTakeADeploymentBack(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("route: {}", "deployment: {maxErrors: 10}")
	p.up("dev").builtNothing()
	alarm := p.aws.object(scaling.MetricAlarm)
	for key, want := range map[string]any{"name": "slipway-dev-web-errors", "namespace": "AWS/ApplicationELB",
		"metricName": "HTTPCode_Target_5XX_Count", "statistic": "Sum", "period": 60,
		"evaluationPeriods": 1, "threshold": 10, "comparisonOperator": "GreaterThanThreshold",
		"treatMissingData": "notBreaching"} {
		require.EqualValues(t, want, alarm[key], key)
	}
	require.Equal(t, map[string]any{"LoadBalancer": nameInCloudWatch(p.aws.object(elb.LoadBalancer)),
		"TargetGroup": nameInCloudWatch(p.aws.object(elb.TargetGroup))}, alarm["dimensions"])
	require.Empty(t, alarm["alarmActions"])
	requireAlarms := func(names ...string) {
		t.Helper()
		alarms := p.aws.web().Settings.Alarms
		require.ElementsMatch(t, names, alarms.Names)
		require.Equal(t, []bool{true, true}, []bool{alarms.Enable, alarms.Rollback})
	}
	requireAlarms("slipway-dev-web-errors")

	p.aws.setFaults(map[string]string{"alarm": "slipway-dev-web-errors"})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	u := p.tryUp("dev")
	require.NotZero(t, u.status)
	for _, says := range []string{"services.web: the deployment of slipway-dev-web:2 failed and was rolled back",
		"alarm detected", "Serving now: slipway-dev-web:1, 1 of 1 replicas"} {
		require.Contains(t, u.output, says)
	}
	p.aws.setFaults(nil)
	p.up("dev", "--refresh")
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)

	p.replace("Pulumi.dev.yaml", "{maxErrors: 10}", "{maxErrors: 25, alarms: [shop-latency]}")
	require.ElementsMatch(t, []string{"Update aws:cloudwatch/metricAlarm:MetricAlarm", "Update aws:ecs/service:Service"},
		p.up("dev").changed())
	require.EqualValues(t, 25, p.aws.object(scaling.MetricAlarm)["threshold"])
	requireAlarms("slipway-dev-web-errors", "shop-latency")

	p.replace("Pulumi.dev.yaml", "{maxErrors: 25, alarms: [shop-latency]}", "{alarms: [shop-latency]}")
	p.up("dev")
	require.Empty(t, p.aws.objects(scaling.MetricAlarm))
	requireAlarms("shop-latency")
	p.settled("dev")
	p.withoutOptions()
	p.up("dev")
	require.False(t, p.aws.web().Settings.Alarms.Enable)
	p.settled("dev")
}
