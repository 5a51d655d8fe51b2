package awsclient

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
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

	asking  singleflight.Group
	clients atomic.Pointer[Clients] // once they are known to reach the account
}

// ARN builds the name of a resource of this account and region.
func (a *Account) ARN(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", a.Partition, service, a.Region, a.ID, resource)
}

// ErrOtherAccount is that the SDK's credentials belong to another account than the provider's.
var ErrOtherAccount = errors.New("give both the same, with aws:profile or the AWS_* variables")

// Clients returns clients with the provider's settings, after making sure that they reach the provider's account. Those
// who ask at once are answered together; it asks again until it was answered.
func (a *Account) Clients(ctx context.Context) (*Clients, error) {
	if known := a.clients.Load(); known != nil {
		return known, nil
	}
	_, err, _ := a.asking.Do("", func() (any, error) {
		clients, err := a.checkedClients(ctx)
		if err == nil {
			a.clients.Store(clients)
		}
		return nil, err
	})
	if err != nil {
		return nil, fmt.Errorf("preparing to ask AWS: %w", err)
	}
	return a.clients.Load(), nil
}

func (a *Account) checkedClients(ctx context.Context) (*Clients, error) {
	cfg, err := a.Settings.Load(ctx)
	if err != nil {
		return nil, err
	}
	got, err := a.Settings.Account(ctx, cfg)
	if err == nil && got != a.ID {
		err = fmt.Errorf("the credentials for AWS's own SDK belong to account %s, those of the AWS provider to %s: %w",
			got, a.ID, ErrOtherAccount)
	}
	return NewClients(cfg, a.Settings), err
}

// Clients are those of the SDK that the program and the commands have in common.
type Clients struct {
	ECR     *ecr.Client
	ECS     *ecs.Client
	IAM     *iam.Client
	Logs    *cloudwatchlogs.Client
	Secrets *secretsmanager.Client
}

// NewClients makes clients of a configuration of the SDK, and of the settings that it was loaded by.
func NewClients(cfg aws.Config, settings Settings) *Clients {
	at := func(service string, endpoint **string) { *endpoint = settings.Endpoint(service, *endpoint) }
	return &Clients{
		ECR:  ecr.NewFromConfig(cfg, func(o *ecr.Options) { at("ecr", &o.BaseEndpoint) }),
		ECS:  ecs.NewFromConfig(cfg, func(o *ecs.Options) { at("ecs", &o.BaseEndpoint) }),
		IAM:  iam.NewFromConfig(cfg, func(o *iam.Options) { at("iam", &o.BaseEndpoint) }),
		Logs: cloudwatchlogs.NewFromConfig(cfg, func(o *cloudwatchlogs.Options) { at("logs", &o.BaseEndpoint) }),
		Secrets: secretsmanager.NewFromConfig(cfg,
			func(o *secretsmanager.Options) { at("secretsmanager", &o.BaseEndpoint) }),
	}
}
