package components

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"slipway/internal/awsclient/awstest"
	"slipway/internal/registries/registrytest"
)

const registrySecret = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:registry-a1b2c3"

// pinnedIn looks up what a stage pins, in an account that has nothing.
func pinnedIn(t *testing.T, keys map[string]string, answers map[string][]string) (found *pinnedLookup, err error) {
	t.Helper()
	settings, account := loadStage(t, keys), awstest.Account(t, answers)
	require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
		found, err = lookupPinned(ctx, account, settings)
		return nil
	}, pulumi.WithMocks("shop", "dev", &recorder{})))
	return found, err
}

// running is a stage whose service runs an image, with another one beside it.
func running(image, beside string) map[string]string {
	return map[string]string{"images": fmt.Sprintf(`{"web": %s}`, image),
		"services": fmt.Sprintf(`{"web": {"image": "web", "containers": {"proxy": {"image": %q}}}}`, beside)}
}

func TestImagesOfOtherRegistriesAreLookedUp(t *testing.T) {
	t.Parallel()
	open, closed := registrytest.Serve(t, "", ""), registrytest.Serve(t, "robot", "hunter2")
	one := open.Push(t, "team/web", "one", "linux/amd64").String()
	index := open.Push(t, "team/web", "index", "linux/amd64", "linux/arm64").String()
	arm := open.Push(t, "team/web", "arm", "linux/arm64").String()
	hidden := closed.Push(t, "team/proxy", "two", "linux/amd64").String()
	ref := func(text string) string { return fmt.Sprintf(`{"ref": %q}`, text) }
	const webKey, proxyKey = "images.web.ref (Pulumi.dev.yaml): ",
		"services.web.containers.proxy.image (Pulumi.dev.yaml): "

	found, err := pinnedIn(t, running(ref(one), index), nil)
	require.NoError(t, err)
	require.Empty(t, found.Warnings)

	_, err = pinnedIn(t, running(ref(strings.Replace(one, "@sha256:", "@sha256:0123", 1)[:len(one)]), hidden), nil)
	require.ErrorContains(t, err, webKey+open.Host+"/team/web:one@sha256:0123")
	require.ErrorContains(t, err, " is not there (MANIFEST_UNKNOWN: Unknown manifest)")
	require.ErrorContains(t, err, proxyKey+hidden+" may not be read without a password")

	withPassword := running(ref(hidden), one)
	withPassword["registries"] = fmt.Sprintf(`{%q: {"credentials": %q}}`, closed.Host, registrySecret)
	_, err = pinnedIn(t, withPassword,
		map[string][]string{"GetSecretValue": {`200 {"SecretString": "{\"username\": \"robot\", \"password\": \"hunter2\"}"}`}})
	require.NoError(t, err)

	_, err = pinnedIn(t, running(ref(arm), arm), nil)
	require.ErrorContains(t, err, webKey+arm+" is for linux/arm64, and its tasks run on linux/amd64: write the image's "+
		"platform as platform beside ref, or pin an image for linux/amd64")
	require.ErrorContains(t, err, proxyKey+arm+" is for linux/arm64, and its tasks run on linux/amd64: name an image for "+
		"linux/amd64")
	_, err = pinnedIn(t, running(fmt.Sprintf(`{"ref": %q, "platform": "linux/arm64"}`, arm), index), nil)
	require.NoError(t, err)
}

// An image in the stage's own ECR, pinned or copied there by an earlier update, is not run on a platform that it is not
// for.
func TestThePlatformOfAnImageInTheOwnECRIsLookedUp(t *testing.T) {
	t.Parallel()
	arm := map[string][]string{"BatchGetImage": {fmt.Sprintf(`200 {"images": [{"imageId": {"imageDigest": %q, "imageTag": `+
		`"2.1"}, "imageManifest": "{\"manifests\": [{\"platform\": {\"os\": \"linux\", \"architecture\": \"arm64\"}}]}"}]}`,
		pinnedDigest)}}
	const own = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/"
	for image, ref := range map[string]string{
		`{"ref": "` + own + `shop-test/web:2.1@` + pinnedDigest + `"}`:         own + "shop-test/web",
		`{"ref": "ghcr.io/shop/web:2.1@` + pinnedDigest + `", "mirror": true}`: own + "shop-dev/web",
	} {
		keys := map[string]string{"images": `{"web": ` + image + `}`, "services": `{"web": {"image": "web"}}`}
		_, err := pinnedIn(t, keys, arm)
		require.EqualError(t, err, "images.web.ref (Pulumi.dev.yaml): "+ref+":2.1@"+pinnedDigest+" is for linux/arm64, and "+
			"its tasks run on linux/amd64: write the image's platform as platform beside ref, or pin an image for linux/amd64")
		keys["images"] = `{"web": ` + strings.TrimSuffix(image, "}") + `, "platform": "linux/arm64"}}`
		_, err = pinnedIn(t, keys, arm)
		require.NoError(t, err)
	}
	ref := `{"ref": "` + own + `shop-test/web:2.1@` + pinnedDigest + `"}`
	_, err := pinnedIn(t, running(ref, own+"shop-test/proxy@"+pinnedDigest), arm)
	require.ErrorContains(t, err, "services.web.containers.proxy.image (Pulumi.dev.yaml): "+own+"shop-test/proxy@"+
		pinnedDigest+" is for linux/arm64, and its tasks run on linux/amd64: name an image for linux/amd64")
}

func TestARegistryThatCannotBeReachedIsAWarning(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	image := strings.TrimPrefix(gone.URL, "http://") + "/team/web:one@" + strings.SplitN(pinnedRef, "@", 2)[1]
	found, err := pinnedIn(t, running(fmt.Sprintf(`{"ref": %q}`, image), image), nil)
	require.NoError(t, err)
	require.Len(t, found.Warnings, 2)
	require.Contains(t, found.Warnings[0], "images.web.ref (Pulumi.dev.yaml): it is not known whether "+image+" is there, "+
		"and ECS may not be able to pull it: ")

	_, err = pinnedIn(t, running(fmt.Sprintf(`{"ref": %q, "mirror": true}`, image), image), nil)
	require.ErrorContains(t, err, "images.web.ref (Pulumi.dev.yaml): is to be copied, and cannot be yet; try again: it is "+
		"not known whether "+image)
}

func TestARepositoryOfBeforeThatHoldsImages(t *testing.T) {
	t.Parallel()
	registry := registrytest.Serve(t, "", "")
	image := registry.Push(t, "team/web", "one", "linux/amd64").String()
	const holds = `200 {"imageIds": [{"imageTag": "1", "imageDigest": "sha256:1"}]}`
	for answer, want := range map[string][]string{
		holds: {"images.web (Pulumi.dev.yaml): the update deletes its repository shop-dev/web, last of all, and ECR refuses " +
			"that: it holds images, and repository.forceDelete was not true in the update before. To keep the repository, write " +
			"mirror: true beside ref. To delete it with its images, set repository.forceDelete: true with the image as it was, " +
			"run `pulumi up`, and then make this change. A repository that no update of this stage made stays as it is"},
		`200 {"imageIds": []}`: nil,
		`400 {"__type": "AccessDeniedException", "message": "no"}`: nil,
	} {
		found, err := pinnedIn(t, running(fmt.Sprintf(`{"ref": %q}`, image), image),
			map[string][]string{"ListImages": {answer}})
		require.NoError(t, err)
		require.Equal(t, want, found.Warnings)
	}
	keys := running(fmt.Sprintf(`{"ref": %q}`, image), image)
	keys["repository"] = `{"forceDelete": true}`
	found, err := pinnedIn(t, keys, map[string][]string{"ListImages": {holds}})
	require.NoError(t, err)
	require.Empty(t, found.Warnings)
}

func TestImagesOfOtherRegistriesAreRunByTheirDigests(t *testing.T) {
	t.Parallel()
	digest := "@" + strings.SplitN(pinnedRef, "@", 2)[1]
	recorded := declareStage(t, map[string]string{
		"images": `{"web": {"ref": "ghcr.io/shop/web:2.1` + digest + `"}, "open": {"ref": "nginx:1.29` + digest + `"}}`,
		"services": `{"web": {"image": "web", "containers": {"proxy": {"image": "public.ecr.aws/nginx/nginx:1` + digest +
			`"}, "agent": {"image": "ghcr.io/shop/agent` + digest + `"}}}, "api": {"image": "open"}}`,
		"registries": `{"ghcr.io": {"credentials": "` + registrySecret + `"}}`,
	}, nil)
	web := recorded.named(t, "aws:ecs/taskDefinition:TaskDefinition", "web").Inputs["containerDefinitions"].StringValue()
	const login = `"repositoryCredentials":{"credentialsParameter":"` + registrySecret + `"},`
	require.Contains(t, web, `"dockerLabels":{"slipway.tag":"2.1"},"environment":[],"essential":true,"image":"ghcr.io/shop/web`+
		digest+`",`)
	require.Contains(t, web, `"dockerLabels":{"slipway.tag":"1"},"environment":[],"essential":true,`+
		`"image":"public.ecr.aws/nginx/nginx`+digest+`",`)
	require.Contains(t, web, `{"cpu":32,"environment":[],"essential":true,"image":"ghcr.io/shop/agent`+digest+`",`)
	require.Equal(t, 2, strings.Count(web, login), web)
	api := recorded.named(t, "aws:ecs/taskDefinition:TaskDefinition", "api").Inputs["containerDefinitions"].StringValue()
	require.Contains(t, api, `"image":"docker.io/library/nginx`+digest+`",`)
	require.NotContains(t, api, "repositoryCredentials")

	permits := func(service string) map[string][]string {
		permitted := map[string][]string{}
		for _, statement := range statements(t, recorded, service+"-execution") {
			permitted[statement.Sid] = statement.Resource
		}
		return permitted
	}
	require.Equal(t, []string{registrySecret}, permits("web")["Secrets"])
	require.NotContains(t, permits("web"), "Pull", "it pulls nothing from ECR")
	require.NotContains(t, permits("web"), "Login")
	require.NotContains(t, permits("api"), "Secrets")
}
