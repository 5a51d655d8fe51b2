package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/iam"
)

// A stage that builds goes back to the image of an earlier update, and forward again.
func TestARefBesideBuildRunsAnEarlierImage(t *testing.T) {
	t.Parallel()
	deployedTemplate.withEachBuilder(t, func(t *testing.T, p *project) {
		first, built := p.state("dev").outputs().Images["web"], p.state("dev").containers()
		repository := p.state("dev").ofType("aws:ecr/repository:Repository")
		policy := p.state("dev").ofType("aws:ecr/lifecyclePolicy:LifecyclePolicy")
		p.editApp("two")
		p.up("dev")
		images := p.aws.images()
		require.Len(t, images, 2)
		second := images[1]

		// With the build context gone.
		withoutRef := p.read("Pulumi.dev.yaml")
		p.replace("Pulumi.dev.yaml", "      build:\n", "      ref: "+first.Ref+"\n      build:\n")
		require.NoError(t, os.Rename(filepath.Join(p.dir, "app"), filepath.Join(p.dir, "away")))
		require.NoError(t, os.RemoveAll(filepath.Join(p.dir, ".slipway")))
		preview := p.preview("dev")
		require.Zero(t, preview.status)
		require.Contains(t, preview.output,
			`/slipway-dev/web:`+second.Tag+`" => "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/slipway-dev/web:`+first.Tag+`"`)
		u := p.up("dev")
		// Pulumi forgets the image; the provider's delete removes nothing.
		require.ElementsMatch(t, []string{"Create aws:ecs/taskDefinition:TaskDefinition",
			"Delete aws:ecs/taskDefinition:TaskDefinition",
			"Update aws:ecs/service:Service", "Delete docker:index/image:Image"}, u.changed())
		require.Equal(t, 2, p.aws.builds("slipway-dev/web"))
		require.Equal(t, images, p.aws.images())
		require.Equal(t, built, p.state("dev").containers())
		require.Equal(t, p.aws.container("slipway-dev-web:1"), p.aws.container("slipway-dev-web:3"))
		require.Equal(t, 3, p.aws.service("slipway-dev").Revision)
		require.Equal(t, 1, p.aws.service("slipway-dev").Running)
		require.Equal(t, first, p.state("dev").outputs().Images["web"])
		require.Equal(t, repository, p.state("dev").ofType("aws:ecr/repository:Repository"))
		require.Equal(t, policy, p.state("dev").ofType("aws:ecr/lifecyclePolicy:LifecyclePolicy"))
		p.settled("dev")

		// What runs is what another stage is given.
		p.ok("pulumi", "stack", "init", "release")
		p.ok("slipway", "promote", "dev", "release")
		require.Contains(t, p.read("Pulumi.release.yaml"), first.Ref)

		require.NoError(t, os.Rename(filepath.Join(p.dir, "away"), filepath.Join(p.dir, "app")))
		p.write("Pulumi.dev.yaml", withoutRef)
		p.up("dev")
		images = p.aws.images()
		require.Len(t, images, 3, "removing ref builds again")
		require.NotEqual(t, second.Tag, images[2].Tag)
		require.Equal(t, hashIn(second.Tag), hashIn(images[2].Tag), "from the source that made the second image")
		require.NotEqual(t, hashIn(first.Tag), hashIn(images[2].Tag))
		require.Equal(t, images[2].Tag, p.state("dev").outputs().Images["web"].Tag)
		require.Equal(t, 4, p.aws.service("slipway-dev").Revision)
		require.Equal(t, repository, p.state("dev").ofType("aws:ecr/repository:Repository"))
		p.settled("dev")
	})
}

// hashIn is the start of the hash of what was built, with which a tag ends.
func hashIn(tag string) string { return tag[strings.LastIndex(tag, "-")+1:] }

func TestARefBesideBuildIsAnImageOfTheStagesOwn(t *testing.T) {
	t.Parallel()
	p := promoted(t)
	p.replace("Pulumi.release.yaml", "      ref:", "      build: {context: ./app}\n      ref:")
	u := p.tryUp("release")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "images.web.ref (Pulumi.release.yaml): names an image of the repository slipway-dev/web")
	require.Contains(t, u.output, "pin one of slipway-release/web, or remove build")
	require.Empty(t, u.changed())
}

// The policy that the failed update has replaced is still to be deleted, and the one that is needed again stays.
func TestARevertOfAFailedUpdateKeepsItsPermissions(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.serviceKeys(`permissions: [{actions: ["s3:GetObject"], resources: ["arn:aws:s3:::one/*"]}]`)
	p.commit("One")
	p.up("dev")
	p.aws.setFaults(map[string]string{"failing-tasks": "slipway-dev-web:2"})
	p.replace("Pulumi.dev.yaml", ":::one", ":::two")
	p.replace("Pulumi.dev.yaml", "hello from dev", "two")
	require.NotZero(t, p.tryUp("dev").status)
	require.Len(t, p.aws.objects(iam.RolePolicy), 3)
	p.git("checkout", "Pulumi.dev.yaml")
	p.up("dev")
	for _, statement := range p.aws.statements("slipway-dev-web-task") {
		require.Equal(t, []string{"arn:aws:s3:::one/*"}, statement.Resource)
	}
	p.settled("dev")

	p.replace("Pulumi.dev.yaml", ":::one", ":::two")
	p.up("dev")
	require.Len(t, p.aws.objects(iam.RolePolicy), 2)
	p.settled("dev")
}
