package agent

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

// The containers of a task share its network, and so the kernel parameters of that; others are one's own.
func TestKernelParametersOfATask(t *testing.T) {
	f := newFake(t)
	arn := f.add(t, "1a2b", `[
		{"name": "web", "command": ["read=/proc/sys/net/core/somaxconn", "read=/proc/sys/kernel/msgmax"], "essential": false,
		 "workingDirectory": "/there", "dockerLabels": {"team": "shop"},
		 "systemControls": [{"namespace": "net.core.somaxconn", "value": "1234"}, {"namespace": "kernel.msgmax", "value": "4321"}],
		 "linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"], "drop": ["NET_RAW"]}}},
		{"name": "side", "command": ["read=/proc/sys/net/core/somaxconn", "read=/proc/sys/kernel/msgmax"], "essential": false}]`)
	f.start(t)
	for name, want := range map[string][]string{"web": {"1234", "4321"}, "side": {"1234", "8192"}} {
		f.await(t, arn, name, stopped)
		require.Equal(t, want, f.lines(name), name)
	}
}

// With pidMode task a container sees the others' processes.
func TestContainersOfATaskThatSeeEachOthersProcesses(t *testing.T) {
	for mode, first := range map[string]string{"": "/program\x00read=/proc/1/cmdline\x00", "task": "/program\x00"} {
		t.Run("pidMode "+mode, func(t *testing.T) {
			f := newFake(t)
			arn := f.add(t, "1a2b", `[{"name": "web", "command": ["read=/proc/1/cmdline"], "essential": false}]`)
			f.change(arn, func(w *ecs.AgentTask) { w.Definition.PIDMode = mode })
			f.start(t)
			f.await(t, arn, "web", stopped)
			require.Equal(t, []string{first}, f.lines("web"))
		})
	}
}

// What a container hands to a log router does not come into the log group. The router starts before it.
func TestTheOutputThatALogRouterGets(t *testing.T) {
	f := newFake(t)
	arn := f.add(t, "1a2b", `[
		{"name": "web", "command": ["print=elsewhere", "wait=300"], "logConfiguration": {"logDriver": "awsfirelens"}},
		{"name": "router", "command": ["print=here", "until-term"], "firelensConfiguration": {"type": "fluentbit"}}]`)
	f.start(t)
	f.await(t, arn, "web", stopped)
	f.stop(arn)
	router := f.await(t, arn, "router", stopped)
	require.False(t, f.container(arn, "web").StartedAt.Before(*router.StartedAt))
	require.Empty(t, f.lines("web"))
	require.Contains(t, f.lines("router"), "here")
}
