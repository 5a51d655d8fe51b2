package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDevComesUpFromNothingAndStaysUnchanged(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.up("dev")

	images := p.aws.images()
	require.Len(t, images, 1)
	commit := strings.TrimSpace(p.git("rev-parse", "--short=7", "HEAD"))
	require.Regexp(t, `^\d{8}-\d{6}-`+commit+`-[0-9a-f]{8}$`, images[0].Tag)
	require.Equal(t, "slipway-dev/web", images[0].Repository)

	running := p.aws.service("slipway-dev")
	require.Equal(t, 1, running.Running)
	require.Equal(t, 1, running.Revision)
	require.Equal(t, map[string]string{"STAGE": "dev", "GREETING": "hello from dev"}, running.Environment)
	require.True(t, strings.HasSuffix(running.Image, "/slipway-dev/web:"+images[0].Tag), running.Image)

	outputs := p.state("dev").outputs()
	require.Equal(t, "slipway-dev", outputs.Cluster)
	web := outputs.Images["web"]
	require.Equal(t, images[0].Tag, web.Tag)
	require.Equal(t, images[0].Digest, web.Digest)
	require.Equal(t, commit, web.Commit)
	require.Equal(t, "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/slipway-dev/web:"+web.Tag+"@"+web.Digest, web.Ref)
	service := outputs.Services["web"]
	require.Equal(t, "slipway-dev-web", service.Family)
	require.Equal(t, 1, service.Revision)
	require.Equal(t, "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/slipway-dev-web:1", service.TaskDefinition)
	require.Equal(t, 1, service.Replicas)
	require.Equal(t, "/slipway/dev/web", service.LogGroup)
	require.Equal(t, "arn:aws:ecs:ap-northeast-2:123456789012:service/slipway-dev/web", service.Service)

	stageFile := p.read("Pulumi.dev.yaml")
	require.Equal(t, p.git("show", "HEAD:Pulumi.dev.yaml"), stageFile, "the stage file is as it was committed")

	p.settled("dev")
	require.Equal(t, 1, p.aws.builds("slipway-dev/web"))
}

func TestAChangedVariableIsANewRevisionAndItsRevertRestoresWhatRanBefore(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	before, containers := p.aws.images(), p.state("dev").containers()
	first := strings.TrimSpace(p.git("rev-parse", "HEAD"))
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.commit("Greet again")
	second := strings.TrimSpace(p.git("rev-parse", "HEAD"))

	preview := p.preview("dev")
	require.Zero(t, preview.status)
	require.Regexp(t, `"hello from dev" => "hello again"`, preview.output)
	require.NotContains(t, preview.output, "mountPoints", "only the variable differs")

	u := p.up("dev")
	require.ElementsMatch(t, []string{"Create aws:ecs/taskDefinition:TaskDefinition",
		"Delete aws:ecs/taskDefinition:TaskDefinition",
		"Update aws:ecs/service:Service"}, u.changed())
	require.Equal(t, before, p.aws.images())
	require.Equal(t, 1, p.aws.builds("slipway-dev/web"))
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE"}, p.aws.revisions("slipway-dev-web"))
	running := p.aws.service("slipway-dev")
	require.Equal(t, 2, running.Revision)
	require.Equal(t, "hello again", running.Environment["GREETING"])
	require.NotEqual(t, containers, p.state("dev").containers())

	var history []struct {
		Kind, Result string
		Environment  map[string]string
	}
	require.NoError(t, json.Unmarshal([]byte(p.ok("pulumi", "stack", "history", "--json", "--stack", "dev").stdout),
		&history))
	require.Len(t, history, 2)
	for i, commit := range []string{second, first} {
		require.Equal(t, "update", history[i].Kind)
		require.Equal(t, "succeeded", history[i].Result)
		require.Equal(t, commit, history[i].Environment["git.head"])
		require.Equal(t, "Dana Developer", history[i].Environment["git.author"])
		require.Equal(t, "dana@example.com", history[i].Environment["git.author.email"])
	}
	text := p.ok("pulumi", "stack", "history", "--stack", "dev").output
	require.Contains(t, text, "Greet again")
	require.Contains(t, text, "first commit")

	p.git("revert", "--no-edit", "HEAD")
	p.up("dev").builtNothing()
	require.JSONEq(t, containers, p.state("dev").containers())
	require.Equal(t, before, p.aws.images())
	require.Equal(t, "hello from dev", p.aws.service("slipway-dev").Environment["GREETING"])
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE", "3 ACTIVE"}, p.aws.revisions("slipway-dev-web"))
}

func TestAChangedAppIsOneMoreImageAndRevision(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	first := p.aws.images()[0]

	p.editApp("two")
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.commit("Version two")
	preview := p.preview("dev")
	require.Zero(t, preview.status)
	require.Regexp(t, `"hello from dev" => "hello again"`, preview.output, "a preview shows the variable also then")
	require.Regexp(t, `slipway-dev/web:\d{8}-\d{6}-[^ ]+" => "[^ ]+slipway-dev/web:\d{8}-\d{6}-`, preview.output)
	p.up("dev")
	images := p.aws.images()
	require.Len(t, images, 2)
	require.Equal(t, first, images[0], "the earlier image is still there")
	commit := strings.TrimSpace(p.git("rev-parse", "--short=7", "HEAD"))
	require.Regexp(t, `^\d{8}-\d{6}-`+commit+`-[0-9a-f]{8}$`, images[1].Tag)
	require.NotEqual(t, first.Digest, images[1].Digest)
	running := p.aws.service("slipway-dev")
	require.Equal(t, 2, running.Revision)
	require.True(t, strings.HasSuffix(running.Image, images[1].Tag))

	p.editApp("") // back to the first version
	p.up("dev")
	images = p.aws.images()
	require.Len(t, images, 3, "going back makes a third image, as tags never move")
	require.Equal(t, 3, p.aws.service("slipway-dev").Revision)
	p.up("dev", "--expect-no-changes")
}
