package components

import (
	"context"
	"fmt"
	"slices"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/components/internal/rollout"
	"slipway/internal/awsclient"
	"slipway/internal/awslimits"
	"slipway/internal/ecsread"
	"slipway/stage"
)

// newCapacityProviders lets services of the stage's cluster run on Fargate's capacity providers. It stays when no
// service does any more, as ECS takes none away that a service is on; the cluster takes it along when it is deleted.
func newCapacityProviders(ctx *pulumi.Context, name string, cluster *ecs.Cluster, parent pulumi.Resource) (
	pulumi.Resource, error) {
	return ecs.NewClusterCapacityProviders(ctx, name, &ecs.ClusterCapacityProvidersArgs{
		ClusterName:       cluster.Name,
		CapacityProviders: pulumi.ToStringArray([]string{awslimits.Fargate, awslimits.FargateSpot}),
	}, pulumi.Parent(parent), pulumi.RetainOnDelete(true))
}

// capacityOf is what the tasks of a service are to run on.
func capacityOf(settings stage.Service) rollout.Capacity {
	capacity := settings.Capacity
	if capacity == nil {
		return nil
	}
	var shares []types.CapacityProviderStrategyItem
	add := func(provider string, weight, base int) {
		if weight > 0 || base > 0 {
			shares = append(shares, types.CapacityProviderStrategyItem{CapacityProvider: &provider, Weight: int32(weight),
				Base: int32(base)})
		}
	}
	add(awslimits.Fargate, capacity.OnDemand, capacity.Base)
	add(awslimits.FargateSpot, capacity.Spot, 0)
	return rollout.NewCapacity(shares...)
}

// targetCapacity is what a service is to run on that may be there already. One that an earlier update has moved, and
// for which the stage has a capacity no more, goes to OnDemand, and is watched to be there from then on.
func (kept keptByECS) targetCapacity(name string, settings stage.Service) rollout.Capacity {
	if settings.Capacity == nil && kept.moved[name] {
		return rollout.OnDemand
	}
	return capacityOf(settings)
}

// hasMoved tells whether an update has moved a service to a capacity. One that the stage does not speak of is
// another's: of a program that has set it by a transformation, say.
func hasMoved(service types.Service) bool {
	return ecsread.IsActive(service) && slices.ContainsFunc(service.Tags,
		func(tag types.Tag) bool { return awssdk.ToString(tag.Key) == stage.CapacityTag })
}

// capacityStrategies are that of capacityOf, for a service that the provider creates.
func capacityStrategies(capacity rollout.Capacity) (strategies ecs.ServiceCapacityProviderStrategyArray) {
	for _, share := range capacity {
		strategy := &ecs.ServiceCapacityProviderStrategyArgs{CapacityProvider: pulumi.String(*share.CapacityProvider),
			Weight: pulumi.Int(share.Weight)}
		if share.Base > 0 {
			strategy.Base = pulumi.Int(share.Base)
		}
		strategies = append(strategies, strategy)
	}
	return strategies
}

// launchType is that of a service that says nothing of its capacity.
func launchType(capacity rollout.Capacity) pulumi.StringPtrInput {
	if len(capacity) > 0 {
		return nil
	}
	return pulumi.String(awslimits.Fargate)
}

// moveHook is run with every change of a service, and moves it to its capacity, together with its revision: a
// deployment of the one without the other would start tasks that are stopped at once.
func (r *serviceRollouts) moveHook(key, arn string, capacity rollout.Capacity) (*pulumi.ResourceHook, error) {
	return r.ctx.RegisterResourceHook(key+" capacity", func(args *pulumi.ResourceHookArgs) error {
		targetCapacity := capacity
		if len(targetCapacity) == 0 && wasMoved(args.OldInputs) {
			targetCapacity = rollout.OnDemand
			r.leavesCapacity.Store(key, true)
		}
		if len(targetCapacity) == 0 {
			return nil
		}
		ctx, cancel := context.WithTimeout(r.ctx.Context(), awsclient.CallLimit)
		defer cancel()
		service, err := r.reader.Read(ctx, arn)
		if err == nil && service.Status != nil {
			revision := ""
			if target := args.NewInputs["taskDefinition"]; target.IsString() && !portsDiffer(args) {
				revision = target.StringValue()
			}
			err = targetCapacity.Move(ctx, r.reader, service, revision)
		}
		if err != nil {
			return fmt.Errorf("%s.capacity: moving the service to %s: %w", key, targetCapacity, err)
		}
		return nil
	}, nil)
}

// portsDiffer tells whether the service is to be reached at other ports, which its revision names, too: then ECS takes
// one only with the other, as the provider sends them, and the service moves with the revision that it has.
func portsDiffer(args *pulumi.ResourceHookArgs) bool {
	return slices.ContainsFunc([]resource.PropertyKey{"loadBalancers", "serviceConnectConfiguration"},
		func(key resource.PropertyKey) bool {
			return args.OldInputs[key].Diff(args.NewInputs[key], resource.IsInternalPropertyKey) != nil
		})
}

// wasMoved is hasMoved for one that ECS could not tell of in time, by the state.
func wasMoved(inputs resource.PropertyMap) bool {
	tags := inputs["tags"]
	return tags.IsObject() && tags.ObjectValue().HasValue(stage.CapacityTag)
}

// moves say which services this update will move to another capacity: in a preview, the provider is silent about it.
func moves(key string, service types.Service, capacity rollout.Capacity) []string {
	if has, differs := capacity.Differs(service); differs && ecsread.IsActive(service) {
		return []string{fmt.Sprintf("%s.capacity: the service moves from %s to %s, by a deployment. It is not replaced", key,
			has, capacity)}
	}
	return nil
}

// tagsWithCapacity are a service's tags, with what its tasks are to run on: a change of that is one of the service,
// which a preview shows.
func tagsWithCapacity(tags map[string]string, capacity rollout.Capacity) map[string]string {
	if len(capacity) > 0 {
		tags[stage.CapacityTag] = capacity.String()
	}
	return tags
}
