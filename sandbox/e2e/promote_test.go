package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

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
	require.Equal(t, p.state("dev").outputs().Images["web"].Digest, p.state("release").outputs().Images["web"].Digest)
	for _, each := range p.state("release").Resources {
		require.False(t, strings.HasPrefix(each.Type, "docker:"), "release registers %s", each.Type)
		require.NotEqual(t, "pulumi:providers:docker", each.Type)
	}
	require.Len(t, p.aws.images(), 1)
	require.Equal(t, 1, p.aws.builds("slipway-dev/web"))
	running := p.aws.service("slipway-release")
	require.Equal(t, 2, running.Running)
	require.Equal(t, map[string]string{"STAGE": "release", "GREETING": "hello from release"}, running.Environment)
	require.True(t, strings.HasSuffix(running.Image, "@"+p.aws.images()[0].Digest), running.Image)
	p.up("release", "--expect-no-changes")
}

func TestPromoteRefusesWhatCannotBeTraced(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	release := p.read("Pulumi.release.yaml")

	p.replace("app/handler.go", "package main", "package main // edited")
	p.up("dev")
	require.Contains(t, p.aws.images()[1].Tag, "-dirty-")
	p.refused([]string{"-dirty", "--allow-dirty"}, "slipway", "promote", "dev", "release")
	require.Equal(t, release, p.read("Pulumi.release.yaml"))

	p.commit("Edit the app")
	p.up("dev")
	require.NotContains(t, p.aws.images()[2].Tag, "-dirty-", "committing what ran dirty makes a clean image")
	p.aws.setFaults(map[string]string{"failing-tasks": "*"})
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
	good := p.state("dev").outputs().Images["web"]
	for ref, says := range map[string]string{
		strings.Replace(good.Ref, good.Digest, "sha256:"+strings.Repeat("0", 64), 1): "is not in ECR",
		strings.Replace(good.Ref, good.Tag, "another-tag", 1):                        "another-tag",
		good.Ref + "\n      platform: linux/arm64": "is for linux/amd64, and its tasks run on linux/arm64: write the image's " +
			"platform as platform beside ref",
		strings.Replace(good.Ref, "123456789012", "210987654321", 1): "repository.readers: [\"123456789012\"] in the file of " +
			"the stage in account 210987654321",
	} {
		file := p.read("Pulumi.release.yaml")
		p.replace("Pulumi.release.yaml", good.Ref, ref)
		u := p.tryUp("release")
		require.NotZero(t, u.status)
		require.Contains(t, u.output, "images.web.ref (Pulumi.release.yaml)")
		require.Contains(t, u.output, says)
		require.Empty(t, u.changed())
		p.write("Pulumi.release.yaml", file)
	}
}

func TestPromoteOfSomeServicesIsACommitOfItsOwn(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.replace("Pulumi.dev.yaml", "  slipway:services:\n",
		"    tool: {build: {context: ./app, refresh: \"another\"}}\n  slipway:services:\n    tool: {image: tool}\n")
	p.commit("A second image")
	p.up("dev")
	images := p.state("dev").outputs().Images
	before := p.read("Pulumi.release.yaml")

	r := p.refused([]string{`dev has no service "wbe": name one of tool, web`}, "slipway", "promote", "dev", "release",
		"--service", "wbe")
	require.Equal(t, 2, r.status)
	p.write("Pulumi.release.yaml", before+"# edited\n")
	r = p.refused([]string{"Pulumi.release.yaml has uncommitted changes"}, "slipway", "promote", "dev", "release",
		"--commit")
	require.Equal(t, 1, r.status)
	require.Equal(t, before+"# edited\n", p.read("Pulumi.release.yaml"))
	p.git("checkout", "-q", "Pulumi.release.yaml")
	p.write(".git/hooks/pre-commit", "#!/bin/sh\necho no promotion on a Friday >&2\nexit 1\n")
	require.NoError(t, os.Chmod(filepath.Join(p.dir, ".git/hooks/pre-commit"), 0o755))
	r = p.refused([]string{"no promotion on a Friday", "stays as it was"}, "slipway", "promote", "dev", "release",
		"--commit")
	require.Equal(t, 2, r.status)
	require.Empty(t, p.git("status", "--porcelain"))
	require.NoError(t, os.Remove(filepath.Join(p.dir, ".git/hooks/pre-commit")))

	branch := strings.TrimSpace(p.git("branch", "--show-current"))
	p.git("switch", "-q", "--detach")
	for _, command := range [][]string{{"slipway", "promote", "dev", "release", "--commit"},
		{"slipway", "rollback", "dev"}} {
		require.Equal(t, 1, p.refused([]string{"HEAD is detached"}, command...).status)
		require.Empty(t, p.git("status", "--porcelain"))
	}
	p.git("switch", "-q", branch)

	// What else is staged or changed stays as it is.
	p.write("staged", "new\n")
	p.git("add", "staged")
	p.replace("README.md", "slipway", "Slipway")
	r = p.ok("slipway", "promote", "dev", "release", "--service", "web", "--commit")
	require.Equal(t, "Promote web "+images["web"].Tag+" to release\n", p.git("log", "-1", "--format=%s"))
	require.Equal(t, "Pulumi.release.yaml\n", p.git("show", "--name-only", "--format=", "HEAD"))
	require.Contains(t, r.output, "committed as "+strings.TrimSpace(p.git("rev-parse", "--short", "HEAD")))
	require.Equal(t, " M README.md\nA  staged\n", p.git("status", "--porcelain"))
	require.Contains(t, p.read("Pulumi.release.yaml"), images["web"].Ref)
	require.NotContains(t, p.read("Pulumi.release.yaml"), images["tool"].Ref)

	// While one service is being deployed, what the other runs can be promoted.
	p.aws.setFaults(map[string]string{"slow-rollout": "1h"})
	_, err := ecs.UpdateService(p.aws.open(), "slipway-dev", "web", "slipway-dev-web:1", true,
		func(*ecs.ServiceSettings) {})
	require.NoError(t, err)
	r = p.refused([]string{"services.web of dev is not steady: its deployment of slipway-dev-web:1 is under way"},
		"slipway", "promote", "dev", "release", "--commit")
	require.Equal(t, 1, r.status)
	p.ok("slipway", "promote", "dev", "release", "--service", "tool", "--commit")
	require.Equal(t, "Promote tool "+images["tool"].Tag+" to release\n", p.git("log", "-1", "--format=%s"))
	require.Contains(t, p.read("Pulumi.release.yaml"), images["tool"].Ref)
}

func TestPromoteRefusesAServiceThatSomebodyChanged(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.up("dev")
	_, err := ecs.UpdateService(p.aws.open(), "slipway-dev", "web", "slipway-dev-web:1", false,
		func(*ecs.ServiceSettings) {})
	require.NoError(t, err)
	r := p.refused([]string{"services.web of dev is on slipway-dev-web:1 in ECS",
		"its last update deployed slipway-dev-web:2",
		"pulumi up --refresh --stack dev"}, "slipway", "promote", "dev", "release")
	require.Equal(t, 1, r.status)
	p.up("dev", "--refresh")
	p.ok("slipway", "promote", "dev", "release")
}
