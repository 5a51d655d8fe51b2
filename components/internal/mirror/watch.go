package mirror

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// stalledLimit is how long a registry may neither take nor give anything.
const stalledLimit = 3 * time.Minute

// watched is the context of requests to registries, and what carries them: it counts what is sent, and ends where
// nothing comes or goes any more.
type watched struct {
	context.Context
	sent atomic.Int64 // bytes in the bodies of requests
	last atomic.Int64 // when something was sent or received, in nanoseconds since 1970
}

// watch begins to watch requests, until done is called. limit is for how long nothing may come or go.
func watch(ctx context.Context, limit time.Duration) (w *watched, done func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	w = &watched{Context: ctx}
	w.moved()
	go func() {
		ticker := time.NewTicker(limit / 100)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				if time.Since(time.Unix(0, w.last.Load())) > limit {
					cancel(fmt.Errorf("nothing was sent or received for %s", limit))
				}
			}
		}
	}()
	return w, func() { cancel(nil) }
}

func (w *watched) moved() { w.last.Store(time.Now().UnixNano()) }

// cause is why requests ended that were cut off, and err where they were not.
func (w *watched) cause(err error) error {
	if err != nil && w.Err() != nil {
		return context.Cause(w)
	}
	return err
}

// RoundTrip sends a request.
func (w *watched) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		request = request.Clone(request.Context())
		request.Body = counted{request.Body, func(n int) { w.sent.Add(int64(n)); w.moved() }}
	}
	answer, err := remote.DefaultTransport.RoundTrip(request)
	w.moved()
	if err == nil {
		answer.Body = counted{answer.Body, func(int) { w.moved() }}
	}
	return answer, err
}

// counted is a body of which each part is counted.
type counted struct {
	io.ReadCloser
	count func(bytes int)
}

func (c counted) Read(into []byte) (int, error) {
	n, err := c.ReadCloser.Read(into)
	c.count(n)
	return n, err
}
