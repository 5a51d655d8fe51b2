// An API and a worker with a queue between them.
package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
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
	orders, err := sqs.NewQueue(ctx, "orders", &sqs.QueueArgs{VisibilityTimeoutSeconds: pulumi.Int(60)})
	if err != nil {
		return err
	}
	queue := func(actions ...string) components.Handover {
		return components.Handover{
			Environment: pulumi.StringMap{"ORDERS_URL": orders.Url},
			Permissions: []components.Permission{{Actions: actions, Resources: pulumi.StringArray{orders.Arn}}},
		}
	}
	deployed, err := components.Deploy(ctx, preflight, components.Handovers{
		"send-orders":    queue("sqs:SendMessage"),
		"receive-orders": queue("sqs:ReceiveMessage", "sqs:DeleteMessage"),
	})
	if err != nil {
		return err
	}
	deployed.Export(ctx)
	return nil
}
