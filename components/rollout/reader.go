// Package rollout watches a deployment of an ECS service to its end.
package rollout

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sync"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
)

const (
	// servicesPerCall is how many services ECS describes at once
	// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html).
	servicesPerCall = 10
	// gatherTime is how long a read waits for others to share its call.
	gatherTime = 50 * time.Millisecond
)

// Reader reads the services of a cluster for many rollouts at once. A stage of a hundred services that each asked
// alone would use up ECS's rate for the account, which the AWS provider's own calls need too
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html).
type Reader struct {
	connect func(context.Context) (*ecssdk.Client, error)
	cluster string

	mutex   sync.Mutex
	waiting []serviceRequest
	calls   sync.Mutex // one call at a time
	client  *ecssdk.Client
}

// NewReader prepares reading the services of a cluster. connect makes the client, and is called again where it could
// not.
func NewReader(connect func(context.Context) (*ecssdk.Client, error), cluster string) *Reader {
	return &Reader{connect: connect, cluster: cluster}
}

type serviceRequest struct {
	arn    string
	answer chan<- serviceAnswer
}

type serviceAnswer struct {
	service types.Service
	err     error
}

// Read describes the service; one without a status is one that ECS does not know.
func (r *Reader) Read(ctx context.Context, arn string) (types.Service, error) {
	answer := make(chan serviceAnswer, 1)
	r.mutex.Lock()
	r.waiting = append(r.waiting, serviceRequest{arn, answer})
	if len(r.waiting) == 1 {
		// Others may share it: it has a limit of its own, and does not end with the first one.
		time.AfterFunc(gatherTime, func() { r.answer(context.WithoutCancel(ctx)) })
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
func (r *Reader) answer(ctx context.Context) {
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
			request.answer <- found(services, err, request.arn)
		}
	}
}

// found is what an answer says of a service. One that says nothing of it was cut off, or is none of ECS.
func found(services map[string]serviceAnswer, err error, arn string) serviceAnswer {
	answer, told := services[path.Base(arn)]
	switch {
	case err != nil:
		return serviceAnswer{err: fmt.Errorf("reading the service from ECS: %w", err)}
	case !told:
		return serviceAnswer{err: errors.New("reading the service from ECS: the answer does not name it")}
	}
	return answer
}

// describe returns the services by name.
func (r *Reader) describe(ctx context.Context, batch []serviceRequest) (map[string]serviceAnswer, error) {
	if r.client == nil {
		client, err := r.connect(ctx)
		if err != nil {
			return nil, err
		}
		r.client = client
	}
	arns := make([]string, len(batch))
	for i, request := range batch {
		arns[i] = request.arn
	}
	answer, err := r.client.DescribeServices(ctx, &ecssdk.DescribeServicesInput{Cluster: &r.cluster, Services: arns})
	if err != nil {
		return nil, err
	}
	services := map[string]serviceAnswer{}
	for _, service := range answer.Services {
		services[awssdk.ToString(service.ServiceName)] = serviceAnswer{service: service}
	}
	for _, failure := range answer.Failures {
		told := serviceAnswer{}
		if reason := awssdk.ToString(failure.Reason); reason != "MISSING" {
			told.err = fmt.Errorf("reading the service from ECS: %w",
				&smithy.GenericAPIError{Code: reason, Message: awssdk.ToString(failure.Detail)})
		}
		services[path.Base(awssdk.ToString(failure.Arn))] = told
	}
	return services, nil
}
