package promotion

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/awsclient"
	"slipway/internal/awsclient/awstest"
)

// otherAccount is one whose requests to the registry of the images are answered so.
func otherAccount(t *testing.T, answer http.HandlerFunc) *awsclient.Account {
	t.Helper()
	registry := httptest.NewServer(answer)
	t.Cleanup(registry.Close)
	account := awstest.Account(t, map[string][]string{
		"GetCallerIdentity": {"200 <R><GetCallerIdentityResult><Account>222222222222</Account></GetCallerIdentityResult></R>"},
		"GetAuthorizationToken": {fmt.Sprintf(`200 {"authorizationData": [{"authorizationToken": "%s", "proxyEndpoint": "%s"}]}`,
			base64.StdEncoding.EncodeToString([]byte("AWS:token")), registry.URL)},
	})
	account.ID = "222222222222"
	return account
}

func releaseFile(t *testing.T, content string) (*stagefile.Project, func() string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: slipway\nruntime: go\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.release.yaml"), []byte(content), 0o644))
	return &stagefile.Project{Directory: dir, Name: "slipway"}, func() string {
		text, err := os.ReadFile(filepath.Join(dir, "Pulumi.release.yaml"))
		require.NoError(t, err)
		return string(text)
	}
}

func TestAnImageOfAnotherAccountIsWrittenWithMirror(t *testing.T) {
	t.Parallel()
	const index = `{"schemaVersion": 2, "manifests": []}`
	digest := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(index)))
	ref := repository + ":" + cleanTag + "@" + digest
	asked := 0
	dev := fakeStacks{last: &pulumicli.Update{Kind: "update", Result: "succeeded"},
		outputs: outputs(cleanTag, ref, digest), reader: otherAccount(t, func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/manifests/") {
				asked++
				w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
				fmt.Fprint(w, index)
			}
		})}
	project, file := releaseFile(t, "config:\n  slipway:images:\n    web:\n      ref: "+refOf("old")+" # pinned\n")
	done, err := promote(t, dev, project, Options{})
	require.NoError(t, err)
	require.True(t, done.Images[0].Mirror)
	written := "config:\n  slipway:images:\n    web:\n      ref: " + ref + " # pinned\n      mirror: true\n"
	require.Equal(t, written, file())
	require.Equal(t, 1, asked)

	done, err = promote(t, dev, project, Options{})
	require.NoError(t, err)
	require.False(t, done.Changed)
	require.Equal(t, 1, asked, "what is written already is not asked for")

	unmirrored := "config:\n  slipway:images:\n    web:\n      mirror: false\n      ref: "
	project, file = releaseFile(t, unmirrored+refOf("old")+"\n")
	done, err = promote(t, dev, project, Options{})
	require.NoError(t, err)
	require.Equal(t, unmirrored+ref+"\n", file(), "who says that it is not to be copied means that")
	require.False(t, done.Images[0].Mirror)
}

func TestWhatTheOtherAccountMayNotReadIsSaidBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	dev := shop()
	dev.reader = otherAccount(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/manifests/") {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `{"errors": [{"code": "DENIED", "message": "User: u is not authorized to perform: ecr:BatchGetImage"}]}`)
		}
	})
	project, file := releaseFile(t, "config: {}\n")
	_, err := promote(t, dev, project, Options{Services: []string{"web"}})
	require.ErrorContains(t, err, "images.web of dev: ")
	require.ErrorContains(t, err, "may not be read by account 222222222222 (DENIED: User: u is not authorized")
	require.ErrorContains(t, err, `write repository.readers: ["222222222222"] in the file of the stage in account 123456789012`)
	require.ErrorAs(t, err, &exit.Finding{})
	require.Equal(t, "config: {}\n", file())
}
