package e2e

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// A newcomer has a repository with a Dockerfile, and a copy of slipway in it, of which no file is edited.
func TestFromARepositoryWithADockerfileToARunningService(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := projectOf(&checkout{TB: t, dir: filepath.Join(dir, "shop")},
		&awsAccount{TB: t, dir: filepath.Join(dir, "account")}, "off")
	p.write("Dockerfile", "FROM scratch\nCOPY build/app /app\nEXPOSE 8080\nENTRYPOINT [\"/app\"]\n")
	copyFile(t, filepath.Join(root, builtApp), filepath.Join(p.dir, "build/app"))
	p.git("init", "-q", "-b", "main")
	p.git("config", "user.name", "Dana Developer")
	p.git("config", "user.email", "dana@example.com")
	copyWorkTree(t, filepath.Join(p.dir, "slipway"))
	copyFile(t, filepath.Join(root, ".bin/slipway"), filepath.Join(p.dir, "slipway/.bin/slipway"))

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
