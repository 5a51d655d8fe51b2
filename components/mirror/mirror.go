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
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"slipway/internal/awsclient"
	"slipway/internal/imageref"
	"slipway/internal/registries"
)

// Copy is an image of another registry that a stage runs from its own repository.
type Copy struct {
	// Account of the stage.
	Account *awsclient.Account
	// Registries that the image comes from and goes to.
	Registries *registries.Registries
	// Source is the image where it comes from, with its digest.
	Source imageref.Ref
	// Own is the image in the stage's own repository, with the same tag and digest.
	Own imageref.Ref

	plan *plan // what is to be copied; nil where nothing is
}

// Plan reads from the source what is to be copied. Its error says what keeps the image from being copied.
func (c *Copy) Plan(ctx context.Context) (err error) {
	watched, done := watch(ctx, stalledLimit)
	defer done()
	c.plan, err = c.read(watched)
	return c.explain(watched, err)
}

// Missing tells whether something is to be copied.
func (c *Copy) Missing() bool { return c.plan != nil }

// Announce says what an update will copy.
func (c *Copy) Announce() string { return "copies " + c.summary() }

func (c *Copy) summary() string {
	return fmt.Sprintf("%s into %s: %s", c.Source, c.Own.Repository, c.plan)
}

// Held tells whether the stage's repository has the image under its tag. Its error may say that it has another one.
func (c *Copy) Held(ctx context.Context) (bool, error) {
	clients, err := c.Account.Clients(ctx)
	if err != nil {
		return false, err
	}
	describe := func(id types.ImageIdentifier) (*types.ImageDetail, error) {
		answer, err := clients.ECR.DescribeImages(ctx, &ecr.DescribeImagesInput{RepositoryName: &c.Own.Repository,
			ImageIds: []types.ImageIdentifier{id}})
		switch {
		case errors.As(err, new(*types.RepositoryNotFoundException)), errors.As(err, new(*types.ImageNotFoundException)):
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("looking for it in %s: %w", c.Own.Repository, err)
		case len(answer.ImageDetails) == 0:
			return nil, nil
		}
		return &answer.ImageDetails[0], nil
	}
	found, err := describe(types.ImageIdentifier{ImageDigest: &c.Own.Digest})
	if err != nil || found != nil && slices.Contains(found.ImageTags, c.Own.Tag) {
		return err == nil, err
	}
	other, err := describe(types.ImageIdentifier{ImageTag: &c.Own.Tag})
	if err != nil || other == nil {
		return false, err
	}
	return false, fmt.Errorf("the tag %s names %s in the stage's repository %s, where no tag moves, and %s in %s: pin "+
		"the image under another tag that it has there", c.Own.Tag, *other.ImageDigest, c.Own.Repository, c.Own.Digest,
		c.Source.Host)
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
