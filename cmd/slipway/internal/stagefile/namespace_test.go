package stagefile

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestKeysMoveToAnotherNamespace(t *testing.T) {
	t.Parallel()
	shop := &Project{Name: "shop"}
	for name, c := range map[string]struct{ from, to, namespace string }{
		"in block style": {"# é\nconfig:\n  aws:region: x # shop:a\n  shop:images: {shop:web: 1}\n  \"shop:services\": {}\n",
			"# é\nconfig:\n  aws:region: x # shop:a\n  slipway:images: {shop:web: 1}\n  \"slipway:services\": {}\n", "slipway"},
		"in one line": {"config: {'slipway:images': {}, slipway:tasks: {}, slipways:x: 1}\r\n",
			"config: {'shop:images': {}, shop:tasks: {}, slipways:x: 1}\r\n", "shop"},
		"beside keys of the program": {"config: {slipway:images: {}, shop:size: 2}",
			"config: {slipway:images: {}, shop:size: 2}", "slipway"},
		"already":      {"config: {slipway:images: {}}", "config: {slipway:images: {}}", "slipway"},
		"no keys":      {"encryptionsalt: v1\n", "encryptionsalt: v1\n", "slipway"},
		"an empty map": {"config:\n", "config:\n", "slipway"},
	} {
		moved, err := shop.MoveKeys([]byte(c.from), c.namespace)
		require.NoError(t, err, name)
		require.Equal(t, c.to, string(moved), name)
	}
	_, err := shop.MoveKeys([]byte("config:\n  &a shop:images: {}\n"), "slipway")
	require.ErrorContains(t, err, "config.shop:images is written in a way that cannot be edited")
}
