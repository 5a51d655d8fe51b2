package docker

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"github.com/moby/buildkit/session/auth"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/registry"
)

func TestPasswordsAreTheImagesOwnAndThoseOfDockersConfiguration(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("DOCKER_CONFIG", dir)
	of := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte(`{"auths": {
		"https://index.docker.io/v1/": {"auth": "`+of("hub:swordfish")+`"},
		"ghcr.io": {"auth": "`+of("team:hunter2")+`"},
		"token.example.com": {"auth": "`+of("00000000-0000-0000-0000-000000000000:")+`", "identitytoken": "t"}}}`), 0o600))
	p := &passwords{own: registry.Credentials{Server: ecrHost, Username: "AWS", Password: "p"}}
	for host, want := range map[string][2]string{
		ecrHost: {"AWS", "p"}, "registry-1.docker.io": {"hub", "swordfish"}, "ghcr.io": {"team", "hunter2"},
		"token.example.com": {"", "t"}, "quay.io": {"", ""},
	} {
		got, err := p.Credentials(t.Context(), &auth.CredentialsRequest{Host: host})
		require.NoError(t, err)
		require.Equal(t, want, [2]string{got.Username, got.Secret}, host)
	}
}
