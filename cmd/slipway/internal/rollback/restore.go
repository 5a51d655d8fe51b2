package rollback

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/cmd/slipway/internal/timeline"
	"slipway/internal/git"
	"slipway/internal/pulumiconfig"
	"slipway/stage"
)

// restore takes the stage file from the commit that the update was made from. Where somebody ran it with other changes
// than those of that commit, any commit will do whose file says the same.
func (r *Plan) restore(ctx context.Context) error {
	if r.target.Settings.Hidden() {
		return exit.Refuse("the secrets of update %d cannot be decrypted, and so not compared: give pulumi what decrypts "+
			"them, or use --pin", r.To)
	}
	commits, err := r.commits(ctx)
	if err != nil {
		return err
	}
	var differs []flatconfig.Change
	var refused error
	for i, commit := range commits {
		content, err := git.ReadFetched(ctx, filepath.Dir(r.File), "show", commit+":./"+filepath.Base(r.File))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			continue // the file was not there then
		}
		next, err := r.now.Edit(func(now []byte) ([]byte, error) {
			earlier, err := r.stage.Project.MoveKeys([]byte(content), r.stage.Project.Namespace(now))
			if err != nil {
				return nil, err
			}
			return keepEncryption(earlier, now)
		})
		if err != nil {
			refused = errors.Join(refused, err)
			continue
		}
		r.next = &next
		found, err := r.configuration(ctx)
		if err != nil {
			return err
		}
		changes := flatconfig.Changes(found, r.target.Settings)
		if i == 0 {
			differs = changes
		}
		if elsewhere := slices.ContainsFunc(changes,
			func(c flatconfig.Change) bool { return !strings.HasPrefix(c.Key, "defaults.") }); elsewhere {
			continue
		}
		if len(changes) > 0 {
			return exit.Refuse("Pulumi.yaml has changed since update %d, and the stage file alone would not bring that back "+
				"(%s): revert it there too, or use --pin", r.To, describeKeys(changes))
		}
		for part := range timeline.Parts(r.last.Services, r.last.Tasks) {
			if r.target.Of(part.Kind)[part.Name] == nil {
				r.note("%s is removed, with its log: update %d did not have it", part, r.To)
			}
		}
		r.from = commit
		return r.pinImages()
	}
	r.next = nil
	if refused != nil {
		return exit.Found(refused)
	}
	return exit.Refuse("update %d was run with a stage file that was never committed (commit %.7s has another one: %s): "+
		"go back to another update, or use --pin", r.To, r.target.Commit, cmp.Or(describeKeys(differs), "none"))
}

func describeKeys(changes []flatconfig.Change) string {
	var keys []string
	for _, change := range changes {
		keys = append(keys, change.Describe())
	}
	return strings.Join(keys, "; ")
}

// mostVersions is how many versions of a stage file are looked at.
const mostVersions = 50

// commits are those whose stage file may be the update's: the one that it was made from, then all others that changed
// the file, the newest first.
func (r *Plan) commits(ctx context.Context) ([]string, error) {
	dir := filepath.Dir(r.File)
	shallow, err := git.Read(ctx, dir, "rev-parse", "--is-shallow-repository")
	if err != nil {
		return nil, err
	}
	commit := r.target.Commit
	if commit == "" {
		return nil, exit.Refuse("Pulumi knows no commit of update %d: it was not run in a git repository; use --pin", r.To)
	}
	if _, err := git.Read(ctx, dir, "cat-file", "-e", commit+"^{commit}"); err != nil {
		fetch := "git fetch"
		if strings.TrimSpace(shallow) == "true" {
			fetch = "git fetch --unshallow"
		}
		return nil, exit.Refuse("commit %.7s, which update %d was made from, is not in this clone: run `%s`, or use --pin",
			commit, r.To, fetch)
	}
	log, err := git.ReadFetched(ctx, dir, "log", "--format=%H", fmt.Sprintf("--max-count=%d", mostVersions), "--", r.File)
	if err != nil {
		return nil, err
	}
	return append([]string{commit}, strings.Fields(log)...), nil
}

// configuration is what the planned stage file gives, as the next update will see it. What was read of it once is kept:
// a command of the CLI takes its time.
func (r *Plan) configuration(ctx context.Context) (flatconfig.Config, error) {
	if r.read != nil && bytes.Equal(r.readFrom, r.next.Written) {
		return flatconfig.Of(r.stage.Project.Name, r.read), nil
	}
	draft, err := os.CreateTemp("", "Pulumi.*.yaml")
	if err != nil {
		return nil, err
	}
	defer os.Remove(draft.Name())
	if _, err := draft.Write(r.next.Written); err != nil {
		return nil, err
	}
	if err := draft.Close(); err != nil {
		return nil, err
	}
	var more []string
	if r.stage.History.WithSecrets { // then they are compared by their values
		more = []string{"--show-secrets"}
	}
	config, err := r.stage.Pulumi.Config(ctx, r.Stage, draft.Name(), more...)
	r.read, r.readFrom = config, r.next.Written
	return flatconfig.Of(r.stage.Project.Name, config), err
}

// checkLoads refuses a stage file that the program would refuse, as one of before a rule that it has now. AWS and other
// stacks are not asked.
func (r *Plan) checkLoads() error {
	written, err := stagefile.Parse(r.next.Written)
	if err != nil {
		return err
	}
	config, secretKeys := pulumicli.PublicConfig(r.read, written)
	project := r.stage.Project
	settings, err := stage.Load(stage.Input{Project: project.Name, Stage: r.stage.Name(), Config: config,
		SecretKeys: secretKeys, Root: project.Directory, StageFile: r.next.Written})
	switch {
	case err == nil && r.pinned:
		return r.checkMounts(settings)
	case err == nil:
		return nil
	case r.pinned:
		return exit.Refuse("the stage file with the pins would be refused:\n%w", err)
	}
	return exit.Refuse("the stage file of update %d would be refused as it is:\n%w\nuse --pin, or take the file back "+
		"(`git show %.7s:./%s > %[4]s`), correct that, commit it and run `pulumi up`", r.To, err, r.from,
		filepath.Base(r.File))
}

// keepEncryption gives an earlier stage file the encryption that the file has now, where the earlier one had none yet,
// and refuses one that was encrypted in another way. A salt with which nothing is encrypted now is none.
func keepEncryption(earlier, now []byte) ([]byte, error) {
	var then, current map[string]any
	if err := yaml.Unmarshal(earlier, &then); err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(now, &current); err != nil {
		return nil, err
	}
	var missing []stagefile.Value
	for _, key := range stagefile.EncryptionKeys {
		unused := key == "encryptionsalt" && !bytes.Contains(now, []byte("secure"))
		switch {
		case then[key] == current[key]:
		case then[key] == nil:
			missing = append(missing, stagefile.Value{Path: []string{key}, Value: current[key]})
		case unused:
		default:
			return nil, exit.Refuse("the secrets of the stage are encrypted in another way since (%s): use --pin, or `git "+
				"revert`, and encrypt the values again", key)
		}
	}
	return stagefile.SetValues(earlier, missing)
}

// pinImages pins the images that the stage builds, where the update ran another one than the last update did: building
// would make it from today's source.
func (r *Plan) pinImages() error {
	refs := map[string]string{}
	for _, used := range r.usedImages() {
		_, pinned := r.target.Settings[pulumiconfig.Path("images", used.name, "ref")]
		_, pinnedNow := r.last.Settings[pulumiconfig.Path("images", used.name, "ref")]
		unchanged := used.now == used.then.Reference && !pinnedNow
		if pinned || unchanged {
			continue
		}
		ref := used.then.Pin()
		if refs[used.name] != "" && refs[used.name] != ref {
			return exit.Refuse("%s: the services and tasks of update %d ran different images of that name: use --pin",
				pulumiconfig.Path("images", used.name), r.To)
		}
		if refs[used.name] = ref; ref == "" {
			return exit.Refuse("%s: ECR no longer has the tag or digest of %s: use --pin", used.key, used.then.Reference)
		}
		r.note("%s is pinned to that update's image: remove its ref to build again", pulumiconfig.Path("images", used.name))
	}
	slices.Sort(r.Notes)
	r.Notes = slices.Compact(r.Notes)
	next, err := r.next.Edit(func(text []byte) ([]byte, error) {
		return stagefile.SetRefs(text, r.stage.Project.Namespace(text)+":images", refs)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", r.File, err)
	}
	r.next = &next
	return nil
}

// imageUse is an image of the stage that a container ran in the update to go back to.
type imageUse struct {
	key  string // of the service, the task or the container, as the stage file has it
	name string // of the image, in the stage file
	then awsreader.Image
	now  string // the reference that the container runs after the last update; empty where it is not there
}

// usedImages are the images that the stage file of the update has to have again, and that containers ran then.
func (r *Plan) usedImages() (used []imageUse) {
	for part, service := range r.parts() {
		then, now := service.Then, r.last.Of(part.Kind)[part.Name]
		if then.Pinned || then.Revision == 0 { // the image of a pinned revision comes with it
			continue
		}
		if now == nil {
			now = &timeline.DeployedRevision{}
		}
		key := pulumiconfig.Path(part.Kind, part.Name)
		used = append(used, imageUse{key, r.target.Value(key + ".image"), then.Image, now.Image.Reference})
		for _, container := range slices.Sorted(maps.Keys(then.Sidecars)) {
			beside := pulumiconfig.Below(key+".containers", container)
			image := r.target.Value(beside + ".image")
			if r.target.DeclaresImage(image) { // and is no reference to what the stage does not have
				used = append(used, imageUse{beside, image, then.Sidecars[container], now.Sidecars[container].Reference})
			}
		}
	}
	return used
}
