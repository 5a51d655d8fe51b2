package components

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPathsInTheProjectAreShort(t *testing.T) {
	t.Parallel()
	const said = "images.web.build: open /srv/shop/app/secret: permission denied"
	require.Equal(t, "images.web.build: open app/secret: permission denied", shortenPaths(said, "/srv/shop/"))
	for _, root := range []string{"", "/", "/srv/shop/app/secret", "/srv/sho"} {
		require.Equal(t, said, shortenPaths(said, root))
	}
}
