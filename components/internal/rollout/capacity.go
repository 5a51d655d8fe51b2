package rollout

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"slipway/internal/awsclient"
	"slipway/internal/awslimits"
	"slipway/internal/ecsread"
)

// Capacity is what a service's tasks are to run on: shares of capacity providers, sorted by name; empty where the stage
// does not say it.
//
// ECS changes it in an update of the service, as a deployment. The AWS provider would replace the service instead,
// which is an outage: always between the launch type and capacity providers, and otherwise unless every update of the
// service forces a deployment. So the provider is told not to look at it, and Move changes it.
type Capacity []types.CapacityProviderStrategyItem

// OnDemand is what a service is moved to that says no more what it runs on: of a way back to the launch type, ECS
// chooses which one.
var OnDemand = NewCapacity(types.CapacityProviderStrategyItem{CapacityProvider: new(awslimits.Fargate), Weight: 1})

// FargateProviders are the capacity providers that every cluster can have; the others are of EC2 instances.
var FargateProviders = []string{awslimits.Fargate, awslimits.FargateSpot}

// NewCapacity is the capacity of these shares, in any order.
func NewCapacity(shares ...types.CapacityProviderStrategyItem) Capacity {
	return ecsread.SortedCapacity(shares)
}

// String is the capacity as a tag can say it.
func (c Capacity) String() string {
	return ecsread.CapacityInWords(c, awslimits.Fargate)
}

// Differs says what a service has, and whether that is not what it is to have.
func (c Capacity) Differs(service types.Service) (has Capacity, differs bool) {
	has = NewCapacity(service.CapacityProviderStrategy...)
	return has, len(c) > 0 && has.String() != c.String()
}

// OnInstances tells whether it is EC2 instances, for which a revision is made otherwise than for Fargate.
func (c Capacity) OnInstances() bool {
	return slices.ContainsFunc(c, func(share types.CapacityProviderStrategyItem) bool {
		return !slices.Contains(FargateProviders, *share.CapacityProvider)
	})
}

// Move makes a deployment of the service that runs on the capacity, where it does not yet: of a revision, or of the one
// that it has where that is "". Its tasks have a public address or not from then on: on instances they can have none,
// so ECS takes the one only with the other.
func (c Capacity) Move(ctx context.Context, reader *ecsread.Reader, service types.Service, revision string,
	assignPublicIP bool) error {
	if _, differs := c.Differs(service); !differs {
		return nil
	}
	clients, err := reader.Clients(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, awsclient.CallLimit)
	defer cancel()
	update := &ecs.UpdateServiceInput{Cluster: &reader.Cluster, Service: service.ServiceArn,
		CapacityProviderStrategy: c, ForceNewDeployment: true}
	if revision != "" {
		update.TaskDefinition = &revision
	}
	assign := types.AssignPublicIpDisabled
	if assignPublicIP {
		assign = types.AssignPublicIpEnabled
	}
	if has := service.NetworkConfiguration; has != nil && has.AwsvpcConfiguration != nil &&
		has.AwsvpcConfiguration.AssignPublicIp != assign {
		network := *has.AwsvpcConfiguration
		network.AssignPublicIp = assign
		update.NetworkConfiguration = &types.NetworkConfiguration{AwsvpcConfiguration: &network}
	}
	_, err = clients.ECS.UpdateService(ctx, update)
	return err
}
