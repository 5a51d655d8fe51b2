package retention

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	ecrsdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/require"

	"slipway/internal/awsclient"
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
	require.Equal(t, "keep-shop-dev-web-12-0123456789ab-also", secondaryTag("keep-shop-dev-web-12", someDigest))
	require.True(t, isSecondaryTag("keep-shop-dev-web-12-0123456789ab-also", "keep-shop-dev-web-12"))
	require.False(t, isSecondaryTag("keep-shop-dev-web-12-7-0123456789ab-also", "keep-shop-dev-web-12"),
		"of the service web-12")
	require.False(t, isSecondaryTag("keep-shop-dev-web-12-7", "keep-shop-dev-web-12"))
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
		"what is wanted stays": {map[string]string{"a": "1", "keep-shop-dev-web-9": "1",
			"keep-shop-dev.web.111111111111": "1"}, nil},
		"an old revision's tag goes": {map[string]string{"a": "1", "keep-shop-dev-web-8": "1"},
			[]string{"keep-shop-dev-web-8"}},
		"that of another image goes, too": {map[string]string{"a": "1", "keep-shop-dev.web.222222222222": "1"},
			[]string{"keep-shop-dev.web.222222222222"}},
		"another stage's stay": {map[string]string{"a": "1", "keep-shop-release-web-8": "1",
			"keep-shop-release.web.222222222222": "1"}, nil},
		"a stage whose name begins like it": {map[string]string{"a": "1", "keep-shop-dev-eu-web-8": "1",
			"keep-shop-dev-eu.web.222222222222": "1"}, nil},
		"a service whose name begins like it": {map[string]string{"a": "1", "keep-shop-dev-web-2-8": "1",
			"keep-shop-dev-web-3-8": "1"}, []string{"keep-shop-dev-web-2-8"}},
		"tags of builds and people stay": {map[string]string{"a": "1", "keep-me": "1", "latest": "1",
			"20261123-041205-a1b2c3d-9f8e7d6c": "1"}, nil},
		"what is wanted of a secondary image": {map[string]string{"a": "1", "keep-shop-dev-web-9-0123456789ab-also": "1"},
			nil},
		"an old revision's secondary image": {map[string]string{"a": "1", "keep-shop-dev-web-8-0123456789ab-also": "1"},
			[]string{"keep-shop-dev-web-8-0123456789ab-also"}},
		"another stage's secondary image": {map[string]string{"a": "1", "keep-shop-qa-web-8-0123456789ab-also": "1"},
			nil},
		"a digest of numbers is no revision": {map[string]string{"a": "1", "keep-shop-dev-web-9-012345678901-also": "1"},
			nil},
		"an image's last tag stays": {map[string]string{"keep-shop-dev-web-7": "1", "keep-shop-dev-web-8": "1",
			"keep-shop-dev-web-6": "2"}, []string{"keep-shop-dev-web-7"}},
	} {
		wanted := map[string]bool{"keep-shop-dev-web-9": true, "keep-shop-dev.web.111111111111": true}
		require.Equal(t, c.want, staleTags(c.tags, own, "shop-dev", wanted), sentence)
	}
}

func TestTheTagsOfAStageAreThoseOfItsRevisionsAndPins(t *testing.T) {
	t.Parallel()
	p := &Protector{settings: &stage.Stage{Project: "shop", Name: "dev",
		Images:   map[string]stage.Image{"web": {Ref: &stage.Ref{Digest: someDigest}}, "api": {Build: &stage.Build{}}},
		Services: map[string]stage.Service{"web": {}, "api": {}}, Repository: stage.Repository{KeepRevisions: 2}},
		newest: map[string][]int{"shop-dev-web": {7, 6}, "shop-dev-api": {3}},
		needed: map[string][]int{"shop-dev-web": {2, 8}}}
	require.Equal(t, []string{"keep-shop-dev-api-3", "keep-shop-dev-web-2", "keep-shop-dev-web-7", "keep-shop-dev-web-8",
		"keep-shop-dev.web.0123456789ab"},
		slices.Sorted(maps.Keys(p.neededTags())), "8 has been registered just now, and 2 is pinned")
}

// registry is an ECR of some images, which notes what is put.
type registry struct {
	tags   map[string]map[string]string // digests by tag, by repository
	put    []string
	full   string // a repository in which no tag can be put
	others string // a repository of which nothing may even be read
}

func (r *registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	var in struct {
		RepositoryName, ImageTag, ImageDigest string
		ImageIds                              []struct{ ImageDigest string }
	}
	_ = json.NewDecoder(request.Body).Decode(&in)
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	var answer any
	if in.RepositoryName != "" && in.RepositoryName == r.others {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"__type": "AccessDeniedException", "message": "not yours"}`))
		return
	}
	switch _, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), "."); operation {
	case "ListImages":
		ids := []map[string]string{}
		for tag, digest := range r.tags[in.RepositoryName] {
			ids = append(ids, map[string]string{"imageTag": tag, "imageDigest": digest})
		}
		answer = map[string]any{"imageIds": ids}
	case "BatchGetImage":
		answer = map[string]any{"images": []any{map[string]any{"imageManifest": "{}",
			"imageId": map[string]string{"imageDigest": in.ImageIds[0].ImageDigest}}}}
	case "PutImage":
		if in.RepositoryName == r.full {
			w.WriteHeader(http.StatusBadRequest)
			answer = map[string]string{"__type": "AccessDeniedException", "message": "no"}
			break
		}
		r.put = append(r.put, in.RepositoryName+":"+in.ImageTag+" "+in.ImageDigest)
		answer = map[string]any{"image": map[string]any{}}
	case "DescribeTaskDefinition":
		answer = map[string]any{"taskDefinition": map[string]any{"containerDefinitions": []any{
			map[string]string{"name": "agent", "image": ownRegistry + "agent:1"},
			map[string]string{"name": "proxy", "image": ownRegistry + "shop-dev/web:two"},
			map[string]string{"name": "shell", "image": "busybox:1"},
			map[string]string{"name": "web", "image": ownRegistry + "shop-dev/web:one"},
			map[string]string{"name": "xray", "image": ownRegistry + "agent:gone"},
		}}}
	}
	_ = json.NewEncoder(w).Encode(answer)
}

const ownRegistry = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/"

// shopDev is a stage that pins an image.
func shopDev(t *testing.T) *stage.Stage {
	t.Helper()
	settings, err := stage.Load(stage.Input{Project: "shop", Stage: "dev", Root: t.TempDir(), Config: map[string]string{
		"shop:images": `{"web": {"ref": "` + ownRegistry + `shop-dev/web:20261123-041205-a1b2c3d-9f8e7d6c@` + someDigest +
			`"}}`,
	}})
	require.NoError(t, err)
	return settings
}

// keep is the Protector of shop-dev with that registry.
func (r *registry) keep(t *testing.T) *Protector {
	t.Helper()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	cfg := awssdk.Config{Region: "ap-northeast-2", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")}
	return &Protector{account: &awsclient.Account{ID: "123456789012", Region: "ap-northeast-2"}, settings: shopDev(t),
		ecr: ecrsdk.NewFromConfig(cfg), ecs: ecssdk.NewFromConfig(cfg), declared: []string{"agent", "shop-dev/web"},
		owned: map[string]bool{"shop-dev/web": true},
		lists: map[string]*tagList{}, put: map[string]map[string]bool{}, newest: map[string][]int{},
		needed: map[string][]int{}}
}

func digestFrom(start string) string { return "sha256:" + start + strings.Repeat("0", 64-len(start)) }

func someImages() *registry {
	return &registry{tags: map[string]map[string]string{
		"shop-dev/web": {"one": digestFrom("a1"), "two": digestFrom("b2"), "three": digestFrom("c3")},
		"agent":        {"1": digestFrom("d4")},
	}}
}

func TestEveryImageOfARevisionIsProtectedTheMainOneLast(t *testing.T) {
	t.Parallel()
	existing := someImages()
	require.NoError(t, existing.keep(t).protectRevision(t.Context(), "shop-dev-web", 7, true))
	require.Equal(t, []string{
		"shop-dev/web:keep-shop-dev-web-7-b20000000000-also " + digestFrom("b2"),
		"agent:keep-shop-dev-web-7-d40000000000-also " + digestFrom("d4"),
		"shop-dev/web:keep-shop-dev-web-7 " + digestFrom("a1"),
	}, existing.put)

	pushed := someImages()
	refs := []string{ownRegistry + "shop-dev/web:new@" + digestFrom("e5"),
		ownRegistry + "shop-dev/web:new@" + digestFrom("e5"), ownRegistry + "agent:1", "busybox:1"}
	require.NoError(t, pushed.keep(t).ProtectNew(t.Context(), "web", 8, refs))
	require.Equal(t, []string{
		"agent:keep-shop-dev-web-8-d40000000000-also " + digestFrom("d4"),
		"shop-dev/web:keep-shop-dev-web-8 " + digestFrom("e5"),
	}, pushed.put, "an image that two containers run once, though it was pushed just now")
}

func TestARevisionIsLookedAtAgainUntilAllItsImagesAreProtected(t *testing.T) {
	t.Parallel()
	r := someImages()
	r.full = "agent"
	require.ErrorContains(t, r.keep(t).protectRevision(t.Context(), "shop-dev-web", 7, true), "AccessDenied")
	require.Equal(t, []string{"shop-dev/web:keep-shop-dev-web-7-b20000000000-also " + digestFrom("b2")}, r.put)

	r.tags["shop-dev/web"]["keep-shop-dev-web-7-b20000000000-also"], r.put, r.full = digestFrom("b2"), nil, ""
	require.NoError(t, r.keep(t).protectRevision(t.Context(), "shop-dev-web", 7, true))
	require.Len(t, r.put, 2, "what there is already is not put again")

	r.tags["shop-dev/web"]["keep-shop-dev-web-7"], r.put = digestFrom("a1"), nil
	require.NoError(t, r.keep(t).protectRevision(t.Context(), "shop-dev-web", 7, true))
	require.Empty(t, r.put)
}

func TestWhatOthersKeepIsLeftToThem(t *testing.T) {
	t.Parallel()
	r := someImages()
	r.others = "agent"
	p := r.keep(t)
	p.declared = []string{"shop-dev/web"}
	require.NoError(t, p.protectRevision(t.Context(), "shop-dev-web", 7, true))
	require.NoError(t, p.ProtectNew(t.Context(), "web", 8, []string{ownRegistry + "shop-dev/web:one",
		ownRegistry + "agent:1", ownRegistry + "agent@" + digestFrom("d4")}))
	require.Equal(t, []string{
		"shop-dev/web:keep-shop-dev-web-7-b20000000000-also " + digestFrom("b2"),
		"shop-dev/web:keep-shop-dev-web-7 " + digestFrom("a1"),
		"shop-dev/web:keep-shop-dev-web-8 " + digestFrom("a1"),
	}, r.put)
	require.NoError(t, p.Tidy(t.Context()))
	require.Equal(t, []string{"shop-dev/web"}, slices.Sorted(maps.Keys(p.lists)),
		"nor are tags removed elsewhere that an earlier version has put")
	require.NoError(t, p.protectRevision(t.Context(), "shop-dev-web", 7, true))
	require.Len(t, r.put, 3, "the main container's image says that all are there")

	moved := someImages() // a revision of the time when another repository had the service's image
	moved.others = "shop-dev/web"
	p = moved.keep(t)
	p.declared, p.owned = []string{"agent"}, map[string]bool{}
	require.NoError(t, p.protectRevision(t.Context(), "shop-dev-web", 7, true))
	require.Equal(t, []string{"agent:keep-shop-dev-web-7-d40000000000-also " + digestFrom("d4")}, moved.put)
}

func TestAnotherStagesRevisionsAreProtectedWhereTheRepositoryIsOwn(t *testing.T) {
	t.Parallel()
	r := someImages()
	r.others = "shop-dev/web"
	p := r.keep(t)
	p.declared, p.owned = []string{"agent"}, map[string]bool{"agent": true}
	require.NoError(t, p.protectRevision(t.Context(), "shop-qa-web", 3, false))
	require.Equal(t, []string{"agent:keep-shop-qa-web-3-d40000000000-also " + digestFrom("d4")}, r.put,
		"the main container's image is elsewhere, and unread, and the revision's own tag is its")

	r.put = nil
	require.NoError(t, p.protectRevision(t.Context(), "shop-qa-web", 3, false))
	require.Empty(t, r.put, "once is enough")
}

func TestTheLifecyclePolicyProtectsFirst(t *testing.T) {
	t.Parallel()
	text, err := LifecyclePolicy(20)
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
		_, _ = w.Write([]byte(`{"__type": "AccessDeniedException", "message": "User dana is not authorized to perform: ` +
			`ecr:ListImages"}`))
	}))
	t.Cleanup(server.Close)
	cfg := awssdk.Config{Region: "ap-northeast-2", BaseEndpoint: &server.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")}
	p := &Protector{account: &awsclient.Account{}, settings: shopDev(t), ecr: ecrsdk.NewFromConfig(cfg),
		ecs:      ecssdk.NewFromConfig(cfg),
		declared: []string{"shop-dev/web"}, lists: map[string]*tagList{}}
	err := p.ProtectExisting(t.Context())
	require.ErrorContains(t, err, "images (Pulumi.dev.yaml): listing the images of shop-dev/web")
	require.ErrorContains(t, err, "User dana is not authorized to perform: ecr:ListImages")
	require.ErrorContains(t, err,
		"needs ecr:ListImages, ecr:BatchGetImage, ecr:PutImage, ecr:BatchDeleteImage, ecs:ListTaskDefinitions")
	require.ErrorContains(t, err, "run `pulumi up` again")
}
