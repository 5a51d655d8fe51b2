package ecsread

import (
	"context"
	"errors"
	"fmt"
	"path"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"slipway/internal/awsclient"
)

// gatherTime is how long a read waits for others to share its call.
const gatherTime = 50 * time.Millisecond

// Reader reads the services of a cluster for many rollouts at once. A stage of a hundred services that each asked
// alone would use up ECS's rate for the account, which the AWS provider's own calls need too
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html).
type Reader struct {
	// Account that the services run in.
	Account
	// Cluster is the name of the services' cluster.
	Cluster string

	mutex   sync.Mutex
	waiting []serviceRequest
	calls   sync.Mutex // one call at a time
}

// Account gives the clients, and is asked again where it could not.
type Account interface {
	Clients(context.Context) (*awsclient.Clients, error)
}

// NewReader prepares reading the services of a cluster.
func NewReader(account Account, cluster string) *Reader {
	return &Reader{Account: account, Cluster: cluster}
}

type serviceRequest struct {
	arn    string
	answer chan<- serviceAnswer
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
		if got.err != nil {
			return types.Service{}, fmt.Errorf("reading the service from ECS: %w", got.err)
		}
		return got.service, nil
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
			answer, named := services[path.Base(request.arn)]
			switch {
			case err != nil:
				answer.err = err
			case !named: // it was cut off, or is none of ECS
				answer.err = errors.New("the answer does not name it")
			}
			request.answer <- answer
		}
	}
}

func (r *Reader) describe(ctx context.Context, batch []serviceRequest) (map[string]serviceAnswer, error) {
	clients, err := r.Clients(ctx)
	if err != nil {
		return nil, err
	}
	arns := make([]string, len(batch))
	for i, request := range batch {
		arns[i] = request.arn
	}
	return describe(ctx, clients.ECS, r.Cluster, arns)
}
