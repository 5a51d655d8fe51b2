// Slipway carries a containerised app from its Dockerfile to running ECS services, one Pulumi stack for each stage.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/components"
	"slipway/stage"
)

func main() { components.Run(deployStage) }

// deployStage loads the stage, asks AWS what must be known first, deploys it, and exports what a person and a script
// can use.
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
	deployed, err := components.Deploy(ctx, settings, preflight)
	if err != nil {
		return err
	}
	ctx.Export("cluster", deployed.Cluster)
	ctx.Export("images", deployed.Images)
	ctx.Export("services", deployed.Services)
	if len(deployed.Tasks) > 0 {
		ctx.Export("tasks", deployed.Tasks)
	}
	ctx.Export("slipway", deployed.Slipway)
	return nil
}
