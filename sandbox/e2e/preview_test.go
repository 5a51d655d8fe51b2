package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecr"
)

func TestAPreviewThatAReviewerReads(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	previewed := func(status int, more ...string) *result {
		p.Helper()
		r := p.run(append([]string{"slipway", "preview", "dev"}, more...)...)
		require.Equal(p, status, r.status, r.output)
		return r
	}
	require.Equal(t, "dev: nothing changes\n", previewed(0, "--exit-code").stdout)

	p.editApp("two")
	p.replace("app/handler.go", "package main", "package main // version two")
	p.replace("Pulumi.dev.yaml", "    STAGE: \"dev\"\n", "    AHEAD: \"a `tick`\"\n    STAGE: \"dev\"\n")
	p.replace("Pulumi.dev.yaml", "    web:\n      replicas: 1\n", "    web:\n      replicas: 2\n")
	p.commit("Version two")
	commit := p.git("rev-parse", "--short=7", "HEAD")[:7]
	r := previewed(1, "--markdown", "--exit-code")
	require.Contains(t, r.stdout, "**dev: 1 service rolls, 3 resources in all**\n- image web is built, and pushed as ")
	require.Contains(t, r.stdout, "**web (service) rolls to a new revision (the newest is 1)**\n- image of web: ")
	require.Contains(t, r.stdout, "(built)\n  - 1 new commit\n    - `"+commit+" Version two`\n- `desiredCount: 1 → 2`\n"+
		"- `` web.environment.AHEAD: + a `tick` ``\n")
	require.NotContains(t, r.stdout, "web.environment.STAGE", "it is the same, though its place in the list is another")
	var found struct{ Workloads []struct{ Name, What string } }
	require.NoError(t, json.Unmarshal([]byte(previewed(0, "--json").stdout), &found))
	require.Len(t, found.Workloads, 1)
	require.Equal(t, "rolls", found.Workloads[0].What)
	require.Equal(t, 1, p.state("dev").outputs().Services["web"].Revision, "a preview changes nothing")

	p.replace("Pulumi.dev.yaml", "replicas: 2", "replicas: \"two\"")
	require.Contains(t, previewed(2).output, "services.web.replicas (Pulumi.dev.yaml)", "mistakes are told as by an update")
	require.Contains(t, p.run("slipway", "preview", "nowhere").output, "there is no stage nowhere")
}

func TestAPreviewTellsAFirstSecretByItsName(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("secrets: [API_KEY]")
	p.encrypt("dev", "API_KEY", "hunter2-preview")
	p.replace("Pulumi.dev.yaml", "hello from dev", "good day")
	r := p.ok("slipway", "preview", "dev")
	require.Contains(t, r.stdout, "\n  web.environment.GREETING: hello from dev → good day\n  web.secrets.API_KEY: added (secret)\n")
	require.NotContains(t, r.output, "hunter2")
}

func TestAPreviewSaysWhatIsCopied(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	digest, _ := anotherRegistry(t, p, "amd64", "arm64")
	const amount = " into slipway-dev/web: 0.8 MB of 0.8 MB are missing there, in 6 of 6 layers\n"
	previewed := func(more ...string) string {
		p.Helper()
		return p.ok(append([]string{"slipway", "preview", "dev"}, more...)...).stdout
	}
	first := previewed()
	require.Contains(t, first, "dev: 1 image is copied, 1 service is created, ")
	require.Regexp(t, "  image web is copied: 127.0.0.1:[0-9]+/team/web:2.1@"+digest.String()+amount, first)
	require.NotContains(t, first, "Stash")
	require.Contains(t, previewed("--json"), `"what": "copied"`)
	p.up("dev")
	require.Equal(t, "dev: nothing changes\n", previewed())

	p.replace("Pulumi.dev.yaml", "hello from dev", "good day")
	require.Contains(t, previewed("--markdown"), "resources in all**\n- the same as before: image web\n\n**web (service) rolls")
	p.replace("Pulumi.dev.yaml", "good day", "hello from dev")

	_, err := ecr.DeleteImage(p.aws.open(), "slipway-dev/web", "", digest.String())
	require.NoError(t, err)
	r := p.run("slipway", "preview", "dev", "--exit-code")
	require.Equal(t, 1, r.status, r.output)
	require.Contains(t, r.stdout, "dev: 1 image is copied\n  image web is copied: ")
}

func TestARepositoryThatECRKeepsIsToldBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	anotherRegistry(t, p, "amd64")
	p.replace("Pulumi.dev.yaml", "      mirror: true\n", "")
	const told = "images.web (Pulumi.dev.yaml): the update deletes its repository slipway-dev/web, last of all, and ECR " +
		"refuses that: it holds images"
	require.Contains(t, p.preview("dev").output, told)
	previewed := p.ok("slipway", "preview", "dev").stdout
	require.Contains(t, previewed, "\nThe update would fail\n  "+told)
	require.Equal(t, 1, strings.Count(previewed, told))

	// In two steps.
	p.replace("Pulumi.dev.yaml", "      ref: ", "      mirror: true\n      ref: ")
	p.stageKeys("slipway:repository: {forceDelete: true}")
	p.up("dev")
	p.replace("Pulumi.dev.yaml", "      mirror: true\n", "")
	require.NotContains(t, p.ok("slipway", "preview", "dev").stdout, "would fail")
	p.up("dev")
	require.Empty(t, p.aws.images())
}

func TestARepositoryThatECRKeepsIsToldInTheUpdateToo(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	anotherRegistry(t, p, "amd64")
	p.replace("Pulumi.dev.yaml", "      mirror: true\n", "")
	p.refused([]string{"RepositoryNotEmptyException", "warning: images.web (Pulumi.dev.yaml): the update deletes its " +
		"repository slipway-dev/web, last of all"}, upArgs("dev")...)
}
