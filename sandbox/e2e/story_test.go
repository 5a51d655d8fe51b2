package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// told is a project with a past: two stages of three services, a dozen updates of release and some of dev.
func told(t *testing.T) *project {
	t.Helper()
	return storyTemplate.copy(t)
}

var storyTemplate = &template{from: newTemplate, make: tellStory}

// chapter is one update of release in the story.
type chapter struct {
	message string
	result  string
	changed []string // keys of the stage file
	placed  string   // services with another revision
}

// chapters are release's updates, the first one first.
var chapters = []chapter{
	{"Promote dev to release", "succeeded", nil, "api:1 web:1 worker:1"},
	{"Greet politely", "succeeded", []string{"services.web.environment.GREETING"}, "web:2"},
	{"Give api a key", "succeeded", []string{"secrets.KEY", "services.api.secrets"}, "api:2"},
	{"Another key", "succeeded", []string{"secrets.KEY"}, "api:3"},
	{"Promote the second app", "succeeded", []string{"images.web.ref"}, "api:4 web:3 worker:2"},
	{"A larger worker", "succeeded", []string{"services.worker.cpu", "services.worker.memory"}, "worker:3"},
	{"A greeting that breaks", "failed", []string{"services.web.environment.GREETING"}, "web:4"},
	{`Revert "A greeting that breaks"`, "succeeded", []string{"services.web.environment.GREETING"}, "web:5"},
	{"Pin web to its second revision", "succeeded", []string{"services.web.revision"}, "web:2"},
	{"Run three of web", "succeeded", []string{"services.web.replicas", "services.web.revision"}, "web:5"},
	{"Run three of web", "succeeded", nil, ""},
	{"A variable for all", "succeeded", []string{"environment.REGION"}, "api:5 web:6 worker:4"},
}

func tellStory(p *project) {
	p.Helper()
	for stage, replicas := range map[string]string{"dev": "1", "release": "2"} {
		p.replace("Pulumi."+stage+".yaml", "    web:\n      replicas: "+replicas,
			"    api: {image: web, port: 8080}\n    worker: {image: web, cpu: 256, memory: 512}\n    web:\n      replicas: "+replicas)
	}
	p.commit("Two more services")
	p.up("dev")
	p.ok("pulumi", "stack", "init", "release")
	told := 0
	release := func() {
		p.Helper()
		p.commit(chapters[told].message)
		u := p.tryUp("release")
		require.Equal(p, chapters[told].result == "succeeded", u.status == 0, "%s:\n%s", chapters[told].message, u.output)
		told++
	}
	edit := func(old, updated string) {
		p.Helper()
		p.replace("Pulumi.release.yaml", old, updated)
		release()
	}
	p.ok("slipway", "promote", "dev", "release")
	release()
	edit(`GREETING: "hello from release"`, `GREETING: "good day"`)
	p.setSecret("release", "KEY", "hunter2-one")
	edit("api: {image: web, port: 8080}", "api: {image: web, port: 8080, secrets: [KEY]}")
	p.setSecret("release", "KEY", "hunter2-two")
	release()
	p.replace("app/handler.go", "package main", "package main // the second app")
	p.editApp("the second app")
	p.commit("The second app")
	p.up("dev")
	p.ok("slipway", "promote", "dev", "release")
	release()
	edit("cpu: 256, memory: 512", "cpu: 512, memory: 1024")
	p.faults(map[string]string{"failing-tasks": "slipway-release-web:4"})
	edit("good day", "boom")
	p.faults(nil)
	p.git("revert", "--no-edit", "HEAD")
	release()
	edit("replicas: 2", "replicas: 2\n      revision: 2")
	edit("replicas: 2\n      revision: 2", "replicas: 3")
	release()
	edit(`STAGE: "release"`, "STAGE: \"release\"\n    REGION: \"north\"")
	require.Len(p, chapters, told)
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.commit("Greet dev again")
	p.up("dev")
}

// setSecret encrypts a value into a stage's file, as a user does. The CLI writes the file anew: what the story edits
// afterwards is written as it was.
func (p *project) setSecret(stage, name, value string) {
	p.Helper()
	p.ok("pulumi", "config", "set", "--stack", stage, "--secret", "--path", "slipway:secrets."+name, "--", value)
}

func TestTheOtherCommandsOnAStageWithAPast(t *testing.T) {
	t.Parallel()
	p := told(t)
	r := p.refused([]string{"KEY", "REGION", "replicas"}, "slipway", "diff", "dev", "release")
	require.Equal(t, 1, r.status)
	require.NotContains(t, r.output, "hunter2")
	p.ok("slipway", "verify", "release")
	p.ok("slipway", "verify", "dev")
	p.ok("slipway", "logs", "release", "worker", "--since", "1h")
	r = p.ok("slipway", "promote", "dev", "release", "--commit")
	require.Contains(t, r.output, "already runs the images of dev")
	require.Empty(t, p.git("status", "--porcelain"))
	require.Contains(t, p.ok("slipway", "completion", "bash").stdout, "slipway")
	require.Contains(t, p.ok("slipway", "__complete", "status", "").stdout, "release")
	for _, command := range []string{"status", "history", "diff", "logs", "verify", "promote", "rollback"} {
		help := p.ok("slipway", command, "--help").stdout
		require.Contains(t, help, "Examples:")
		require.Contains(t, help, "--json")
	}
}
