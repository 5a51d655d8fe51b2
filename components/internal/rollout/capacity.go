package rollout

import (
	"context"
	"fmt"
	"slices"
	"strings"

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

// NewCapacity is the capacity of these shares, in any order.
func NewCapacity(shares ...types.CapacityProviderStrategyItem) Capacity {
	slices.SortFunc(shares, func(one, other types.CapacityProviderStrategyItem) int {
		return strings.Compare(*one.CapacityProvider, *other.CapacityProvider)
	})
	return shares
}

// String is the capacity as a tag can say it.
func (c Capacity) String() string {
	if len(c) == 0 {
		return "launch type " + awslimits.Fargate
	}
	var shares []string
	for _, share := range c {
		text := fmt.Sprintf("%s weight=%d", *share.CapacityProvider, share.Weight)
		if share.Base > 0 {
			text += fmt.Sprintf(" base=%d", share.Base)
		}
		shares = append(shares, text)
	}
	return strings.Join(shares, " ")
}

// Differs says what a service has, and whether that is not what it is to have.
func (c Capacity) Differs(service types.Service) (has Capacity, differs bool) {
	has = NewCapacity(slices.Clone(service.CapacityProviderStrategy)...)
	return has, len(c) > 0 && has.String() != c.String()
}

// Move makes a deployment of the service that runs on the capacity, where it does not yet: of a revision, or of the one
// that it has where that is "".
func (c Capacity) Move(ctx context.Context, reader *ecsread.Reader, service types.Service, revision string) error {
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
	_, err = clients.ECS.UpdateService(ctx, update)
	return err
}
