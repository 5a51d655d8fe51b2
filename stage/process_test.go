package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMistakesInAContainersProcess(t *testing.T) {
	t.Parallel()
	const own = "services.web"
	requireMistakes(t, map[string]mistake{
		"a directory that is relative": {oneService("      workingDirectory: srv"), own + ".workingDirectory",
			[]string{`is "srv"; write an absolute path, as in /srv`}},
		"an empty directory": {oneService("      workingDirectory: ''"), own + ".workingDirectory",
			[]string{`is ""; write an absolute path`}},
		"a directory on a detour": {oneService("      workingDirectory: /srv/../app/"), own + ".workingDirectory",
			[]string{"write it as /app"}},
		"a start that is too short": {oneService("      startTimeout: 1"), own + ".startTimeout",
			[]string{"is 1; allowed: 2 to 120, or remove it"}},
		"a start beyond Fargate's": {oneService("      startTimeout: 121"), own + ".startTimeout",
			[]string{"is 121; allowed: 2 to 120"}},
		"a capability that Fargate does not add": {oneService("      capabilities: {add: [NET_ADMIN]}"),
			own + ".capabilities.add[0]", []string{`is "NET_ADMIN", and Fargate adds SYS_PTRACE only; write that`}},
		"a capability that there is not": {oneService("      capabilities: {add: [PTRACE]}"),
			own + ".capabilities.add[0]", []string{"Fargate adds SYS_PTRACE only; write that"}},
		"all capabilities": {oneService("      capabilities: {add: [ALL]}"), own + ".capabilities.add[0]",
			[]string{"Fargate adds SYS_PTRACE only"}},
		"a capability by Linux's name": {oneService("      capabilities: {drop: [CAP_NET_RAW]}"),
			own + ".capabilities.drop[0]", []string{`is "CAP_NET_RAW", which is no Linux capability that ECS knows`}},
		"a capability twice": {oneService("      capabilities: {drop: [NET_RAW, NET_RAW]}"),
			own + ".capabilities.drop[1]", []string{"duplicates NET_RAW; remove it"}},
		"a parameter of the machine": {oneService("      systemControls: {vm.max_map_count: '262144'}"),
			own + `.systemControls["vm.max_map_count"]`, []string{"is no kernel parameter that ECS sets for a container; " +
				"allowed: those that begin with net. or fs.mqueue., and kernel.msgmax"}},
		"a parameter without a value": {oneService("      systemControls: {net.core.somaxconn: ''}"),
			own + `.systemControls["net.core.somaxconn"]`, []string{"is empty; write the parameter's value"}},
		"a parameter that is a number": {oneService("      systemControls: {net.core.somaxconn: 1024}"),
			own + `.systemControls["net.core.somaxconn"]`, []string{`write "1024" in quotes`}},
		"two values of one network": {
			beside("{proxy: {image: web, systemControls: {net.core.somaxconn: '2048'}}}",
				"systemControls: {net.core.somaxconn: '1024'}"),
			own + `.systemControls["net.core.somaxconn"]`,
			[]string{`is "1024", and proxy has "2048"; the containers of a task share its network`}},
		"a label of slipway": {oneService("      dockerLabels: {slipway.tag: v1}"), own + `.dockerLabels["slipway.tag"]`,
			[]string{"begins with slipway., as the labels that slipway writes itself; use another name"}},
		"a label of ECS": {oneService("      dockerLabels: {com.amazonaws.ecs.cluster: x}"),
			own + `.dockerLabels["com.amazonaws.ecs.cluster"]`, []string{"as the labels that ECS writes itself"}},
		"a label without a name": {oneService("      dockerLabels: {'': x}"), own + `.dockerLabels[""]`,
			[]string{"is no name of a label"}},
	})
}

func TestGoodProcesses(t *testing.T) {
	t.Parallel()
	for name, stage := range map[string]string{
		"all at once": oneService("      workingDirectory: /\n      startTimeout: 120\n      capabilities: {add: [SYS_PTRACE], " +
			"drop: [ALL]}\n      systemControls: {net.core.somaxconn: '1024', kernel.shmmax: '1'}\n      " +
			"dockerLabels: {com.datadoghq.ad.logs: '[{\"source\": \"go\"}]', empty: ''}"),
		"one value of two containers": beside("{proxy: {image: web, systemControls: {net.core.somaxconn: '1024', "+
			"kernel.shmmax: '1'}}}", "systemControls: {net.core.somaxconn: '1024', kernel.shmmax: '2'}"),
		"nothing to add or drop": oneService("      capabilities: {}"),
	} {
		_, err := loadFiles(t, "dev", "", stage)
		require.NoError(t, err, name)
	}
}
