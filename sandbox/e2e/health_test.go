package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

// insights is what the cluster's settings say of Container Insights.
func (p *project) insights() any {
	p.Helper()
	settings := p.object(account.Cluster)["settings"].([]any)
	require.Len(p, settings, 1)
	setting := settings[0].(map[string]any)
	require.Equal(p, "containerInsights", setting["name"])
	return setting["value"]
}

func TestHowAContainerIsKeptAndWatched(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	requireNone := func(revision string) {
		t.Helper()
		require.EqualValues(t, 30, p.object(account.LogGroup)["retentionInDays"])
		container := p.container(revision)
		require.Nil(t, container["healthCheck"])
		require.Nil(t, container["linuxParameters"])
		require.EqualValues(t, 20, container["stopTimeout"])
		require.Equal(t, false, p.ecsService().Settings.Other["enableExecuteCommand"])
		require.Empty(t, p.taskPolicies())
		require.Equal(t, "disabled", p.insights())
	}
	requireNone("slipway-dev-web:1")

	p.serviceKeys("logRetention: 90", "stopTimeout: 120", "exec: true",
		"healthCheck: {command: [CMD, /app, -healthcheck], interval: 30, timeout: 3, retries: 2, startPeriod: 15}")
	p.stageKeys("slipway:cluster: {containerInsights: enabled}")
	p.up("dev").builtNothing()
	require.EqualValues(t, 90, p.object(account.LogGroup)["retentionInDays"])
	container := p.container("slipway-dev-web:2")
	require.EqualValues(t, 120, container["stopTimeout"])
	require.Equal(t, map[string]any{"command": []any{"CMD", "/app", "-healthcheck"}, "interval": 30.0, "timeout": 3.0,
		"retries": 2.0, "startPeriod": 15.0}, container["healthCheck"])
	require.Equal(t, map[string]any{"initProcessEnabled": true}, container["linuxParameters"])
	service := p.ecsService()
	require.Equal(t, true, service.Settings.Other["enableExecuteCommand"])
	require.Equal(t, map[string]statement{"Exec": {Sid: "Exec", Effect: "Allow", Resource: []string{"*"},
		Action: []string{"ssmmessages:CreateControlChannel",
			"ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"}}},
		p.statements("slipway-dev-web-task"))
	require.Equal(t, "enabled", p.insights())
	require.Equal(t, 2, p.service("slipway-dev").Revision)
	running := 0
	for _, task := range service.Tasks {
		if task.LastStatus == "RUNNING" {
			running++
			require.Equal(t, "HEALTHY", task.Health)
		}
	}
	require.Equal(t, 1, running)
	p.settled("dev")

	// What makes no revision makes none.
	p.replace("Pulumi.dev.yaml", "logRetention: 90", "logRetention: 1")
	p.replace("Pulumi.dev.yaml", "containerInsights: enabled", "containerInsights: enhanced")
	require.ElementsMatch(t, []string{"Update aws:cloudwatch/logGroup:LogGroup", "Update aws:ecs/cluster:Cluster"},
		p.up("dev").changed())
	require.EqualValues(t, 1, p.object(account.LogGroup)["retentionInDays"])
	require.Equal(t, "enhanced", p.insights())
	p.settled("dev")

	// The defaults of a health check, and exec beside permissions.
	p.replace("Pulumi.dev.yaml",
		"{command: [CMD, /app, -healthcheck], interval: 30, timeout: 3, retries: 2, startPeriod: 15}",
		"{command: [CMD-SHELL, \"/app -healthcheck || exit 1\"]}")
	p.replace("Pulumi.dev.yaml", "exec: true",
		"exec: true\n      permissions: [{actions: [\"sns:Publish\"], resources: [\"arn:aws:sns:*:*:shop\"]}]")
	p.up("dev")
	require.Equal(t, map[string]any{"command": []any{"CMD-SHELL", "/app -healthcheck || exit 1"}, "interval": 10.0,
		"timeout": 5.0, "retries": 3.0},
		p.container("slipway-dev-web:3")["healthCheck"])
	require.ElementsMatch(t, []string{"0", "Exec"}, keys(p.statements("slipway-dev-web-task")))
	p.settled("dev")

	p.withoutOptions()
	p.up("dev")
	requireNone("slipway-dev-web:4")
	require.Equal(t, 4, p.service("slipway-dev").Revision)
	p.settled("dev")
}

func TestATaskThatFailsItsOwnHealthCheckIsRed(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("healthCheck: {command: [CMD, /app, -healthcheck]}")
	p.up("dev")
	p.faults(map[string]string{"unhealthy-tasks": "slipway-dev-web:3"})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.refused([]string{"services.web: the deployment of slipway-dev-web:3 failed and was rolled back",
		"3 stopped: Task failed container health checks",
		"Serving now: slipway-dev-web:2, 1 of 1 replicas", "/slipway/dev/web"}, upArgs("dev")...)
	require.Equal(t, 2, p.service("slipway-dev").Revision)
	require.Equal(t, 1, p.service("slipway-dev").Running)
}

func TestWrongWaysToKeepAContainerAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("logRetention: 31", "stopTimeout: 1", "exec: \"true\"",
		"healthCheck: {command: [/app], interval: 4, timeout: 1, retries: 0, startPeriod: -1}")
	p.replace("Pulumi.dev.yaml", "    web:\n      replicas: 1", `    a: {image: web, logRetention: 0, stopTimeout: 121, exec: 1, healthCheck: {command: [CMD], interval: 301, timeout: 61, retries: 11, startPeriod: 301}}
    b: {image: web, logRetention: forever, stopTimeout: 2.5, healthCheck: {interval: 10}}
    c: {image: web, healthCheck: {command: [CMD-SHELL, curl, localhost]}}
    d: {image: web, healthCheck: curl localhost}
    web:
      replicas: 1`)
	p.stageKeys("slipway:cluster: {containerInsights: true}")
	r := p.refused([]string{"services.b.healthCheck.command (Pulumi.dev.yaml): is missing",
		"services.c.healthCheck.command (Pulumi.dev.yaml): has 2 parts behind CMD-SHELL",
		"services.d.healthCheck (Pulumi.dev.yaml)", "cluster.containerInsights (Pulumi.dev.yaml)",
		"services.b.logRetention (Pulumi.dev.yaml)", "services.b.stopTimeout (Pulumi.dev.yaml)"}, upArgs("dev")...)
	for _, service := range []string{"a", "web"} {
		for _, key := range []string{"logRetention", "stopTimeout", "exec", "healthCheck.command", "healthCheck.interval",
			"healthCheck.timeout", "healthCheck.retries", "healthCheck.startPeriod"} {
			require.Contains(t, r.output, "services."+service+"."+key+" (Pulumi.dev.yaml)")
		}
	}
	p.withoutOptions()
	p.stageKeys("slipway:cluster: {containerInsights: \"on\"}")
	p.refused([]string{"cluster.containerInsights (Pulumi.dev.yaml)", "disabled, enabled, enhanced"}, upArgs("dev")...)
	require.Equal(t, "disabled", p.insights())
	require.Len(t, p.objects(account.LogGroup), 1, "nothing was made")
}
