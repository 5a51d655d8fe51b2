package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestACapacityHasAShare(t *testing.T) {
	t.Parallel()
	got, err := loadFiles(t, "dev", "", "config:\n  slipway:images: {web: {build: {context: app}}}\n"+
		"  slipway:capacity: {spot: 1, base: 2}\n  slipway:services: {web: {image: web}, api: {image: web, capacity: "+
		"{onDemand: 1}}}\n")
	require.NoError(t, err)
	require.Equal(t, &Capacity{Spot: 1, Base: 2}, got.Services["web"].Capacity, "the stage's")
	require.Equal(t, &Capacity{OnDemand: 1}, got.Services["api"].Capacity)
	for name, test := range map[string]struct{ capacity, path, says string }{
		"none":             {"{}", "services.web.capacity", "has no share that is more than 0"},
		"a base alone":     {"{base: 1}", "services.web.capacity", "has no share that is more than 0"},
		"less than none":   {"{spot: -1}", "services.web.capacity.spot", "allowed: 0 to 1000"},
		"an unknown share": {"{ondemand: 1}", "services.web.capacity.ondemand", `did you mean "onDemand"`},
	} {
		_, err := loadFiles(t, "dev", "", oneService("      capacity: "+test.capacity))
		t.Run(name, func(t *testing.T) { requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says) })
	}
	_, err = loadFiles(t, "dev", "", oneService("      replicas: 1")+"  slipway:capacity: {spot: 0}\n")
	requireMistake(t, err, "capacity", "Pulumi.dev.yaml", "has no share that is more than 0")
}
