// Package awsreader asks AWS by the settings of a stage's own provider, and only in an account that the stage may use.
package awsreader

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"slipway/internal/awsclient"
)

// Lookups is how many calls a command has under way at once for one kind of thing.
const Lookups = 8

// Client is AWS as a stage's own provider sees it, as far as the commands read it.
type Client struct {
	Account, Region string
	*awsclient.Clients
	ACM       *acm.Client
	Discovery *servicediscovery.Client
	Route53   *route53.Client
	Scaling   *applicationautoscaling.Client
	Scheduler *scheduler.Client
	SSM       *ssm.Client
	Query     Query

	repositories map[string]*repositoryImages
	clock        atomic.Int64 // how far AWS's is ahead of this machine's, in nanoseconds, as ECS answered last
}

// Skew is how far AWS's clock is ahead of this machine's; below 0 where it is behind.
func (c *Client) Skew() time.Duration { return time.Duration(c.clock.Load()) }

// Connect prepares calls to the account of a stage, given its configuration.
func Connect(ctx context.Context, stack string, config map[string]string) (*Client, error) {
	cfg, settings, account, err := configure(ctx, stack, config)
	if err != nil {
		return nil, err
	}
	return New(cfg, settings, account), nil
}

// New makes the clients of an account of a configuration and the settings that it was loaded by.
func New(cfg aws.Config, settings awsclient.Settings, account string) *Client {
	at := func(service string, endpoint **string) { *endpoint = settings.Endpoint(service, *endpoint) }
	return &Client{
		Account:   account,
		Region:    cfg.Region,
		Clients:   awsclient.NewClients(cfg, settings),
		ACM:       acm.NewFromConfig(cfg, func(o *acm.Options) { at("acm", &o.BaseEndpoint) }),
		Route53:   route53.NewFromConfig(cfg, func(o *route53.Options) { at("route53", &o.BaseEndpoint) }),
		Scheduler: scheduler.NewFromConfig(cfg, func(o *scheduler.Options) { at("scheduler", &o.BaseEndpoint) }),
		Discovery: servicediscovery.NewFromConfig(cfg,
			func(o *servicediscovery.Options) { at("servicediscovery", &o.BaseEndpoint) }),
		SSM:          ssm.NewFromConfig(cfg, func(o *ssm.Options) { at("ssm", &o.BaseEndpoint) }),
		Query:        Query{cfg, settings},
		repositories: map[string]*repositoryImages{},
		Scaling: applicationautoscaling.NewFromConfig(cfg,
			func(o *applicationautoscaling.Options) { at("appautoscaling", &o.BaseEndpoint) }),
	}
}

// HasCluster tells whether ECS has a cluster with a stage's tags. What cannot be read is not there.
func (c *Client) HasCluster(ctx context.Context, name, project, stage string) bool {
	answer, err := c.ECS.DescribeClusters(ctx, &ecs.DescribeClustersInput{Clusters: []string{name},
		Include: []types.ClusterField{types.ClusterFieldTags}})
	if err != nil || len(answer.Clusters) == 0 || aws.ToString(answer.Clusters[0].Status) != "ACTIVE" {
		return false
	}
	tags := map[string]string{}
	for _, tag := range answer.Clusters[0].Tags {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return tags["project"] == project && tags["stage"] == stage
}
