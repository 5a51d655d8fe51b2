package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// withHistory is a project that was updated often: two stages of three services, a dozen updates of release and some of
// dev.
func withHistory(t *testing.T) *project {
	t.Helper()
	return historyTemplate.copy(t)
}

var historyTemplate = &template{from: newTemplate, make: makeHistory}

// pastUpdate is one update of release.
type pastUpdate struct {
	message  string
	result   string
	changed  []string // keys of the stage file
	deployed string   // the services that were deployed, each with its new revision
}

// pastUpdates are release's updates, the first one first.
var pastUpdates = []pastUpdate{
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

func makeHistory(p *project) {
	p.Helper()
	for stage, replicas := range map[string]string{"dev": "1", "release": "2"} {
		p.replace("Pulumi."+stage+".yaml", "    web:\n      replicas: "+replicas,
			"    api: {image: web, port: 8080}\n    worker: {image: web, cpu: 256, memory: 512}\n    web:\n      replicas: "+replicas)
	}
	p.commit("Two more services")
	p.up("dev")
	p.ok("pulumi", "stack", "init", "release")
	done := 0
	release := func() {
		p.Helper()
		past := pastUpdates[done]
		p.commit(past.message)
		u := p.tryUp("release")
		require.Equal(p, past.result == "succeeded", u.status == 0, "%s:\n%s", past.message, u.output)
		done++
	}
	edit := func(old, updated string) {
		p.Helper()
		p.replace("Pulumi.release.yaml", old, updated)
		release()
	}
	p.ok("slipway", "promote", "dev", "release")
	release()
	edit(`GREETING: "hello from release"`, `GREETING: "good day"`)
	p.encrypt("release", "KEY", "hunter2-one")
	edit("api: {image: web, port: 8080}", "api: {image: web, port: 8080, secrets: [KEY]}")
	p.encrypt("release", "KEY", "hunter2-two")
	release()
	p.replace("app/handler.go", "package main", "package main // the second app")
	p.editApp("the second app")
	p.commit("The second app")
	p.up("dev")
	p.ok("slipway", "promote", "dev", "release")
	release()
	edit("cpu: 256, memory: 512", "cpu: 512, memory: 1024")
	p.aws.setFaults(map[string]string{"failing-tasks": "slipway-release-web:4"})
	edit("good day", "boom")
	p.aws.setFaults(nil)
	p.git("revert", "--no-edit", "HEAD")
	release()
	edit("replicas: 2", "replicas: 2\n      revision: 2")
	edit("replicas: 2\n      revision: 2", "replicas: 3")
	release()
	edit(`STAGE: "release"`, "STAGE: \"release\"\n    REGION: \"north\"")
	require.Len(p, pastUpdates, done)
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.commit("Greet dev again")
	p.up("dev")
}
