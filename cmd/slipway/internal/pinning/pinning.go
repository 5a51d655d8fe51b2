// Package pinning looks up the digests of images by their tags, and writes them into stage files.
package pinning

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/imageref"
	"slipway/internal/pulumiconfig"
	"slipway/internal/registries"
	"slipway/stage"
)

// Pin writes the digests of images of a stage that have none; of those named, the ones that their tags have now.
func Pin(ctx context.Context, of *snapshot.Stage, named []string) (*Result, error) {
	found, err := find(of.Project, of.Stack)
	if err != nil {
		return nil, err
	}
	chosen, err := choose(found, named)
	if err != nil {
		return nil, err
	}
	done := &Result{Stage: of.Stack}
	if len(chosen) == 0 {
		return done, nil
	}
	asked, err := open(ctx, of)
	if err != nil {
		return nil, err
	}
	if done.Images, err = lookUp(ctx, asked, chosen); err != nil {
		return nil, err
	}
	return done, write(chosen, done.Images)
}

// choose is what of the references is to be looked up.
func choose(found []*reference, named []string) (chosen []*reference, err error) {
	if len(named) == 0 {
		for _, each := range found {
			if !strings.Contains(each.text, "@") {
				chosen = append(chosen, each)
			}
		}
		return chosen, nil
	}
	var known []string
	for _, each := range found {
		known = append(known, each.called())
		if slices.Contains(named, each.called()) {
			chosen = append(chosen, each)
		}
	}
	for _, name := range named {
		if !slices.Contains(known, name) {
			slices.Sort(known)
			return nil, fmt.Errorf("no image is called %q: name one of %s", name, console.OrNone(slices.Compact(known)))
		}
	}
	return chosen, nil
}

// called is what people call the reference: the name of the image, or what stands before the tag.
func (r *reference) called() string {
	if r.name != "" {
		return r.name
	}
	text, _, _ := strings.Cut(r.text, "@")
	if ref, err := imageref.Parse(text); err == nil && ref.Tag != "" {
		text = strings.TrimSuffix(text, ":"+ref.Tag)
	}
	return text
}

// open prepares asking registries as the stage would.
func open(ctx context.Context, of *snapshot.Stage) (*registries.Registries, error) {
	cloud, err := of.Connect(ctx)
	if err != nil {
		return nil, err
	}
	credentials, namespace := map[string]string{}, pulumiconfig.NamespaceOf(of.Project.Name, of.Config)
	var declared map[string]stage.Registry
	var defaults struct{ Registries map[string]stage.Registry }
	for key, into := range map[string]any{"registries": &declared, "defaults": &defaults} {
		_ = json.Unmarshal([]byte(of.Config[namespace+":"+key]), into) // what is malformed, an update refuses
	}
	for _, registered := range []map[string]stage.Registry{defaults.Registries, declared} {
		for host, registry := range registered {
			credentials[host] = registry.Credentials
		}
	}
	return cloud.Registries(credentials), nil
}

// lookUp asks for each image, and says of all that cannot be read why.
func lookUp(ctx context.Context, asked *registries.Registries, chosen []*reference) ([]Image, error) {
	images, mistakes := make([]Image, len(chosen)), make([]error, len(chosen))
	var asking errgroup.Group
	asking.SetLimit(awsreader.Lookups)
	for i, each := range chosen {
		asking.Go(func() error {
			text, err := pinned(ctx, asked, each.text)
			if err == nil && each.mirrored && strings.Contains(each.text, "@") && text != each.text {
				err = exit.Refuse("the tag has another image now, and no tag moves in the stage's repository, into which the image " +
					"is copied (mirror): write another tag, one with a full version, say")
			}
			if err != nil {
				mistakes[i] = fmt.Errorf("%s: %w", each.where(), err)
			}
			images[i] = Image{Key: each.key, File: each.file.name, Old: each.text, New: text, Changed: text != each.text}
			return nil
		})
	}
	_ = asking.Wait()
	return images, errors.Join(mistakes...)
}

// pinned is a reference with the digest that its tag has now.
func pinned(ctx context.Context, asked *registries.Registries, text string) (string, error) {
	ref, err := imageref.Parse(text)
	switch {
	case err != nil:
		return "", exit.Refuse("is not a reference to an image (%s); write <registry>/<repository>:<tag>", err)
	case ref.Tag == "":
		return "", exit.Refuse("is %s, which has no tag to look up; write <registry>/<repository>:<tag>", text)
	}
	ref.Digest = ""
	found, err := asked.Look(ctx, ref)
	if refused := (*registries.Refusal)(nil); errors.As(err, &refused) {
		return "", exit.Refuse("%s", refused)
	} else if err != nil {
		return "", fmt.Errorf("%s could not be looked up: %w", ref, err)
	}
	before, _, _ := strings.Cut(text, "@")
	return before + "@" + found.Digest, nil
}

// write puts what has changed into the files.
func write(chosen []*reference, images []Image) error {
	edits := map[*file][]stagefile.Value{}
	for i, each := range chosen {
		if images[i].Changed {
			edits[each.file] = append(edits[each.file], stagefile.Value{Path: each.path, Value: images[i].New})
		}
	}
	edited := map[*file][]byte{}
	for f, values := range edits {
		var err error
		if edited[f], err = stagefile.SetValues(f.content, values); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	for f := range maps.Keys(edited) {
		now, err := os.ReadFile(f.name)
		if err != nil {
			return err
		}
		if !stagefile.SameButSalt(now, f.content) {
			return exit.Refuse("%s was changed meanwhile: pin again", f.name)
		}
		edited[f] = stagefile.KeepSalt(edited[f], now)
	}
	for f, content := range edited {
		if err := stagefile.ReplaceFile(f.name, content); err != nil {
			return err
		}
	}
	return nil
}
