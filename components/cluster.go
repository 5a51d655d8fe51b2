package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const clusterType = "slipway:components:Cluster"

// ClusterArgs says what a Cluster is made from.
type ClusterArgs struct {
	// Name of the ECS cluster: up to 255 letters, digits, hyphens and underscores
	// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCluster.html).
	Name string
	// ContainerInsights is disabled, enabled or enhanced.
	ContainerInsights string
	// Tags of the cluster.
	Tags map[string]string
}

// Cluster is the ECS cluster that keeps a stage's services running.
type Cluster struct {
	pulumi.ResourceState

	// Name of the cluster.
	Name pulumi.StringOutput `pulumi:"name"`
	// Arn of the cluster.
	Arn pulumi.StringOutput `pulumi:"arn"`
}

// NewCluster declares the ECS cluster of a stage.
func NewCluster(ctx *pulumi.Context, name string, args *ClusterArgs, opts ...pulumi.ResourceOption) (*Cluster, error) {
	component := &Cluster{}
	if err := ctx.RegisterComponentResource(clusterType, name, component, opts...); err != nil {
		return nil, err
	}
	cluster, err := ecs.NewCluster(ctx, name, &ecs.ClusterArgs{
		Name: pulumi.String(args.Name),
		// Written out where it is off, too: the provider takes what is left out as no change.
		Settings: ecs.ClusterSettingArray{&ecs.ClusterSettingArgs{
			Name: pulumi.String("containerInsights"), Value: pulumi.String(args.ContainerInsights),
		}},
		Tags: pulumi.ToStringMap(args.Tags),
	}, pulumi.Parent(component))
	if err != nil {
		return nil, err
	}
	component.Name = cluster.Name
	component.Arn = cluster.Arn
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{"name": component.Name, "arn": component.Arn})
}
