package e2e

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/internal/imageref"
	"slipway/internal/registries/registrytest"
	"slipway/sandbox/account/ecs"
)

// several are keys of a service with a container that prepares a volume, and another one beside the main one, which
// runs an image of another registry.
func several(beside string) []string {
	return []string{
		"cpu: 512",
		"memory: 1024",
		"dependsOn: {prepare: SUCCESS}",
		"mounts: {data: {path: /data, readOnly: true}}",
		"containers:",
		"  prepare: {image: web, command: [-describe], essential: false, mounts: {data: {path: /data}}, " +
			"user: \"65532:65532\"}",
		"  beside: {image: '" + beside + "', cpu: 64, memory: 128, init: true, " +
			"readonlyRootFilesystem: true,",
		"    environment: {LEVEL: \"info\"}, ulimits: {nofile: {soft: 4096, hard: 65535}},",
		"    healthCheck: {command: [CMD, 'true']}}",
	}
}

// busybox is an image in a registry that lets everybody in.
func busybox(t *testing.T) imageref.Ref {
	t.Helper()
	return registrytest.Serve(t, "", "").Push(t, "docker/library/busybox", "1.37", "linux/amd64")
}

func TestATaskOfSeveralContainersIsRegisteredAsTheStageFileHasIt(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	before := p.state("dev").containers()
	image := busybox(t)
	p.serviceKeys(several(image.String())...)
	p.up("dev").builtNothing()
	registered, err := ecs.FindTaskDefinition(p.aws.open(), "slipway-dev-web:2")
	require.NoError(t, err)
	require.Len(t, registered.Containers, 3)
	beside, prepare, main := registered.Containers[0], registered.Containers[1], registered.Containers[2]
	require.Equal(t, []string{"beside", "prepare", "web"}, []string{beside.Name(), prepare.Name(), main.Name()})
	require.Equal(t, main.Image(), prepare.Image())
	require.Equal(t, image.Pinned(), beside.Image())
	require.Equal(t, map[string]string{"STAGE": "dev", "LEVEL": "info"}, beside.Environment())
	require.InDelta(t, 416, main["cpu"], 0, "the others have 64 and 32")
	require.Equal(t, []any{map[string]any{"condition": "SUCCESS", "containerName": "prepare"}}, main["dependsOn"])
	require.Equal(t, "/slipway/dev/web", prepare.LogGroup())
	require.Equal(t, []ecs.Volume{ecs.OwnVolume("data")}, registered.Volumes)

	p.replace("Pulumi.dev.yaml", `LEVEL: "info"`, `LEVEL: "debug"`)
	preview := p.preview("dev")
	require.Zero(t, preview.status)
	require.Regexp(t, `"info" => "debug"`, preview.output)
	for _, other := range []string{"mountPoints", "prepare", "nofile", "dependsOn", "volumes"} {
		require.NotContains(t, changedLines(preview.output), other, "only the variable differs")
	}
	p.up("dev").builtNothing()
	require.Equal(t, 3, p.aws.service("slipway-dev").Revision)
	require.Equal(t, 1, p.aws.builds("slipway-dev/web"))
	p.ok("slipway", "verify", "dev")
	p.settled("dev")

	p.withoutOptions()
	p.up("dev").builtNothing()
	require.JSONEq(t, before, p.state("dev").containers(), "what it was before")
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE", "3 ACTIVE", "4 ACTIVE"}, p.aws.revisions("slipway-dev-web"))
}

// changedLines are the lines of a preview's diff that show what is added, removed or changed.
func changedLines(preview string) (lines string) {
	for _, line := range regexp.MustCompile(`(?m)^\s*[~+-][^\n]*$`).FindAllString(preview, -1) {
		lines += line + "\n"
	}
	return lines
}
