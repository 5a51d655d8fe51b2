package e2e

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecr"
)

// keepTags are the tags that keep images from expiring, with their images' digests.
func keepTags(p *project) map[string]string {
	p.Helper()
	kept := map[string]string{}
	for _, tag := range p.aws.tags() {
		if strings.HasPrefix(tag.Tag, "keep-") {
			kept[tag.Tag] = tag.Digest
		}
	}
	return kept
}

// apiCalls runs a command and returns the operations of the AWS APIs that it called, each with how often.
func apiCalls(p *project, args ...string) map[string]int {
	p.Helper()
	log := filepath.Join(p.TempDir(), "operations")
	r := p.runWith([]string{"SANDBOX_API_LOG=" + log}, args...)
	require.Zero(p, r.status, r.output)
	content, err := os.ReadFile(log)
	require.NoError(p.TB, err)
	called := map[string]int{}
	for _, operation := range strings.Fields(string(content)) {
		called[operation]++
	}
	return called
}

func TestTagsKeepTheImagesOfTheNewestRevisions(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.stageKeys("slipway:repository: {keepImages: 1, keepRevisions: 2}")
	p.up("dev")
	first := p.aws.images()[0]
	require.Equal(t, map[string]string{"keep-slipway-dev-web-1": first.Digest}, keepTags(p))
	require.Contains(t, p.aws.object(ecr.LifecyclePolicy)["policy"], `"countNumber":1,`,
		"the policy was changed, and is there")

	called := apiCalls(p, upArgs("dev", "--expect-no-changes")...)
	for _, write := range []string{"PutImage", "BatchDeleteImage", "BatchGetImage", "DescribeTaskDefinition"} {
		require.Zero(t, called[write], "%s in an unchanged update: %v", write, called)
	}
	require.Equal(t, 1, called["ListImages"], "%v", called)
	require.Equal(t, 1, called["ListTaskDefinitions"], "%v", called)

	// A preview protects nothing. The second image comes, the first one is not the newest any more, and stays for the
	// revision that uses it.
	p.editApp("two")
	p.commit("Second")
	called = apiCalls(p, "pulumi", "preview", "--stack", "dev", "--non-interactive")
	for _, operation := range []string{"ListImages", "PutImage", "ListTaskDefinitions"} {
		require.Zero(t, called[operation], "%s in a preview: %v", operation, called)
	}
	p.up("dev")
	second := p.aws.images()[1]
	require.Equal(t, map[string]string{"keep-slipway-dev-web-1": first.Digest, "keep-slipway-dev-web-2": second.Digest},
		keepTags(p))
	p.replace("Pulumi.dev.yaml", "replicas: 1", "replicas: 1\n      revision: 1")
	require.Equal(t, []string{"Update aws:ecs/service:Service"}, p.up("dev").changed())
	require.Equal(t, 1, p.aws.service("slipway-dev").Revision)

	// While the service is pinned to it, the first revision keeps its image, whatever comes.
	for _, text := range []string{"three", "four"} {
		p.editApp(text)
		p.commit(text)
		p.up("dev")
	}
	require.Equal(t, []string{"keep-slipway-dev-web-1", "keep-slipway-dev-web-3", "keep-slipway-dev-web-4"},
		keys(keepTags(p)))
	require.Equal(t, first.Digest, keepTags(p)["keep-slipway-dev-web-1"])
	require.Len(t, p.aws.images(), 3)

	// Tags that were removed by hand come back with the next update.
	for tag := range keepTags(p) {
		if tag != "keep-slipway-dev-web-4" {
			continue
		}
		_, err := ecr.DeleteImage(p.aws.open(), "slipway-dev/web", tag, "")
		require.NoError(t, err)
	}
	p.up("dev", "--expect-no-changes")
	require.Equal(t, []string{"keep-slipway-dev-web-1", "keep-slipway-dev-web-3", "keep-slipway-dev-web-4"},
		keys(keepTags(p)))

	// It moves on, and nothing needs the first image any more.
	p.replace("Pulumi.dev.yaml", "\n      revision: 1", "")
	p.up("dev")
	require.Equal(t, []string{"keep-slipway-dev-web-3", "keep-slipway-dev-web-4"}, keys(keepTags(p)))
	require.Len(t, p.aws.images(), 2)
	require.NotContains(t, p.aws.images(), first)

	p.replace("Pulumi.dev.yaml", "replicas: 1", "replicas: 1\n      revision: 1")
	p.refused([]string{"services.web.revision (Pulumi.dev.yaml)", "slipway-dev-web:1 runs the image",
		"repository.keepRevisions", "git revert"}, upArgs("dev")...)
	require.Equal(t, 4, p.aws.service("slipway-dev").Revision)
}

func TestAFailedDeploymentGoesBackToAnImageThatIsThere(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.stageKeys("slipway:repository: {keepImages: 1, keepRevisions: 1}")
	p.up("dev")
	p.aws.setFaults(map[string]string{"failing-tasks": "slipway-dev-web:2"})
	p.editApp("broken")
	p.commit("Broken")
	require.NotZero(t, p.tryUp("dev").status)
	require.Equal(t, 1, p.aws.service("slipway-dev").Revision)
	require.Equal(t, []string{"keep-slipway-dev-web-1", "keep-slipway-dev-web-2"}, keys(keepTags(p)), "1 serves")
	require.Len(t, p.aws.images(), 2)

	p.editApp("fixed")
	p.commit("Fixed")
	p.up("dev")
	require.Equal(t, []string{"keep-slipway-dev-web-3"}, keys(keepTags(p)))
	require.Len(t, p.aws.images(), 1)
}

// A stage that an earlier version of the program has deployed has put no tags.
func TestTheOwnerOfARepositoryProtectsWhatOtherStagesUse(t *testing.T) {
	t.Parallel()
	p := promoted(t)
	image := p.aws.images()[0]
	require.Contains(t, keys(keepTags(p)), "keep-slipway-release-web-1")
	require.Equal(t, image.Digest,
		keepTags(p)["keep-slipway-release.web."+strings.TrimPrefix(image.Digest, "sha256:")[:12]])
	for tag := range keepTags(p) {
		_, err := ecr.DeleteImage(p.aws.open(), "slipway-dev/web", tag, "")
		require.NoError(t, err)
	}
	p.stageKeys("slipway:repository: {keepImages: 1, keepRevisions: 1}")
	for _, text := range []string{"two", "three"} {
		p.editApp(text)
		p.commit(text)
		p.up("dev")
	}
	require.Equal(t, []string{"keep-slipway-dev-web-3", "keep-slipway-release-web-1"}, keys(keepTags(p)))
	require.Len(t, p.aws.images(), 2)
	require.Contains(t, p.aws.images(), image)

	// Release knows best what it needs.
	p.replace("Pulumi.release.yaml", "hello from release", "hello again")
	p.up("release")
	require.Contains(t, keys(keepTags(p)), "keep-slipway-release-web-2")
	require.Contains(t, keys(keepTags(p)), "keep-slipway-dev-web-3", "a stage removes its own tags only")
}

func TestAYearOfDeploymentsKeepsWhatIsNeededAndNothingElse(t *testing.T) {
	t.Parallel()
	p := promoted(t)
	p.stageKeys("slipway:repository: {keepImages: 20, keepRevisions: 10}")
	p.up("dev")
	account := p.aws.open()
	clock := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := account.SetFaults(map[string]string{"clock": strings.TrimPrefix(r.URL.Path, "/")}); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	}))
	defer clock.Close()
	r := p.runWith([]string{"RETENTION_CLOCK=" + clock.URL + "/", "RETENTION_KEEP=20 images, 10 revisions"},
		"go", "-C", root, "test", "-trimpath", "-count=1", "-v", "-run", "^TestAYearOfDeployments$",
		"./components/internal/retention")
	require.Zero(t, r.status, r.output)
	require.Contains(t, r.output, "--- PASS: TestAYearOfDeployments", "it ran, and was not skipped")
	require.LessOrEqual(t, len(keepTags(p)), 21, "of ten revisions of each stage, and of what release pins")
}
