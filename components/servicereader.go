package components

import (
	"context"
	"fmt"
	"path"
	"sync"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
)

const (
	// servicesPerCall is how many services ECS describes at once
	// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html).
	servicesPerCall = 10
	// gatherTime is how long a read waits for others to share its call.
	gatherTime = 50 * time.Millisecond
)

// serviceReader reads the services of a cluster for many rollouts at once. A stage of a hundred services that each asked
// alone would use up ECS's rate for the account, which the AWS provider's own calls need too
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html).
type serviceReader struct {
	client  *ecssdk.Client
	cluster string

	mutex   sync.Mutex
	waiting []serviceRequest
	calls   sync.Mutex // one call at a time
}

type serviceRequest struct {
	arn    string
	answer chan<- serviceAnswer
}

type serviceAnswer struct {
	service types.Service
	err     error
}

// read describes the service; one without a status is one that ECS does not know.
func (r *serviceReader) read(ctx context.Context, arn string) (types.Service, error) {
	answer := make(chan serviceAnswer, 1)
	r.mutex.Lock()
	r.waiting = append(r.waiting, serviceRequest{arn, answer})
	if len(r.waiting) == 1 {
		time.AfterFunc(gatherTime, func() { r.answer(ctx) })
	}
	r.mutex.Unlock()
	select {
	case got := <-answer:
		return got.service, got.err
	case <-ctx.Done():
		return types.Service{}, ctx.Err()
	}
}

// answer asks ECS for every service that waits.
func (r *serviceReader) answer(ctx context.Context) {
	r.calls.Lock()
	defer r.calls.Unlock()
	for {
		r.mutex.Lock()
		batch := r.waiting[:min(servicesPerCall, len(r.waiting))]
		r.waiting = r.waiting[len(batch):]
		r.mutex.Unlock()
		if len(batch) == 0 {
			return
		}
		services, err := r.describe(ctx, batch)
		for _, request := range batch {
			request.answer <- serviceAnswer{services[path.Base(request.arn)], err}
		}
	}
}

// describe returns the services by name.
func (r *serviceReader) describe(ctx context.Context, batch []serviceRequest) (map[string]types.Service, error) {
	arns := make([]string, len(batch))
	for i, request := range batch {
		arns[i] = request.arn
	}
	answer, err := r.client.DescribeServices(ctx, &ecssdk.DescribeServicesInput{Cluster: &r.cluster, Services: arns})
	if err != nil {
		return nil, fmt.Errorf("reading the rollout from ECS: %w", err)
	}
	services := map[string]types.Service{}
	for _, service := range answer.Services {
		services[awssdk.ToString(service.ServiceName)] = service
	}
	return services, nil
}
