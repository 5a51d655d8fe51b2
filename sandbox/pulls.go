package main

import (
	"context"
	"sync"
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/registry"
)

const (
	pullInterval = 100 * time.Millisecond // between two looks for tasks that wait for images
	pullLimit    = 20 * time.Second       // that a registry may take for one image
)

// pulls pulls images of other registries for recorded tasks, so that none runs whose image nobody could pull.
type pulls struct {
	account *account.Account
	stop    context.CancelFunc
	ended   sync.WaitGroup

	mutex sync.Mutex
	begun map[string]bool // by the task's ARN
}

// startPulls pulls until it is ended.
func startPulls(a *account.Account) *pulls {
	ctx, stop := context.WithCancel(context.Background())
	p := &pulls{account: a, stop: stop, begun: map[string]bool{}}
	p.ended.Go(func() {
		for ctx.Err() == nil {
			p.look(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(pullInterval):
			}
		}
	})
	return p
}

// look begins to pull for tasks that wait. What cannot be read or written now is tried again.
func (p *pulls) look(ctx context.Context) {
	all, err := p.account.All()
	if err != nil {
		return
	}
	for _, each := range all {
		pending, err := ecs.PendingPulls(each)
		if err != nil {
			return
		}
		for _, task := range pending {
			p.mutex.Lock()
			known := p.begun[task.TaskARN]
			p.begun[task.TaskARN] = true
			p.mutex.Unlock()
			if !known {
				p.ended.Go(func() { p.pull(ctx, each, task) })
			}
		}
	}
}

// pull pulls the images of one task of an account.
func (p *pulls) pull(ctx context.Context, in *account.Account, task ecs.PendingPull) {
	failure := ""
	for _, image := range task.Images {
		limited, done := context.WithTimeout(ctx, pullLimit)
		_, err := registry.PullElsewhere(limited, image.Reference, task.Platform, image.Login.Username, image.Login.Password)
		done()
		if err != nil {
			failure = "CannotPullContainerError: " + err.Error()
			break
		}
	}
	if ctx.Err() != nil {
		return // whoever uses the account next pulls
	}
	if err := ecs.SubmitPull(in, task.TaskARN, failure); err != nil {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		delete(p.begun, task.TaskARN)
	}
}

func (p *pulls) end() {
	p.stop()
	p.ended.Wait()
}
