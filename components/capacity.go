package components

import (
	"context"
	"fmt"
	"path"
	"slices"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
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

// addCapacity declares the groups of instances, and lets services of the stage's cluster run on its capacity providers.
// That stays as long as a service is on any of them, as ECS takes none away then.
//
// One that the stage has no more is taken away last, where services are still on it: they move in this update.
func (c *ownCluster) addCapacity(ctx *pulumi.Context, preflight *Preflight, cluster *ecs.Cluster) error {
	settings, kept := preflight.Stage, preflight.kept
	if !settings.HasCapacity() && !kept.onProviders {
		return nil
	}
	providers, own := pulumi.ToStringArray(rollout.FargateProviders), []pulumi.Resource{}
	c.instances = map[string]*instances{}
	for _, name := range sortedKeys(settings.Instances) {
		group, err := newInstances(ctx, name, preflight, cluster, c)
		if err != nil {
			return err
		}
		c.instances[name] = group
		providers, own = append(providers, group.provider.Name), append(own, group.provider)
	}
	hooks, err := preflight.rollouts.leaveHook(settings)
	if err != nil {
		return err
	}
	c.associate = func() error {
		association, err := ecs.NewClusterCapacityProviders(ctx, settings.Name, &ecs.ClusterCapacityProvidersArgs{
			ClusterName:       cluster.Name,
			CapacityProviders: providers,
		}, pulumi.Parent(c), hooks,
			// A cluster takes Fargate's along when it is deleted; those of instances are deleted before it.
			pulumi.RetainOnDelete(len(settings.Instances) == 0))
		c.capacityProviders, c.associate = []pulumi.Resource{association}, nil
		return err
	}
	if kept.leave {
		c.capacityProviders = own
		return nil
	}
	return c.associate()
}

// associateLast does what addCapacity has left, once all services are steady; a preview waits for nothing. Where one is
// not, the cluster keeps its capacity providers.
func (c *ownCluster) associateLast(ctx *pulumi.Context, services pulumi.Map) error {
	if c.associate == nil || !ctx.DryRun() && !allKnown(ctx.Context(), []pulumi.Map{services}) {
		return nil
	}
	return c.associate()
}

// leaveHook refuses to take a capacity provider away from the cluster that a service is on which the stage has no more:
// it is deleted only after that.
func (r *serviceRollouts) leaveHook(settings *stage.Stage) (pulumi.ResourceOption, error) {
	hook, err := r.ctx.RegisterResourceHook("capacity providers", func(args *pulumi.ResourceHookArgs) error {
		left := map[string]bool{}
		for _, provider := range texts(args.OldInputs["capacityProviders"]) {
			left[provider] = true
		}
		for _, provider := range texts(args.NewInputs["capacityProviders"]) {
			delete(left, provider)
		}
		if len(left) == 0 {
			return nil
		}
		return r.stillOn(settings, left)
	}, &pulumi.ResourceHookOptions{OnDryRun: true})
	if err != nil {
		return nil, err
	}
	return pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeUpdate: []*pulumi.ResourceHook{hook}}), nil
}

// stillOn looks for services that the stage has no more, and that run on capacity providers. What cannot be read is not
// there: ECS refuses then, too.
func (r *serviceRollouts) stillOn(settings *stage.Stage, providers map[string]bool) error {
	ctx, cancel := context.WithTimeout(r.ctx.Context(), existingLimit)
	defer cancel()
	clients, err := r.reader.Clients(ctx)
	if err != nil {
		return nil
	}
	pages := ecssdk.NewListServicesPaginator(clients.ECS, &ecssdk.ListServicesInput{Cluster: &r.reader.Cluster})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil
		}
		for _, arn := range page.ServiceArns {
			name := path.Base(arn)
			if _, stays := settings.Services[name]; stays {
				continue
			}
			service, err := r.reader.Read(ctx, arn)
			if err != nil {
				return nil
			}
			for _, share := range service.CapacityProviderStrategy {
				if provider := *share.CapacityProvider; providers[provider] {
					return fmt.Errorf("%s: the service %s, which the stage has no more, still runs on the instances of %s, which "+
						"it has no more, either. Leave the instances in the file until an update has deleted the service, and "+
						"remove them in the next", settings.Where("instances"), name, provider)
				}
			}
		}
	}
	return nil
}

// texts are those of a list.
func texts(list resource.PropertyValue) (texts []string) {
	if !list.IsArray() {
		return nil
	}
	for _, each := range list.ArrayValue() {
		if each.IsString() {
			texts = append(texts, each.StringValue())
		}
	}
	return texts
}

// capacityOf is what the tasks of a service are to run on.
func capacityOf(of *stage.Stage, settings stage.Service) rollout.Capacity {
	capacity := settings.Capacity
	if capacity == nil || settings.Daemon {
		return nil
	}
	if group := settings.OnInstances(); group != "" {
		provider := of.CapacityProvider(group)
		return rollout.NewCapacity(types.CapacityProviderStrategyItem{CapacityProvider: &provider, Weight: 1})
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
func (k keptByECS) targetCapacity(of *stage.Stage, name string) rollout.Capacity {
	settings := of.Services[name]
	if settings.Capacity == nil && !settings.Daemon && k.moved[name] {
		return rollout.OnDemand
	}
	return capacityOf(of, settings)
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

// launchType is that of a daemon, and of a service that says nothing of its capacity.
func launchType(capacity rollout.Capacity, daemon bool) pulumi.StringPtrInput {
	if daemon {
		return pulumi.String(awslimits.EC2)
	}
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
			has, _ := targetCapacity.Differs(service)
			if revision == "" && has.OnInstances() != targetCapacity.OnInstances() {
				return fmt.Errorf("%s.capacity: the service moves from %s to %s, for which it needs another revision, and that "+
					"one has another port, name or route, too; change these in an update of their own", key, has, targetCapacity)
			}
			err = targetCapacity.Move(ctx, r.reader, service, revision, assignsPublicIP(args.NewInputs))
		}
		if err != nil {
			return fmt.Errorf("%s.capacity: moving the service to %s: %w", key, targetCapacity, err)
		}
		return nil
	}, nil)
}

// assignsPublicIP tells whether a service's tasks are to have a public address.
func assignsPublicIP(inputs resource.PropertyMap) bool {
	network := inputs["networkConfiguration"]
	if !network.IsObject() {
		return false
	}
	assign := network.ObjectValue()["assignPublicIp"]
	return assign.IsBool() && assign.BoolValue()
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

// noteProviders notes what services are on in ECS. It refuses a way from a group of instances that the stage has no
// more to one that it is only about to have: the cluster's capacity providers are changed once in an update.
func (k *keptByECS) noteProviders(settings *stage.Stage, on map[string][]string) (mistakes []error) {
	inStage := map[string]string{} // groups of instances, by their capacity providers
	for group := range settings.Instances {
		inStage[settings.CapacityProvider(group)] = group
	}
	there, gone := map[string]bool{}, map[string]string{}
	for name, providers := range on {
		for _, provider := range providers {
			there[inStage[provider]] = true
			own := settings.OwnCapacityProvider(provider)
			k.onProviders = k.onProviders || own || slices.Contains(rollout.FargateProviders, provider)
			if own && inStage[provider] == "" {
				k.leave, gone[name] = true, provider
			}
		}
	}
	for _, name := range sortedKeys(settings.Services) {
		group := settings.Services[name].OnInstances()
		daemon := settings.Services[name].Daemon
		if group != "" && !daemon && !slices.Contains(on[name], settings.CapacityProvider(group)) {
			k.arriving = append(k.arriving, name)
		}
	}
	for _, name := range sortedKeys(gone) {
		if group := settings.Services[name].OnInstances(); group != "" && !there[group] {
			mistakes = append(mistakes, fmt.Errorf("%s: the service moves to instances.%s from the instances of %s, which the "+
				"stage has no more. Leave both in the file until an update has moved it, and remove the one in the next",
				settings.Where("services", name, "capacity"), group, gone[name]))
		}
	}
	return mistakes
}

// withoutWayOut warn of services that go to instances in public subnets, and can reach nothing from there.
func (k *keptByECS) withoutWayOut(settings *stage.Stage, network *Network) (warnings []string) {
	if !network.AssignPublicIP {
		return nil
	}
	for _, name := range k.arriving {
		warnings = append(warnings, fmt.Sprintf("%s: on instances a task has no public address, and so reaches nothing "+
			"outside of the VPC from public subnets, but for endpoints of AWS in it. Where it has to, name private subnets with "+
			"a NAT gateway as network.subnets, or run it on Fargate", settings.Where("services", name, "capacity")))
	}
	return warnings
}
