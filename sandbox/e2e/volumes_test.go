package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

// A file system of a team's own is mounted by tasks, whose role is let in to it and to nothing else.
func TestAVolumeInAFileSystemOfATeamsOwn(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	before := p.state("dev").containers()
	p.serviceKeys("mounts: {data: {path: /data}, own: {path: /own}}",
		"volumes: {data: {efs: {id: fs-0123456789abcdef0, accessPoint: fsap-0123456789abcdef0}}}")
	p.up("dev").builtNothing()
	registered, err := ecs.FindTaskDefinition(p.aws.open(), "slipway-dev-web:2")
	require.NoError(t, err)
	require.ElementsMatch(t, []ecs.Volume{ecs.OwnVolume("own"), {Name: "data", EFS: &ecs.EFSVolume{
		FileSystem: "fs-0123456789abcdef0", Root: "/", TransitEncryption: "ENABLED",
		Authorization: &ecs.EFSAuthorization{AccessPoint: "fsap-0123456789abcdef0", IAM: "ENABLED"}}}}, registered.Volumes)
	require.Len(t, p.aws.taskPolicies(), 1)
	permitted := p.aws.taskPolicies()[0].Text("policy")
	require.Contains(t, permitted, `"elasticfilesystem:ClientMount","elasticfilesystem:ClientWrite"`)
	require.Contains(t, permitted, ":access-point/fsap-0123456789abcdef0")
	p.settled("dev")
	p.ok("slipway", "verify", "dev")

	p.replace("Pulumi.dev.yaml", "data: {path: /data}", "data: {path: /data, readOnly: true}")
	p.up("dev").builtNothing()
	require.Len(t, p.aws.taskPolicies(), 1)
	require.NotContains(t, p.aws.taskPolicies()[0].Text("policy"), "ClientWrite", "who only reads may only read")

	p.replace("Pulumi.dev.yaml", "id: fs-0123456789abcdef0", "id: files, root: /data")
	preview := p.preview("dev")
	require.NotZero(t, preview.status)
	require.Contains(t, preview.output, `services.web.volumes.data.efs.id (Pulumi.dev.yaml): is "files"; write the id`)
	require.Contains(t, preview.output, "services.web.volumes.data.efs.root (Pulumi.dev.yaml): is /data, and the access point")

	p.withoutOptions()
	p.up("dev").builtNothing()
	require.JSONEq(t, before, p.state("dev").containers(), "what it was before")
	require.Empty(t, p.aws.taskPolicies())
}

// The task role is let in to the volumes of the stage file alone, and tasks of a revision with others never start.
func TestARevisionWithOtherVolumesIsNotPinned(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("mounts: {data: {path: /data}}", "volumes: {data: {efs: {id: fs-0123456789abcdef0}}}")
	p.commit("A volume")
	p.up("dev")
	p.replace("Pulumi.dev.yaml", "fs-0123456789abcdef0}", "fs-0123456789abcdef0, accessPoint: fsap-0123456789abcdef0}")
	p.commit("Less of it")
	p.up("dev")
	const mistake = "mounts fs-0123456789abcdef0, which the task role may not: write at services.web.volumes and mounts what " +
		"that revision had, or go back by `git revert`"
	p.refused([]string{"services.web: revision 2 " + mistake + ", or go back without --pin"}, "slipway", "rollback", "dev",
		"--pin")
	p.serviceKeys("revision: 2")
	preview := p.preview("dev")
	require.NotZero(t, preview.status)
	require.Contains(t, preview.output, "services.web.revision (Pulumi.dev.yaml): the task definition slipway-dev-web:2 "+mistake)
}

// What a task has written is there for one of a later revision, through the same access point only.
func TestFilesInAVolumeOutliveTheirTaskAndItsRevision(t *testing.T) {
	t.Parallel()
	p := withContainers(t)
	withProgram(p, "keeper")
	p.stageKeys("slipway:tasks: {keep: {image: keeper, mounts: {data: {path: /data}}, environment: {ROUND: \"1\"}, " +
		"volumes: {data: {efs: {id: fs-01234567}}}}}")
	p.up("dev")
	p.ok("slipway", "run", "dev", "keep", "--", "/data/file", "kept")
	p.replace("Pulumi.dev.yaml", `ROUND: "1"`, `ROUND: "2"`)
	p.up("dev")
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE"}, p.aws.revisions("slipway-dev-keep"))
	require.Contains(t, p.ok("slipway", "run", "dev", "keep", "--", "/data/file").stdout, "kept")

	p.replace("Pulumi.dev.yaml", "id: fs-01234567", "id: fs-01234567, accessPoint: fsap-01234567")
	p.up("dev")
	require.Contains(t, p.run("slipway", "run", "dev", "keep", "--", "/data/file").stdout, "no such file")
}
