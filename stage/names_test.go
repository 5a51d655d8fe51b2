package stage

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestShortNames(t *testing.T) {
	t.Parallel()
	allowed := regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$`) // of a load balancer or target group
	for name, want := range map[string]string{
		"web":                        "web",
		"Web-2":                      "Web-2",
		"exactly-24-characters-xy":   "exactly-24-characters-xy",
		"25-characters-are-too-many": "25-characters-are-_",
		"one-with-a-hyphen-17-x-and": "one-with-a-hyphen-_",
		"a_b":                        "a-b-_",
		"_web_":                      "web-_",
		"-web-":                      "web-_",
		"___":                        "_",
		"internal-web":               "web-_",
		"internal-internal-web":      "web-_",
		"internal":                   "_",
		"internal-internal":          "_",
		"internal--web":              "web-_",
		"_internal_web":              "web-_",
		"internals":                  "internals",
	} {
		got := shortName(name)
		pattern := "^" + strings.ReplaceAll(want, "_", "[0-9a-f]{6}") + "$"
		require.Regexp(t, pattern, got, name)
	}
	seen := map[string]string{}
	for _, stem := range []string{"", "internal-", "a", "_", "-", "x_y", strings.Repeat("long-", 8),
		strings.Repeat("l", 23), strings.Repeat("_", 30)} {
		for _, end := range []string{"web", "web_", "web-", "web1", "WEB", "internal", "web-web", "web_web"} {
			name := stem + end
			got := shortName(name)
			require.LessOrEqual(t, len(got), 24, name)
			require.Regexp(t, allowed, got, name)
			require.False(t, strings.HasPrefix(got+"-", "internal-"), "%s: %s", name, got)
			require.Empty(t, seen[got], "%s is called like another one: %s", name, got)
			require.Equal(t, got, shortName(name))
			seen[got] = name
		}
	}
	for i := range 2000 { // that differ only where they are cut
		name := fmt.Sprintf("a-very-long-name-of-a-service-%d", i)
		require.Empty(t, seen[shortName(name)], name)
		seen[shortName(name)] = name
	}
}
