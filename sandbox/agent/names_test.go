package agent

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestContainersCallByName(t *testing.T) {
	f, api := balanced(t, 0)
	f.names = map[string][]string{"api": {api}, "shop.elb.amazonaws.com": {f.listeners[0].ARN}, "nobody": {"arn:gone"}}
	f.start(t)
	f.await(t, api, "web", running)
	f.awaitStatus(t, "/status/204", 204)

	caller := f.add(t, "3c4d", `[{"name": "caller", "command": ["get=http://api:8080/status/200", "print=called api",
		"get=http://shop.elb.amazonaws.com/status/200", "print=called the load balancer", "get=http://nobody/"]}]`)
	f.await(t, caller, "caller", stopped)
	require.Contains(t, f.lines("caller"), "called api")
	require.Contains(t, f.lines("caller"), "called the load balancer")
	require.NotZero(t, *f.container(caller, "caller").ExitCode, "nobody answers")
}
