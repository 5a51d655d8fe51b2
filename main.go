// Slipway carries a containerised app from its Dockerfile to running ECS services, one Pulumi stack for each stage.
package main

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/components"
	"slipway/stage"
)

func main() { components.Run(deployStage) }

// deployStage reads the stage, declares its components and exports what a person and a script can use.
func deployStage(ctx *pulumi.Context) error {
	input, err := stage.FromEnvironment()
	if err != nil {
		return err
	}
	settings, err := stage.Load(input)
	if err != nil {
		return err
	}
	preflight, err := components.RunPreflight(ctx, settings, input.Root)
	if err != nil {
		return err
	}
	// Nothing has been built or changed so far, and all that can be known to be wrong has been said.

	retention, err := components.NewRetention(ctx, preflight.Account, settings)
	if err != nil {
		return err
	}
	cluster, err := components.NewCluster(ctx, settings.Name, &components.ClusterArgs{
		Name: settings.Cluster(), ContainerInsights: settings.ClusterSettings.ContainerInsights, Tags: settings.AllTags(),
	})
	if err != nil {
		return err
	}
	images, err := components.NewImages(ctx, preflight, settings)
	if err != nil {
		return err
	}
	loadBalancer, err := components.NewLoadBalancer(ctx, settings.Name, &components.LoadBalancerArgs{
		Stage: settings, Network: preflight.Network, Ingress: preflight.Ingress,
	})
	if err != nil {
		return err
	}
	services := map[string]*components.Service{}
	for _, name := range slices.Sorted(maps.Keys(settings.Services)) {
		if services[name], err = components.NewService(ctx, name, &components.ServiceArgs{
			Preflight: preflight, Stage: settings, Cluster: cluster, LoadBalancer: loadBalancer, Images: images, Retention: retention,
		}); err != nil {
			return err
		}
	}
	tasks := pulumi.Map{}
	for _, name := range slices.Sorted(maps.Keys(settings.Tasks)) {
		task, err := components.NewTask(ctx, name, &components.TaskArgs{
			Preflight: preflight, Stage: settings, Cluster: cluster, Images: images, Retention: retention, Services: services,
		})
		if err != nil {
			return err
		}
		tasks[name] = task.Summary
	}
	// What is to run before a deployment is declared by now.
	deployed, err := components.Deploy(ctx, services)
	if err != nil {
		return err
	}
	ctx.Export("cluster", cluster.Name)
	ctx.Export("images", images.Summary())
	outputs := retention.Tidy(pulumi.Map{"services": deployed, "tasks": tasks})
	ctx.Export("services", outputs["services"])
	if len(tasks) > 0 {
		ctx.Export("tasks", outputs["tasks"])
	}
	return nil
}
