package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
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
	pulumi := pulumiCLI{directory: "/shop", limit: 10 * time.Millisecond,
		command: func() (auto.PulumiCommand, error) { return hangingPulumi{}, nil }}
	_, err := pulumi.Outputs(t.Context(), "dev")
	require.EqualError(t, err, "pulumi stack output --json --stack dev did not end within 10ms, and was stopped: "+
		"run it yourself to see what it waits for, in /shop")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = pulumi.write(ctx, nil, "refresh")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotContains(t, err.Error(), "was stopped", "what may write is not cut")
}

func TestACLIThatDoesNotEvenTellItsVersionIsGivenUp(t *testing.T) {
	t.Parallel()
	hangs := make(chan struct{})
	t.Cleanup(func() { close(hangs) })
	pulumi := pulumiCLI{directory: "/shop", limit: 10 * time.Millisecond, command: func() (auto.PulumiCommand, error) {
		<-hangs
		return nil, nil
	}}
	_, err := pulumi.Outputs(t.Context(), "dev")
	require.ErrorContains(t, err, "pulumi stack output --json --stack dev did not end within 10ms")
}

func TestAMistakeInYAMLNamesItsFileAndLine(t *testing.T) {
	t.Parallel()
	p := newProject(t, "config:\n  slipway:images: {}\n\tslipway:services: {}\n")
	pulumi := pulumiCLI{command: func() (auto.PulumiCommand, error) { panic("pulumi is not asked") }}
	_, _, err := readConfig(t.Context(), pulumi, p, "release")
	require.ErrorContains(t, err, "Pulumi.release.yaml: yaml: line 3: ")
	_, _, err = openTimeline(t.Context(), pulumi, p, "release", 1)
	require.ErrorContains(t, err, "Pulumi.release.yaml: yaml: line 3: ")
	_, err = stageOrigin{pulumi, p}.LastUpdate(t.Context(), "release")
	require.ErrorContains(t, err, "Pulumi.release.yaml: yaml: line 3: ")
	_, err = readStatus(t.Context(), pulumi, p, "release")
	require.ErrorContains(t, err, "Pulumi.release.yaml: yaml: line 3: ")
}

func TestAStageThatWasNeverPromotedSaysHowItComesByItsImages(t *testing.T) {
	t.Parallel()
	p := newProject(t, "config:\n  slipway:services: {web: {replicas: 2}}\n")
	require.NoError(t, os.WriteFile(filepath.Join(p.Directory, "Pulumi.yaml"),
		[]byte("name: slipway\nconfig:\n  slipway:defaults:\n    value:\n"+
			"      services: {web: {image: web, cpu: 256, memory: 512}}\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(p.Directory, "Pulumi.dev.yaml"),
		[]byte("config:\n  slipway:images: {web: {build: {context: .}}}\n"), 0o644))
	s := &stageStatus{Stage: "release", Services: map[string]*serviceStatus{}, Tasks: map[string]*taskStatus{}}
	s.withoutStack(p)
	require.Len(t, s.Differences, 2)
	require.Contains(t, s.Differences[0],
		"Pulumi.release.yaml cannot be deployed as it is: images (Pulumi.release.yaml): no image is declared yet; "+
			"run \"slipway promote dev release\"")
	require.Equal(t, "there is no stack release yet: correct that, run `pulumi stack init release`, and `pulumi up "+
		"--stack release`", s.Differences[1])
}
