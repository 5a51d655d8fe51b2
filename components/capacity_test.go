package components

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

func TestACapacityIsAStrategyOfTheService(t *testing.T) {
	t.Parallel()
	const service, providers = "aws:ecs/service:Service", "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
	recorded := declareStage(t, map[string]string{"capacity": `{"spot": 1}`, "services": `{"worker": {"image": "web"},
		"web": {"image": "web", "capacity": {"onDemand": 2, "spot": 3, "base": 1}}}`}, nil)
	web, worker := recorded.named(t, service, "web").Inputs, recorded.named(t, service, "worker").Inputs
	require.Equal(t, []any{map[string]any{"capacityProvider": "FARGATE", "weight": 2.0, "base": 1.0},
		map[string]any{"capacityProvider": "FARGATE_SPOT", "weight": 3.0}}, web["capacityProviderStrategies"].Mappable())
	require.Equal(t, "FARGATE weight=2 base=1 FARGATE_SPOT weight=3",
		web["tags"].ObjectValue()["slipway:capacity"].StringValue())
	require.Equal(t, []any{map[string]any{"capacityProvider": "FARGATE_SPOT", "weight": 1.0}},
		worker["capacityProviderStrategies"].Mappable(), "the stage's")
	for _, inputs := range []resource.PropertyMap{web, worker} {
		require.NotContains(t, inputs, resource.PropertyKey("launchType"))
	}
	cluster := recorded.named(t, providers, "dev")
	require.Equal(t, []any{"FARGATE", "FARGATE_SPOT"}, cluster.Inputs["capacityProviders"].Mappable())
	require.True(t, cluster.RegisterRPC.GetRetainOnDelete(), "ECS takes none away that a service is on")

	none := declareStage(t, map[string]string{"services": `{"web": {"image": "web"}}`}, nil)
	for _, registered := range none.resources {
		require.NotEqual(t, providers, registered.TypeToken)
	}
	bare := none.named(t, service, "web")
	require.Equal(t, "FARGATE", bare.Inputs["launchType"].StringValue())
	require.NotContains(t, bare.Inputs["tags"].ObjectValue(), resource.PropertyKey("slipway:capacity"))
	require.Subset(t, bare.RegisterRPC.GetIgnoreChanges(), []string{"capacityProviderStrategies", "launchType"},
		"what the provider compares, it replaces")
}
