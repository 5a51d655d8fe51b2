package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestADaemonRunsOnInstances(t *testing.T) {
	t.Parallel()
	got, err := loadFiles(t, "dev", "", "config:\n  slipway:images: {web: {build: {context: app}}}\n"+
		"  slipway:capacity: {spot: 1}\n  slipway:services: {agent: {image: web, daemon: true, cpu: 128, memory: 64},\n"+
		"    collector: {image: web, daemon: true, network: host, capacity: {instances: general}}}\n"+
		"  slipway:instances: {general: {types: [m7i.large], max: 4}, more: {types: [c7i.large], max: 4}}\n")
	require.NoError(t, err)
	agent := got.Services["agent"]
	require.Nil(t, agent.Capacity, "the stage's is for services with replicas")
	require.Equal(t, []string{"general", "more"}, got.DaemonInstances("agent"))
	require.Equal(t, []string{"general"}, got.DaemonInstances("collector"))
	require.Equal(t, []int{0, 100}, []int{agent.Deployment.MinimumHealthy, agent.Deployment.Maximum})
	require.Zero(t, agent.StartReplicas())
	require.Nil(t, agent.FixedReplicas())
	require.True(t, agent.OwnNetwork())
	require.False(t, got.Services["collector"].OwnNetwork())
}

func TestMistakesInDaemons(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ service, path, says string }{
		"replicas":    {"daemon: true, replicas: 2", "services.d.replicas", "cannot be combined with daemon"},
		"scaling":     {"daemon: true, scaling: {max: 2, cpu: 50}", "services.d.scaling", "cannot be combined with daemon"},
		"a route":     {"daemon: true, port: 80, route: {}", "services.d.route", "cannot be combined with daemon"},
		"a name":      {"daemon: true, port: 80, name: d", "services.d.name", "cannot be combined with daemon"},
		"a disk":      {"daemon: true, ephemeralStorage: 30", "services.d.ephemeralStorage", "cannot be combined with"},
		"Spot":        {"daemon: true, capacity: {spot: 1}", "services.d.capacity", "has shares of Fargate"},
		"a maximum":   {"daemon: true, deployment: {maximum: 200}", "services.d.deployment.maximum", "is 200, and a daemon"},
		"small":       {"daemon: true, cpu: 64", "services.d.cpu", "allowed for a daemon: 128 to 10240"},
		"tiny":        {"daemon: true, memory: 4", "services.d.memory", "allowed for a daemon: 6 MiB"},
		"a network":   {"network: host", "services.d.network", "is for daemons"},
		"placement":   {"placement: [a]", "services.d.placement", "is for daemons"},
		"no network":  {"daemon: true, network: none", "services.d.network", "allowed: awsvpc, host, bridge"},
		"calls":       {"daemon: true, network: host, calls: [api]", "services.d.calls", "needs a network of the task's own"},
		"blank":       {`daemon: true, placement: [" "]`, "services.d.placement[0]", "is empty"},
		"another":     {"daemon: true, capacity: {instances: big}", "services.d.capacity.instances", "not declared"},
		"as a source": {"daemon: true, network: host", "services.api.allowFrom[0]", "have the network of their instances"},
	} {
		allows := ""
		if name == "as a source" {
			allows = ", allowFrom: [d]"
		}
		_, err := loadFiles(t, "dev", "", "config:\n  slipway:images: {web: {build: {context: app}}}\n  slipway:services: "+
			"{api: {image: web, port: 8080, name: api"+allows+"}, d: {image: web, "+test.service+"}}\n"+onGeneral)
		t.Run(name, func(t *testing.T) { requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says) })
	}
	_, err := loadFiles(t, "dev", "", oneService("      daemon: true"))
	requireMistake(t, err, "services.web.daemon", "Pulumi.dev.yaml", "needs EC2 instances, and the stage has none")
	_, err = loadFiles(t, "dev", "", "config:\n  slipway:images: {web: {build: {context: app}}}\n  slipway:services: "+
		"{a: {image: web, daemon: true, network: host, port: 8125}, b: {image: web, daemon: true, network: bridge, ports: "+
		"[{port: 8125}]}}\n"+onGeneral)
	requireMistake(t, err, "services.b", "Pulumi.dev.yaml", "listens on 8125/tcp of instances.general, as services.a does")
	_, err = loadFiles(t, "dev", "", "config:\n  slipway:images: {web: {build: {context: app}}}\n  slipway:services: "+
		"{a: {image: web, daemon: true}}\n  slipway:instances: {arm: {types: [m7g.large], max: 4}}\n")
	requireMistake(t, err, "services.a.image", "Pulumi.dev.yaml", "instances.arm run linux/arm64")
}
