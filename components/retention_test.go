package components

import (
	"errors"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

func TestTagsAreRemovedOnceAllOutputsAreKnown(t *testing.T) {
	t.Parallel()
	ctx, err := pulumi.NewContext(t.Context(), pulumi.RunInfo{})
	require.NoError(t, err)
	steady := pulumi.Map{"web": pulumi.Map{"taskDefinition": pulumi.String("arn").ToStringOutput()}}
	unknown := pulumi.Map{"web": pulumi.Map{"taskDefinition": pulumi.UnsafeUnknownOutput(nil)}}
	failed := pulumi.Map{"web": pulumi.String("arn").ToStringOutput().ApplyT(func(string) (string, error) {
		return "", errors.New("it is not steady")
	})}
	require.True(t, allKnown(ctx.Context(), []pulumi.Map{steady, {}}))
	require.False(t, allKnown(ctx.Context(), []pulumi.Map{steady, unknown}))
	require.False(t, allKnown(ctx.Context(), []pulumi.Map{failed, steady}))
}
