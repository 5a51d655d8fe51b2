package components

import (
	"errors"
	"fmt"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/components/internal/mirror"
)

// newMirroredImage declares the copy of a pinned image into the stage's own repository, and describes the image there:
// containers name it by its tag, as one that was built here.
//
// In the state the copy is a Stash, which the engine itself keeps, as a task's run before a deployment is. What
// replaces it is another image, and a hook copies before the new Stash counts as created. So where that fails, no task
// definition follows, and the next update copies again. Where somebody has removed the image from the repository, the
// Stash is unchanged and its hook does not run: then the image is copied on the way from the Stash to who needs it.
func newMirroredImage(ctx *pulumi.Context, key, name string, repository *imageRepository, copied *mirror.Copy,
	platform string) (*stageImage, error) {
	component := &stageImage{Platform: platform}
	if err := ctx.RegisterComponentResource(imageType, name, component); err != nil {
		return nil, err
	}
	say := func(text string) { // a message that cannot be shown stops no copy
		_ = ctx.Log.Info(text, &pulumi.LogArgs{Resource: component})
	}
	once := sync.OnceValue(func() error {
		switch {
		case !copied.Missing():
			return nil
		case ctx.DryRun():
			say(copied.Announce())
			return nil
		}
		if err := copied.Run(ctx.Context(), say); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		return nil
	})
	hook, err := ctx.RegisterResourceHook("images."+name, func(*pulumi.ResourceHookArgs) error { return once() },
		&pulumi.ResourceHookOptions{OnDryRun: true})
	if err != nil {
		return nil, err
	}
	stash, err := pulumi.NewStash(ctx, name, &pulumi.StashArgs{Input: pulumi.Map{
		"from": pulumi.String(copied.Source.String()), "to": repository.URL,
	}}, pulumi.Parent(component), pulumi.ReplacementTrigger(pulumi.String(copied.Own.String())),
		pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: []*pulumi.ResourceHook{hook}}))
	if err != nil {
		return nil, err
	}
	// The URN of a resource is known in a preview, and only once its hooks have run in an update.
	component.Reference = pulumi.All(repository.URL, stash.URN()).ApplyT(func(known []any) (string, error) {
		if err := once(); err != nil {
			return "", errors.Join(errReported, ctx.Log.Error(err.Error(), &pulumi.LogArgs{Resource: component}))
		}
		return known[0].(string) + ":" + copied.Own.Tag, nil
	}).(pulumi.StringOutput)
	own := earlierImage(repository.URL, copied.Own, platform)
	component.Tag, component.Digest, component.Commit = own.Tag, own.Digest, own.Commit
	component.Ref = pulumi.Sprintf("%s@%s", component.Reference, copied.Own.Digest)
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{
		"ref": component.Ref, "tag": component.Tag, "digest": component.Digest, "commit": component.Commit,
	})
}
