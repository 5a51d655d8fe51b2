// Package comparison tells what differs between two stages: the images that they run, and their settings.
package comparison

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"slipway/cmd/slipway/internal/commits"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/stage"
)

// Comparison is what differs between two stages, as --json prints it. Pairs are in the order of Stages.
type Comparison struct {
	Stages [2]string `json:"stages"`
	Equal  bool      `json:"equal"`
	// Images that differ, and Services, and Tasks, by name.
	Images   []imageDifference   `json:"images"`
	Services []serviceDifference `json:"services"`
	Tasks    []serviceDifference `json:"tasks"`
	// Stage has the settings that are of none of these.
	Stage []unequalSetting `json:"stage"`
	// Secrets are all that the two have, by name.
	Secrets []secretComparison `json:"secrets"`
	// Notes say what qualifies the rest, in sentences.
	Notes []string `json:"notes"`
}

type imageDifference struct {
	Name string `json:"name"`
	// OnlyIn is the stage that alone has the image; empty where both do.
	OnlyIn string `json:"onlyIn,omitempty"`
	// Run is what each stage runs, or would with its file as it is where it runs nothing; nil where that is built first.
	Run [2]*pulumicli.Image `json:"run"`
	// Same says that the two run the same.
	Same bool `json:"same"`
	// Commits between the two; nil where they are of the same one, or of none that is known.
	Commits  *commits.Between `json:"commits,omitempty"`
	Settings []unequalSetting `json:"settings"`
}

// serviceDifference is what differs of a service, or of a task.
type serviceDifference struct {
	Name     string           `json:"name"`
	OnlyIn   string           `json:"onlyIn,omitempty"`
	Settings []unequalSetting `json:"settings"`
}

// secretComparison says of a secret no more than whether it is the same.
type secretComparison struct {
	Name   string `json:"name"`
	OnlyIn string `json:"onlyIn,omitempty"`
	// Equal is nil where that is not known.
	Equal *bool `json:"equal"`
	// ARNs of values that are kept elsewhere; empty for one that is encrypted.
	ARNs [2]string `json:"arns"`
}

// Load reads what a comparison needs of two stages.
func Load(ctx context.Context, pulumi pulumicli.CLI, project *stagefile.Project, stacks [2]string) ([2]*snapshot.Stage,
	error) {
	var stages [2]*snapshot.Stage
	var errs [2]error
	var reading errgroup.Group
	for i, stack := range stacks {
		reading.Go(func() error {
			stages[i], errs[i] = snapshot.Load(ctx, pulumi, project, stack,
				snapshot.Parts{Secrets: true, Updates: 1, Outputs: true})
			return nil
		})
	}
	_ = reading.Wait() // the errors have places of their own, so that both are reported
	return stages, errors.Join(errs[:]...)
}

// Compare says what differs between two stages. It asks nobody but git.
func Compare(ctx context.Context, stages [2]*snapshot.Stage) (*Comparison, error) {
	var compared [2]*comparedStage
	var errs [2]error
	for i, each := range stages {
		compared[i], errs[i] = newComparedStage(ctx, each)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	found, err := compareStages(compared)
	if err != nil {
		return nil, err
	}
	for i, each := range found.Images {
		if a, b := each.Run[0], each.Run[1]; !each.Same && a != nil && b != nil {
			found.Images[i].Commits = commits.Find(ctx, sourceOf(compared, each.Name), a.Commit, b.Commit)
		}
	}
	return found, nil
}

// compareStages says all that differs, but for the commits between images.
func compareStages(stages [2]*comparedStage) (*Comparison, error) {
	a, b := stages[0], stages[1]
	found := &Comparison{Stages: [2]string{a.Stack, b.Stack}, Images: []imageDifference{},
		Secrets: compareSecrets(stages), Notes: append(append([]string{}, a.notes()...), b.notes()...)}
	settingsA, err := settingsOf(a.settings)
	if err != nil {
		return nil, err
	}
	settingsB, err := settingsOf(b.settings)
	if err != nil {
		return nil, err
	}

	imagesA, imagesB := settingsA.take("images"), settingsB.take("images")
	for _, name := range slices.Compact(slices.Sorted(slices.Values(append(flatconfig.Union(imagesA, imagesB),
		flatconfig.Union(a.Outputs.Images, b.Outputs.Images)...)))) {
		each := compareImage(stages, name, imagesA.object(name), imagesB.object(name))
		if !each.Same || each.OnlyIn != "" || len(each.Settings) > 0 {
			found.Images = append(found.Images, each)
		}
		if x, y := each.Run[0], each.Run[1]; each.Same && x != nil && y != nil && x.Ref != y.Ref {
			found.Notes = append(found.Notes, fmt.Sprintf("%s is the same image in both, under two names: %s, %s", name,
				x.Ref, y.Ref))
		}
	}
	found.Services = compareEach(stages, settingsA.take("services"), settingsB.take("services"))
	found.Tasks = compareEach(stages, settingsA.take("tasks"), settingsB.take("tasks"))
	found.Stage = append(differences(settingsA, settingsB), unequal([2]flatconfig.Config{a.providers, b.providers})...)
	found.Equal = len(found.Images)+len(found.Services)+len(found.Tasks)+len(found.Stage) == 0 &&
		!slices.ContainsFunc(found.Secrets, func(s secretComparison) bool { return s.Equal == nil || !*s.Equal })
	return found, nil
}

// compareEach compares the services, or the tasks, of two stages.
func compareEach(stages [2]*comparedStage, a, b settings) []serviceDifference {
	found := []serviceDifference{}
	for _, name := range flatconfig.Union(a, b) {
		each := serviceDifference{Name: name, Settings: []unequalSetting{}}
		switch {
		case b[name] == nil:
			each.OnlyIn = stages[0].Stack
		case a[name] == nil:
			each.OnlyIn = stages[1].Stack
		default:
			each.Settings = differences(a.object(name), b.object(name))
			markOrigins(each.Settings, [2]stage.TaskDefinition{stages[0].settings.TaskDefinition(name),
				stages[1].settings.TaskDefinition(name)})
		}
		if each.OnlyIn != "" || len(each.Settings) > 0 {
			found = append(found, each)
		}
	}
	return found
}

// compareImage compares what two stages run of an image, and how they declare it. How one comes by it is a difference
// only where both build.
func compareImage(stages [2]*comparedStage, name string, declaredA, declaredB settings) imageDifference {
	a, b := stages[0], stages[1]
	found := imageDifference{Name: name, Run: [2]*pulumicli.Image{a.runs(name), b.runs(name)},
		Settings: []unequalSetting{}}
	switch {
	case !b.has(name):
		found.OnlyIn = a.Stack
		return found
	case !a.has(name):
		found.OnlyIn = b.Stack
		return found
	}
	x, y := found.Run[0], found.Run[1]
	found.Same = (x == nil && y == nil) || (x != nil && y != nil && x.Digest == y.Digest)
	for _, declared := range []settings{declaredA, declaredB} {
		delete(declared, "ref")
		delete(declared, "mirror")
		if declaredA["build"] == nil || declaredB["build"] == nil {
			delete(declared, "build")
		}
	}
	if declaredA != nil && declaredB != nil {
		found.Settings = differences(declaredA, declaredB)
	}
	return found
}

// compareSecrets compares the secrets of the stages, and the keys of providers that either has encrypted.
func compareSecrets(stages [2]*comparedStage) []secretComparison {
	a, b := stages[0], stages[1]
	compared := []secretComparison{}
	add := func(name string, inA, inB, plain bool, x, y string) *secretComparison {
		each := secretComparison{Name: name}
		equal := inA && inB && x == y
		switch {
		case !inB:
			each.OnlyIn = a.Stack
		case !inA:
			each.OnlyIn = b.Stack
		}
		known := x != stagefile.HiddenValue && y != stagefile.HiddenValue // as other stacks' may be
		if plain || each.OnlyIn != "" || (a.DecryptErr == nil && b.DecryptErr == nil && known) {
			each.Equal = &equal
		}
		compared = append(compared, each)
		return &compared[len(compared)-1]
	}
	for _, name := range flatconfig.Union(a.settings.Secrets, b.settings.Secrets) {
		x, inA := a.settings.Secrets[name]
		y, inB := b.settings.Secrets[name]
		// An ARN and a value of the stage's own differ, whatever the value is.
		each := add(name, inA, inB, x.ARN != "" || y.ARN != "", x.ARN+x.Value.Reveal(), y.ARN+y.Value.Reveal())
		each.ARNs = [2]string{x.ARN, y.ARN}
	}
	for _, key := range flatconfig.Union(a.providers, b.providers) {
		x, inA := a.providers[key]
		y, inB := b.providers[key]
		if x.Secret || y.Secret {
			add(key, inA, inB, false, x.Text, y.Text)
		}
	}
	return compared
}

// sourceOf is a directory of the repository that an image is built from, as far as that is known.
func sourceOf(stages [2]*comparedStage, name string) string {
	for _, each := range stages {
		if build := each.settings.Images[name].Build; build != nil {
			dir := filepath.Join(stages[0].Project.Directory, filepath.FromSlash(build.Context))
			if info, err := os.Stat(dir); err == nil && info.IsDir() {
				return dir
			}
		}
	}
	return stages[0].Project.Directory
}

// Verdict is the command's: exit.Difference where something differs, another error where that is not known.
func (c *Comparison) Verdict() error {
	differs := len(c.Images)+len(c.Services)+len(c.Tasks)+len(c.Stage) > 0
	var unknown []string
	for _, each := range c.Secrets {
		if each.Equal == nil {
			unknown = append(unknown, each.Name)
		} else if !*each.Equal {
			differs = true
		}
	}
	switch {
	case differs:
		return exit.Difference
	case len(unknown) > 0:
		return fmt.Errorf("could not tell whether secrets are equal (%s): give what decrypts them, such as "+
			"PULUMI_CONFIG_PASSPHRASE, and compare again", strings.Join(unknown, ", "))
	}
	return nil
}
