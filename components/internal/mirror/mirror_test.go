package mirror

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	memory "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"

	"slipway/internal/awsclient/awstest"
	"slipway/internal/imageref"
	"slipway/internal/registries"
)

// served is a registry for a test, with what it was asked for.
type served struct {
	host  string
	inner http.Handler
	mutex sync.Mutex
	asked []string // method and path
	// answers answers a request in the registry's place, where it returns true.
	answers func(w http.ResponseWriter, r *http.Request) bool
}

func serve(t *testing.T) *served {
	t.Helper()
	s := &served{}
	s.inner = memory.New(memory.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mutex.Lock()
		s.asked = append(s.asked, r.Method+" "+r.URL.Path)
		answers := s.answers
		s.mutex.Unlock()
		if answers == nil || !answers(w, r) {
			s.inner.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	s.host = strings.TrimPrefix(server.URL, "http://")
	return s
}

// count tells how many requests began so.
func (s *served) count(method, path string) (n int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, request := range s.asked {
		its, at, _ := strings.Cut(request, " ")
		if its == method && strings.Contains(at, path) {
			n++
		}
	}
	return n
}

func (s *served) forget() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.asked = nil
}

func (s *served) reference(t testing.TB, image string) name.Reference {
	t.Helper()
	reference, err := name.ParseReference(s.host + "/" + image)
	require.NoError(t, err)
	return reference
}

const gone = `400 {"__type": "RepositoryNotFoundException"}`

// copyOf is a copy from one registry to another, which stands for the account's own. described is what ECR says of the
// tag that it is to have there.
func copyOf(t testing.TB, from, to *served, digest string, described ...string) *Copy {
	t.Helper()
	login := base64.StdEncoding.EncodeToString([]byte("AWS:token"))
	account := awstest.Account(t, map[string][]string{
		"DescribeImages": append([]string{gone}, described...),
		"BatchGetImage":  {gone},
		"GetAuthorizationToken": {fmt.Sprintf(`200 {"authorizationData": [{"authorizationToken": "%s",
			"proxyEndpoint": "http://%s"}]}`, login, to.host)},
		"BatchCheckLayerAvailability": {gone},
	})
	own := imageref.Ref{Host: imageref.ECRHost(account.ID, account.Region), Account: account.ID, Region: account.Region,
		Repository: "shop-release/web", Tag: "one", Digest: digest}
	return &Copy{Own: own,
		Registries: &registries.Registries{Account: account.ID, Region: account.Region, Clients: account.Clients},
		Source:     imageref.Ref{Host: from.host, Repository: "team/web", Tag: "one", Digest: digest}}
}

func quiet(string) {}

// prepare does what an update does before anything changes.
func prepare(t testing.TB, c *Copy) error {
	t.Helper()
	return c.Prepare(t.Context(), "linux/amd64")
}

func randomImage(t *testing.T) (v1.Image, string) {
	t.Helper()
	image, err := random.Image(100_000, 3)
	require.NoError(t, err)
	config, err := image.ConfigFile()
	require.NoError(t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", "amd64"
	image, err = mutate.ConfigFile(image, config)
	require.NoError(t, err)
	digest, err := image.Digest()
	require.NoError(t, err)
	return image, digest.String()
}

func TestAnImageIsCopiedByItsDigestAndUnderItsTag(t *testing.T) {
	t.Parallel()
	from, to := serve(t), serve(t)
	image, digest := randomImage(t)
	require.NoError(t, remote.Write(from.reference(t, "team/web:one"), image))
	c := copyOf(t, from, to, digest)
	require.NoError(t, prepare(t, c))
	require.True(t, c.Missing())
	require.Contains(t, c.Announce(), "0.3 MB of 0.3 MB are missing there, in 4 of 4 layers")

	var said []string
	require.NoError(t, c.Run(t.Context(), func(text string) { said = append(said, text) }))
	got, err := remote.Head(to.reference(t, "shop-release/web:one"))
	require.NoError(t, err)
	require.Equal(t, digest, got.Digest.String())
	require.Contains(t, said[0], "is copied: "+from.host+"/team/web:one@"+digest+" into shop-release/web: 0.3 MB")
	require.Equal(t, "has been copied into shop-release/web, with the same digest", said[len(said)-1])

	// What is there is not sent again.
	to.forget()
	require.NoError(t, c.Run(t.Context(), quiet))
	require.Zero(t, to.count(http.MethodPatch, ""))
}

// An image that names no platform may run all the same.
func TestAnImageOfNoPlatformIsCopied(t *testing.T) {
	t.Parallel()
	from, to := serve(t), serve(t)
	image, err := random.Image(1000, 1)
	require.NoError(t, err)
	require.NoError(t, remote.Write(from.reference(t, "team/web:one"), image))
	digest, err := image.Digest()
	require.NoError(t, err)
	c := copyOf(t, from, to, digest.String())
	err = prepare(t, c)
	require.ErrorAs(t, err, new(*registries.Warning))
	require.EqualError(t, err, c.Source.String()+" names no platform, and may have nothing for linux/amd64")
	require.True(t, c.Missing())
	require.NoError(t, c.Run(t.Context(), quiet))
}

func TestAnIndexKeepsItsDigest(t *testing.T) {
	t.Parallel()
	from, to := serve(t), serve(t)
	index := v1.ImageIndex(empty.Index)
	for _, architecture := range []string{"amd64", "arm64"} {
		image, _ := randomImage(t)
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image,
			Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}}})
	}
	require.NoError(t, remote.WriteIndex(from.reference(t, "team/web:one"), index))
	digest, err := index.Digest()
	require.NoError(t, err)
	c := copyOf(t, from, to, digest.String())
	require.NoError(t, prepare(t, c))
	require.Contains(t, c.Announce(), "in 8 of 8 layers")
	require.NoError(t, c.Run(t.Context(), quiet))
	got, err := remote.Index(to.reference(t, "shop-release/web:one"))
	require.NoError(t, err)
	mediaType, err := got.MediaType()
	require.NoError(t, err)
	require.True(t, mediaType.IsIndex(), "%s", types.OCIImageIndex)
	its, err := got.Digest()
	require.NoError(t, err)
	require.Equal(t, digest, its)
}

func TestTheSourceIsNotAskedForWhatIsThere(t *testing.T) {
	t.Parallel()
	from, to := serve(t), serve(t)
	_, digest := randomImage(t)
	c := copyOf(t, from, to, digest)
	c.Registries.Clients = awstest.Account(t, map[string][]string{"BatchGetImage": {`200 {"images": [{"imageId": {"imageTag": ` +
		`"one"}, "imageManifest": "{\"manifests\": [{\"platform\": {\"os\": \"linux\", \"architecture\": \"amd64\"}}]}"}]}`,
	}}).Clients
	require.NoError(t, prepare(t, c))
	require.False(t, c.Missing())
	require.NoError(t, c.Run(t.Context(), func(text string) { t.Error(text) }))
	require.Empty(t, from.asked)
	require.Empty(t, to.asked)
}

func TestATagThatNamesAnotherImageIsFoundBefore(t *testing.T) {
	t.Parallel()
	from, to := serve(t), serve(t)
	_, digest := randomImage(t)
	c := copyOf(t, from, to, digest, `200 {"imageDetails": [{"imageDigest": "sha256:other", "imageTags": ["one"]}]}`)
	require.ErrorContains(t, prepare(t, c),
		"the tag one names sha256:other in the stage's repository shop-release/web, where no tag moves")
	require.Empty(t, from.asked)
}

func TestWhatKeepsTheSourceFromBeingReadIsSaid(t *testing.T) {
	t.Parallel()
	answer := func(status int, code, message string) func(http.ResponseWriter, *http.Request) bool {
		return func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/manifests/") {
				return false
			}
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"errors": [{"code": "%s", "message": "%s"}]}`, code, message)
			return true
		}
	}
	for sentence, test := range map[string]struct {
		answers func(http.ResponseWriter, *http.Request) bool
		change  func(*Copy)
		want    string
	}{
		"another account": {answer(http.StatusForbidden, "DENIED", "User: u is not authorized"),
			func(c *Copy) { c.Source.Account, c.Source.Region = "222222222222", "eu-west-1" },
			`write repository.readers: ["123456789012"] in the file of the stage in account 222222222222`},
		"a registry that wants a password": {answer(http.StatusUnauthorized, "UNAUTHORIZED", "who are you"), func(*Copy) {},
			"may not be read without a password (UNAUTHORIZED: who are you)"},
		"no such image": {nil, func(*Copy) {}, "is not there"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			from, to := serve(t), serve(t)
			from.answers = test.answers
			_, digest := randomImage(t)
			c := copyOf(t, from, from, digest)
			test.change(c)
			require.ErrorContains(t, prepare(t, c), test.want)
			require.Empty(t, to.asked)
		})
	}
}

func TestALayerThatWasCutOffIsSentAgain(t *testing.T) {
	t.Parallel()
	from, to := serve(t), serve(t)
	image, digest := randomImage(t)
	require.NoError(t, remote.Write(from.reference(t, "team/web:one"), image))
	c := copyOf(t, from, to, digest)
	require.NoError(t, prepare(t, c))
	var cut sync.Once
	from.answers = func(w http.ResponseWriter, r *http.Request) (answered bool) {
		if strings.Contains(r.URL.Path, "/blobs/") {
			cut.Do(func() {
				whole := httptest.NewRecorder()
				from.inner.ServeHTTP(whole, r)
				w.Header().Set("Content-Length", fmt.Sprint(whole.Body.Len()))
				_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
				answered = true
			})
		}
		return answered
	}
	require.NoError(t, c.Run(t.Context(), quiet))
	got, err := remote.Head(to.reference(t, "shop-release/web:one"))
	require.NoError(t, err)
	require.Equal(t, digest, got.Digest.String())
}

func TestACopyThatIsInterruptedGoesOnWithWhatIsMissing(t *testing.T) {
	t.Parallel()
	from, to := serve(t), serve(t)
	image, digest := randomImage(t)
	require.NoError(t, remote.Write(from.reference(t, "team/web:one"), image))
	c := copyOf(t, from, to, digest)
	require.NoError(t, prepare(t, c))
	ctx, cancel := context.WithCancel(t.Context())
	to.answers = func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
			_, _ = io.Copy(io.Discard, r.Body) // so that the server sees the client hang up
			cancel()
			<-r.Context().Done()
			return true
		}
		return false
	}
	err := c.Run(ctx, quiet)
	require.ErrorContains(t, err, "was interrupted")
	require.ErrorContains(t, err, "The layers that were sent stay")
	to.mutex.Lock()
	to.answers = nil
	to.mutex.Unlock()
	to.forget()
	require.NoError(t, c.Run(t.Context(), quiet))
	require.Zero(t, to.count(http.MethodPatch, ""))
	_, err = remote.Head(to.reference(t, "shop-release/web:one"))
	require.NoError(t, err)
}

func TestARegistryThatNoLongerAnswersEndsTheCopy(t *testing.T) {
	t.Parallel()
	from := serve(t)
	from.answers = func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	}
	_, digest := randomImage(t)
	c := copyOf(t, from, from, digest)
	watched, done := watch(t.Context(), 200*time.Millisecond)
	defer done()
	_, err := c.read(watched)
	require.EqualError(t, watched.cause(err), "nothing was sent or received for 200ms")
}
