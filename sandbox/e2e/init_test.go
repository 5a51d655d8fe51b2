package e2e

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const lone = "FROM scratch\nCOPY build/app /app\nEXPOSE 8080\nENTRYPOINT [\"/app\"]\n"

// newcomer is somebody with a repository of these files, and a copy of slipway in it.
func newcomer(t *testing.T, files map[string]string) *project {
	t.Helper()
	dir := t.TempDir()
	p := projectOf(&checkout{TB: t, dir: filepath.Join(dir, "shop")},
		&awsAccount{TB: t, dir: filepath.Join(dir, "account")}, "off")
	for name, content := range files {
		p.write(name, content)
	}
	copyFile(t, filepath.Join(root, builtApp), filepath.Join(p.dir, "build/app"))
	p.git("init", "-q", "-b", "main")
	p.git("config", "user.name", "Dana Developer")
	p.git("config", "user.email", "dana@example.com")
	copyWorkTree(t, filepath.Join(p.dir, "slipway"))
	copyFile(t, filepath.Join(root, ".bin/slipway"), filepath.Join(p.dir, "slipway/.bin/slipway"))
	return p
}

// A newcomer has a repository with a Dockerfile, and a copy of slipway in it, of which no file is edited.
func TestFromARepositoryWithADockerfileToARunningService(t *testing.T) {
	t.Parallel()
	p := newcomer(t, map[string]string{"Dockerfile": lone})
	r := p.ok("slipway/.bin/slipway", "init", "--dry-run")
	require.Contains(t, r.stdout, "would write main.go")
	require.NoFileExists(t, filepath.Join(p.dir, "main.go"))
	r = p.ok("slipway/.bin/slipway", "init")
	require.Contains(t, r.stdout, "Dockerfile:3: EXPOSE 8080 → services.web.port: 8080")
	require.Contains(t, r.output, "with `slipway/.bin/sandbox exec --` before each command")
	require.Contains(t, p.read("go.mod"), "replace slipway => ./slipway\n")
	p.commit("Deploy with slipway")

	p.ok("pulumi", "stack", "init", "dev")
	preview := p.preview("dev")
	require.Zero(t, preview.status, preview.output)
	require.Contains(t, p.up("dev").changed(), "Create docker:index/image:Image")
	require.Equal(t, 1, p.aws.service("shop-dev").Running)
	require.Empty(t, p.up("dev").changed())

	// What changes a stage, and the program, is no part of the image.
	p.replace("Pulumi.yaml", "port: 8080", "port: 8080\n          environment: {GREETING: \"hello\"}")
	require.ElementsMatch(t, []string{"Create aws:ecs/taskDefinition:TaskDefinition",
		"Update aws:ecs/service:Service", "Delete aws:ecs/taskDefinition:TaskDefinition"}, p.up("dev").changed())
	r = p.ok("slipway/.bin/slipway", "promote", "dev", "release")
	p.commit("Promote")
	p.ok("pulumi", "stack", "init", "release")
	p.up("release")
	require.Contains(t, p.ok("slipway/.bin/slipway", "status", "--exit-code").stdout, "deployed by slipway")

	again := p.ok("slipway/.bin/slipway", "init", "--dry-run", "--project", "other")
	require.Contains(t, again.stdout, "kept    main.go")
	require.NoDirExists(t, filepath.Join(p.dir, "deploy"))
}

// What init reads of others' files is a stage that the real CLI takes.
func TestAComposeFileAndManifestsOfCopilotPreviewGreen(t *testing.T) {
	t.Parallel()
	for name, files := range map[string]map[string]string{
		"compose": {"compose.yaml": `services:
  web:
    build: .
    ports: ["80:8080"]
    command: ["--port", "8080"]
    environment: {GREETING: "hello $${NAME}", SINCE: "2024-01-01", RATIO: 1.10, ON: "yes"}
    healthcheck: {test: ["CMD", "/app", "-healthcheck"], interval: 10s}
    depends_on: {migrate: {condition: service_completed_successfully}, db: {condition: service_healthy}}
    deploy: {replicas: 2, resources: {limits: {cpus: "0.5", memory: 700M}}}
    user: "1000:1000"
    read_only: true
    tmpfs: /tmp
    ulimits: {nofile: 1024}
    stop_grace_period: 30s
  migrate: {build: ., command: -migrate}
  db: {image: "postgres:16"}
`},
		"copilot": {"copilot/.workspace": "application: shop\n", "copilot/web/manifest.yml": `name: web
type: Load Balanced Web Service
http: {path: "/", healthcheck: {path: /health, success_codes: "200,301", interval: 10s}}
image: {build: Dockerfile, port: 8080}
cpu: 256
memory: 512
count: {range: 1-3, cpu_percentage: 70}
variables: {STAGE: "${COPILOT_ENVIRONMENT_NAME}"}
secrets: {TOKEN: /shop/token}
environments: {dev: {count: 1}}
`, "copilot/nightly/manifest.yml": `name: nightly
type: Scheduled Job
on: {schedule: "@daily"}
image: {build: Dockerfile}
`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files["Dockerfile"] = lone
			p := newcomer(t, files)
			p.ok("slipway/.bin/slipway", "init", "--stage", "dev=123456789012:ap-northeast-2", "--stage", "release")
			p.ok("pulumi", "stack", "init", "dev")
			preview := p.preview("dev")
			require.Zero(t, preview.status, preview.output)
			require.Contains(t, preview.output, "shop-dev-web")
		})
	}
}
