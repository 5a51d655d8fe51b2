package components

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// ofProcess are a service's keys of what its containers' processes have.
const ofProcess = `{"web": {"image": "web", "exec": true, "workingDirectory": "/srv", "startTimeout": 60,
	"capabilities": {"add": ["SYS_PTRACE"], "drop": ["ALL"]}, "dockerLabels": {"team": "shop"},
	"systemControls": {"net.core.somaxconn": "1024", "kernel.shmmax": "1"},
	"containers": {"agent": {"image": "web", "capabilities": {"drop": ["NET_RAW"]}}, "none": {"image": "web", "capabilities": {}}}}}`

// containersOf are the container definitions of a stage with these services, by name.
func containersOf(t *testing.T, keys map[string]string) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	var containers []map[string]any
	text := declareStage(t, keys, nil).inputs(t, "aws:ecs/taskDefinition:TaskDefinition")["containerDefinitions"]
	require.NoError(t, json.Unmarshal([]byte(text.StringValue()), &containers))
	for _, container := range containers {
		found[container["name"].(string)] = container
	}
	return found
}

func TestWhatAContainersProcessHas(t *testing.T) {
	t.Parallel()
	containers := containersOf(t, map[string]string{"services": ofProcess})
	web, agent, none := containers["web"], containers["agent"], containers["none"]
	require.Equal(t, "/srv", web["workingDirectory"])
	require.InDelta(t, 60, web["startTimeout"], 0)
	require.Equal(t, []any{map[string]any{"namespace": "kernel.shmmax", "value": "1"},
		map[string]any{"namespace": "net.core.somaxconn", "value": "1024"}}, web["systemControls"])
	require.Equal(t, map[string]any{"initProcessEnabled": true,
		"capabilities": map[string]any{"add": []any{"SYS_PTRACE"}, "drop": []any{"ALL"}}}, web["linuxParameters"])
	require.Equal(t, map[string]any{"team": "shop", "slipway.tag": "20261123-041205-a1b2c3d-9f8e7d6c"},
		web["dockerLabels"])
	require.Equal(t, map[string]any{"capabilities": map[string]any{"drop": []any{"NET_RAW"}}}, agent["linuxParameters"])
	require.Equal(t, []any{}, agent["systemControls"])
	for _, key := range []string{"linuxParameters", "workingDirectory", "startTimeout"} {
		require.NotContains(t, none, key)
	}
}
