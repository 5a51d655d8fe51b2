package e2e

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/secrets"
)

// definitions are the container definitions that each service of a stage runs, as ECS has them.
func definitions(p *project, stage string) map[string]string {
	p.Helper()
	found := map[string]string{}
	for _, name := range []string{"api", "web", "worker"} {
		service, err := ecs.FindService(p.aws.open(), "slipway-"+stage, name)
		require.NoError(p.TB, err)
		found[name] = definition(p, service.TaskDefinition)
	}
	return found
}

func definition(p *project, reference string) string {
	p.Helper()
	definition, err := ecs.FindTaskDefinition(p.aws.open(), reference)
	require.NoError(p.TB, err)
	text, err := json.Marshal([]any{definition.CPU, definition.Memory, definition.Containers})
	require.NoError(p.TB, err)
	return string(text)
}

// withSecretValues replaces references to versions of a secret by their values: a restored value is another version.
func withSecretValues(p *project, definition string) string {
	p.Helper()
	for _, part := range strings.Split(definition, `"`) {
		if strings.HasPrefix(part, "arn:aws:secretsmanager:") {
			value, err := secrets.SecretValue(p.aws.open(), part)
			require.NoError(p.TB, err)
			definition = strings.ReplaceAll(definition, part, value)
		}
	}
	return definition
}

// revisionsAfter are the revisions that release's services have after an update of that number.
func revisionsAfter(number int) map[string]int {
	revisions := map[string]int{}
	for _, past := range pastUpdates[:number] {
		for _, change := range strings.Fields(past.deployed) {
			service, revision, _ := strings.Cut(change, ":")
			revisions[service], _ = strconv.Atoi(revision)
		}
	}
	return revisions
}

// definitionsByUpdate are those that release ran after each of its updates, by the number of the update: with the
// values of secrets, which go with the secret once a stage has none.
func definitionsByUpdate(p *project) map[int]map[string]string {
	p.Helper()
	found := map[int]map[string]string{}
	for i := range pastUpdates {
		found[i+1] = map[string]string{}
		for service, revision := range revisionsAfter(i + 1) {
			found[i+1][service] = withSecretValues(p, definition(p, fmt.Sprintf("slipway-release-%s:%d", service, revision)))
		}
	}
	return found
}

// requireRuns asserts that the services of a stage run these definitions.
func requireRuns(p *project, expected map[string]string, stage string) {
	p.Helper()
	for service, now := range definitions(p, stage) {
		require.Equal(p.TB, expected[service], withSecretValues(p, now), service)
	}
}

func TestRollBackToEveryEarlierUpdate(t *testing.T) {
	t.Parallel()
	p := withHistory(t)
	expected := definitionsByUpdate(p)
	for i, past := range pastUpdates {
		number := i + 1
		if number == len(pastUpdates) {
			break
		}
		if past.result == "failed" {
			r := p.refused([]string{"update 7 of release failed"}, "slipway", "rollback", "release", "--to", "7")
			require.Equal(t, 1, r.status)
			continue
		}
		r := p.ok("slipway", "rollback", "release", "--to", strconv.Itoa(number))
		require.Contains(t, r.output, fmt.Sprintf("Back to update %d of release", number))
		require.NotContains(t, r.output, "hunter2")
		p.up("release").builtNothing()
		requireRuns(p, expected[number], "release")
	}
	require.Empty(t, p.git("status", "--porcelain"), "everything is committed")
	require.Equal(t, "Roll release back to update 10\n", p.git("log", "-1", "--format=%s"),
		"update 11 had changed nothing")
}

func TestPinEveryEarlierUpdate(t *testing.T) {
	t.Parallel()
	p := withHistory(t)
	expected, revisions := definitionsByUpdate(p), p.aws.revisions("slipway-release-web")
	for _, number := range []int{1, 6, 9} {
		r := p.ok("slipway", "rollback", "release", "--pin", "--to", strconv.Itoa(number), "--up")
		require.Contains(t, r.output, "services.web.revision")
		requireRuns(p, expected[number], "release")
		p.up("release", "--expect-no-changes")
	}
	require.Equal(t, revisions, p.aws.revisions("slipway-release-web"), "nothing was registered")
}

func TestRollBackAndForthWhereTheImageIsBuilt(t *testing.T) {
	t.Parallel()
	p := withHistory(t)
	first, last := map[string]string{}, definitions(p, "dev")
	for _, service := range []string{"api", "web", "worker"} {
		first[service] = definition(p, "slipway-dev-"+service+":1")
	}
	images, builds := p.aws.images(), p.aws.builds("slipway-dev/web")
	r := p.ok("slipway", "rollback", "dev", "--to", "1")
	require.Contains(t, r.output, "images.web is pinned")
	p.up("dev")
	requireRuns(p, first, "dev")
	r = p.ok("slipway", "rollback", "dev", "--up")
	require.Contains(t, r.output, "Back to update 3 of dev, from 4")
	requireRuns(p, last, "dev")
	require.Equal(t, images, p.aws.images(), "nothing is lost")
	require.Equal(t, builds, p.aws.builds("slipway-dev/web"), "nothing was built")
}

func TestARollbackThatCannotBeMadeWritesNothing(t *testing.T) {
	t.Parallel()
	p := withHistory(t)
	head := p.git("rev-parse", "HEAD")
	refused := func(says string, args ...string) {
		t.Helper()
		file := p.read("Pulumi.release.yaml")
		r := p.refused([]string{says}, append([]string{"slipway", "rollback"}, args...)...)
		require.Equal(t, 1, r.status)
		require.Equal(t, head, p.git("rev-parse", "HEAD"))
		require.Equal(t, file, p.read("Pulumi.release.yaml"))
	}
	require.Equal(t, 2, p.refused([]string{"release has no update 99"}, "slipway", "rollback", "release", "--to",
		"99").status)
	refused("name a stage of this project", "staging")

	p.replace("Pulumi.release.yaml", "good day", "edited by hand")
	refused("has changes that are not committed", "release")
	require.Contains(t, p.read("Pulumi.release.yaml"), "edited by hand")
	p.git("checkout", "-q", "Pulumi.release.yaml")

	account := p.aws.open()
	_, err := ecs.DeregisterTaskDefinition(account, "slipway-release-web:1")
	require.NoError(t, err)
	refused("revision 1 is gone", "release", "--to", "1", "--pin")

	image := p.aws.images()[0]
	_, err = ecr.DeleteImage(account, image.Repository, "", image.Digest)
	require.NoError(t, err)
	refused("is gone from ECR", "release", "--to", "1")
	refused("is gone from ECR", "release", "--to", "2", "--pin")

	p.replace("Pulumi.yaml", "memory: 512", "memory: 1024")
	p.commit("Another default")
	head = p.git("rev-parse", "HEAD")
	refused("defaults.services.web.memory", "release", "--to", "10")
	p.git("revert", "--no-edit", "HEAD")
	head = p.git("rev-parse", "HEAD")

	// Other work in the tree stays as it is, staged or not.
	p.write("README.md", "edited")
	p.write("docs/new.md", "new")
	p.git("add", "docs/new.md")
	before := p.git("status", "--porcelain")
	p.ok("slipway", "rollback", "release", "--to", "10")
	require.Equal(t, before, p.git("status", "--porcelain"))
	require.Equal(t, "Pulumi.release.yaml\n", p.git("show", "--format=", "--name-only", "HEAD"))

	p.write(".git/hooks/pre-commit", "#!/bin/sh\necho not on a Friday\nexit 1\n")
	p.ok("chmod", "+x", ".git/hooks/pre-commit")
	file := p.read("Pulumi.release.yaml")
	p.refused([]string{"not on a Friday"}, "slipway", "rollback", "release", "--to", "6")
	require.Equal(t, file, p.read("Pulumi.release.yaml"))
	require.Equal(t, before, p.git("status", "--porcelain"))
}

func TestASecretVersionThatIsGoneIsSaid(t *testing.T) {
	t.Parallel()
	p := withHistory(t)
	account := p.aws.open()
	secret := p.aws.secretReferences("slipway-release-api:2")["KEY"]
	// AWS keeps the last 100 versions, and those of the last 24 hours.
	arn := strings.Join(strings.Split(secret, ":")[:7], ":")
	for range 102 {
		_, err := secrets.PutSecretValue(account, arn, `{"KEY": "other"}`, "")
		require.NoError(t, err)
	}
	p.aws.setFaults(map[string]string{"clock": "25h"})
	_, err := secrets.PutSecretValue(account, arn, `{"KEY": "other"}`, "")
	require.NoError(t, err)
	p.refused([]string{"services.api", "AWS no longer has that version"}, "slipway", "rollback", "release", "--to", "3",
		"--pin")
	p.ok("slipway", "rollback", "release", "--to", "3", "--up")
	service, err := ecs.FindService(account, "slipway-release", "api")
	require.NoError(t, err)
	value, err := secrets.SecretValue(account, p.aws.secretReferences(service.TaskDefinition)["KEY"])
	require.NoError(t, err)
	require.Equal(t, "hunter2-one", value)
}

func TestAShallowCloneCannotRestore(t *testing.T) {
	t.Parallel()
	p := withHistory(t)
	full := p.dir
	p.ok("git", "clone", "-q", "--depth", "2", "file://"+full, full+"-shallow")
	p = p.in(full + "-shallow")
	p.git("config", "user.name", "Dana Developer")
	p.git("config", "user.email", "dana@example.com")
	p.refused([]string{"git fetch --unshallow"}, "slipway", "rollback", "release", "--to", "2")
	p.ok("slipway", "rollback", "release", "--to", "2", "--pin")
	p.ok("slipway", "history", "release")
}

func TestASaltThatAnEarlierCommandAddedKeepsNothingFromBeingCommitted(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.commit("Greet again")
	p.up("dev")
	salted := "pulumi config --stack dev > /dev/null && grep -q encryptionsalt Pulumi.dev.yaml && exec "
	for _, pin := range []string{" --pin", ""} {
		p.ok("sh", "-c", salted+"slipway rollback dev --to 1"+pin)
		require.NotContains(t, p.git("show", "HEAD:Pulumi.dev.yaml"), "encryptionsalt")
		require.Empty(t, p.git("status", "--porcelain"))
		p.git("revert", "--no-edit", "HEAD")
	}
	p.refused([]string{"has changes that are not committed"}, "sh", "-c",
		"echo '# mine' >> Pulumi.dev.yaml && "+salted+"slipway rollback dev --to 1")
	p.git("checkout", "-q", "Pulumi.dev.yaml")
	p.write("Pulumi.other.yaml", p.read("Pulumi.release.yaml"))
	p.commit("Another stage")
	p.ok("sh", "-c", salted+"slipway promote dev other --commit")
	require.NotContains(t, p.git("show", "HEAD:Pulumi.other.yaml"), "encryptionsalt")
	require.Empty(t, p.git("status", "--porcelain"))
}
