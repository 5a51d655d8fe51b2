package e2e

import (
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
