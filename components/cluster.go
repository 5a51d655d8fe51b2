package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/servicediscovery"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const clusterType = "slipway:components:Cluster"

// ownCluster is the ECS cluster that keeps a stage's services running.
type ownCluster struct {
	pulumi.ResourceState

	// Name of the cluster.
	Name pulumi.StringOutput `pulumi:"name"`
	// Arn of the cluster.
	Arn pulumi.StringOutput `pulumi:"arn"`

	// capacityProviders let services run on them; empty where none says what it runs on.
	capacityProviders []pulumi.Resource
	// instances are the groups of EC2 instances, by name.
	instances map[string]*instances
	// associate declares what they are; nil where that is done, or there are none.
	associate func() error
	// namespace is where services find each other by name; nil where none has a name.
	namespace *servicediscovery.HttpNamespace
}

// newCluster declares the ECS cluster of a stage.
func newCluster(ctx *pulumi.Context, preflight *Preflight) (*ownCluster, error) {
	settings, component := preflight.Stage, &ownCluster{}
	name := settings.Name
	if err := ctx.RegisterComponentResource(clusterType, name, component); err != nil {
		return nil, err
	}
	cluster, err := ecs.NewCluster(ctx, name, &ecs.ClusterArgs{
		Name: pulumi.String(settings.Cluster()),
		// Written out where it is off, too: the provider takes what is left out as no change.
		Settings: ecs.ClusterSettingArray{&ecs.ClusterSettingArgs{
			Name: pulumi.String("containerInsights"), Value: pulumi.String(settings.ClusterSettings.ContainerInsights),
		}},
		Tags: pulumi.ToStringMap(settings.AllTags()),
	}, pulumi.Parent(component))
	if err != nil {
		return nil, err
	}
	if err := component.addCapacity(ctx, preflight, cluster); err != nil {
		return nil, err
	}
	if settings.HasNames() {
		if component.namespace, err = newNamespace(ctx, settings, component); err != nil {
			return nil, err
		}
	}
	component.Name = cluster.Name
	component.Arn = cluster.Arn
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{"name": component.Name, "arn": component.Arn})
}
