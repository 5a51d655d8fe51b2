package components

import (
	"context"
	"errors"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/internals"

	"slipway/components/internal/retention"
	"slipway/stage"
)

// imageRetention keeps the images that a stage may go back to from expiring: see package retention.
type imageRetention struct {
	ctx       *pulumi.Context
	protector *retention.Protector // nil in a preview
}

// newRetention protects the images of what there is before the update changes anything: revisions that the stage's
// services and tasks may go back to, images that it pins, and, in the repositories that it owns, what revisions of the
// project's other stages use. They may have been deployed by a version of this program that put no tags. A preview
// protects nothing.
func newRetention(ctx *pulumi.Context, settings *stage.Stage, account *stageAccount) (*imageRetention, error) {
	if ctx.DryRun() || len(settings.Images) == 0 {
		return &imageRetention{ctx: ctx}, nil
	}
	protector, err := retention.New(ctx.Context(), account, settings)
	if err != nil {
		return nil, err
	}
	return &imageRetention{ctx, protector}, protector.ProtectExisting(ctx.Context())
}

// Protect returns the ARN of the revision that a service or a task is to run, the pinned one or else the newest, once
// the newest one's images are protected. refs name these, the main container's first.
func (r *imageRetention) Protect(name string, definition *familyRevision, refs pulumi.StringArray,
	pinned string) pulumi.StringOutput {
	switch {
	case r.protector != nil:
	case pinned != "":
		return pulumi.String(pinned).ToStringOutput()
	default:
		return definition.Arn
	}
	return pulumi.All(definition.Arn, definition.Revision, refs).ApplyT(func(known []any) (string, error) {
		arn, revision, images := known[0].(string), known[1].(int), known[2].([]string)
		if err := r.protector.ProtectNew(r.ctx.Context(), name, revision, images); err != nil {
			return "", errors.Join(errReported, r.ctx.Log.Error(err.Error(), &pulumi.LogArgs{Resource: definition}))
		}
		if pinned != "" {
			return pinned, nil
		}
		return arn, nil
	}).(pulumi.StringOutput)
}

// Tidy removes the tags that nothing is kept for any more, once all that the stack's outputs say is known, and so every
// service is steady: before, a failed deployment could still go back to what they protect. A preview waits for nothing.
func (r *imageRetention) Tidy(outputs ...pulumi.Map) error {
	if r.protector == nil {
		return nil
	}
	if !allKnown(r.ctx.Context(), outputs) {
		return nil
	}
	if err := r.protector.Tidy(r.ctx.Context()); err != nil { // everything runs, and a tag too many does no harm
		return r.ctx.Log.Warn(err.Error(), nil)
	}
	return nil
}

// allKnown waits for outputs. What failed they report themselves; what an update left out (`--target`) is never known.
func allKnown(ctx context.Context, outputs []pulumi.Map) bool {
	for _, each := range outputs {
		if awaited, err := internals.UnsafeAwaitOutput(ctx, each.ToMapOutput()); err != nil || !awaited.Known {
			return false
		}
	}
	return true
}
