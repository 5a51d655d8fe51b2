// Package ecsread reads services of ECS, and tells from what ECS says of one how its deployment stands.
package ecsread

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
)

// SortedCapacity are shares of capacity providers, in the order of their names.
func SortedCapacity(shares []types.CapacityProviderStrategyItem) []types.CapacityProviderStrategyItem {
	return slices.SortedFunc(slices.Values(shares), func(one, other types.CapacityProviderStrategyItem) int {
		return strings.Compare(aws.ToString(one.CapacityProvider), aws.ToString(other.CapacityProvider))
	})
}

// CapacityInWords is what tasks of a service run on: shares of capacity providers, or a launch type without any.
func CapacityInWords(shares []types.CapacityProviderStrategyItem, launchType string) string {
	if len(shares) == 0 {
		return "launch type " + launchType
	}
	var texts []string
	for _, share := range shares {
		text := fmt.Sprintf("%s weight=%d", aws.ToString(share.CapacityProvider), share.Weight)
		if share.Base > 0 {
			text += fmt.Sprintf(" base=%d", share.Base)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " ")
}

// servicesPerCall is how many services ECS describes at once
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html).
const servicesPerCall = 10

// Services describes services of a cluster by name. One that ECS does not have is not among them.
func Services(ctx context.Context, client *ecs.Client, cluster string,
	names []string) (map[string]types.Service, error) {
	found := map[string]types.Service{}
	for batch := range slices.Chunk(names, servicesPerCall) {
		answers, err := describe(ctx, client, cluster, batch)
		if errors.As(err, new(*types.ClusterNotFoundException)) {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the services of %s from ECS: %w", cluster, err)
		}
		for name, answer := range answers {
			if answer.err != nil {
				return nil, fmt.Errorf("reading the service %s from ECS: %w", name, answer.err)
			}
			if IsActive(answer.service) {
				found[name] = answer.service
			}
		}
	}
	return found, nil
}

type serviceAnswer struct {
	service types.Service
	err     error
}

// describe returns what one call says of services, by name. One without a status is one that ECS does not know.
func describe(ctx context.Context, client *ecs.Client, cluster string, services []string) (map[string]serviceAnswer,
	error) {
	answer, err := client.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster, Services: services,
		Include: []types.ServiceField{types.ServiceFieldTags}})
	if err != nil {
		return nil, err
	}
	answers := map[string]serviceAnswer{}
	for _, service := range answer.Services {
		answers[aws.ToString(service.ServiceName)] = serviceAnswer{service: service}
	}
	for _, failure := range answer.Failures {
		its := serviceAnswer{}
		if reason := aws.ToString(failure.Reason); reason != "MISSING" {
			its.err = &smithy.GenericAPIError{Code: reason, Message: aws.ToString(failure.Detail)}
		}
		answers[path.Base(aws.ToString(failure.Arn))] = its
	}
	return answers, nil
}
