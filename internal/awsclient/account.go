package awsclient

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/sync/singleflight"
)

// Account is where a stage lives, as the AWS provider sees it, with clients of the SDK that reach it and no other.
type Account struct {
	// ID is the 12 digits of the AWS account.
	ID string
	// Region is the provider's region, for instance ap-northeast-2.
	Region string
	// Partition is aws, aws-cn or aws-us-gov: the second part of every ARN.
	Partition string
	// Settings of the provider.
	Settings Settings

	asking singleflight.Group
	config atomic.Pointer[aws.Config] // of the SDK, once it is known to reach the account
}

// ARN builds the name of a resource of this account and region.
func (a *Account) ARN(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", a.Partition, service, a.Region, a.ID, resource)
}

// ErrOtherAccount is that the SDK's credentials belong to another account than the provider's.
var ErrOtherAccount = errors.New("give both the same, with aws:profile or the AWS_* variables")

// Config prepares calls of the AWS SDK with the provider's settings, after making sure that they reach the provider's
// account. Those who ask at once are answered together; it asks again until it was answered.
func (a *Account) Config(ctx context.Context) (aws.Config, error) {
	if known := a.config.Load(); known != nil {
		return *known, nil
	}
	cfg, err, _ := a.asking.Do("", func() (any, error) {
		cfg, err := a.checkedConfig(ctx)
		if err == nil {
			a.config.Store(&cfg)
		}
		return cfg, err
	})
	return cfg.(aws.Config), err
}

func (a *Account) checkedConfig(ctx context.Context) (aws.Config, error) {
	cfg, err := a.Settings.Load(ctx)
	if err != nil {
		return cfg, err
	}
	got, err := a.Settings.Account(ctx, cfg)
	if err == nil && got != a.ID {
		err = fmt.Errorf("the credentials for AWS's own SDK belong to account %s, those of the AWS provider to %s: %w",
			got, a.ID, ErrOtherAccount)
	}
	return cfg, err
}

// ECS returns a client of ECS.
func (a *Account) ECS(ctx context.Context) (*ecs.Client, error) {
	cfg, err := a.Config(ctx)
	if err != nil {
		return nil, fmt.Errorf("preparing to ask ECS: %w", err)
	}
	return ecs.NewFromConfig(cfg, func(o *ecs.Options) { o.BaseEndpoint = a.Settings.Endpoint("ecs", o.BaseEndpoint) }),
		nil
}

// ECR returns a client of ECR.
func (a *Account) ECR(ctx context.Context) (*ecr.Client, error) {
	cfg, err := a.Config(ctx)
	if err != nil {
		return nil, fmt.Errorf("preparing to ask ECR: %w", err)
	}
	return ecr.NewFromConfig(cfg, func(o *ecr.Options) { o.BaseEndpoint = a.Settings.Endpoint("ecr", o.BaseEndpoint) }),
		nil
}

// IAM returns a client of IAM.
func (a *Account) IAM(ctx context.Context) (*iam.Client, error) {
	cfg, err := a.Config(ctx)
	if err != nil {
		return nil, fmt.Errorf("preparing to ask IAM: %w", err)
	}
	return iam.NewFromConfig(cfg, func(o *iam.Options) { o.BaseEndpoint = a.Settings.Endpoint("iam", o.BaseEndpoint) }),
		nil
}
