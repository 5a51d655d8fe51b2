package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhatIsBuiltIsWhatDockerSees(t *testing.T) {
	t.Parallel()
	newTemplate.withEachBuilder(t, func(t *testing.T, p *project) {
		p.write("mono/.dockerignore", "apps/*\n!apps/**/package.json\n")
		p.write("mono/apps/web/package.json", "{}")
		p.write("mono/apps/web/main.js", "")
		p.write("mono/Dockerfile", "FROM scratch\nCOPY apps/web/package.json .dockerignore /\n")
		p.replace("Pulumi.dev.yaml", "  slipway:images:\n", `  slipway:images:
    mono:
      build: {context: ./mono}
    mono/context: # its tree is not in that of mono
      build: {context: ./mono}
`)
		p.up("dev")
		repositories := map[string]int{}
		for _, image := range p.aws.images() {
			repositories[image.Repository]++
		}
		require.Equal(t, map[string]int{"slipway-dev/web": 1, "slipway-dev/mono": 1, "slipway-dev/mono/context": 1},
			repositories)
		p.up("dev", "--expect-no-changes").builtNothing()
	})
}

// withBuildKit is a Dockerfile that only BuildKit builds.
const withBuildKit = "FROM scratch\nCOPY --chmod=755 build/app /app\n" +
	"RUN --mount=type=cache,target=/cache [\"/app\", \"-describe\"]\nEXPOSE 8080\nENTRYPOINT [\"/app\"]\n"

func TestADockerfileThatNeedsBuildKitIsDeployed(t *testing.T) {
	t.Parallel()
	p := withContainers(t)
	p.write("app/Dockerfile", withBuildKit)
	p.commit("a cache for the build")
	preview := p.preview("dev")
	require.Zero(t, preview.status)
	require.NotContains(t, preview.output, "will fail here")
	p.up("dev")
	require.Equal(t, 1, p.aws.builds("slipway-dev/web"))
	require.Equal(t, []string{"hello from dev"}, greetings(p.answers()))
}

func TestAPreviewSaysThatABuildWillFailHere(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ engine, dockerfile, says string }{
		"as no engine is there": {"off", withBuildKit, "line 2: COPY --chmod=755 build/app /app needs a Docker engine, which " +
			"is switched off: unset SANDBOX_DOCKER, and start Docker"},
		"as the engine cannot read it": {"build", "FROM scratch\nCOPY --nosuch build/app /app\n",
			"line 2: COPY --nosuch build/app /app: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.engine != "off" {
				requireEngine(t)
			}
			p := newProject(t)
			p.engine = test.engine
			p.write("app/Dockerfile", test.dockerfile)
			preview := p.preview("dev")
			require.Zero(t, preview.status, "on another machine it may be built")
			require.Contains(t, preview.output, "The build of this image will fail here: .slipway/dev/web/Dockerfile, "+test.says)
			require.Equal(t, 1, strings.Count(preview.output, test.says))
			up := p.run(upArgs("dev", "--skip-preview")...)
			require.NotZero(t, up.status)
			require.Contains(t, up.output, "creating failed")
			require.Empty(t, p.aws.images())
		})
	}
}
