package agent

import (
	"testing"

	"github.com/stretchr/testify/require"
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
