package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// promoted is a project whose stages dev and release run.
func promoted(t *testing.T) *project {
	t.Helper()
	p := deployed(t)
	p.ok("pulumi", "stack", "init", "release")
	p.ok("slipway", "promote", "dev", "release")
	p.commit("Promote")
	p.up("release")
	return p
}

func TestReleaseRunsTheSameImageWithItsOwnVariables(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.ok("pulumi", "stack", "init", "release")
	p.refused([]string{"images (Pulumi.release.yaml)", "slipway promote dev release"}, upArgs("release")...)

	p.ok("slipway", "promote", "dev", "release")
	numstat := p.git("diff", "--numstat")
	require.Regexp(t, `^\d+\t0\tPulumi\.release\.yaml\n$`, numstat, "lines were added, and no other changed")
	again := p.ok("slipway", "promote", "dev", "release")
	require.Equal(t, numstat, p.git("diff", "--numstat"), again.output)
	p.commit("Promote")

	u := p.up("release")
	u.builtNothing()
	require.Equal(t, p.outputs("dev").Images["web"].Digest, p.outputs("release").Images["web"].Digest)
	for resourceType := range p.state("release") {
		require.False(t, strings.HasPrefix(resourceType, "docker:"), "release registers %s", resourceType)
		require.NotEqual(t, "pulumi:providers:docker", resourceType)
	}
	require.Len(t, p.images(), 1)
	require.Equal(t, 1, p.builds("slipway-dev/web"))
	running := p.service("slipway-release")
	require.Equal(t, 2, running.Running)
	require.Equal(t, map[string]string{"STAGE": "release", "GREETING": "hello from release"}, running.Environment)
	require.True(t, strings.HasSuffix(running.Image, "@"+p.images()[0].Digest), running.Image)
	p.up("release", "--expect-no-changes")
}

func TestPromoteRefusesWhatCannotBeTraced(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	release := p.read("Pulumi.release.yaml")

	p.replace("app/handler.go", "package main", "package main // edited")
	p.up("dev")
	require.Contains(t, p.images()[1].Tag, "-dirty-")
	p.refused([]string{"-dirty", "--allow-dirty"}, "slipway", "promote", "dev", "release")
	require.Equal(t, release, p.read("Pulumi.release.yaml"))

	p.commit("Edit the app")
	p.up("dev")
	require.NotContains(t, p.images()[2].Tag, "-dirty-", "committing what ran dirty makes a clean image")
	p.faults(map[string]string{"failing-tasks": "*"})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	require.NotZero(t, p.tryUp("dev").status)
	p.refused([]string{"failed"}, "slipway", "promote", "dev", "release")
	require.Equal(t, release, p.read("Pulumi.release.yaml"))
}

func TestAPinnedImageIsLookedUpBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.ok("pulumi", "stack", "init", "release")
	p.ok("slipway", "promote", "dev", "release")
	good := p.outputs("dev").Images["web"]
	for ref, says := range map[string]string{
		strings.Replace(good.Ref, good.Digest, "sha256:"+strings.Repeat("0", 64), 1): "not to be had",
		strings.Replace(good.Ref, good.Tag, "another-tag", 1):                        "another-tag",
		strings.Replace(good.Ref, "123456789012", "210987654321", 1):                 "account",
		strings.Replace(good.Ref, "ap-northeast-2", "eu-west-1", 1):                  "region",
	} {
		file := p.read("Pulumi.release.yaml")
		p.replace("Pulumi.release.yaml", good.Ref, ref)
		u := p.tryUp("release", "--skip-preview")
		require.NotZero(t, u.status)
		require.Contains(t, u.output, "images.web.ref (Pulumi.release.yaml)")
		require.Contains(t, u.output, says)
		require.Empty(t, u.changed())
		p.write("Pulumi.release.yaml", file)
	}
}
