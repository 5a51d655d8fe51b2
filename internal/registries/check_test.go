package registries

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/internal/awsclient/awstest"
	"slipway/internal/imageref"
	"slipway/internal/registries/registrytest"
)

const digest = "sha256:" + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// own is an image in the stage's own ECR.
var own = imageref.Ref{Host: imageref.ECRHost("123456789012", "ap-northeast-2"), Account: "123456789012",
	Region: "ap-northeast-2", Repository: "shop/web", Tag: "v1", Digest: digest}

// manifest is what ECR answers with where it has the image under a tag.
func manifest(tag, text string) string {
	return fmt.Sprintf(`200 {"images": [{"imageId": {"imageDigest": %q, "imageTag": %q}, "imageManifest": %q}]}`, digest, tag,
		text)
}

const (
	arm      = `{"manifests": [{"platform": {"os": "linux", "architecture": "arm64"}}]}`
	single   = `{"config": {"digest": "` + digest + `"}, "layers": []}`
	none     = `200 {"images": [], "failures": [{"failureCode": "ImageNotFound"}]}`
	notFound = `400 {"__type": "ImageNotFoundException"}`
	denied   = `400 {"__type": "AccessDeniedException", "message": "no"}`
)

func described(tag string) string {
	return fmt.Sprintf(`200 {"imageDetails": [{"imageDigest": %q, "imageTags": [%q]}]}`, digest, tag)
}

func TestAnImageInTheOwnECRIsChecked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		read, described string
		platform, says  string
		as              any
	}{
		"for the platform": {manifest("v1", arm), denied, "linux/arm64", "", nil},
		"for another": {manifest("v1", arm), denied, "linux/amd64", own.String() + " is for linux/arm64, and its tasks run on " +
			"linux/amd64: write the image's platform as platform beside ref, or pin an image for linux/amd64", new(*Refusal)},
		"gone": {none, notFound, "linux/arm64", own.String() + " is not in ECR: name an image that the repository shop/web " +
			"holds", new(*Refusal)},
		"another tag": {none, described("v2"), "linux/arm64", "does not carry the tag v1, but v2: pin tag and digest of one " +
			"image", new(*Refusal)},
		"a tag unsaid": {manifest("", arm), described("v1"), "linux/arm64", "", nil},
		"not to be read": {denied, described("v1"), "linux/arm64", "it is not known what " + own.String() + " runs on: ",
			new(*Warning)},
		"nothing is said": {denied, denied, "linux/arm64", "looking for it in shop/web: ", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := registries(t, map[string][]string{"BatchGetImage": {test.read}, "DescribeImages": {test.described}}, nil)
			err := asked.CheckPinned(t.Context(), own, test.platform)
			if test.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.says)
			if test.as != nil {
				require.ErrorAs(t, err, test.as)
			}
		})
	}
}

// A container may name an image by a tag that has moved on: the digest decides.
func TestOnlyAPinHasToHaveItsTag(t *testing.T) {
	t.Parallel()
	asked := registries(t, map[string][]string{"BatchGetImage": {manifest("v2", arm)}}, nil)
	require.NoError(t, asked.CheckNamed(t.Context(), own.String(), "linux/arm64"))
	require.ErrorContains(t, asked.CheckNamed(t.Context(), own.String(), "linux/amd64"), "name an image for linux/amd64")
}

func TestTheConfigurationOfASingleImageTellsItsPlatform(t *testing.T) {
	t.Parallel()
	status, text := http.StatusOK, `{"os": "linux", "architecture": "arm64"}`
	blobs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, text)
	}))
	look := func() (*Image, error) {
		return registries(t, map[string][]string{"BatchGetImage": {manifest("v1", single)},
			"DescribeImages":         {described("v1")},
			"GetDownloadUrlForLayer": {fmt.Sprintf(`200 {"downloadUrl": "%s/?signature=secret"}`, blobs.URL)},
		}, nil).Look(t.Context(), own)
	}
	found, err := look()
	require.NoError(t, err)
	require.Equal(t, &Image{digest, []string{"linux/arm64"}}, found)
	text = "{}"
	found, err = look()
	require.NoError(t, err)
	require.Empty(t, found.Platforms, "it says nothing of a platform")
	text = "<html>"
	_, err = look()
	require.ErrorAs(t, err, new(*Warning))
	status = http.StatusForbidden
	_, err = look()
	require.ErrorContains(t, err, "downloading "+digest+" from ECR: 403 Forbidden")
	blobs.Close()
	_, err = look()
	require.ErrorContains(t, err, "downloading "+digest+" from ECR: ")
	require.NotContains(t, err.Error(), "signature", "whoever has the address may download")
	_, err = registries(t, map[string][]string{"BatchGetImage": {manifest("v1", single)},
		"DescribeImages":         {described("v1")},
		"GetDownloadUrlForLayer": {`200 {"downloadUrl": "https://[/?signature=secret"}`}}, nil).Look(t.Context(), own)
	require.ErrorAs(t, err, new(*Warning))
	require.NotContains(t, err.Error(), "signature")
}

func TestAnImageThatWasCopiedIsCheckedWhereItIs(t *testing.T) {
	t.Parallel()
	registry := registrytest.Serve(t, "", "")
	source := registry.Push(t, "team/web", "v1", "linux/amd64")
	check := func(read, byDigest, byTag string) (bool, error) {
		return registries(t, map[string][]string{"BatchGetImage": {read}, "DescribeImages": {byDigest, byTag}}, nil).
			CheckCopy(t.Context(), own, source, "linux/amd64")
	}
	copied, err := check(manifest("v1", strings.Replace(arm, "arm64", "amd64", 1)), denied, denied)
	require.NoError(t, err)
	require.True(t, copied)
	copied, err = check(manifest("v1", arm), denied, denied)
	require.ErrorContains(t, err, own.String()+" is for linux/arm64, and its tasks run on linux/amd64")
	require.True(t, copied, "it is not copied again")
	copied, err = check(denied, described("v1"), denied)
	require.ErrorAs(t, err, new(*Warning))
	require.True(t, copied)

	copied, err = check(none, notFound, notFound)
	require.NoError(t, err)
	require.False(t, copied)
	_, err = check(none, notFound, `200 {"imageDetails": [{"imageDigest": "sha256:other", "imageTags": ["v1"]}]}`)
	require.EqualError(t, err, "the tag v1 names sha256:other in the stage's repository shop/web, where no tag moves, and "+
		digest+" in "+registry.Host+": pin the image under another tag that it has there")
	_, err = check(denied, denied, denied)
	require.ErrorContains(t, err, "looking for it in shop/web: ")
	source.Digest = digest
	_, err = check(none, notFound, notFound)
	require.ErrorContains(t, err, source.String()+" is not there")
}

func TestSecretsThatAreToBeKeptAreNotRead(t *testing.T) {
	t.Parallel()
	account := awstest.Account(t, map[string][]string{"GetSecretValue": {denied}})
	asked := &Registries{Account: account.ID, Region: account.Region, Clients: account.Clients, KeepSecrets: true,
		Credentials: map[string]string{"ghcr.io": secretARN}}
	err := asked.CheckNamed(t.Context(), "ghcr.io/shop/web@"+digest, "linux/amd64")
	require.EqualError(t, err, "ghcr.io/shop/web@"+digest+" is in a registry that asks for a password, with which the update "+
		"looks for it")
	require.ErrorAs(t, err, new(*Warning))
}
