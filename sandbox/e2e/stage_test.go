package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

func TestDevComesUpFromNothingAndStaysUnchanged(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.up("dev")

	images := p.images()
	require.Len(t, images, 1)
	commit := strings.TrimSpace(p.git("rev-parse", "--short=7", "HEAD"))
	require.Regexp(t, `^\d{8}-\d{6}-`+commit+`-[0-9a-f]{8}$`, images[0].Tag)
	require.Equal(t, "slipway-dev/web", images[0].Repository)

	running := p.service("slipway-dev")
	require.Equal(t, 1, running.Running)
	require.Equal(t, 1, running.Revision)
	require.Equal(t, map[string]string{"STAGE": "dev", "GREETING": "hello from dev"}, running.Environment)
	require.True(t, strings.HasSuffix(running.Image, "/slipway-dev/web:"+images[0].Tag), running.Image)

	outputs := p.outputs("dev")
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
	require.Equal(t, 1, p.builds("slipway-dev/web"))
}

func TestAChangedVariableIsANewRevisionAndNothingElse(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	before := p.images()
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.commit("Greet again")

	preview := p.preview("dev")
	require.Zero(t, preview.status)
	require.Regexp(t, `"hello from dev" => "hello again"`, preview.output)
	require.NotContains(t, preview.output, "mountPoints", "only the variable differs")

	u := p.up("dev")
	require.ElementsMatch(t, []string{"Create aws:ecs/taskDefinition:TaskDefinition",
		"Delete aws:ecs/taskDefinition:TaskDefinition",
		"Update aws:ecs/service:Service"}, u.changed())
	require.Equal(t, before, p.images())
	require.Equal(t, 1, p.builds("slipway-dev/web"))
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE"}, p.revisions("slipway-dev-web"))
	running := p.service("slipway-dev")
	require.Equal(t, 2, running.Revision)
	require.Equal(t, "hello again", running.Environment["GREETING"])
}

func TestAPreviewShowsTheVariableAlsoWhenTheImageChanges(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.editApp("another version")
	preview := p.preview("dev")
	require.Zero(t, preview.status)
	require.Regexp(t, `"hello from dev" => "hello again"`, preview.output)
	require.Regexp(t, `slipway-dev/web:\d{8}-\d{6}-[^ ]+" => "[^ ]+slipway-dev/web:\d{8}-\d{6}-`, preview.output)
}

func TestAChangedAppIsOneMoreImageAndRevision(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	first := p.images()[0]

	p.editApp("two")
	p.git("commit", "-q", "--allow-empty", "-m", "Version two")
	p.up("dev")
	images := p.images()
	require.Len(t, images, 2)
	require.Equal(t, first, images[0], "the earlier image is still there")
	commit := strings.TrimSpace(p.git("rev-parse", "--short=7", "HEAD"))
	require.Regexp(t, `^\d{8}-\d{6}-`+commit+`-[0-9a-f]{8}$`, images[1].Tag)
	require.NotEqual(t, first.Digest, images[1].Digest)
	running := p.service("slipway-dev")
	require.Equal(t, 2, running.Revision)
	require.True(t, strings.HasSuffix(running.Image, images[1].Tag))

	p.editApp("") // back to the first version
	p.up("dev")
	images = p.images()
	require.Len(t, images, 3, "going back makes a third image, as tags never move")
	require.Equal(t, 3, p.service("slipway-dev").Revision)
	p.up("dev", "--expect-no-changes")
}

func TestRevertingAConfigCommitRestoresWhatRanBefore(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	before, images := p.containers("dev"), p.images()
	p.replace("Pulumi.dev.yaml", "hello from dev", "a mistake")
	p.commit("A mistake")
	p.up("dev")
	require.NotEqual(t, before, p.containers("dev"))

	p.git("revert", "--no-edit", "HEAD")
	p.up("dev").builtNothing()
	require.JSONEq(t, before, p.containers("dev"))
	require.Equal(t, images, p.images())
	require.Equal(t, "hello from dev", p.service("slipway-dev").Environment["GREETING"])
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE", "3 ACTIVE"}, p.revisions("slipway-dev-web"))
}

func TestHistoryTellsCommitAndMessageOfEveryUpdate(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	first := strings.TrimSpace(p.git("rev-parse", "HEAD"))
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.commit("Greet again")
	second := strings.TrimSpace(p.git("rev-parse", "HEAD"))
	p.up("dev")

	var history []struct {
		Kind, Result string
		Environment  map[string]string
	}
	require.NoError(t, json.Unmarshal([]byte(p.ok("pulumi", "stack", "history", "--json", "--stack", "dev").stdout),
		&history))
	require.Len(t, history, 2)
	for i, want := range []struct{ commit, message string }{{second, "Greet again"}, {first, "first commit"}} {
		require.Equal(t, "update", history[i].Kind)
		require.Equal(t, "succeeded", history[i].Result)
		require.Equal(t, want.commit, history[i].Environment["git.head"])
		require.Equal(t, "Dana Developer", history[i].Environment["git.author"])
		require.Equal(t, "dana@example.com", history[i].Environment["git.author.email"])
	}
	text := p.ok("pulumi", "stack", "history", "--stack", "dev").output
	require.Contains(t, text, "Greet again")
	require.Contains(t, text, "first commit")
}

func TestAllowFromOpensThePortToThoseRangesAndClosesItAgain(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys(`allowFrom: [10.0.0.0/8, "fd00::/8"]`)
	u := p.up("dev")
	require.Equal(t, []string{"Create aws:ec2/securityGroupRule:SecurityGroupRule"}, u.changed())
	rules := p.objects(account.SecurityGroupRule)
	require.Len(t, rules, 2)
	for _, rule := range rules {
		require.EqualValues(t, 8080, rule["fromPort"])
		require.Equal(t, "ingress", rule["type"])
	}
	p.settled("dev")

	p.withoutOptions()
	p.up("dev")
	require.Empty(t, p.objects(account.SecurityGroupRule))
}

func TestACountASizeAndASecondServiceChangeOnlyWhatTheyConcern(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.replace("Pulumi.dev.yaml", "replicas: 1", "replicas: 3")
	require.Equal(t, []string{"Update aws:ecs/service:Service"}, p.up("dev").changed())
	require.Equal(t, 3, p.service("slipway-dev").Running)
	require.Equal(t, []string{"1 ACTIVE"}, p.revisions("slipway-dev-web"))

	p.replace("Pulumi.dev.yaml", "    web:\n      replicas: 3",
		"    worker:\n      image: web\n      command: [\"/app\"]\n    web:\n      replicas: 3")
	u := p.up("dev")
	u.builtNothing()
	for _, change := range u.changed() {
		require.True(t, strings.HasPrefix(change, "Create "), change)
	}
	require.Equal(t, []string{"1 ACTIVE"}, p.revisions("slipway-dev-web"))
	require.Equal(t, []string{"1 ACTIVE"}, p.revisions("slipway-dev-worker"))
	p.up("dev", "--expect-no-changes")
}

func TestANetworkThatIsNamedIsLookedUpFirst(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	stage := p.read("Pulumi.dev.yaml")
	network := func(vpc, subnet string) {
		p.write("Pulumi.dev.yaml", stage+fmt.Sprintf("  slipway:network: {vpc: %s, subnets: [%s], assignPublicIp: true}\n",
			vpc, subnet))
	}
	network(account.DefaultVPC, "subnet-0123456789abcdef0")
	p.refused([]string{"network.subnets", "subnet-0123456789abcdef0"}, upArgs("dev")...)
	network("vpc-0123456789abcdef0", account.Subnets[0].ID)
	p.refused([]string{"network.subnets", "vpc-0123456789abcdef0"}, upArgs("dev")...)

	network(account.DefaultVPC, account.Subnets[0].ID)
	require.Equal(t, []string{"Update aws:ecs/service:Service"}, p.up("dev").changed())
	service, err := p.open().FindService("slipway-dev", "web")
	require.NoError(t, err)
	require.Equal(t, []string{account.Subnets[0].ID}, service.Settings.Subnets)
	require.Equal(t, 1, p.service("slipway-dev").Running)
	p.up("dev", "--expect-no-changes")
}
