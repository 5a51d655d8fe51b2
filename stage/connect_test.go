package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNamesAndCalls(t *testing.T) {
	t.Parallel()
	const images = "config:\n  slipway:images: {web: {build: {context: app}}}\n"
	services := func(text string) string { return images + "  slipway:services: {" + text + "}\n" }
	const api = "api: {image: web, port: 8080, name: api, appProtocol: http}"
	got, err := loadFiles(t, "dev", "", services(api+", db: {image: web, port: 5432, name: db}, "+
		"web: {image: web}, a: {image: web, calls: [web, db, api]}"))
	requireMistake(t, err, "services.a.calls[0]", "Pulumi.dev.yaml", "names web, which nobody can call: write services.web.name")
	require.Nil(t, got)
	got, err = loadFiles(t, "dev", "", services(api+", db: {image: web, port: 5432, name: db, calls: [api]}, "+
		"a: {image: web, calls: [db, api]}"))
	require.NoError(t, err)
	require.Equal(t, []string{"api", "db", "a"}, got.CalledFirst())
	require.Equal(t, []string{"a", "db"}, got.Callers("api"))
	require.True(t, got.HasNames())

	for name, test := range map[string]struct{ services, path, says string }{
		"a name that is no host's": {"web: {image: web, port: 80, name: My_API}", "services.web.name",
			`is "My_API"; write 1 to 63 lower case letters, digits and -`},
		"each container's own name": {"web: {image: web, port: 80, name: localhost}", "services.web.name",
			"which is each container itself"},
		"a name without a port": {"web: {image: web, name: web}", "services.web.name",
			"is a name for a service that has no port"},
		"a name twice": {api + ", b: {image: web, port: 80, name: api}", "services.b.name",
			"is the name of services.api already"},
		"a protocol without a name": {"web: {image: web, port: 80, appProtocol: http}", "services.web.appProtocol",
			"write name, or remove appProtocol"},
		"an unknown protocol": {"web: {image: web, port: 80, name: web, appProtocol: https}", "services.web.appProtocol",
			"allowed: http, http2, grpc"},
		"a call of nobody": {api + ", web: {image: web, calls: [apo]}", "services.web.calls[0]",
			`names "apo", which is no service of the stage, or name one of: api`},
		"a call of itself": {"web: {image: web, port: 80, name: web, calls: [web]}", "services.web.calls[0]",
			"is the service itself"},
		"a call twice": {api + ", web: {image: web, calls: [api, api]}", "services.web.calls[1]", "duplicates api; remove it"},
		"a circle": {"a: {image: web, port: 80, name: a, calls: [b]}, b: {image: web, port: 80, name: b, calls: [a]}",
			"services.a.calls", "a → b → a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", services(test.services))
			requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says)
		})
	}
}
