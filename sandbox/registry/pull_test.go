package registry

import (
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"
)

func TestAnImageIsPulledByTagAndByDigest(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, t.TempDir(), "MUTABLE")
	digest, err := r.Push(t.Context(), randomImage(t), tagOf(t, server+"/web:one"), loggedIn, quiet)
	require.NoError(t, err)
	for _, reference := range []string{server + "/web:one", server + "/web@" + digest.String()} {
		image, err := r.Pull(reference, "linux/amd64")
		require.NoError(t, err)
		found, err := image.Digest()
		require.NoError(t, err)
		require.Equal(t, digest, found)
		require.NoError(t, validate.Image(image))
	}
	_, err = r.Pull(server+"/web:two", "linux/amd64")
	require.ErrorContains(t, err, "failed to resolve ref "+server+"/web:two: "+server+"/web:two: not found")
	_, err = r.Pull("registry.example.com/web:one", "linux/amd64")
	require.ErrorContains(t, err, "the sandbox has no registry")

	_, err = r.Push(t.Context(), randomImage(t), tagOf(t, server+"/web:one"), loggedIn, quiet)
	require.NoError(t, err)
	image, err := r.Pull(server+"/web@"+digest.String(), "linux/amd64")
	require.NoError(t, err, "the tag has moved away, and the image is still there")
	require.NoError(t, validate.Image(image))
}
