package components

import (
	"context"
	"errors"
	"fmt"
	"sync"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"slipway/provider"
	"slipway/taskrun"
)

// Account is where the stage lives, as the AWS provider sees it.
type Account struct {
	// ID is the 12 digits of the AWS account.
	ID string
	// Region is the provider's region, for instance ap-northeast-2.
	Region string
	// Partition is aws, aws-cn or aws-us-gov: the second part of every ARN.
	Partition string

	settings provider.Settings

	mutex  sync.Mutex
	config *awssdk.Config // of the SDK, once it is known to reach the account
}

// LookupAccount asks the AWS provider which account and region it works in, so that every later
// check and every ARN follows the provider's own settings.
func LookupAccount(ctx *pulumi.Context) (*Account, error) {
	settings, err := provider.ReadSettings(config.New(ctx, "aws").Get)
	if err != nil {
		return nil, err
	}
	caller, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{})
	if err != nil {
		return nil, settings.Explain(err, "Pulumi."+ctx.Stack()+".yaml")
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
	return &Account{ID: caller.AccountId, Region: region.Name, Partition: partition.Partition, settings: settings}, nil
}

// ARN builds the name of a resource of this account and region.
func (a *Account) ARN(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", a.Partition, service, a.Region, a.ID, resource)
}

// serviceARN is the ARN of an ECS service of this account and region.
func (a *Account) serviceARN(cluster, service string) string {
	return a.ARN("ecs", "service/"+cluster+"/"+service)
}

// errOtherAccount is that the SDK's credentials belong to another account than the provider's.
var errOtherAccount = errors.New("give both the same, with aws:profile or the AWS_* variables")

// sdkConfig prepares calls of the AWS SDK with the provider's settings, after making sure that they reach the provider's
// account. It asks until it was answered once.
func (a *Account) sdkConfig(ctx context.Context) (awssdk.Config, error) {
	a.mutex.Lock()
	known := a.config
	a.mutex.Unlock()
	if known != nil {
		return *known, nil
	}
	cfg, err := a.settings.Load(ctx)
	if err != nil {
		return cfg, err
	}
	got, err := a.settings.Account(ctx, cfg)
	if err != nil {
		return cfg, err
	}
	if got != a.ID {
		return cfg, fmt.Errorf("the credentials for AWS's own SDK belong to account %s, those of the AWS provider to %s: %w", got, a.ID, errOtherAccount)
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.config = &cfg
	return cfg, nil
}

// ecsClient returns an ECS client for the provider's account.
func (a *Account) ecsClient(ctx context.Context) (*ecssdk.Client, error) {
	cfg, err := a.sdkConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("preparing to ask ECS: %w", err)
	}
	return ecssdk.NewFromConfig(cfg, func(o *ecssdk.Options) { o.BaseEndpoint = a.settings.Endpoint("ecs", o.BaseEndpoint) }), nil
}

// taskRunner returns what runs tasks, and reads what they wrote, in the provider's account.
func (a *Account) taskRunner(ctx context.Context) (*taskrun.Runner, error) {
	cfg, err := a.sdkConfig(ctx)
	return taskrun.New(cfg, a.settings.Endpoint), err
}
