package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What each mistake says is for tests of package stage. Here it comes out of a preview and of an update, all at once.
func TestABadStageFileIsRefusedBeforeAnythingIsBuiltOrChanged(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	file := p.read("Pulumi.dev.yaml")
	p.serviceKeys("replica: 1", "memory: 300", "port: 70000", "image: nginx")
	p.replace("Pulumi.dev.yaml", "replicas: 1", "replicas: -1")
	p.replace("Pulumi.dev.yaml", "context: ./app", "context: ./nowhere")
	p.stageKeys("slipway:servises: {}", "slipway:cluster: {containerInsights: \"on\"}")
	p.ok("pulumi", "config", "set", "--stack", "dev", "--path", "slipway:environment.TOKEN", "--secret",
		"hunter2-hunter2")
	requireRefused(p, "services.web.replica (Pulumi.dev.yaml)", "replicas", "services.web.replicas (Pulumi.dev.yaml)",
		"services.web.memory (Pulumi.dev.yaml)", "300", "512", "services.web.port (Pulumi.dev.yaml)",
		"services.web.image (Pulumi.dev.yaml)", "images.web.build.context (Pulumi.dev.yaml)", "nowhere",
		`servises (Pulumi.dev.yaml)`, "did you mean \"services\"",
		"environment.TOKEN (Pulumi.dev.yaml): holds an encrypted value",
		"cluster.containerInsights (Pulumi.dev.yaml)", "disabled, enabled, enhanced")

	p.write("Pulumi.dev.yaml", file)
	p.write("app/build/app.other", "")
	p.git("clean", "-qfdx", "app/build")
	requireRefused(p, "images.web.build (Pulumi.dev.yaml)", "make app", "build/app")
}

// requireRefused asserts that a preview and an update of stage dev are refused with all of that, and change nothing.
func requireRefused(p *project, says ...string) {
	p.Helper()
	preview, update := p.preview("dev"), p.tryUp("dev")
	for _, r := range []*result{preview, update.result} {
		require.NotZero(p, r.status)
		for _, text := range says {
			require.Contains(p, r.output, text)
		}
		require.NotContains(p, r.output, "unhandled error")
		require.NotContains(p, r.output, "hunter2-hunter2")
	}
	require.Empty(p, update.changed())
	require.Empty(p, p.aws.images())
}
