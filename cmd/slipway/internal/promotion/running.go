package promotion

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/internal/imageref"
	"slipway/internal/pulumiconfig"
	"slipway/stage"
)

// runningImages reads the images to promote of a stack whose last update succeeded, each of which can be run by another
// stage. The services that use them are steady.
func runningImages(ctx context.Context, of *snapshot.Stage, ecs Services,
	options Options) (map[string]pulumicli.Image, error) {
	stack, last, outputs := of.Stack, of.Last, of.Outputs
	up := fmt.Sprintf("`pulumi up --stack %s`", stack)
	switch {
	case of.Lock != nil:
		return nil, exit.Refuse("%s", of.Lock.Describe(stack))
	case last == nil:
		return nil, exit.Refuse("%s has never been updated: run %s first", stack, up)
	case last.Result == "in-progress":
		return nil, exit.Refuse("the last %s of %s has not ended: wait for it, and promote again", last.Kind, stack)
	case last.Result != "succeeded":
		return nil, exit.Refuse("the last %s of %s %s: run %s until it succeeds, and promote again", last.Kind, stack,
			last.Result, up)
	case last.Kind == "destroy":
		return nil, exit.Refuse("%s was destroyed: run %s first", stack, up)
	case len(outputs.Images) == 0:
		return nil, exit.Refuse("%s has no images in its outputs: give it one, and run %s", stack, up)
	}
	settings, err := of.Declared()
	if err != nil {
		return nil, err
	}
	images, err := chooseImages(stack, outputs, settings, options)
	if err != nil {
		return nil, err
	}
	// A service that the stage file has no more runs one of the images until the next update; which, nobody says.
	users := slices.DeleteFunc(slices.Sorted(maps.Keys(outputs.Services)), func(name string) bool {
		service, known := settings.Services[name]
		return known && !slices.ContainsFunc(declaredImages(settings, service.TaskDefinition), func(image string) bool {
			_, promoted := images[image]
			return promoted
		})
	})

	var refused []error
	for _, name := range users {
		if pinned := of.Pinned(name); pinned != "" {
			refused = append(refused, exit.Refuse("%s: remove its revision, run %s, and promote again", pinned, up))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(images)) {
		image, key := images[name], pulumiconfig.Path("images", name)
		ref, err := imageref.Parse(image.Ref)
		switch {
		case image.Digest == "":
			refused = append(refused, exit.Refuse("%s of %s has no digest: run %s, and promote again", key, stack, up))
		case err != nil || ref.Digest != image.Digest:
			refused = append(refused, exit.Refuse("%s of %s: ref %q is not repository:tag@%s: run %s, and promote again",
				key, stack, image.Ref, image.Digest, up))
		case imageref.IsDirty(image.Tag) && !options.AllowDirty:
			refused = append(refused, exit.Refuse("%s of %s (%s) was built from uncommitted changes: commit them, run %s, "+
				"and promote again, or add --allow-dirty", key, stack, image.Tag, up))
		}
	}
	if len(refused) > 0 || len(users) == 0 {
		return images, errors.Join(refused...)
	}
	services, err := ecs(ctx, outputs.Cluster, users)
	if err != nil {
		return nil, err
	}
	for _, name := range users {
		if err := notSteady(stack, name, services[name], outputs.Services[name].TaskDefinition); err != nil {
			refused = append(refused, err)
		}
	}
	return images, errors.Join(refused...)
}

// declaredImages are those of the stage that the containers of a task run; what another registry has is not promoted.
func declaredImages(settings *stage.Stage, definition stage.TaskDefinition) []string {
	return slices.DeleteFunc(definition.AllImages(), func(image string) bool {
		_, declared := settings.Images[image]
		return !declared
	})
}

// chooseImages are the images of a stage that the named services and tasks use; all of them where none is named.
func chooseImages(stack string, outputs *pulumicli.Outputs, settings *stage.Stage,
	options Options) (map[string]pulumicli.Image, error) {
	if len(options.Services)+len(options.Tasks) == 0 {
		return outputs.Images, nil
	}
	chosen := map[string]pulumicli.Image{}
	choose := func(kind string, names, declared []string, deployed func(name string) bool) error {
		for _, name := range names {
			if !slices.Contains(declared, name) {
				return fmt.Errorf("%s has no %s %q: name one of %s", stack, kind, name, console.OrNone(declared))
			}
			for _, image := range declaredImages(settings, settings.TaskDefinition(name)) {
				built, there := outputs.Images[image]
				if !there || !deployed(name) {
					return exit.Refuse("%ss.%s of %s, with its image %s, is not deployed yet: run `pulumi up --stack %s` first", kind,
						name, stack, image, stack)
				}
				chosen[image] = built
			}
		}
		return nil
	}
	err := choose("service", options.Services, slices.Sorted(maps.Keys(settings.Services)),
		func(name string) bool { _, is := outputs.Services[name]; return is })
	if err == nil {
		err = choose("task", options.Tasks, slices.Sorted(maps.Keys(settings.Tasks)),
			func(name string) bool { _, is := outputs.Tasks[name]; return is })
	}
	return chosen, err
}
