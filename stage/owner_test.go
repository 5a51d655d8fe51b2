package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOwners(t *testing.T) {
	t.Parallel()
	settings := &Stage{Project: "shop", Name: "dev", Services: map[string]Service{"eu-web": {}, "web": {}},
		Tasks: map[string]Task{"eu-migrate": {}}}
	require.False(t, settings.MayMeet("web"))
	require.True(t, settings.MayMeet("eu-web"))
	require.True(t, (&Stage{Project: "shop", Name: "dev-eu"}).MayMeet("web"))
	require.True(t, (&Stage{Project: "web-shop", Name: "dev"}).MayMeet("web"), "as project web and stage shop-dev")

	for _, tags := range []map[string]string{nil, {"team": "x"}, {"stage": "dev-eu"},
		{"project": "shop", "stage": "dev", "service": "eu-web"}} {
		require.NoError(t, settings.CheckOwner("eu-web", tags), tags)
	}
	require.EqualError(t, settings.CheckOwner("eu-web", map[string]string{"project": "shop", "stage": "dev-eu",
		"service": "web"}),
		"would have the family and roles shop-dev-eu-web, which those of web in the stage dev-eu (project shop) have "+
			"already; use another name here or there")
	require.ErrorContains(t, settings.CheckOwner("eu-migrate", map[string]string{"project": "shop-dev", "stage": "eu",
		"task": "migrate"}),
		"would have the family and roles shop-dev-eu-migrate, which those of migrate in the stage eu (project shop-dev)")
	require.ErrorContains(t, settings.CheckOwner("eu-web", map[string]string{"project": "shop", "stage": "dev-eu"}),
		"which those of another workload in the stage dev-eu")
}
