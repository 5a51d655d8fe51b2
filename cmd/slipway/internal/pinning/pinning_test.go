package pinning

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/cmd/slipway/internal/stagetest"
	"slipway/internal/registries/registrytest"
)

// stageOf is a stage of these files, in an account whose secrets hold the password hunter2.
func stageOf(t *testing.T, projectYAML, stageYAML string) *snapshot.Stage {
	t.Helper()
	stageYAML = "config:\n" + stagetest.Account(t, map[string]any{"GetSecretValue": map[string]string{
		"SecretString": `{"username": "robot", "password": "hunter2"}`}}) + stageYAML
	project := stagetest.Project(t, stageYAML)
	if projectYAML != "" {
		require.NoError(t, os.WriteFile(filepath.Join(project.Directory, "Pulumi.yaml"),
			[]byte("name: slipway\nruntime: go\n"+projectYAML), 0o600))
	}
	config, _, err := project.ConfigOfFiles("release")
	require.NoError(t, err)
	return &snapshot.Stage{Project: project, Stack: "release", StageConfig: &pulumicli.StageConfig{Config: config}}
}

func read(t *testing.T, of *snapshot.Stage, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(of.Project.Directory, file))
	require.NoError(t, err)
	return string(content)
}

func TestDigestsAreWrittenWhereTheTagsStand(t *testing.T) {
	t.Parallel()
	open, closed := registrytest.Serve(t, "", ""), registrytest.Serve(t, "robot", "hunter2")
	web, proxy := open.Push(t, "team/web", "one", "linux/amd64"), closed.Push(t, "team/proxy", "two", "linux/amd64")
	agent := open.Push(t, "team/agent", "1", "linux/amd64", "linux/arm64")
	tagOf := func(text string) string { before, _, _ := strings.Cut(text, "@"); return before }
	shared := fmt.Sprintf(`config:
  slipway:defaults:
    value: # of all stages
      services:
        web: {containers: {agent: {image: "%s", cpu: 64}}}
      tasks: {migrate: {containers: {agent: {image: ignored:1}}}}
      images: {tool: {ref: ignored}}
`, tagOf(agent.String()))
	own := fmt.Sprintf(`  slipway:images:
    web:   {ref: %s} # the shop
    tool:  {build: {context: .}}
    old: {ref: '%s'}
  slipway:registries: {"%s": {credentials: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:proxy-a1b2c3"}}
  slipway:services:
    web: {image: web, containers: {proxy: {image: '%s'}, same: {image: web}}}
  slipway:tasks: {migrate: {image: tool, containers: {agent: {image: tool}}}}
`, tagOf(web.String()), web, closed.Host, tagOf(proxy.String()))
	of := stageOf(t, shared, own)
	before := read(t, of, "Pulumi.release.yaml")

	done, err := Pin(t.Context(), of, nil)
	require.NoError(t, err)
	require.Equal(t, strings.NewReplacer("{ref: "+tagOf(web.String())+"}", "{ref: "+web.String()+"}",
		"'"+tagOf(proxy.String())+"'", "'"+proxy.String()+"'").Replace(before), read(t, of, "Pulumi.release.yaml"))
	require.Equal(t, "name: slipway\nruntime: go\n"+strings.Replace(shared, tagOf(agent.String()), agent.String(), 1),
		read(t, of, "Pulumi.yaml"))
	var keys []string
	for _, image := range done.Images {
		require.True(t, image.Changed)
		keys = append(keys, image.Key)
	}
	require.Equal(t, []string{"images.web.ref", "services.web.containers.proxy.image",
		"defaults.services.web.containers.agent.image"}, keys)
	var printed strings.Builder
	done.Print(&printed)
	require.Contains(t, printed.String(),
		"images.web.ref (Pulumi.release.yaml)\n  - "+tagOf(web.String())+"\n  + "+web.String()+"\n")
	require.Contains(t, done.Next(), "pulumi up --stack release")

	done, err = Pin(t.Context(), of, nil)
	require.NoError(t, err)
	require.Empty(t, done.Images)
	require.Empty(t, done.Next())
}

func TestNamedImagesGetWhatTheirTagsHaveNow(t *testing.T) {
	t.Parallel()
	registry := registrytest.Serve(t, "", "")
	old := registry.Push(t, "team/web", "one", "linux/arm64")
	of := stageOf(t, "", fmt.Sprintf("  slipway:images: {web: {ref: '%s'}}\n  slipway:services: {web: {image: web, "+
		"containers: {beside: {image: '%s'}}}}\n", old, old))
	now := registry.Push(t, "team/web", "one", "linux/amd64")
	require.NotEqual(t, old.Digest, now.Digest)

	done, err := Pin(t.Context(), of, []string{"web"})
	require.NoError(t, err)
	require.Equal(t, []Image{{Key: "images.web.ref", File: of.Project.StageFile("release"), Old: old.String(),
		New: now.String(), Changed: true}}, done.Images)
	require.Equal(t, 1, strings.Count(read(t, of, "Pulumi.release.yaml"), old.Digest))
	done, err = Pin(t.Context(), of, []string{registry.Host + "/team/web", "web"})
	require.NoError(t, err)
	require.Len(t, done.Images, 2)
	require.NotContains(t, read(t, of, "Pulumi.release.yaml"), old.Digest)

	_, err = Pin(t.Context(), of, []string{"wbe"})
	require.EqualError(t, err, `no image is called "wbe": name one of `+registry.Host+"/team/web, web")
	require.Equal(t, 2, exit.Status(err))
}

func TestNothingIsWrittenWhereAnImageCannotBeRead(t *testing.T) {
	t.Parallel()
	registry := registrytest.Serve(t, "", "")
	web := registry.Push(t, "team/web", "one", "linux/amd64")
	of := stageOf(t, "", fmt.Sprintf("  slipway:images: {web: {ref: '%s/team/web:one'}, no: {ref: '%[1]s/team/web:two'}, "+
		"none: {ref: '%[1]s/team/web'}, odd: {ref: 'A B'}}\n", web.Host))
	before := read(t, of, "Pulumi.release.yaml")
	_, err := Pin(t.Context(), of, nil)
	for _, says := range []string{"images.no.ref (Pulumi.release.yaml): " + web.Host + "/team/web:two is not there",
		"images.none.ref (Pulumi.release.yaml): is " + web.Host + "/team/web, which has no tag to look up",
		"images.odd.ref (Pulumi.release.yaml): is not a reference to an image"} {
		require.ErrorContains(t, err, says)
	}
	require.Equal(t, 1, exit.Status(err))
	require.Equal(t, before, read(t, of, "Pulumi.release.yaml"))
}

func TestAFileThatChangesMeanwhileIsLeftAlone(t *testing.T) {
	t.Parallel()
	of := stageOf(t, "", "  slipway:images: {web: {ref: 'nginx:1'}}\n")
	found, err := find(of.Project, of.Stack)
	require.NoError(t, err)
	require.NoError(t, stagefile.ReplaceFile(found[0].file.name, []byte("config: {}\n")))
	err = write(found, []Image{{New: "nginx:1@sha256:0", Changed: true}})
	require.ErrorContains(t, err, "was changed meanwhile: pin again")
	require.True(t, errors.As(err, new(exit.Finding)))
	require.Equal(t, "config: {}\n", read(t, of, "Pulumi.release.yaml"))
}

// A copy is made under the image's tag, which names another image in the stage's repository already.
func TestAMirroredImageIsNotPinnedToAnotherOneOfItsTag(t *testing.T) {
	t.Parallel()
	registry := registrytest.Serve(t, "", "")
	before := registry.Push(t, "team/web", "one", "linux/amd64")
	of := stageOf(t, "", fmt.Sprintf("  slipway:images: {web: {ref: \"%s\", mirror: true}}\n", before))
	done, err := Pin(t.Context(), of, []string{"web"})
	require.NoError(t, err, "it is the same image")
	require.False(t, done.Images[0].Changed)
	registry.Push(t, "team/web", "one", "linux/amd64", "linux/arm64")
	_, err = Pin(t.Context(), of, []string{"web"})
	require.ErrorContains(t, err, "images.web.ref (Pulumi.release.yaml): the tag has another image now")
	require.Contains(t, read(t, of, "Pulumi.release.yaml"), before.String())
}
