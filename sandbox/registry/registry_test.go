package registry

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
)

const server = account.DefaultID + ".dkr.ecr.ap-northeast-2.amazonaws.com"

var loggedIn = Credentials{Server: server, Username: ecr.Username,
	Password: ecr.Password(account.User(account.DefaultID))}

func newRegistry(t *testing.T, dir, mutability string) *Registry {
	t.Helper()
	a, err := account.Open(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	if mutability != "" {
		require.NoError(t, a.CreateObject(ecr.Repository, "web",
			account.Object{"name": "web", "imageTagMutability": mutability}, nil))
	}
	return New(filepath.Join(dir, "registry"), a)
}

func tagOf(t *testing.T, reference string) name.Tag {
	t.Helper()
	tag, err := name.NewTag(reference, name.StrictValidation)
	require.NoError(t, err)
	return tag
}

func randomImage(t *testing.T) v1.Image {
	t.Helper()
	image, err := random.Image(1000, 2)
	require.NoError(t, err)
	return image
}

func quiet(string) {}

func TestAPushedImageIsOnDiskAndInTheAccount(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, t.TempDir(), "IMMUTABLE")
	pushed := randomImage(t)
	digest, err := r.Push(t.Context(), pushed, tagOf(t, server+"/web:one"), loggedIn, quiet)
	require.NoError(t, err)

	recorded, err := ecr.FindImage(r.account, "web", "one", digest.String())
	require.NoError(t, err)
	require.Positive(t, recorded.Size)
	stored, err := layout.Path(r.dir).Image(digest)
	require.NoError(t, err)
	layers, err := stored.Layers()
	require.NoError(t, err)
	require.Len(t, layers, 2)
	for _, layer := range layers {
		digest, err := layer.Digest()
		require.NoError(t, err)
		content, err := layer.Compressed()
		require.NoError(t, err)
		found, _, err := v1.SHA256(content)
		require.NoError(t, err)
		require.NoError(t, content.Close())
		require.Equal(t, digest, found)
	}
}

func TestPushesThatARegistryRefuses(t *testing.T) {
	t.Parallel()
	const elsewhere = "210987654321.dkr.ecr.ap-northeast-2.amazonaws.com"
	const missing = "name unknown: The repository with name 'other' does not exist in the registry with id '" +
		account.DefaultID + "'"
	for sentence, c := range map[string]struct {
		reference   string
		credentials Credentials
		refusal     string
	}{
		"a tag that an immutable repository has": {server + "/web:one", loggedIn, "repository is immutable"},
		"a repository that does not exist":       {server + "/other:one", loggedIn, missing},
		"a registry of somebody else": {"registry.example.com/web:two", loggedIn,
			"the sandbox has no registry registry.example.com"},
		"no credentials": {server + "/web:two", Credentials{}, "no basic auth credentials"},
		"credentials for another registry": {server + "/web:two",
			Credentials{"x.example.com", "AWS", loggedIn.Password}, "no basic auth credentials"},
		"a wrong password, which is not repeated": {server + "/web:two", Credentials{server, "AWS", "hunter2"},
			"denied: Your authorization token"},
		"another user than that of the token": {server + "/web:two", Credentials{server, "me", loggedIn.Password},
			"denied: "},
		"the registry of an account without such a repository": {elsewhere + "/other:two", Credentials{elsewhere, "AWS",
			loggedIn.Password}, "denied: User: arn:aws:iam::123456789012:user/sandbox is not authorized"},
		"the repository of another account": {elsewhere + "/web:two", Credentials{elsewhere, "AWS", loggedIn.Password},
			"denied: User: arn:aws:iam::123456789012:user/sandbox is not authorized to perform: " +
				"ecr:BatchCheckLayerAvailability on resource: arn:web because no resource-based policy allows the"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			r := newRegistry(t, t.TempDir(), "IMMUTABLE")
			require.NoError(t, r.account.In("210987654321").CreateObject(ecr.Repository, "web",
				account.Object{"name": "web", "arn": "arn:web"}, nil))
			_, err := r.Push(t.Context(), randomImage(t), tagOf(t, server+"/web:one"), loggedIn, quiet)
			require.NoError(t, err)
			_, err = r.Push(t.Context(), randomImage(t), tagOf(t, c.reference), c.credentials, quiet)
			require.ErrorContains(t, err, c.refusal)
			require.NotContains(t, err.Error(), "hunter2")
			images, err := ecr.Images(r.account)
			require.NoError(t, err)
			require.Len(t, images, 1)
		})
	}
}

func TestATagOfAMutableRepositoryMoves(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, t.TempDir(), "MUTABLE")
	var last v1.Hash
	for range 2 {
		var err error
		last, err = r.Push(t.Context(), randomImage(t), tagOf(t, server+"/web:latest"), loggedIn, quiet)
		require.NoError(t, err)
	}
	index, err := r.index()
	require.NoError(t, err)
	require.Len(t, index.Manifests, 1)
	require.Equal(t, last, index.Manifests[0].Digest)
}

func TestConcurrentPushesAllStay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	newRegistry(t, dir, "IMMUTABLE")
	const pushes = 8
	var all sync.WaitGroup
	errs := make([]error, pushes)
	for i := range pushes {
		r, image, tag := newRegistry(t, dir, ""), randomImage(t), tagOf(t, fmt.Sprintf("%s/web:%d", server, i))
		all.Go(func() { _, errs[i] = r.Push(t.Context(), image, tag, loggedIn, quiet) })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
	index, err := newRegistry(t, dir, "").index()
	require.NoError(t, err)
	require.Len(t, index.Manifests, pushes)
}

func TestASlowPushIsNotRecordedWhenItIsCutOff(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, t.TempDir(), "IMMUTABLE")
	require.NoError(t, r.account.SetFaults(map[string]string{account.SlowPush: "1h"}))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := r.Push(ctx, randomImage(t), tagOf(t, server+"/web:one"), loggedIn, func(message string) {
		if message == "Pushing slowly, for 1h0m0s" {
			cancel()
		}
	})
	require.ErrorIs(t, err, context.Canceled)
	images, err := ecr.Images(r.account)
	require.NoError(t, err)
	require.Empty(t, images)
}

// pushingDir makes this test binary the process that dies after its push into the account in that directory.
const pushingDir = "TEST_REGISTRY_PUSHES_INTO"

func TestAProcessDiesOnceAfterItsPush(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(pushingDir); dir != "" {
		r := newRegistry(t, dir, "")
		_, err := r.Push(t.Context(), randomImage(t), tagOf(t, server+"/web:one"), loggedIn, quiet)
		t.Fatalf("the process is still there: %v", err)
	}
	dir := t.TempDir()
	r := newRegistry(t, dir, "IMMUTABLE")
	require.NoError(t, r.account.SetFaults(map[string]string{account.DieAfterPush: "1"}))

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	pushing := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$")
	pushing.Env = append(os.Environ(), pushingDir+"="+dir)
	pushing.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	output, err := pushing.CombinedOutput()
	require.Error(t, err, string(output))
	require.Equal(t, syscall.SIGKILL, pushing.ProcessState.Sys().(syscall.WaitStatus).Signal(), string(output))
	require.NoError(t, ctx.Err())

	_, err = ecr.FindImage(r.account, "web", "one", "")
	require.NoError(t, err)
	_, err = r.Push(t.Context(), randomImage(t), tagOf(t, server+"/web:two"), loggedIn, quiet)
	require.NoError(t, err, "only one process dies")
}
