package components

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
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

func TestInstancesAreThereBeforeTheirServicesAndGoAfterThem(t *testing.T) {
	t.Parallel()
	const providers = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
	keys := map[string]string{"instances": `{"general": {"types": ["m7i.large"], "max": 4}}`,
		"services": `{"web": {"image": "web", "port": 8080, "capacity": {"instances": "general"}}, "api": {"image": "web"}}`}
	recorded := declareStage(t, keys, func(p *Preflight) { p.Network.AssignPublicIP = true })
	association := recorded.named(t, providers, "dev")
	require.Equal(t, []any{"FARGATE", "FARGATE_SPOT", "shop-dev-general"},
		association.Inputs["capacityProviders"].Mappable())
	require.False(t, association.RegisterRPC.GetRetainOnDelete(), "ECS deletes no provider that a cluster has")
	require.Contains(t, dependencies(association), "aws:ecs/capacityProvider:CapacityProvider::general")
	web := recorded.named(t, "aws:ecs/service:Service", "web")
	require.Contains(t, dependencies(web), providers+"::dev")
	require.Equal(t, "shop-dev-general weight=1", web.Inputs["tags"].ObjectValue()["slipway:capacity"].StringValue())
	network := web.Inputs["networkConfiguration"].ObjectValue()
	require.False(t, network["assignPublicIp"].BoolValue(), "ECS gives none to tasks on instances")
	api := recorded.named(t, "aws:ecs/service:Service", "api").Inputs["networkConfiguration"].ObjectValue()
	require.True(t, api["assignPublicIp"].BoolValue())
	compatibilities := func(name string) any {
		return recorded.named(t, "aws:ecs/taskDefinition:TaskDefinition", name).Inputs["requiresCompatibilities"].Mappable()
	}
	require.Equal(t, []any{"EC2"}, compatibilities("web"))
	require.Equal(t, []any{"FARGATE"}, compatibilities("api"))
	group := recorded.named(t, "aws:autoscaling/group:Group", "general")
	require.Contains(t, dependencies(group), "aws:ecs/cluster:Cluster::dev", "ECS deletes no cluster that has instances")
	require.Contains(t, group.RegisterRPC.GetIgnoreChanges(), "desiredCapacity")
	data, err := base64.StdEncoding.DecodeString(
		recorded.named(t, "aws:ec2/launchTemplate:LaunchTemplate", "general").Inputs["userData"].StringValue())
	require.NoError(t, err)
	require.Contains(t, string(data), "\nECS_CLUSTER=shop-dev\nECS_INSTANCE_ATTRIBUTES={\"slipway.instances\":\"general\"}\n")
}

// The provider takes capacity providers away from the cluster that the stage has no more; services that are on them
// have to be elsewhere by then.
func TestACapacityProviderThatServicesLeaveIsTakenAwayLast(t *testing.T) {
	t.Parallel()
	const providers = "aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"
	web := map[string]string{"services": `{"web": {"image": "web"}}`}
	settings := loadStage(t, web)
	for name, test := range map[string]struct {
		on              string
		declared, leave bool
	}{
		"instances": {"shop-dev-general", true, true},
		"Fargate":   {"FARGATE", true, false},
		"another's": {"somebodys", false, false},
	} {
		var kept keptByECS
		require.Empty(t, kept.noteProviders(settings, map[string][]string{"web": {test.on}}), name)
		require.Equal(t, test.leave, kept.leave, name)
		recorded := declareStage(t, web, func(p *Preflight) { p.kept = kept })
		require.Equal(t, test.declared, len(recorded.all(providers)) == 1, name)
		if test.declared { // in a preview it waits for nothing
			require.True(t, recorded.named(t, providers, "dev").RegisterRPC.GetRetainOnDelete(), name)
			require.Equal(t, !test.leave, slices.Contains(dependencies(recorded.named(t, "aws:ecs/service:Service", "web")),
				providers+"::dev"), name)
		}
	}
	var kept keptByECS
	mistakes := kept.noteProviders(loadStage(t, map[string]string{
		"instances": `{"big": {"types": ["m7i.large"], "max": 4}}`,
		"services":  `{"web": {"image": "web", "capacity": {"instances": "big"}}}`,
	}), map[string][]string{"web": {"shop-dev-general"}})
	require.ErrorContains(t, errors.Join(mistakes...), "services.web.capacity (Pulumi.dev.yaml): the service moves to "+
		"instances.big from the instances of shop-dev-general, which the stage has no more")
	require.Equal(t, []string{"web"}, kept.arriving)
	require.Len(t, kept.withoutWayOut(settings, &Network{AssignPublicIP: true}), 1)
	require.Empty(t, kept.withoutWayOut(settings, &Network{}))
}

// dependencies are the resources that one waits for, without the types of their parents.
func dependencies(of pulumi.MockResourceArgs) (names []string) {
	for _, urn := range of.RegisterRPC.GetDependencies() {
		names = append(names, shortURN(urn)[strings.LastIndex(shortURN(urn), "$")+1:])
	}
	return names
}
