package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

// describeServices asks ECS for services of a stage by name, as many at once as it answers for
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html). One that it does not have is
// not among them.
func describeServices(ctx context.Context, stack string, config map[string]string, cluster string, names []string) (map[string]types.Service, error) {
	cfg, settings, _, err := awsOf(ctx, stack, config)
	if err != nil {
		return nil, err
	}
	client := ecs.NewFromConfig(cfg, func(o *ecs.Options) { o.BaseEndpoint = settings.Endpoint("ecs", o.BaseEndpoint) })
	found := map[string]types.Service{}
	for batch := range slices.Chunk(names, 10) {
		answer, err := client.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster, Services: batch})
		if missing := (*types.ClusterNotFoundException)(nil); errors.As(err, &missing) {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the services of %s from ECS: %w", cluster, err)
		}
		for _, service := range answer.Services {
			if aws.ToString(service.Status) == "ACTIVE" {
				found[aws.ToString(service.ServiceName)] = service
			}
		}
	}
	return found, nil
}

// notSteady says what keeps a service from being steady on the revision that its stage deployed last, and what to do;
// nil where nothing does. The service is nil where ECS does not have it.
func notSteady(stack, name string, service *types.Service, wanted string) error {
	key := fmt.Sprintf("services.%s of %s", name, stack)
	again := fmt.Sprintf("run `pulumi up --refresh --stack %s` until it is steady, and promote again", stack)
	if service == nil {
		return refuse("%s is not in ECS any more: %s", key, again)
	}
	i := slices.IndexFunc(service.Deployments, func(d types.Deployment) bool { return aws.ToString(d.Status) == "PRIMARY" })
	if i < 0 {
		return refuse("%s has no deployment in ECS: %s", key, again)
	}
	primary := service.Deployments[i]
	runs := path.Base(aws.ToString(primary.TaskDefinition))
	replicas := fmt.Sprintf("%d of %d replicas running", service.RunningCount, service.DesiredCount)
	switch {
	case aws.ToString(primary.TaskDefinition) != wanted:
		return refuse("%s is on %s in ECS, with %s, and its last update deployed %s: %s", key, runs, replicas, path.Base(wanted), again)
	case primary.RolloutState == types.DeploymentRolloutStateFailed:
		return refuse("%s is not steady: its deployment of %s failed (%s): %s", key, runs, aws.ToString(primary.RolloutStateReason), again)
	case primary.RolloutState != types.DeploymentRolloutStateCompleted:
		return refuse("%s is not steady: its deployment of %s is under way, with %s: wait for its end, and promote again", key, runs, replicas)
	case service.RunningCount != service.DesiredCount:
		return refuse("%s is not steady: it is on %s with %s: wait until all run, or find out why they do not, and promote again", key, runs, replicas)
	}
	return nil
}
