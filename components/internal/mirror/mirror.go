// Package mirror copies an image from any registry into the stage's own ECR repository, by its digest and under its
// tag, without Docker.
package mirror

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"slipway/internal/imageref"
	"slipway/internal/registries"
)

// Copy is an image of another registry that a stage runs from its own repository.
type Copy struct {
	// Registries that the image comes from and goes to.
	Registries *registries.Registries
	// Source is the image where it comes from, with its digest.
	Source imageref.Ref
	// Own is the image in the stage's own repository, with the same tag and digest.
	Own imageref.Ref

	plan *plan // what is to be copied; nil where nothing is
}

// Prepare finds out what is to be copied: nothing where the stage's repository has the image already, for the platform
// of its tasks. Its error says what keeps the image from being copied or from running; a registries.Warning keeps it
// from neither.
func (c *Copy) Prepare(ctx context.Context, platform string) error {
	copied, errCheck := c.Registries.CheckCopy(ctx, c.Own, c.Source, platform)
	warning := (*registries.Warning)(nil)
	switch {
	case copied, errCheck != nil && !errors.As(errCheck, &warning):
		return errCheck
	case errCheck != nil && warning.Cause != nil:
		return fmt.Errorf("is to be copied, and cannot be yet; try again: %s", errCheck)
	}
	watched, done := watch(ctx, stalledLimit)
	defer done()
	var err error
	if c.plan, err = c.read(watched); err != nil {
		return c.explain(watched, err)
	}
	return errCheck
}

// Missing tells whether something is to be copied.
func (c *Copy) Missing() bool { return c.plan != nil }

// Announce says what an update will copy.
func (c *Copy) Announce() string { return "copies " + c.summary() }

func (c *Copy) summary() string {
	return fmt.Sprintf("%s into %s: %s", c.Source, c.Own.Repository, c.plan)
}

// sayEvery is how often people are told how far a copy is.
const sayEvery = 5 * time.Second

// Run copies what is missing, and says so. What was sent stays where it ends early, and the next run sends the rest.
func (c *Copy) Run(ctx context.Context, say func(text string)) error {
	if c.plan == nil {
		return nil
	}
	// The engine interrupts the program when the update is cancelled, and kills it five seconds later.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	watched, done := watch(ctx, stalledLimit)
	defer done()
	say("is copied: " + c.summary())
	var telling sync.WaitGroup
	over := make(chan struct{})
	telling.Go(func() {
		ticker := time.NewTicker(sayEvery)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				say(fmt.Sprintf("has sent %s of %s", megabytes(min(watched.sent.Load(), c.plan.missing)),
					megabytes(c.plan.missing)))
			case <-over:
				return
			}
		}
	})
	err := c.explain(watched, c.copy(watched))
	close(over)
	telling.Wait()
	if err != nil {
		return fmt.Errorf("%w\n  The layers that were sent stay, and the next `pulumi up` sends the others", err)
	}
	say("has been copied into " + c.Own.Repository + ", with the same digest")
	return nil
}

// copy pushes the image as it is: an index with the images of all its platforms.
func (c *Copy) copy(w *watched) error {
	own, err := c.Registries.Login(w, c.Own)
	if err != nil {
		return err
	}
	image, err := c.source(w) // again: a login lasts as long as its registry says, and the update may have waited
	if err != nil {
		return err
	}
	return remote.Push(own.Repo(c.Own.Repository).Tag(c.Own.Tag), image, options(w, own)...)
}

// source reads the manifest of the image where it comes from, by its digest.
func (c *Copy) source(w *watched) (*remote.Descriptor, error) {
	from, err := c.Registries.Login(w, c.Source)
	if err != nil {
		return nil, err
	}
	return remote.Get(from.Repo(c.Source.Repository).Digest(c.Source.Digest), options(w, from)...)
}

func options(w *watched, login *registries.Login) []remote.Option {
	return []remote.Option{remote.WithContext(w), remote.WithAuth(login.Authenticator), remote.WithTransport(w),
		remote.WithRetryBackoff(remote.Backoff{Duration: time.Second, Factor: 2, Jitter: 0.1, Steps: 5})}
}

// explain says why requests failed, and what to do.
func (c *Copy) explain(w *watched, err error) error {
	answer := new(transport.Error)
	switch {
	case err == nil:
		return nil
	case errors.Is(w.cause(err), context.Canceled):
		return errors.New("was interrupted")
	case errors.As(err, &answer) && answer.Request != nil && answer.Request.Method != http.MethodGet:
		// What is only read is the source.
		return fmt.Errorf("%s does not take %s: %w", c.Own.Repository, c.Source, err)
	}
	if err = c.Registries.Explain(c.Source, w.cause(err)); errors.As(err, new(*registries.Refusal)) {
		return err
	}
	return fmt.Errorf("%s could not be copied: %w. Try again", c.Source, err)
}
