package e2e

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// differ compares stages dev and release, which has to end with a status.
func differ(p *project, status int, more ...string) *result {
	p.Helper()
	r := p.run(append([]string{"slipway", "diff", "dev", "release"}, more...)...)
	require.Equal(p, status, r.status, r.output)
	return r
}

func TestTheDifferenceOfTwoStages(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	same, one, other := uniqueText(), uniqueText(), uniqueText()
	var said []string
	p.ok("pulumi", "stack", "init", "release")
	require.Contains(t, differ(p, 2).output, "slipway promote dev release", "its settings are not complete")
	p.ok("slipway", "promote", "dev", "release")

	r := differ(p, 1)
	require.Contains(t, r.stdout,
		"Note: release runs nothing yet, as it was never deployed: what its file says is compared.\n")
	require.Contains(t, r.stdout, "\nService web\n  environment.GREETING: hello from dev → hello from release\n"+
		"  environment.STAGE: dev → release\n  replicas: 1 → 2\n\nAll else is equal in dev and release.\n")
	require.NotContains(t, r.stdout, "Images", "it would run the same")

	// More services, secrets, and a newer app in dev.
	p.replace("Pulumi.dev.yaml", "    web:\n      replicas: 1\n",
		"    worker: {image: web, cpu: 512, memory: 1024}\n    job: {image: web}\n    web:\n      replicas: 1\n      cpu: "+
			"256\n      exec: false\n")
	p.replace("Pulumi.release.yaml", "    web:\n      replicas: 2\n",
		"    worker: {image: web}\n    web:\n      replicas: 1\n      deployment: {maxErrors: 10}\n      route: {}\n")
	p.replace("Pulumi.release.yaml", "    STAGE: \"release\"\n", "    STAGE: \"dev\"\n    ONLY_HERE: \"yes\"\n")
	for _, stage := range []string{"dev", "release"} {
		p.encrypt(stage, "SAME", same)
		p.encrypt(stage, "OTHER", map[string]string{"dev": one, "release": other}[stage])
	}
	p.ok("pulumi", "config", "set", "--stack", "dev", "--plaintext", "--path", "slipway:secrets.KEPT", parameter)
	p.commit("Two more services")
	p.up("release")
	p.editApp("two")
	p.replace("app/handler.go", "package main", "package main // version two")
	p.commit("Version two")
	p.up("dev")

	r = differ(p, 1)
	said = append(said, r.output)
	dev, release := p.state("dev").outputs().Images["web"], p.state("release").outputs().Images["web"]
	require.NotEqual(t, dev.Digest, release.Digest)
	require.Contains(t, r.stdout, "Images\n  web\n    dev      "+dev.Tag+"  "+dev.Digest[:19]+"  commit "+dev.Commit+"\n"+
		"    release  "+release.Tag+"  "+release.Digest[:19]+"  commit "+release.Commit+"\n    2 commits only in dev:\n")
	require.Regexp(t, `      [0-9a-f]{7,} Version two\n      [0-9a-f]{7,} Two more services\n\nService job: only in dev\n`,
		r.stdout)
	require.Contains(t, r.stdout,
		"\nService web\n  deployment.maxErrors: 0 → 10\n  environment.GREETING: hello from dev → hello from release\n  "+
			"environment.ONLY_HERE: yes, only in release\n  route.")
	require.Contains(t, r.stdout,
		"\nService worker\n  cpu: 512 → 256\n  environment.ONLY_HERE: yes, only in release\n  memory: 1024 → 512\n")
	require.Contains(t, r.stdout,
		"\nSecrets\n  KEPT: only in dev\n  OTHER: differs\n\nAll else is equal in dev and release.\n")

	var data struct {
		Stages   []string
		Equal    bool
		Images   []struct{ Name string }
		Services []struct{ Name, OnlyIn string }
		Secrets  []struct {
			Name  string
			Equal *bool
		}
	}
	r = differ(p, 1, "--json")
	said = append(said, r.output)
	require.NoError(t, json.Unmarshal([]byte(r.stdout), &data))
	require.Equal(t, []string{"dev", "release"}, data.Stages)
	require.False(t, data.Equal)
	require.Len(t, data.Services, 3)
	require.Equal(t, "SAME", data.Secrets[2].Name)
	require.True(t, *data.Secrets[2].Equal)

	r = p.run("sh", "-c", "PULUMI_CONFIG_PASSPHRASE=wrong exec slipway diff dev release")
	said = append(said, r.output)
	require.Equal(t, 1, r.status, r.output)
	require.Contains(t, r.stdout, "Note: the secrets of dev could not be decrypted: ")
	require.Contains(t, r.stdout, "\nSecrets\n  KEPT: only in dev\n  OTHER: could not tell\n  SAME: could not tell\n")

	// A clone without the past, which has no old commit.
	shallow := filepath.Join(t.TempDir(), "clone")
	output, err := exec.Command("git", "clone", "-q", "--depth", "1", "file://"+p.dir, shallow).CombinedOutput()
	require.NoError(t, err, string(output))
	r = p.run("slipway", "-C", shallow, "diff", "dev", "release")
	require.Contains(t, r.stdout, "    commit "+release.Commit+" is not in this clone: git fetch --unshallow\n")

	// The other way around, what is only in one is only in the other.
	r = p.run("slipway", "diff", "release", "dev")
	require.Contains(t, r.stdout, "    2 commits only in dev:\n")
	require.Contains(t, r.stdout, "  deployment.maxErrors: 10 → 0\n")
	said = append(said, r.output)
	requireUnseen(p, said, same, one, other)
}

func TestTwoStagesThatDoNotDiffer(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.ok("slipway", "promote", "dev", "release")
	// The same in other words: a default is written out, and a variable of the stage is each service's own.
	release := p.read("Pulumi.release.yaml")
	twin := strings.Replace(release, "      replicas: 2\n",
		"      replicas: 2\n      exec: false\n      memory: 512\n      deployment: {circuitBreaker: rollback}\n", 1)
	twin = strings.Replace(twin, "  slipway:environment: # every container of the stage\n    STAGE: \"release\"\n", "", 1)
	twin = strings.Replace(twin, "      environment:\n", "      environment:\n        STAGE: \"release\"\n", 1)
	require.NotContains(t, twin, "slipway:environment")
	p.write("Pulumi.twin.yaml", twin)
	for _, stage := range []string{"release", "twin"} {
		p.ok("pulumi", "stack", "init", stage)
	}
	r := p.ok("slipway", "diff", "release", "twin")
	require.Contains(t, r.stdout, "release and twin do not differ.\n")
	for _, stage := range []string{"release", "twin"} {
		p.encrypt(stage, "SAME", "hunter2-same")
	}
	p.ok("slipway", "diff", "release", "twin")
	r = p.run("sh", "-c", "PULUMI_CONFIG_PASSPHRASE=wrong exec slipway diff release twin")
	require.Equal(t, 2, r.status, r.output)
	require.Contains(t, r.output, "could not tell whether secrets are equal (SAME)")

	r = p.run("slipway", "diff", "release", "nowhere")
	require.Equal(t, 2, r.status)
	require.Contains(t, r.output, "nowhere")
	require.Equal(t, 2, p.run("slipway", "diff", "release").status)
	require.Contains(t, p.ok("slipway", "diff", "--help").stdout, "slipway diff dev release --json")
}
