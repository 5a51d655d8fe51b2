// Slipway carries a containerised app from its Dockerfile to running ECS services, one Pulumi stack for each stage.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/components"
	"slipway/stage"
)

func main() { components.Run(deployStage) }

// deployStage loads the stage and asks AWS what must be known first, deploys it, and exports what a person and a script
// can use.
func deployStage(ctx *pulumi.Context) error {
	input, err := stage.FromEnvironment()
	if err != nil {
		return err
	}
	preflight, err := components.RunPreflight(ctx, input)
	if err != nil {
		return err
	}
	// Nothing has been built or changed so far. A team's own resources stand here, and reach containers by Handovers.
	deployed, err := components.Deploy(ctx, preflight, components.Handovers{})
	if err != nil {
		return err
	}
	deployed.Export(ctx)
	return nil
}
