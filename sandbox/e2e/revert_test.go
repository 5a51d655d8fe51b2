package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/vpc"
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

func TestWhatARevisionNeedsComesBackWithTheCommitBeforeAFailedUpdate(t *testing.T) {
	t.Parallel()
	publishing := func(topic string) string {
		return `permissions: [{actions: ["sns:Publish"], resources: ["` + topic + `"]}]`
	}
	for name, keys := range map[string]struct{ before, after []string }{
		"permissions":         {[]string{publishing("*")}, []string{publishing("arn:aws:sns:*:*:shop")}},
		"an open port":        {[]string{"allowFrom: [10.0.0.0/8]"}, []string{"port: 9090", "allowFrom: [10.0.0.0/8]"}},
		"a routed port":       {[]string{"route: {}"}, []string{"port: 9090", "route: {}"}},
		"a secret, the first": {[]string{"stopTimeout: 20"}, []string{"stopTimeout: 20", "secrets: [PASSWORD]"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProject(t)
			p.encrypt("dev", "PASSWORD", "hunter2")
			p.serviceKeys(keys.before...)
			p.commit("Before")
			p.up("dev")
			needed := func() (texts []string) {
				for _, kind := range []string{iam.RolePolicy, iam.Policy, vpc.SecurityGroupRule} {
					for _, object := range p.aws.objects(kind) {
						texts = append(texts, fmt.Sprint(object.Text("policy"), object["fromPort"]))
					}
				}
				slices.Sort(texts)
				return texts
			}
			before := needed()

			p.replace("Pulumi.dev.yaml", strings.Join(keys.before, "\n      "), strings.Join(keys.after, "\n      "))
			p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
			p.commit("Something else")
			p.aws.setFaults(failing("2"))
			require.NotZero(t, p.tryUp("dev").status)
			require.Subset(t, needed(), before, "the tasks that run have what they need")
			p.aws.setFaults(nil)

			p.git("revert", "--no-edit", "HEAD")
			p.up("dev")
			require.Equal(t, before, needed(), "the account has what the state says")
			p.settled("dev")
		})
	}
}
