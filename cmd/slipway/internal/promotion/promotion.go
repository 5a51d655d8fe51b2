// Package promotion writes the images that one stage runs into another stage's file.
package promotion

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/ecsread"
	"slipway/internal/git"
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
	done.Images, err = compare(t.text.Written, key, t.project.DefaultImages(t.to), images)
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
