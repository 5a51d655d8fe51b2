package pulumicli

import (
	"context"
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
