package e2e

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

func TestPercentagesAndTheCircuitBreakerComeAndGo(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	requireSettings := func(minimum, maximum int, breaker, rollback bool) {
		t.Helper()
		s := p.ecsService().Settings
		require.Equal(t, []any{minimum, maximum, breaker, rollback},
			[]any{s.MinimumHealthyPercent, s.MaximumPercent, s.CircuitBreaker, s.Rollback})
	}
	requireSettings(100, 200, true, true)
	deployment := p.ecsService().Deployments[0].ID
	p.serviceKeys("deployment: {minimumHealthy: 0, maximum: 100, circuitBreaker: off}")
	require.Equal(t, []string{"Update aws:ecs/service:Service"}, p.up("dev").changed())
	requireSettings(0, 100, false, false)
	p.settled("dev")

	p.replace("Pulumi.dev.yaml", "minimumHealthy: 0, maximum: 100, circuitBreaker: off",
		"minimumHealthy: 50, maximum: 200, circuitBreaker: rollback")
	p.up("dev")
	requireSettings(50, 200, true, true)
	p.withoutOptions()
	p.up("dev")
	requireSettings(100, 200, true, true)
	require.Equal(t, deployment, p.ecsService().Deployments[0].ID, "none of it makes a deployment")
	p.settled("dev")
}

func TestADeploymentThatIsStoppedIsRedAndNotRolledBack(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("deployment: {circuitBreaker: stop}")
	p.up("dev")
	s := p.ecsService().Settings
	require.Equal(t, []bool{true, false}, []bool{s.CircuitBreaker, s.Rollback})
	p.settled("dev")

	p.faults(failing("2"))
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	u := p.tryUp("dev")
	require.NotZero(t, u.status)
	for _, says := range []string{"services.web: the deployment of slipway-dev-web:2 failed\n", "exit code 3",
		"tasks failed to start", "Serving now: slipway-dev-web:1, 1 of 1 replicas"} {
		require.Contains(t, u.output, says)
	}
	require.NotContains(t, u.output, "rolled back")
	service := p.ecsService()
	require.Contains(t, service.TaskDefinition, "slipway-dev-web:2", "ECS leaves it there")
	require.Equal(t, account.Failed, service.Deployments[0].RolloutState)
	again := p.tryUp("dev")
	require.NotZero(t, again.status, "an unchanged retry stays red")
	require.Contains(t, again.output, "slipway-dev-web:2 failed")

	p.faults(nil)
	p.replace("Pulumi.dev.yaml", "hello again", "hello at last")
	p.up("dev")
	require.Equal(t, 3, p.service("slipway-dev").Revision)
	require.Equal(t, 1, p.service("slipway-dev").Running)
	p.settled("dev")
}

func TestAnAlarmTakesADeploymentBack(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("deployment: {alarms: [shop-latency, shop-errors]}")
	u := p.up("dev")
	require.Equal(t, []string{"Update aws:ecs/service:Service"}, u.changed())
	alarms := p.ecsService().Settings.Alarms
	require.ElementsMatch(t, []string{"shop-latency", "shop-errors"}, alarms.Names)
	require.Equal(t, []bool{true, true}, []bool{alarms.Enable, alarms.Rollback})
	require.Empty(t, p.objects(account.MetricAlarm), "they are somebody else's")
	p.settled("dev")

	p.faults(map[string]string{"alarm": "shop-latency"})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	u = p.tryUp("dev")
	require.NotZero(t, u.status)
	for _, says := range []string{"services.web: the deployment of slipway-dev-web:2 failed and was rolled back",
		"alarm detected", "Serving now: slipway-dev-web:1, 1 of 1 replicas"} {
		require.Contains(t, u.output, says)
	}
	p.refused([]string{"ECS rolled back; serving revision 1", "alarm detected"}, "slipway", "status", "dev", "--exit-code")
	require.Equal(t, 1, p.service("slipway-dev").Revision)
	require.Equal(t, "hello from dev", p.service("slipway-dev").Environment["GREETING"])

	// An empty list switches them off: the alarm still goes off, and nobody heeds it.
	p.replace("Pulumi.dev.yaml", "[shop-latency, shop-errors]", "[]")
	p.replace("Pulumi.dev.yaml", "hello again", "hello at last")
	p.up("dev")
	alarms = p.ecsService().Settings.Alarms
	require.Equal(t, []bool{false, false}, []bool{alarms.Enable, alarms.Rollback})
	require.Equal(t, 3, p.service("slipway-dev").Revision)
	require.Equal(t, "hello at last", p.service("slipway-dev").Environment["GREETING"])
	p.settled("dev")
}

func TestTooManyErrorsTakeADeploymentBack(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("route: {}", "deployment: {maxErrors: 10}")
	p.up("dev").builtNothing()
	alarm := p.object(account.MetricAlarm)
	for key, want := range map[string]any{"name": "slipway-dev-web-errors", "namespace": "AWS/ApplicationELB",
		"metricName": "HTTPCode_Target_5XX_Count", "statistic": "Sum", "period": 60,
		"evaluationPeriods": 1, "threshold": 10, "comparisonOperator": "GreaterThanThreshold",
		"treatMissingData": "notBreaching"} {
		require.EqualValues(t, want, alarm[key], key)
	}
	require.Equal(t, map[string]any{"LoadBalancer": nameInCloudWatch(p.object(account.LoadBalancer)),
		"TargetGroup": nameInCloudWatch(p.object(account.TargetGroup))}, alarm["dimensions"])
	require.Empty(t, alarm["alarmActions"])
	requireAlarms := func(names ...string) {
		t.Helper()
		alarms := p.ecsService().Settings.Alarms
		require.ElementsMatch(t, names, alarms.Names)
		require.Equal(t, []bool{true, true}, []bool{alarms.Enable, alarms.Rollback})
	}
	requireAlarms("slipway-dev-web-errors")
	p.settled("dev")

	p.faults(map[string]string{"alarm": "slipway-dev-web-errors"})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	u := p.tryUp("dev")
	require.NotZero(t, u.status)
	for _, says := range []string{"services.web: the deployment of slipway-dev-web:2 failed and was rolled back",
		"alarm detected", "Serving now: slipway-dev-web:1, 1 of 1 replicas"} {
		require.Contains(t, u.output, says)
	}
	p.faults(nil)
	p.up("dev", "--refresh")
	require.Equal(t, 2, p.service("slipway-dev").Revision)

	p.replace("Pulumi.dev.yaml", "{maxErrors: 10}", "{maxErrors: 25, alarms: [shop-latency]}")
	require.ElementsMatch(t, []string{"Update aws:cloudwatch/metricAlarm:MetricAlarm", "Update aws:ecs/service:Service"},
		p.up("dev").changed())
	require.EqualValues(t, 25, p.object(account.MetricAlarm)["threshold"])
	requireAlarms("slipway-dev-web-errors", "shop-latency")
	p.settled("dev")

	p.replace("Pulumi.dev.yaml", "{maxErrors: 25, alarms: [shop-latency]}", "{alarms: [shop-latency]}")
	p.up("dev")
	require.Empty(t, p.objects(account.MetricAlarm))
	requireAlarms("shop-latency")
	p.settled("dev")
	p.withoutOptions()
	p.up("dev")
	require.False(t, p.ecsService().Settings.Alarms.Enable)
	p.settled("dev")
}

func TestWrongDeploymentsAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	services := ""
	for name, deployment := range map[string]string{
		"a": "{minimumHealthy: -1, maximum: 99, circuitBreaker: \"on\", alarms: [\" \", x, x], maxErrors: 0}",
		"b": "{minimumHealthy: 101, maximum: 201, circuitBreaker: false, alarms: [a, b, c, d, e, f, g, h, i, j, k], " +
			"maxErrors: 1000001}",
		"c": "{minimumHealthy: 100, maximum: 100}",
		"d": "{minimumHealthy: 75, maximum: 150}",
		"e": "{minimumHealthy: \"50\", maximum: most, alarms: shop-latency, maxErrors: 5, rollback: true}",
	} {
		services += fmt.Sprintf("    %s: {image: web, deployment: %s}\n", name, deployment)
	}
	p.write("Pulumi.dev.yaml", p.read("Pulumi.dev.yaml")+services)
	r := p.refused([]string{"services.a.deployment.minimumHealthy (Pulumi.dev.yaml): is -1; allowed: 0 to 100",
		"services.b.deployment.maximum (Pulumi.dev.yaml): is 201; allowed: 100 to 200",
		"services.a.deployment.circuitBreaker (Pulumi.dev.yaml)", "services.b.deployment.circuitBreaker (Pulumi.dev.yaml)",
		"services.a.deployment.alarms[0] (Pulumi.dev.yaml)",
		"services.a.deployment.alarms[2] (Pulumi.dev.yaml): duplicates x",
		"services.b.deployment.alarms (Pulumi.dev.yaml): has 11 alarms; allowed: up to 10",
		"services.c.deployment.maximum (Pulumi.dev.yaml): is 100 with a minimumHealthy of 100",
		"services.d.deployment.maximum (Pulumi.dev.yaml): is 150 with a minimumHealthy of 75, which with 1 replicas",
		"services.e.deployment.alarms (Pulumi.dev.yaml)",
		"services.e.deployment.maxErrors (Pulumi.dev.yaml): counts the service's 5xx responses",
		"services.e.deployment.rollback (Pulumi.dev.yaml)"}, upArgs("dev")...)
	for _, service := range []string{"a", "b", "e"} {
		for _, key := range []string{"minimumHealthy", "maximum", "alarms", "maxErrors"} {
			require.Contains(t, r.output, "services."+service+".deployment."+key)
		}
	}
	all, err := p.open().AllServices("")
	require.NoError(t, err)
	require.Len(t, all, 1, "nothing was made")
}
