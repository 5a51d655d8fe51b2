package stage

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMistakesInHeaders(t *testing.T) {
	t.Parallel()
	const own = "services.web.route.headers"
	headers := func(text string) string { return routed("{headers: {" + text + "}}") }
	requireMistakes(t, map[string]mistake{
		"a name with a wildcard": {headers("'X-*': [a]"), own + `["X-*"]`, []string{"as in X-Origin-Secret"}},
		"a long name": {headers(strings.Repeat("x", 41) + ": [a]"), own + "." + strings.Repeat("x", 41),
			[]string{"write 1 to 40 letters"}},
		"the host":       {headers("Host: [a]"), own + ".Host", []string{"write hosts, and remove it here"}},
		"a name twice":   {headers("X-A: [a], x-a: [b]"), own + ".x-a", []string{"duplicates X-A"}},
		"no value":       {headers("X-A: []"), own + ".X-A", []string{"has 0 values; allowed: 1 to 3"}},
		"four values":    {headers("X-A: [a, b, c, d]"), own + ".X-A", []string{"has 4 values; allowed: 1 to 3"}},
		"a text alone":   {headers("X-A: a"), own + ".X-A", []string{"it must be a list"}},
		"a long value":   {headers("X-A: [" + strings.Repeat("x", 129) + "]"), own + ".X-A[0]", []string{"write 1 to 128"}},
		"an empty one":   {headers("X-A: ['']"), own + ".X-A[0]", []string{"write 1 to 128 characters"}},
		"another script": {headers("X-A: [가]"), own + ".X-A[0]", []string{"characters of ASCII"}},
		"a value twice":  {headers("X-A: [a, A]"), own + ".X-A[1]", []string{"duplicates an earlier value"}},
		"six values": {routed("{hosts: [a.example.com], paths: [/a, /b], headers: {X-A: [a, b], X-B: [c]}}"),
			"services.web.route", []string{"has 6 hosts, paths and values of headers"}},
		"seven wildcards": {headers("X-A: ['*?*?*?*']"), "services.web.route", []string{"has 7 wildcards"}},
	})
}

func TestRoutesThatDifferInHeadersOnly(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ api, web, path, says string }{
		"the same headers": {"{headers: {X-A: [a, b]}}", "{headers: {x-a: [b, A]}}", "services.web.route",
			"answers to the same requests as services.api.route"},
		"a route without any before": {"{priority: 1}", "{headers: {X-A: [a]}, priority: 2}",
			"services.web.route.priority", "which asks for no headers, takes all requests before, by its priority 1"},
		"a route without any before by name": {"{headers: {X-A: [a]}, priority: 2}", "{priority: 1}",
			"services.api.route.priority", "services.web.route, which asks for no headers"},
		"the same in another order": {"{headers: {X-A: [a], X-B: [b]}}", "{headers: {X-b: [b], x-a: [A]}}",
			"services.web.route", "answers to the same requests as services.api.route"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", twoRoutes(test.api, test.web))
			requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says)
		})
	}
	_, err := loadFiles(t, "dev", "", twoRoutes("{headers: {X-A: [a]}, priority: 1}", "{}"))
	require.NoError(t, err)
	_, err = loadFiles(t, "dev", "", twoRoutes("{headers: {X-A: [a]}, priority: 9}", "{headers: {X-A: [b]}, priority: 3}"))
	require.NoError(t, err)
}
