package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestABadStageFileIsRefusedBeforeAnythingIsBuiltOrChanged(t *testing.T) {
	t.Parallel()
	good := newProject(t)
	for name, test := range map[string]struct {
		old, updated string
		says         []string
	}{
		"an impossible size": {"replicas: 1", "replicas: 1\n      memory: 300",
			[]string{"services.web.memory (Pulumi.dev.yaml)", "300", "512"}},
		"an unknown key": {"replicas: 1", "replica: 1", []string{"services.web.replica (Pulumi.dev.yaml)", "replicas"}},
		"a number": {`"hello from dev"`, "0644", []string{"services.web.environment.GREETING (Pulumi.dev.yaml)",
			`write "0644" in quotes`}},
		"several at once": {"replicas: 1", "replicas: -1\n      port: 70000\n      image: nginx",
			[]string{"services.web.replicas (Pulumi.dev.yaml)", "services.web.port (Pulumi.dev.yaml)",
				"services.web.image (Pulumi.dev.yaml)"}},
		"a missing context": {"context: ./app", "context: ./nowhere",
			[]string{"images.web.build.context (Pulumi.dev.yaml)", "nowhere"}},
		"a stage in an image": {"context: ./app", "context: ./app\n        args: {STAGE: \"dev\"}",
			[]string{"images.web.build.args.STAGE (Pulumi.dev.yaml)"}},
		"an unknown top-level key": {"slipway:services:", "slipway:servises:",
			[]string{"servises (Pulumi.dev.yaml)", "services"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := &project{TB: t, dir: good.dir, account: good.account}
			file := p.read("Pulumi.dev.yaml")
			defer p.write("Pulumi.dev.yaml", file)
			p.replace("Pulumi.dev.yaml", test.old, test.updated)
			preview := p.preview("dev")
			require.NotZero(t, preview.status)
			u := p.tryUp("dev", "--skip-preview")
			require.NotZero(t, u.status)
			for _, says := range test.says {
				require.Contains(t, preview.output, says)
				require.Contains(t, u.output, says)
			}
			require.NotContains(t, u.output, "unhandled error")
			require.Empty(t, u.changed())
			require.Empty(t, p.images())
		})
	}
	t.Run("a missing binary", func(t *testing.T) {
		p := &project{TB: t, dir: good.dir, account: good.account}
		p.write("app/build/app.other", "")
		p.git("clean", "-qfdx", "app/build")
		preview := p.preview("dev")
		require.NotZero(t, preview.status)
		require.Contains(t, preview.output, "make app")
		require.Contains(t, preview.output, "build/app")
		u := p.tryUp("dev", "--skip-preview")
		require.NotZero(t, u.status)
		require.Contains(t, u.output, "images.web.build (Pulumi.dev.yaml)")
		require.Empty(t, u.changed())
	})
}

func TestAnEncryptedValueIsRefusedUnseen(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.ok("pulumi", "config", "set", "--stack", "dev", "--path", "slipway:services.web.environment.TOKEN", "--secret",
		"hunter2-hunter2")
	r := p.refused([]string{"services", "Pulumi.dev.yaml", "encrypted"}, upArgs("dev")...)
	require.NotContains(t, r.output, "hunter2-hunter2")
}
