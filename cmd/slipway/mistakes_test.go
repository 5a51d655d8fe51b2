package main

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/promotion"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/rollback"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagetest"
	"slipway/cmd/slipway/internal/status"
)

func TestAMistakeInYAMLNamesItsFileAndLine(t *testing.T) {
	t.Parallel()
	p := stagetest.Project(t, "config:\n  slipway:images: {}\n\tslipway:services: {}\n")
	pulumi := pulumicli.CLI{Run: func(context.Context, string, io.Reader, ...string) (string, string, error) {
		panic("pulumi is not asked")
	}}
	_, err := pulumicli.ReadConfig(t.Context(), pulumi, p, "release", false)
	require.ErrorContains(t, err, "Pulumi.release.yaml: yaml: line 3: ")
	for _, parts := range []snapshot.Parts{{}, rollback.Parts, promotion.Parts} {
		_, err = snapshot.Load(t.Context(), pulumi, p, "release", parts)
		require.ErrorContains(t, err, "Pulumi.release.yaml: yaml: line 3: ")
	}
	_, err = status.Read(t.Context(), pulumi, p, "release")
	require.ErrorContains(t, err, "Pulumi.release.yaml: yaml: line 3: ")
}
