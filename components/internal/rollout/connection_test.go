package rollout

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ECS keeps Service Connect where it is left out, and takes a change of it alone back to the same revision.
func TestAServiceIsConnectedAsItWasAskedFor(t *testing.T) {
	t.Parallel()
	without := fmt.Sprintf(steadyOn, 2)
	with := func(connection string) string {
		return strings.Replace(without, `"id": "d"`, `"id": "d", "serviceConnectConfiguration": `+connection, 1)
	}
	const own = `{"enabled": true, "services": [{"discoveryName": "api", "portName": "api"}]}`
	called, client := Connection{Enabled: true, Names: []string{"api"}}, Connection{Enabled: true}
	for name, test := range map[string]struct {
		asked   Connection
		answers []any
		says    string
	}{
		"off, and never on":       {Connection{}, []any{without}, ""},
		"off":                     {Connection{}, []any{with(`{"enabled": false}`)}, ""},
		"off in a moment":         {Connection{}, []any{with(own), with(own), without}, ""},
		"on":                      {called, []any{with(own)}, ""},
		"a client":                {client, []any{with(`{"enabled": true}`)}, ""},
		"kept by ECS":             {Connection{}, []any{with(own)}, "services.web.name: ECS has the service as api, and the"},
		"a client that was kept":  {Connection{}, []any{with(`{"enabled": true}`)}, "ECS has the service as one that calls"},
		"a client, rolled back":   {client, []any{without}, "ECS has the service without Service Connect, and the stage"},
		"a name, changed by hand": {called, []any{with(strings.ReplaceAll(own, "api", "web"))}, "as web, and the stage asks"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			watch := watchedBy(t, test.answers...)
			watch.Connection = test.asked
			err := watch.follow(t.Context())
			if test.says == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, test.says)
			}
		})
	}
}
