package registry

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
)

var token = remote.WithAuth(&authn.Basic{Username: ecr.Username,
	Password: ecr.Password(account.User(account.DefaultID))})

// login is that of a caller.
func login(caller account.Caller) remote.Option {
	return remote.WithAuth(&authn.Basic{Username: ecr.Username, Password: ecr.Password(caller)})
}

// at is a reference as a client of the registry's endpoint has it.
func at(t *testing.T, r *Registry, image string) name.Reference {
	t.Helper()
	endpoint, err := r.Endpoint()
	require.NoError(t, err)
	reference, err := name.ParseReference(strings.TrimPrefix(endpoint, "http://") + "/" + image)
	require.NoError(t, err)
	return reference
}

// twoPlatforms is an index of two images.
func twoPlatforms(t *testing.T) v1.ImageIndex {
	t.Helper()
	index := v1.ImageIndex(empty.Index)
	for _, architecture := range []string{"amd64", "arm64"} {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: imageFor(t, architecture),
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}}})
	}
	return index
}

func imageFor(t *testing.T, architecture string) v1.Image {
	t.Helper()
	image := randomImage(t)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", architecture
	image, err = mutate.ConfigFile(image, config)
	require.NoError(t, err)
	return image
}

func TestAClientOfTheRegistryPushesAndPulls(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, t.TempDir(), "IMMUTABLE")
	pushed := randomImage(t)
	require.NoError(t, remote.Write(at(t, r, "web:one"), pushed, token))
	digest, err := pushed.Digest()
	require.NoError(t, err)
	for _, reference := range []string{"web:one", "web@" + digest.String()} {
		pulled, err := remote.Image(at(t, r, reference), token)
		require.NoError(t, err)
		require.NoError(t, validate.Image(pulled))
	}
	recorded, err := ecr.FindImage(r.account, "web", "one", digest.String())
	require.NoError(t, err)
	require.Positive(t, recorded.Size)
	counts, err := ecr.Builds(r.account)
	require.NoError(t, err)
	require.Equal(t, 1, counts["web"].Pushes)
}

func TestAnIndexKeepsItsDigestAndItsImagesStay(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, t.TempDir(), "IMMUTABLE")
	index := twoPlatforms(t)
	require.NoError(t, remote.WriteIndex(at(t, r, "web:one"), index, token))
	digest, err := index.Digest()
	require.NoError(t, err)
	pulled, err := remote.Index(at(t, r, "web@"+digest.String()), token)
	require.NoError(t, err)
	require.NoError(t, validate.Index(pulled))
	manifest, err := index.IndexManifest()
	require.NoError(t, err)
	for _, image := range manifest.Manifests {
		platform := image.Platform.String()
		found, err := r.Pull(server+"/web:one", platform)
		require.NoError(t, err)
		got, err := found.Digest()
		require.NoError(t, err)
		require.Equal(t, image.Digest, got, platform)
		_, err = ecr.DeleteImage(r.account, "web", "", image.Digest.String())
		require.True(t, account.IsCode(err, "ImageReferencedByManifestList"), "%v", err)
	}
	_, err = r.Pull(server+"/web:one", "linux/riscv64")
	require.ErrorContains(t, err, "does not contain descriptor matching platform 'linux/riscv64'")
	counts, err := ecr.Builds(r.account)
	require.NoError(t, err)
	require.Equal(t, 1, counts["web"].Pushes)
}

func TestWhatTheEndpointRefuses(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, t.TempDir(), "IMMUTABLE")
	require.NoError(t, remote.Write(at(t, r, "web:one"), randomImage(t), token))
	for image, refusal := range map[string]string{
		"web:one":   "TAG_INVALID: The image tag 'one' already exists in the 'web' repository",
		"other:one": "NAME_UNKNOWN: The repository with name 'other' does not exist",
	} {
		require.ErrorContains(t, remote.Write(at(t, r, image), randomImage(t), token), refusal)
	}
	for password, refusal := range map[string]string{
		"hunter2": "DENIED: Your authorization token has expired", "": "UNAUTHORIZED: Not Authorized",
		ecr.Password(account.User("210987654321")): "DENIED: User: arn:aws:iam::210987654321:user/sandbox is not authorized " +
			"to perform: ecr:BatchGetImage on resource: ",
	} {
		login := authn.Anonymous
		if password != "" {
			login = &authn.Basic{Username: "AWS", Password: password}
		}
		_, err := remote.Image(at(t, r, "web:one"), remote.WithAuth(login))
		require.ErrorContains(t, err, refusal)
	}
	_, err := remote.Image(at(t, r, "web:two"), token)
	require.ErrorContains(t, err, "MANIFEST_UNKNOWN: Requested image not found")
	require.ErrorContains(t, remote.Delete(at(t, r, "web:one"), token), "UNSUPPORTED")
}

func TestALayerOfAnotherRepositoryIsSentAgain(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, t.TempDir(), "IMMUTABLE")
	require.NoError(t, r.account.CreateObject(ecr.Repository, "other",
		account.Object{"name": "other", "imageTagMutability": "IMMUTABLE"}, nil))
	image := randomImage(t)
	require.NoError(t, remote.Write(at(t, r, "web:one"), image, token))
	layers, err := image.Layers()
	require.NoError(t, err)
	digest, err := layers[0].Digest()
	require.NoError(t, err)
	head := func(repository string) int {
		endpoint, err := r.Endpoint()
		require.NoError(t, err)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, endpoint+"/v2/"+repository+"/blobs/"+
			digest.String(), nil)
		require.NoError(t, err)
		request.SetBasicAuth(ecr.Username, loggedIn.Password)
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer.StatusCode
	}
	require.Equal(t, http.StatusOK, head("web"))
	require.Equal(t, http.StatusNotFound, head("other"))
}

func TestAnotherAccountPullsWhatTheRepositoryLetsIt(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, t.TempDir(), "IMMUTABLE")
	image := randomImage(t)
	require.NoError(t, remote.Write(at(t, r, "web:one"), image, token))
	const reader = "222222222222"
	deploys := account.Session(reader, "deploy", "me")
	_, err := remote.Image(at(t, r, "web:one"), login(deploys))
	require.ErrorContains(t, err, "DENIED: User: "+deploys.ARN+" is not authorized to perform: ecr:BatchGetImage")

	policy := `{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "` + reader + `"}, "Action": "ecr:*Get*"}]}`
	require.NoError(t, ecr.PutRepositoryPolicy(r.account, "web", policy, account.Object{"policy": policy}))
	pulled, err := remote.Image(at(t, r, "web:one"), login(deploys))
	require.NoError(t, err)
	require.NoError(t, validate.Image(pulled))
	err = remote.Write(at(t, r, "web:two"), randomImage(t), login(deploys))
	require.ErrorContains(t, err, "is not authorized to perform: ecr:BatchCheckLayerAvailability")

	own := r.In(r.account.As(account.User(reader)))
	require.NotEqual(t, at(t, r, "web:one").Context().RegistryStr(), at(t, own, "web:one").Context().RegistryStr())
	_, err = remote.Image(at(t, own, "web:one"), login(deploys))
	require.ErrorContains(t, err, "NAME_UNKNOWN: The repository with name 'web' does not exist in the registry with id '"+
		reader+"'")
}
