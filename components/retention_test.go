package components

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	ecrsdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/require"

	"slipway/stage"
)

func TestTheNewestRevisionsAreKeptAndThoseThatAreNeeded(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct {
		revisions []int
		newest    int
		needed    []int
		want      []int
	}{
		"a family without a revision":              {nil, 3, nil, nil},
		"fewer than are kept":                      {[]int{2, 1}, 3, nil, []int{2, 1}},
		"the newest, in whatever order":            {[]int{1, 4, 2, 3}, 2, nil, []int{4, 3}},
		"a number that is named twice counts once": {[]int{4, 4, 3, 2}, 3, nil, []int{4, 3, 2}},
		"one that is pinned, however old":          {[]int{9, 8, 7, 2}, 2, []int{2}, []int{9, 8, 2}},
		"one that is pinned and new anyway":        {[]int{9, 8, 7}, 2, []int{8}, []int{9, 8}},
		"one that ECS no longer lists":             {[]int{9, 8}, 2, []int{1}, []int{9, 8, 1}},
	} {
		require.Equal(t, c.want, keptRevisions(c.revisions, c.newest, c.needed), sentence)
	}
}

const someDigest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func TestTagsTellWhatAnImageIsKeptFor(t *testing.T) {
	t.Parallel()
	require.Equal(t, "keep-shop-dev-web-12", revisionTag("shop-dev-web", 12))
	require.Equal(t, "keep-shop-dev.web.0123456789ab", pinTag("shop-dev", "web", someDigest))
	require.Equal(t, "keep-shop-dev.team.web.0123456789ab", pinTag("shop-dev", "team/web", someDigest))
	long := pinTag("shop-dev", strings.Repeat("a", 200), someDigest)
	require.Len(t, long, 128)
	require.True(t, strings.HasPrefix(long, "keep-shop-dev.aaa") && strings.HasSuffix(long, ".0123456789ab"), long)
}

func TestAStageRemovesOnlyItsOwnTags(t *testing.T) {
	t.Parallel()
	own := map[string]bool{"shop-dev-web": true, "shop-dev-web-2": true}
	for sentence, c := range map[string]struct {
		tags map[string]string // tag → digest
		want []string
	}{
		"what is wanted stays":                {map[string]string{"a": "1", "keep-shop-dev-web-9": "1", "keep-shop-dev.web.111111111111": "1"}, nil},
		"an old revision's tag goes":          {map[string]string{"a": "1", "keep-shop-dev-web-8": "1"}, []string{"keep-shop-dev-web-8"}},
		"that of another image goes, too":     {map[string]string{"a": "1", "keep-shop-dev.web.222222222222": "1"}, []string{"keep-shop-dev.web.222222222222"}},
		"another stage's stay":                {map[string]string{"a": "1", "keep-shop-release-web-8": "1", "keep-shop-release.web.222222222222": "1"}, nil},
		"a stage whose name begins like it":   {map[string]string{"a": "1", "keep-shop-dev-eu-web-8": "1", "keep-shop-dev-eu.web.222222222222": "1"}, nil},
		"a service whose name begins like it": {map[string]string{"a": "1", "keep-shop-dev-web-2-8": "1", "keep-shop-dev-web-3-8": "1"}, []string{"keep-shop-dev-web-2-8"}},
		"tags of builds and people stay":      {map[string]string{"a": "1", "keep-me": "1", "latest": "1", "20261123-041205-a1b2c3d-9f8e7d6c": "1"}, nil},
		"an image's last tag stays":           {map[string]string{"keep-shop-dev-web-7": "1", "keep-shop-dev-web-8": "1", "keep-shop-dev-web-6": "2"}, []string{"keep-shop-dev-web-7"}},
	} {
		wanted := map[string]bool{"keep-shop-dev-web-9": true, "keep-shop-dev.web.111111111111": true}
		require.Equal(t, c.want, staleTags(c.tags, own, "shop-dev", wanted), sentence)
	}
}

func TestTheTagsOfAStageAreThoseOfItsRevisionsAndPins(t *testing.T) {
	t.Parallel()
	k := &keeper{settings: &stage.Stage{Project: "shop", Name: "dev",
		Images:   map[string]stage.Image{"web": {Ref: &stage.Ref{Digest: someDigest}}, "api": {Build: &stage.Build{}}},
		Services: map[string]stage.Service{"web": {}, "api": {}}, Repository: stage.Repository{KeepRevisions: 2}},
		newest: map[string][]int{"shop-dev-web": {7, 6}, "shop-dev-api": {3}}, needed: map[string][]int{"shop-dev-web": {2, 8}}}
	require.Equal(t, []string{"keep-shop-dev-api-3", "keep-shop-dev-web-2", "keep-shop-dev-web-7", "keep-shop-dev-web-8", "keep-shop-dev.web.0123456789ab"},
		sortedKeys(k.wantedTags()), "8 has been registered just now, and 2 is pinned")
}

func TestImagesOfTheStagesOwnAccountAndRegion(t *testing.T) {
	t.Parallel()
	account := &Account{ID: "123456789012", Region: "ap-northeast-2"}
	const registry = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/"
	for reference, want := range map[string]storedImage{
		registry + "shop-dev/web:one":                                          {"shop-dev/web", "one", ""},
		registry + "shop-dev/web@" + someDigest:                                {"shop-dev/web", "", someDigest},
		registry + "shop-dev/web:one@" + someDigest:                            {"shop-dev/web", "one", someDigest},
		registry + "web":                                                       {"web", "latest", ""},
		"nginx:1":                                                              {},
		"public.ecr.aws/docker/library/nginx:1":                                {},
		strings.Replace(registry, "1234", "4321", 1) + "web:one":               {},
		strings.Replace(registry, "northeast-2", "northeast-1", 1) + "web:one": {},
	} {
		image, stored := account.storedImage(reference)
		require.Equal(t, want, image, reference)
		require.Equal(t, want != storedImage{}, stored, reference)
	}
}

func TestTheLifecyclePolicyProtectsFirst(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, map[string]string{"repository": `{"keepImages": 20}`}, nil)
	require.Empty(t, recorded.all("aws:ecr/lifecyclePolicy:LifecyclePolicy"), "a stage that pins has no repository")
	text, err := lifecyclePolicy(20)
	require.NoError(t, err)
	var policy struct {
		Rules []struct {
			RulePriority int
			Selection    map[string]any
		}
	}
	require.NoError(t, json.Unmarshal([]byte(text), &policy))
	require.Len(t, policy.Rules, 3)
	for i, want := range []map[string]any{
		{"tagStatus": "tagged", "tagPrefixList": []any{"keep-"}, "countType": "imageCountMoreThan", "countNumber": 100000.0},
		{"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14.0},
		{"tagStatus": "tagged", "tagPatternList": []any{"*"}, "countType": "imageCountMoreThan", "countNumber": 20.0},
	} {
		require.Equal(t, i+1, policy.Rules[i].RulePriority)
		require.Equal(t, want, policy.Rules[i].Selection)
	}
}

func TestWhatCannotBeProtectedSaysWhatIsNeeded(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"__type": "AccessDeniedException", "message": "User dana is not authorized to perform: ecr:ListImages"}`))
	}))
	t.Cleanup(server.Close)
	cfg := awssdk.Config{Region: "ap-northeast-2", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")}
	k := &keeper{account: &Account{}, settings: loadStage(t, nil), ecr: ecrsdk.NewFromConfig(cfg), ecs: ecssdk.NewFromConfig(cfg),
		declared: []string{"shop-dev/web"}, lists: map[string]func() (map[string]string, error){}}
	err := k.protectExisting(t.Context())
	require.ErrorContains(t, err, "images (Pulumi.dev.yaml): listing the images of shop-dev/web")
	require.ErrorContains(t, err, "User dana is not authorized to perform: ecr:ListImages")
	require.ErrorContains(t, err, "needs ecr:ListImages, ecr:BatchGetImage, ecr:PutImage, ecr:BatchDeleteImage, ecs:ListTaskDefinitions")
	require.ErrorContains(t, err, "run `pulumi up` again")
}
