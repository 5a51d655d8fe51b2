package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/elb"
)

// Headers that a route asks for come into the account, leave nothing to be done, change in place, and go again.
func TestARouteAsksForHeaders(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("route: {headers: {X-Origin-Secret: [one], X-A: [a, b]}}")
	p.up("dev").builtNothing()
	require.Equal(t, map[string]any{"X-A": []any{"a", "b"}, "X-Origin-Secret": []any{"one"}}, p.headers())
	p.settled("dev")

	p.replace("Pulumi.dev.yaml", "[one], X-A: [a, b]", "[one, two]") // as a secret is changed without a gap
	require.Equal(t, []string{"Update aws:lb/listenerRule:ListenerRule"}, p.up("dev").changed())
	require.Equal(t, map[string]any{"X-Origin-Secret": []any{"one", "two"}}, p.headers())
	p.replace("Pulumi.dev.yaml", "route: {headers: {X-Origin-Secret: [one, two]}}", "route: {}")
	p.up("dev")
	require.Equal(t, []any{"/*"}, values(p.aws.object(elb.ListenerRule), "pathPattern"))
}

// headers are those that the listener rule asks for, with their values.
func (p *project) headers() map[string]any {
	p.Helper()
	found := map[string]any{}
	for _, condition := range p.aws.object(elb.ListenerRule)["conditions"].([]any) {
		if header, is := condition.(map[string]any)["httpHeader"].(map[string]any); is {
			found[header["httpHeaderName"].(string)] = header["values"]
		}
	}
	return found
}
