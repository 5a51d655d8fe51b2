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
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/distribution/reference"
	"go.yaml.in/yaml/v3"
	"golang.org/x/sync/errgroup"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/ecsread"
	"slipway/internal/git"
	"slipway/stage"
)

type Options struct {
	// Services and tasks whose images are promoted; all images where both are empty.
	Services, Tasks    []string
	AllowDirty, Commit bool
}

// source is what promote asks about the stage that it promotes from.
type source interface {
	pulumicli.Stacks
	// Settings returns the stage's configuration as its file says it now, and which images each of its services and tasks
	// uses.
	Settings(ctx context.Context, stack string) (config map[string]string, uses stageUses, err error)
	// Services returns what ECS has of services by name; those that it does not have are left out.
	Services(ctx context.Context, stack string, config map[string]string, cluster string,
		names []string) (map[string]types.Service, error)
}

// stageUses are the images of the stage that the containers of each service and each task run, by name.
type stageUses struct{ services, tasks map[string][]string }

// Origin asks pulumi and AWS.
type Origin struct {
	pulumicli.CLI
	Project *stagefile.Project
}

func (o Origin) Settings(ctx context.Context, stack string) (config map[string]string, uses stageUses, err error) {
	config, secretKeys, err := pulumicli.ReadConfig(ctx, o.CLI, o.Project, stack)
	if err != nil {
		return nil, uses, err
	}
	settings, err := stagefile.Load(o.Project, stack, config, secretKeys)
	if err != nil {
		return nil, uses, err
	}
	uses = stageUses{map[string][]string{}, map[string][]string{}}
	for name, service := range settings.Services {
		uses.services[name] = declaredImages(settings, service.TaskDefinition)
	}
	for name, task := range settings.Tasks {
		uses.tasks[name] = declaredImages(settings, task.TaskDefinition)
	}
	return config, uses, nil
}

// declaredImages are those of the stage that the containers of a task run; what another registry has is not promoted.
func declaredImages(settings *stage.Stage, definition stage.TaskDefinition) []string {
	return slices.DeleteFunc(definition.AllImages(), func(image string) bool {
		_, declared := settings.Images[image]
		return !declared
	})
}

// LastUpdate refuses where an update goes on, which the history of some backends does not have before its end.
func (o Origin) LastUpdate(ctx context.Context, stack string) (*pulumicli.Update, error) {
	if _, err := stagefile.Read(o.Project.StageFile(stack)); err != nil { // whose mistakes pulumi tells without its name
		return nil, err
	}
	var last *pulumicli.Update
	asking, asked := errgroup.WithContext(ctx)
	asking.Go(func() error { return pulumicli.CheckLock(asked, o.Project, stack) })
	asking.Go(func() (err error) {
		last, err = o.CLI.LastUpdate(asked, stack)
		return err
	})
	return last, asking.Wait()
}

func (Origin) Services(ctx context.Context, stack string, config map[string]string, cluster string,
	names []string) (map[string]types.Service, error) {
	cloud, err := awsreader.Connect(ctx, stack, config)
	if err != nil {
		return nil, err
	}
	return ecsread.Services(ctx, cloud.ECS, cluster, names)
}

// Promote writes the images of stack from into the stage file of stack to.
func Promote(ctx context.Context, origin source, project *stagefile.Project, from, to string,
	options Options) (*Result,
	error) {
	file := project.StageFile(to)
	done := &Result{From: from, To: to, File: file}
	if working, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(working, file); err == nil {
			done.File = relative
		}
	}
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s does not exist: copy Pulumi.%s.yaml to it, leave out its %s:images and its encryption "+
			"keys, "+
			"set what differs, and run `pulumi stack init %s`", done.File, stagefile.StageName(from), project.Name, to)
	}
	if err != nil {
		return nil, err
	}
	source := stagefile.Text{Written: content, Committed: content}
	if options.Commit {
		if source, err = committable(ctx, project.Directory, file, done.File); err != nil {
			return nil, fmt.Errorf("%w; or promote without --commit", err)
		}
	}
	images, err := runningImages(ctx, origin, from, options)
	if err != nil {
		return nil, err
	}

	key := project.Name + ":images"
	done.Images, err = compare(source.Written, key, images)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", done.File, err)
	}
	refs := map[string]string{}
	for _, each := range done.Images {
		if each.Changed {
			refs[each.Name] = each.New.Ref
		}
	}
	if len(refs) == 0 {
		return done, nil
	}
	edited, err := source.Edit(func(text []byte) ([]byte, error) { return stagefile.SetRefs(text, key, refs) })
	if err != nil {
		return nil, fmt.Errorf("%s: %w", done.File, err)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if !stagefile.SameButSalt(before, source.Written) {
		return nil, exit.Refuse("%s was changed meanwhile: promote again", done.File)
	}
	if !options.Commit {
		done.Changed = true
		return done, stagefile.ReplaceFile(file, stagefile.KeepSalt(edited.Written, before))
	}
	if done.Commit, err = edited.Commit(ctx, project.Directory, file, before, done.message()); err != nil {
		return nil, fmt.Errorf("%s stays as it was, as it could not be committed: %w", done.File, err)
	}
	done.Changed = true
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

var dirtyTag = regexp.MustCompile(`-dirty(-|$)`)

// runningImages reads the images to promote of a stack whose last update succeeded, each of which can be run by another
// stage. The services that use them are steady.
func runningImages(ctx context.Context, origin source, stack string,
	options Options) (map[string]pulumicli.Image, error) {
	up := fmt.Sprintf("`pulumi up --stack %s`", stack)
	last, err := origin.LastUpdate(ctx, stack)
	switch {
	case err != nil:
		return nil, err
	case last == nil:
		return nil, exit.Refuse("%s has never been updated: run %s first", stack, up)
	case last.Result == "in-progress":
		return nil, exit.Refuse("the last %s of %s has not ended: wait for it, and promote again", last.Kind, stack)
	case last.Result != "succeeded":
		return nil, exit.Refuse("the last %s of %s %s: run %s until it succeeds, and promote again", last.Kind, stack,
			last.Result,
			up)
	case last.Kind == "destroy":
		return nil, exit.Refuse("%s was destroyed: run %s first", stack, up)
	}
	outputs, err := pulumicli.ReadOutputs(ctx, origin, stack)
	if err != nil {
		return nil, err
	}
	if len(outputs.Images) == 0 {
		return nil, exit.Refuse("%s has no images in its outputs: give it one, and run %s", stack, up)
	}
	config, uses, err := origin.Settings(ctx, stack)
	if err != nil {
		return nil, err
	}
	images, err := chooseImages(stack, outputs, uses, options)
	if err != nil {
		return nil, err
	}
	// A service that the stage file has no more runs one of the images until the next update; which, nobody says.
	users := slices.DeleteFunc(slices.Sorted(maps.Keys(outputs.Services)), func(name string) bool {
		used, known := uses.services[name]
		return known && !slices.ContainsFunc(used, func(image string) bool {
			_, promoted := images[image]
			return promoted
		})
	})

	var refused []error
	for _, name := range users {
		if outputs.Services[name].Pinned {
			refused = append(refused,
				exit.Refuse("services.%s of %s is pinned to an earlier revision, and may run an earlier image: "+
					"remove its revision, run %s, and promote again", name, stack, up))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(images)) {
		image, key := images[name], stage.Path("images", name)
		ref, err := reference.Parse(image.Ref)
		digested, ok := ref.(reference.Digested)
		switch {
		case image.Digest == "":
			refused = append(refused, exit.Refuse("%s of %s has no digest: run %s, and promote again", key, stack, up))
		case err != nil || !ok || digested.Digest().String() != image.Digest:
			refused = append(refused, exit.Refuse("%s of %s: ref %q is not repository:tag@%s: run %s, and promote again",
				key, stack, image.Ref, image.Digest, up))
		case dirtyTag.MatchString(image.Tag) && !options.AllowDirty:
			refused = append(refused, exit.Refuse("%s of %s (%s) was built from uncommitted changes: commit them, run %s, "+
				"and promote again, or add --allow-dirty", key, stack, image.Tag, up))
		}
	}
	if len(refused) > 0 || len(users) == 0 {
		return images, errors.Join(refused...)
	}
	services, err := origin.Services(ctx, stack, config, outputs.Cluster, users)
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

// chooseImages are the images of a stage that the named services and tasks use; all of them where none is named. uses
// says which images they use.
func chooseImages(stack string, outputs *pulumicli.Outputs, uses stageUses,
	options Options) (map[string]pulumicli.Image,
	error) {
	if len(options.Services)+len(options.Tasks) == 0 {
		return outputs.Images, nil
	}
	chosen := map[string]pulumicli.Image{}
	choose := func(kind string, names []string, uses map[string][]string, deployed func(name string) bool) error {
		for _, name := range names {
			used, known := uses[name]
			if !known {
				return fmt.Errorf("%s has no %s %q: name one of %s", stack, kind, name,
					console.OrNone(slices.Sorted(maps.Keys(uses))))
			}
			for _, image := range used {
				built, there := outputs.Images[image]
				if !there || !deployed(name) {
					return exit.Refuse("%ss.%s of %s, with its image %s, is not deployed yet: run `pulumi up --stack %s` first", kind,
						name,
						stack, image, stack)
				}
				chosen[image] = built
			}
		}
		return nil
	}
	err := choose("service", options.Services, uses.services, func(name string) bool {
		_,
			is := outputs.Services[name]
		return is
	})
	if err == nil {
		err = choose("task", options.Tasks, uses.tasks, func(name string) bool { _, is := outputs.Tasks[name]; return is })
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
