package pulumicli

import (
	"context"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// hanging ends only when it is stopped.
func hanging(ctx context.Context, _ string, _ io.Reader, _ ...string) (string, string, error) {
	<-ctx.Done()
	return "", "", ctx.Err()
}

func TestACommandOfPulumiThatOnlyReadsIsGivenUp(t *testing.T) {
	t.Parallel()
	pulumi := CLI{Directory: "/shop", limit: 10 * time.Millisecond, Run: hanging}
	_, err := pulumi.Outputs(t.Context(), "dev")
	require.EqualError(t, err, "pulumi stack output --json --stack dev did not end within 10ms, and was stopped: "+
		"run it yourself to see what it waits for, in /shop")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = pulumi.Write(ctx, nil, "refresh")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotContains(t, err.Error(), "was stopped", "what may write is not cut")
}

func TestOutputsOfAStateAreThoseOfTheStack(t *testing.T) {
	t.Parallel()
	var state State
	require.NoError(t, json.Unmarshal([]byte(`{"resources": [{"type": "aws:ecs/service:Service", "outputs": {"cluster": "x"}},
		{"type": "pulumi:pulumi:Stack", "outputs": {"cluster": {"4dabf18193072939515e22adb298388d":
		"1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:x"}, "services": {"web": {"revision": 2, "url": "http://x"}}}}]}`),
		&state))
	found, err := state.Outputs("dev")
	require.NoError(t, err)
	require.Equal(t, &Outputs{Cluster: "[secret]", Services: map[string]DeployedService{"web": {Revision: 2, URL: "http://x"}}},
		found)

	var none *State
	found, err = none.Outputs("dev")
	require.NoError(t, err)
	require.Equal(t, &Outputs{}, found)

	state.Resources[1].Outputs = json.RawMessage(`{"services": 5}`)
	_, err = state.Outputs("dev")
	require.ErrorContains(t, err, "the output services of dev")
}
