package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

const onGeneral = "  slipway:instances: {general: {types: [m7i.large], max: 4}}\n"

func TestServicesRunOnInstances(t *testing.T) {
	t.Parallel()
	got, err := loadFiles(t, "dev", "", "config:\n  slipway:images: {web: {build: {context: app}}}\n"+
		"  slipway:capacity: {instances: general}\n  slipway:services: {web: {image: web}, api: {image: web, capacity: "+
		"{spot: 1}}}\n"+onGeneral)
	require.NoError(t, err)
	require.Equal(t, Instances{Types: []string{"m7i.large"}, Max: 4, VolumeSize: 30}, got.Instances["general"])
	require.Equal(t, "general", got.Services["web"].OnInstances(), "the stage's")
	require.Empty(t, got.Services["api"].OnInstances())
	require.True(t, got.OwnCapacityProvider(got.CapacityProvider("general")))
	require.False(t, got.OwnCapacityProvider("FARGATE"))
	require.Equal(t, "slipway-ecs-shop-dev-a", (&Stage{Project: "ecs-shop", Name: "dev"}).CapacityProvider("a"),
		"ECS keeps names that begin with its own")
}

func TestTheArchitectureOfInstancesFollowsFromTheirType(t *testing.T) {
	t.Parallel()
	for name, platform := range map[string]string{"m7g.large": arm64, "c7gn.xlarge": arm64, "t4g.nano": arm64,
		"im4gn.large": arm64, "is4gen.medium": arm64, "x2gd.metal": arm64, "g5g.xlarge": arm64, "a1.large": arm64,
		"m7i.large": amd64, "m7i-flex.large": amd64, "g4dn.xlarge": amd64, "g6e.xlarge": amd64, "t3.micro": amd64,
		"c6a.2xlarge": amd64} {
		require.Equal(t, platform, Instances{Types: []string{name}}.Platform(), name)
		require.Regexp(t, instanceType, name)
	}
}

func TestMistakesInInstances(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ instances, path, says string }{
		"no type":          {"{general: {max: 1}}", "instances.general.types", "is missing; write instance types"},
		"no maximum":       {"{general: {types: [m7i.large]}}", "instances.general.max", "is missing; write how many"},
		"below the min":    {"{general: {types: [m7i.large], min: 3, max: 2}}", "instances.general.max", "is 2, and min is 3"},
		"no instance type": {"{general: {types: [large], max: 1}}", "instances.general.types[0]", `is "large"; write an instance`},
		"twice":            {"{general: {types: [m7i.large, m7i.large], max: 1}}", "instances.general.types[1]", "duplicates"},
		"two architectures": {"{general: {types: [m7i.large, m7g.large], max: 1}}", "instances.general.types[1]",
			"is of another architecture than m7i.large"},
		"a small disk": {"{general: {types: [m7i.large], max: 1, volumeSize: 8}}", "instances.general.volumeSize", "30 to 16384"},
		"a name":       {"{General: {types: [m7i.large], max: 1}}", "instances.General", "cannot name a group"},
		"a group's":    {"{sg-a: {types: [m7i.large], max: 1}}", "instances.sg-a", "begins with sg-"},
	} {
		_, err := loadFiles(t, "dev", "", oneService("      replicas: 1")+"  slipway:instances: "+test.instances+"\n")
		t.Run(name, func(t *testing.T) { requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says) })
	}
	for name, test := range map[string]struct{ service, path, says string }{
		"not declared": {"capacity: {instances: big}", "services.web.capacity.instances",
			`names "big", which is not declared; declare instances.big, or name one of: general`},
		"with a share": {"capacity: {instances: general, spot: 1}", "services.web.capacity.spot", "cannot be combined"},
		"a disk": {"capacity: {instances: general}\n      ephemeralStorage: 50", "services.web.ephemeralStorage",
			"share the disk of their instance"},
	} {
		_, err := loadFiles(t, "dev", "", oneService("      "+test.service)+onGeneral)
		t.Run(name, func(t *testing.T) { requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says) })
	}
	_, err := loadFiles(t, "dev", "", "config:\n  slipway:images: {web: {build: {context: app}}}\n  slipway:services: "+
		"{web: {image: web}}\n  slipway:capacity: {instances: general}\n"+
		"  slipway:instances: {general: {types: [m7g.large], max: 4}}\n")
	requireMistake(t, err, "services.web.image", "Pulumi.dev.yaml",
		"is web, which is for linux/amd64, and instances.general run linux/arm64")
}
