package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWhoReachesAService(t *testing.T) {
	t.Parallel()
	const images = "config:\n  slipway:images: {web: {build: {context: app}}}\n"
	got, err := loadFiles(t, "dev", "", images+`  slipway:services:
    api:
      image: web
      port: 8080
      name: api
      allowFrom: [10.0.0.0/8, pl-0123456789abcdef0, sg-01234567, web, api]
      ports: [{port: 9090, allowFrom: [sg-0123456789abcdef0, web]}]
    web: {image: web}
    other: {image: web, calls: [api]}
`)
	require.NoError(t, err)
	require.Equal(t, []string{"api", "other", "web"}, got.Admitted("api"))
	require.Empty(t, got.Admitted("web"))
}

func TestMistakesInWhoReachesAService(t *testing.T) {
	t.Parallel()
	const own = "services.web.allowFrom"
	from := func(text string) string { return oneService("      port: 80\n      allowFrom: [" + text + "]") }
	requireMistakes(t, map[string]mistake{
		"a group's name": {from("sg-web"), own + "[0]",
			[]string{`is "sg-web"; write a range of addresses`, "(sg-…), or name one of: web"}},
		"a prefix list by name": {from("com.amazonaws.global.cloudfront.origin-facing"), own + "[0]",
			[]string{"prefix list (pl-…)"}},
		"an id that is too long":  {from("pl-0123456789abcdef012"), own + "[0]", []string{"prefix list (pl-…)"}},
		"no service of the stage": {from("wep"), own + "[0]", []string{`is "wep"; write`, "name one of: web"}},
		"a group twice":           {from("sg-01234567, sg-01234567"), own + "[1]", []string{"duplicates sg-01234567"}},
		"a service twice":         {from("web, web"), own + "[1]", []string{"duplicates web; remove it"}},
		"a port's": {
			oneService("      ports: [{port: 9090, allowFrom: [nobody]}]"), "services.web.ports[0].allowFrom[0]",
			[]string{`is "nobody"; write`}},
		"a load balancer's service": {balancedBy("{allowFrom: [web]}"), "loadBalancer.allowFrom[0]",
			[]string{"is the service web, and a load balancer admits ranges of addresses, prefix lists and security groups"}},
		"a load balancer's group twice": {balancedBy("{allowFrom: [sg-01234567, sg-01234567]}"),
			"loadBalancer.allowFrom[1]", []string{"duplicates sg-01234567"}},
	})
	_, err := loadFiles(t, "dev", "", balancedBy("{allowFrom: [pl-01234567, sg-01234567]}"))
	require.NoError(t, err)
}
