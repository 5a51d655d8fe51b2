package pulumicli

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/stretchr/testify/require"
)

// hangingPulumi ends only when it is stopped.
type hangingPulumi struct{ auto.PulumiCommand }

func (hangingPulumi) Run(ctx context.Context, _ string, _ io.Reader, _, _ []io.Writer, _ []string, _ ...string) (string,
	string, int, error) {
	<-ctx.Done()
	return "", "", 1, ctx.Err()
}

func TestACommandOfPulumiThatOnlyReadsIsGivenUp(t *testing.T) {
	t.Parallel()
	pulumi := CLI{Directory: "/shop", limit: 10 * time.Millisecond,
		Command: func() (auto.PulumiCommand, error) { return hangingPulumi{}, nil }}
	_, err := pulumi.Outputs(t.Context(), "dev")
	require.EqualError(t, err, "pulumi stack output --json --stack dev did not end within 10ms, and was stopped: "+
		"run it yourself to see what it waits for, in /shop")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = pulumi.Write(ctx, nil, "refresh")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotContains(t, err.Error(), "was stopped", "what may write is not cut")
}

func TestACLIThatDoesNotEvenTellItsVersionIsGivenUp(t *testing.T) {
	t.Parallel()
	hangs := make(chan struct{})
	t.Cleanup(func() { close(hangs) })
	pulumi := CLI{Directory: "/shop", limit: 10 * time.Millisecond, Command: func() (auto.PulumiCommand, error) {
		<-hangs
		return nil, nil
	}}
	_, err := pulumi.Outputs(t.Context(), "dev")
	require.ErrorContains(t, err, "pulumi stack output --json --stack dev did not end within 10ms")
}
