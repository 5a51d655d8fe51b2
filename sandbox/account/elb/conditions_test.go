package elb

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

func TestHeadersOfARule(t *testing.T) {
	t.Parallel()
	check := func(name string, values ...any) error {
		return checkConditions(account.Object{"conditions": []any{map[string]any{
			"httpHeader": map[string]any{"httpHeaderName": name, "values": values}}}})
	}
	require.NoError(t, check("X-Origin-Secret", "a", "b*", "c"))
	for _, name := range []string{"Host", "X-*", ""} {
		require.ErrorContains(t, check(name, "a"), "header name '"+name+"' is not valid")
	}
	require.ErrorContains(t, check("X-A", "a", "b", "c", "d"), "1 to 3 values")
	require.ErrorContains(t, check("X-A", "가"), "not valid")
}
