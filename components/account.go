package components

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"slipway/internal/awsclient"
	"slipway/internal/pulumiconfig"
)

// stageAccount is where the stage lives, as the AWS provider sees it.
type stageAccount = awsclient.Account

// lookupAccount asks the AWS provider which account and region it works in, so that every later
// check and every ARN follows the provider's own settings.
func lookupAccount(ctx *pulumi.Context) (*stageAccount, error) {
	settings, err := awsclient.ReadSettings(config.New(ctx, "aws").Get)
	if err != nil {
		return nil, err
	}
	caller, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{})
	if err != nil {
		return nil, settings.Explain(err, pulumiconfig.FileName(ctx.Stack()))
	}
	region, err := aws.GetRegion(ctx, &aws.GetRegionArgs{})
	if err != nil {
		return nil, fmt.Errorf("asking the AWS provider for its region: %w", err)
	}
	partition, err := aws.GetPartition(ctx, &aws.GetPartitionArgs{})
	if err != nil {
		return nil, fmt.Errorf("asking the AWS provider for its partition: %w", err)
	}
	settings.Region = region.Name
	return &stageAccount{ID: caller.AccountId, Region: region.Name, Partition: partition.Partition,
		Settings: settings}, nil
}

// serviceARN is the ARN of an ECS service.
func serviceARN(account *stageAccount, cluster, service string) string {
	return account.ARN("ecs", "service/"+cluster+"/"+service)
}
