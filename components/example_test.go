package components_test

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/components"
	"slipway/stage"
)

// Deploying needs an engine and an account, so these have no output: they show a program's lines, which compile. The
// programs in examples/ are deployed by tests.

func ExampleRun() {
	components.Run(func(ctx *pulumi.Context) error {
		input, err := stage.FromEnvironment()
		if err != nil {
			return err
		}
		preflight, err := components.RunPreflight(ctx, input)
		if err != nil {
			return err
		}
		deployed, err := components.Deploy(ctx, preflight, nil)
		if err != nil {
			return err
		}
		deployed.Export(ctx)
		return nil
	})
}

func ExampleRunPreflight() {
	_ = func(ctx *pulumi.Context, input stage.Input) (*components.Preflight, error) {
		preflight, err := components.RunPreflight(ctx, input)
		if err != nil {
			return nil, err // all that is wrong, and nothing has been changed
		}
		return preflight, ctx.Log.Info("deploys "+preflight.Stage.Cluster(), nil)
	}
}

func ExampleDeploy() {
	_ = func(ctx *pulumi.Context, preflight *components.Preflight) error {
		queue, err := sqs.NewQueue(ctx, "orders", nil)
		if err != nil {
			return err
		}
		deployed, err := components.Deploy(ctx, preflight, components.Handovers{
			"queue": {Environment: pulumi.StringMap{"QUEUE_URL": queue.Url}},
		})
		if err != nil {
			return err
		}
		deployed.Export(ctx)
		return nil
	}
}

func ExampleDeployed() {
	_ = func(ctx *pulumi.Context, deployed *components.Deployed) {
		deployed.Export(ctx)
		ctx.Export("dashboard", pulumi.Sprintf("https://console.aws.amazon.com/ecs/v2/clusters/%s", deployed.Cluster))
	}
}

func ExampleDeployed_Export() {
	_ = func(ctx *pulumi.Context, deployed *components.Deployed) {
		deployed.Export(ctx) // slipway's commands read what it exports
	}
}

// A container with `uses: [queue]` gets the variable, and its task the permission.
func ExampleHandover() {
	_ = func(ctx *pulumi.Context, queue *sqs.Queue) components.Handover {
		return components.Handover{
			Environment: pulumi.StringMap{"QUEUE_URL": queue.Url},
			Permissions: []components.Permission{{
				Actions: []string{"sqs:SendMessage"}, Resources: pulumi.StringArray{queue.Arn},
			}},
		}
	}
}

func ExampleHandovers() {
	_ = func(queue, database components.Handover) components.Handovers {
		return components.Handovers{"queue": queue, "database": database}
	}
}

func ExamplePermission() {
	_ = func(queue *sqs.Queue) components.Permission {
		return components.Permission{Actions: []string{"sqs:SendMessage"}, Resources: pulumi.StringArray{queue.Arn}}
	}
}

// A stage with `network: {uses: vpc}` runs its tasks there.
func ExampleNetworkHandover() {
	_ = func(vpc *ec2.Vpc, a, b *ec2.Subnet) components.Handovers {
		return components.Handovers{"vpc": {Network: &components.NetworkHandover{
			VPC: vpc.ID(), Subnets: pulumi.StringArray{a.ID(), b.ID()},
		}}}
	}
}

func ExampleNetwork() {
	_ = func(ctx *pulumi.Context, preflight *components.Preflight) error {
		_, err := ec2.NewSecurityGroup(ctx, "database", &ec2.SecurityGroupArgs{
			VpcId: pulumi.String(preflight.Network.VPC),
		})
		return err
	}
}

func ExamplePreflight() {
	_ = func(ctx *pulumi.Context, preflight *components.Preflight) error {
		_, err := cloudwatch.NewLogMetricFilter(ctx, "slow", &cloudwatch.LogMetricFilterArgs{
			LogGroupName: pulumi.String(preflight.Stage.LogGroup("web")), Pattern: pulumi.String("slow"),
			MetricTransformation: &cloudwatch.LogMetricFilterMetricTransformationArgs{
				Name: pulumi.String("slow"), Namespace: pulumi.String("shop"), Value: pulumi.String("1"),
			},
		})
		return err
	}
}

func ExampleLoadBalancer() {
	_ = func(ctx *pulumi.Context, deployed *components.Deployed) error {
		_, err := lb.NewListenerRule(ctx, "robots", &lb.ListenerRuleArgs{
			ListenerArn: deployed.LoadBalancer.Listener, Priority: pulumi.Int(1),
			Conditions: lb.ListenerRuleConditionArray{&lb.ListenerRuleConditionArgs{
				PathPattern: &lb.ListenerRuleConditionPathPatternArgs{Values: pulumi.ToStringArray([]string{"/robots.txt"})},
			}},
			Actions: lb.ListenerRuleActionArray{&lb.ListenerRuleActionArgs{
				Type: pulumi.String("forward"), TargetGroupArn: deployed.Workloads["web"].TargetGroup,
			}},
		})
		return err
	}
}

func ExampleWorkload() {
	_ = func(ctx *pulumi.Context, deployed *components.Deployed, database *ec2.SecurityGroup) error {
		_, err := ec2.NewSecurityGroupRule(ctx, "web-to-database", &ec2.SecurityGroupRuleArgs{
			Type: pulumi.String("ingress"), Protocol: pulumi.String("tcp"), FromPort: pulumi.Int(5432), ToPort: pulumi.Int(5432),
			SecurityGroupId: database.ID(), SourceSecurityGroupId: deployed.Workloads["web"].SecurityGroup,
		})
		return err
	}
}
