package components

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/internal/version"
)

// Deployed is what the stack's outputs say of a stage.
type Deployed struct {
	// Cluster is the name of the ECS cluster.
	Cluster pulumi.StringOutput
	// Images, Services and Tasks are what Images.Summary, newService and newTask say of each, by name.
	Images, Services, Tasks pulumi.Map
	// LoadBalancer is the stage's, for further listeners, records or rules; nil where no service has a route from it.
	// InternalLoadBalancer is the same of the internal one.
	LoadBalancer, InternalLoadBalancer *LoadBalancer
	// Workloads are the services and tasks by name, for resources that let them in, or give them more to do.
	Workloads map[string]*Workload
	// Slipway says which version of it has deployed the stage.
	Slipway pulumi.StringMap
}

// Deploy declares everything that a stage has, each thing after what it needs. In an update it returns once every
// service is steady, or one has failed; what it returns is known in the first case. handovers are what resources of the
// team's own give to containers, nil for nothing.
func Deploy(ctx *pulumi.Context, preflight *Preflight, handovers Handovers) (*Deployed, error) {
	settings := preflight.Stage
	handovers, err := handovers.check(ctx, settings)
	if err != nil {
		return nil, err
	}
	if uses := settings.Network.Uses; uses != "" {
		preflight.Network.handedOver = handovers[uses].Network
	}
	retention, err := newRetention(ctx, settings, preflight.account)
	if err != nil {
		return nil, err
	}
	cluster, err := newCluster(ctx, preflight)
	if err != nil {
		return nil, err
	}
	images, err := newImages(ctx, settings, preflight)
	if err != nil {
		return nil, err
	}
	loadBalancer, internal, err := newLoadBalancers(ctx, settings, preflight)
	if err != nil {
		return nil, err
	}
	workloads, err := newWorkloads(ctx, &shared{
		Stage: settings, Preflight: preflight, Cluster: cluster, LoadBalancer: loadBalancer,
		InternalLoadBalancer: internal, Images: images, Retention: retention, Handovers: handovers,
	})
	if err != nil {
		return nil, err
	}
	predeploys, err := newPredeploys(ctx, settings, workloads)
	if err != nil {
		return nil, err
	}
	deployed := &Deployed{Cluster: cluster.Name, Images: images.Summary(), Services: pulumi.Map{}, Tasks: pulumi.Map{},
		LoadBalancer: loadBalancer, InternalLoadBalancer: internal, Workloads: workloads,
		Slipway: pulumi.StringMap{"version": pulumi.String(version.Number)}}
	for _, name := range settings.CalledFirst() {
		if deployed.Services[name], err = newService(ctx, workloads[name], predeploys[name], workloads); err != nil {
			return nil, err
		}
	}
	for _, name := range sortedKeys(settings.Tasks) {
		if deployed.Tasks[name], err = newTask(ctx, workloads[name]); err != nil {
			return nil, err
		}
	}
	if err := cluster.associateLast(ctx, deployed.Services); err != nil {
		return nil, err
	}
	return deployed, retention.Tidy(deployed.Services, deployed.Tasks)
}

// Export makes it the stack's outputs, which a person and a script can use.
func (d *Deployed) Export(ctx *pulumi.Context) {
	ctx.Export("cluster", d.Cluster)
	ctx.Export("images", d.Images)
	ctx.Export("services", d.Services)
	if len(d.Tasks) > 0 {
		ctx.Export("tasks", d.Tasks)
	}
	if d.LoadBalancer != nil {
		ctx.Export("loadBalancer", d.LoadBalancer.summary())
	}
	if d.InternalLoadBalancer != nil {
		ctx.Export("internalLoadBalancer", d.InternalLoadBalancer.summary())
	}
	ctx.Export("slipway", d.Slipway)
}
