package imageref

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	account, region = "123456789012", "ap-northeast-2"
	host            = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com"
	digest          = "sha256:" + "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

func TestImagesOfTheStagesOwnAccountAndRegion(t *testing.T) {
	t.Parallel()
	const registry = host + "/"
	for reference, want := range map[string]Ref{
		registry + "shop-dev/web:one":                            {host, account, region, "shop-dev/web", "one", ""},
		registry + "shop-dev/web@" + digest:                      {host, account, region, "shop-dev/web", "", digest},
		registry + "shop-dev/web:one@" + digest:                  {host, account, region, "shop-dev/web", "one", digest},
		registry + "web":                                         {host, account, region, "web", "latest", ""},
		"nginx:1":                                                {},
		"public.ecr.aws/docker/library/nginx:1":                  {},
		strings.Replace(registry, "1234", "4321", 1) + "web:one": {},
		strings.Replace(registry, "northeast-2", "northeast-1", 1) + "web:one": {},
	} {
		image, stored := ParseECRIn(account, region, reference)
		require.Equal(t, want, image, reference)
		require.Equal(t, want != Ref{}, stored, reference)
	}
}

func TestAReferenceIsPrintedAsItWasWritten(t *testing.T) {
	t.Parallel()
	for _, text := range []string{host + "/shop-dev/web:one@" + digest, "public.ecr.aws/docker/library/nginx:1",
		ECRHost(account, "cn-north-1") + "/web@" + digest} {
		ref, err := Parse(text)
		require.NoError(t, err)
		require.Equal(t, text, ref.String())
	}
	for short, want := range map[string]Ref{
		"nginx":                           {Host: "docker.io", Repository: "library/nginx"},
		"index.docker.io/grafana/grafana": {Host: "docker.io", Repository: "grafana/grafana"},
		"GHCR.io/shop/web:1":              {Host: "ghcr.io", Repository: "shop/web", Tag: "1"},
		"localhost:5000/web":              {Host: "localhost:5000", Repository: "web"},
	} {
		ref, err := Parse(short)
		require.NoError(t, err)
		require.Equal(t, want, ref, short)
	}
	require.Equal(t, host+"/web@"+digest, Ref{Host: ECRHost(account, region), Repository: "web", Tag: "one",
		Digest: digest}.Pinned())
}

func TestRegistriesHaveOneName(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"ghcr.io": "ghcr.io", "docker.io": "docker.io", "index.docker.io": "docker.io", "registry-1.docker.io": "docker.io",
		"GHCR.io": "ghcr.io", "localhost:5000": "localhost:5000", "localhost": "localhost", "[::1]:5000": "[::1]:5000",
	} {
		canonical, isHost := CanonicalHost(host)
		require.True(t, isHost, host)
		require.Equal(t, want, canonical)
	}
	for _, text := range []string{"", "shop", "ghcr.io/shop", "https://ghcr.io", "docker.io/library", "a b.io"} {
		_, isHost := CanonicalHost(text)
		require.False(t, isHost, text)
	}
	require.True(t, IsECR(host))
	require.True(t, IsECR("public.ecr.aws"))
	require.False(t, IsECR("ghcr.io"))
}

func TestTagsTellTimeCommitAndInputs(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 13, 12, 5, 0, time.FixedZone("KST", 9*3600))
	for _, c := range []struct {
		tag, commit, says string
		differs           bool
	}{
		{"20261123-041205-a1b2c3d-9f8e7d6c", "a1b2c3d", "a1b2c3d", false},
		{"20261123-041205-a1b2c3d-dirty-9f8e7d6c", "a1b2c3d", "a1b2c3d-dirty", true},
		{"20261123-041205-nogit-9f8e7d6c", "", "", false},
	} {
		require.Equal(t, c.tag, BuildTag(now, c.commit, c.differs, "9f8e7d6c5b4a"))
		require.True(t, IsBuildTag(c.tag))
		require.Equal(t, c.says, CommitOf(c.tag))
		require.Equal(t, c.differs, IsDirty(c.tag))
	}
	require.Empty(t, CommitOf("v1.2.3"))
	require.False(t, IsBuildTag("v1.2.3"))
	require.True(t, IsDirty("v1-dirty"))
	require.False(t, IsDirty("very-dirtyish"))
}
