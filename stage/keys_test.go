package stage

import (
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/docs/reference"
)

// allKeys lists every key that the decoder knows, with what is documented of it.
func allKeys(t *testing.T) []reference.Key {
	t.Helper()
	keys, err := reference.Keys(reflect.TypeFor[document](), ".")
	require.NoError(t, err)
	return keys
}

// exampleOf is the value in a key's example.
func exampleOf(t *testing.T, key reference.Key) any {
	t.Helper()
	value, err := key.Example()
	require.NoError(t, err)
	return value
}

func TestEveryKeySaysWhatItIs(t *testing.T) {
	t.Parallel()
	for _, key := range allKeys(t) {
		require.True(t, strings.HasPrefix(key.Text, "`"+key.Field.Tag.Get("json")+"` "),
			"the comment of %s begins with its field's name: %q", key.Path, key.Text)
		require.NotEmpty(t, key.Prose["Rule"], "%s: a Rule names the page that sets it", key.Path)
		require.NotEmpty(t, key.Prose["Example"], key.Path)
		_, hasDefault := key.Field.Tag.Lookup("default")
		require.False(t, hasDefault && key.Prose["Default"] != "", "%s has two defaults", key.Path)
	}
}
