package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/vpc"
)

// everyTaskOption are keys of a service that its task definition alone has.
func everyTaskOption(image string) []string {
	return []string{
		"cpu: 512", "memory: 1024", "ephemeralStorage: 50", "pidMode: task", "workingDirectory: /tmp", "startTimeout: 60",
		"capabilities: {add: [SYS_PTRACE], drop: [NET_RAW]}",
		`systemControls: {net.core.somaxconn: "1024", kernel.msgmax: "8192"}`,
		"dockerLabels: {com.example.team: shop}",
		"ports: [{port: 9090, allowFrom: [10.0.0.0/8]}, {port: 9091, protocol: udp}]",
		"logs: {driver: awsfirelens, options: {Name: datadog, Host: example.com}, secrets: {apikey: API_KEY}}",
		"containers:",
		"  router: {image: '" + image + "', firelens: {configFile: /extra.conf}, memoryReservation: 64}",
		"  agent: {image: '" + image + "', ports: [{port: 8125, protocol: udp, allowFrom: [10.0.0.0/8]}], essential: false,",
		"    logs: {driver: splunk, options: {splunk-url: 'https://splunk.example.com'}, secrets: {splunk-token: TOKEN}}}",
		"  plain: {image: '" + image + "', logs: {options: {mode: non-blocking, max-buffer-size: 25m}}}",
	}
}

// All of it comes into the account, as ECS describes it back, leaves nothing to be done, and goes again.
func TestEveryOptionOfATaskDefinitionComesAndGoes(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	before := p.state("dev").containers()
	p.seedParameter()
	p.serviceKeys(everyTaskOption(busybox(t).String())...)
	p.stageKeys("slipway:secrets: {TOKEN: \""+parameter+"\"}", "slipway:tasks: {report: {image: web, logs: {driver: splunk, "+
		"options: {splunk-url: 'https://splunk.example.com'}, secrets: {splunk-token: TOKEN}}}}")
	p.encrypt("dev", "API_KEY", "hunter2-firelens")
	p.up("dev").builtNothing()
	registered, err := ecs.FindTaskDefinition(p.aws.open(), "slipway-dev-web:2")
	require.NoError(t, err)
	require.Equal(t, map[string]int{"sizeInGiB": 50}, registered.EphemeralStorage)
	require.Equal(t, "task", registered.PIDMode)
	byName := map[string]ecs.Container{}
	for _, c := range registered.Containers {
		byName[c.Name()] = c
	}
	web, router := byName["web"], byName["router"]
	require.Equal(t, "/tmp", web["workingDirectory"])
	require.InDelta(t, 60, web["startTimeout"], 0)
	require.Equal(t, map[string]any{"capabilities": map[string]any{"add": []any{"SYS_PTRACE"}, "drop": []any{"NET_RAW"}}},
		web["linuxParameters"])
	require.Equal(t, []any{map[string]any{"namespace": "kernel.msgmax", "value": "8192"},
		map[string]any{"namespace": "net.core.somaxconn", "value": "1024"}}, web["systemControls"])
	require.Equal(t, "shop", web["dockerLabels"].(map[string]any)["com.example.team"])
	require.Len(t, web["portMappings"], 3)
	require.Empty(t, web.LogGroup())
	require.Empty(t, byName["agent"].LogGroup())
	require.Equal(t, "/slipway/dev/web", router.LogGroup())
	require.Equal(t, "/slipway/dev/web", byName["plain"].LogGroup())
	require.Equal(t, "0", router["user"])
	require.InDelta(t, 64, router["memoryReservation"], 0)
	require.Len(t, p.aws.objects(vpc.SecurityGroupRule), 2, "of the ports that say who may reach them")
	p.settled("dev")
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE"}, p.aws.revisions("slipway-dev-web"))
	require.Contains(t, p.ok("slipway", "logs", "dev", "web").output,
		"the output of the container web goes to awsfirelens, not to CloudWatch Logs")
	require.Contains(t, p.ok("slipway", "run", "dev", "report").output,
		"By tasks.report of the stage file, the output of the container report goes to splunk")

	p.withoutOptions()
	p.up("dev").builtNothing()
	require.JSONEq(t, before, p.state("dev").containers(), "what it was before")
	require.Empty(t, p.aws.objects(vpc.SecurityGroupRule))
}
