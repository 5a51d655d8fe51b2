// Package promotion writes the images that one stage runs into another stage's file.
package promotion

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"go.yaml.in/yaml/v3"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/ecsread"
	"slipway/internal/git"
	"slipway/internal/imageref"
	"slipway/stage"
)

// Options are what of a stage is promoted, and how.
type Options struct {
	// Services and tasks whose images are promoted; all images where both are empty.
	Services, Tasks    []string
	AllowDirty, Commit bool
}

// Services reads services of a cluster in ECS, by name. Those that it does not have are left out.
type Services func(ctx context.Context, cluster string, names []string) (map[string]types.Service, error)

// InECS asks the stage's own account.
func InECS(of *snapshot.Stage) Services {
	return func(ctx context.Context, cluster string, names []string) (map[string]types.Service, error) {
		cloud, err := of.Connect(ctx)
		if err != nil {
			return nil, err
		}
		return ecsread.Services(ctx, cloud.ECS, cluster, names)
	}
}

// Target is the stage file that images are written into, as it was before anything else was asked.
type Target struct {
	project  *stagefile.Project
	path     string
	shown    string // relative to the current directory, where that is possible
	from, to string // stacks
	text     stagefile.Text
	options  Options
}

// Open reads the stage file of stack to, and refuses one that cannot be changed.
func Open(ctx context.Context, project *stagefile.Project, from, to string, options Options) (*Target, error) {
	t := &Target{project: project, path: project.StageFile(to), from: from, to: to, options: options}
	t.shown = t.path
	if working, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(working, t.path); err == nil {
			t.shown = relative
		}
	}
	content, err := os.ReadFile(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s does not exist: copy Pulumi.%s.yaml to it, leave out its images and its encryption keys, "+
			"set what differs, and run `pulumi stack init %s`", t.shown, stagefile.StageName(from), to)
	}
	if err != nil {
		return nil, err
	}
	t.text = stagefile.Text{Written: content, Committed: content}
	if options.Commit {
		if t.text, err = committable(ctx, project.Directory, t.path, t.shown); err != nil {
			return nil, fmt.Errorf("%w; or promote without --commit", err)
		}
	}
	return t, nil
}

// Parts are what a promotion needs of the stage that it promotes from.
var Parts = snapshot.Parts{Updates: 1, Outputs: true}

// Promote writes the images of a stage into the file.
func (t *Target) Promote(ctx context.Context, of *snapshot.Stage, services Services, connect Connect) (*Result,
	error) {
	images, err := runningImages(ctx, of, services, t.options)
	if err != nil {
		return nil, err
	}
	done := &Result{From: t.from, To: t.to, File: t.shown, Note: of.History.Backend.Unread()}
	key := t.project.Namespace(t.text.Written) + ":images"
	done.Images, err = compare(t.text.Written, key, images)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.shown, err)
	}
	if err := t.readable(ctx, done.Images, connect); err != nil {
		return nil, err
	}
	settings := values(key, done.Images)
	if len(settings) == 0 {
		return done, nil
	}
	edited, err := t.text.Edit(func(text []byte) ([]byte, error) { return stagefile.SetValues(text, settings) })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.shown, err)
	}
	before, err := os.ReadFile(t.path)
	if err != nil {
		return nil, err
	}
	if !stagefile.SameButSalt(before, t.text.Written) {
		return nil, exit.Refuse("%s was changed meanwhile: promote again", t.shown)
	}
	done.Changed = true
	if !t.options.Commit {
		return done, stagefile.ReplaceFile(t.path, stagefile.KeepSalt(edited.Written, before))
	}
	if done.Commit, err = edited.Commit(ctx, t.project.Directory, t.path, before, done.message()); err != nil {
		return nil, fmt.Errorf("%s stays as it was, as it could not be committed: %w", t.shown, err)
	}
	return done, nil
}

// committable reads a stage file that is to be changed and committed, which its errors call shown.
func committable(ctx context.Context, dir, file, shown string) (text stagefile.Text, err error) {
	cannot := func(err error) error { return fmt.Errorf("%s cannot be committed: %w", shown, err) }
	target, err := stagefile.FileIn(dir, file) // git would commit the file behind a link, in the repository that holds it
	if err != nil {
		return text, err
	}
	if err := stagefile.CheckBranch(ctx, filepath.Dir(target)); errors.Is(err, git.ErrNoRepository) {
		return text, cannot(exit.Refuse("no git repository holds it: put the project into one (`git init`)"))
	} else if err != nil {
		return text, cannot(err)
	}
	text, dirty, err := stagefile.ReadText(ctx, dir, file)
	if err != nil {
		return text, cannot(err)
	}
	if dirty {
		return text, exit.Refuse("%s has uncommitted changes, which --commit would take along: commit them or take them "+
			"back (`git checkout`)", shown)
	}
	return text, nil
}

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
		image, key := images[name], stage.Path("images", name)
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

// compare says how the images differ from those that the stage file pins under config.<key>.
func compare(source []byte, key string, images map[string]pulumicli.Image) ([]Change, error) {
	var file struct {
		Config map[string]yaml.Node `yaml:"config"`
	}
	if err := yaml.Unmarshal(source, &file); err != nil {
		return nil, err
	}
	var declared map[string]map[string]any
	if node, ok := file.Config[key]; ok {
		if err := node.Decode(&declared); err != nil {
			return nil, fmt.Errorf("config.%s: must be a map of images: %w", key, err)
		}
	}
	var changes []Change
	var refused []error
	for _, name := range slices.Sorted(maps.Keys(images)) {
		at := stage.Below("config."+key, name)
		if _, builds := declared[name]["build"]; builds {
			refused = append(refused, exit.Refuse("%s: is built in this stage: remove its build to pin what another stage built",
				at))
			continue
		}
		found := Change{Name: name, New: images[name]}
		switch ref := declared[name]["ref"].(type) {
		case nil:
		case string:
			found.Old = pulumicli.PinnedImage(ref)
		default:
			refused = append(refused, exit.Refuse("%s.ref: must be text: repository:tag@sha256:…", at))
		}
		if platform := platformOf(declared[name]); images[name].Platform != "" && images[name].Platform != platform {
			refused = append(refused, exit.Refuse("%s.platform: is %s, and the image was built for %s: "+
				"write platform: %[3]s there, so that its tasks get that architecture", at, platform, images[name].Platform))
		}
		found.mirrored = declared[name]["mirror"] == true
		found.unmirrored = declared[name]["mirror"] == false
		found.Changed = found.Old == nil || found.Old.Ref != found.New.Ref
		changes = append(changes, found)
	}
	return changes, errors.Join(refused...)
}

// platformOf is the platform that a stage file names for an image, or the one that it means by naming none.
func platformOf(declared map[string]any) string {
	if platform, ok := declared["platform"].(string); ok {
		return platform
	}
	return "linux/amd64"
}
