package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/cmd/slipway/internal/timeline"
	"slipway/stage"
)

func diffCommand(directory *string) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "diff STAGE STAGE",
		Short: "What differs between two stages",
		Long: `What differs between two stages: the images that they run, by the outputs of their last updates, with the commits in
between; and their settings, as their files have them now, with the defaults. A secret is compared, and never shown.
An image that is built in one stage and pinned in the other is no difference: what runs counts.

Exit status: 0 where nothing differs, 1 where something does, 2 where that could not be told.`,
		Example: `  slipway diff dev release
  slipway diff dev release --json | jq '.images'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("diff takes two stages: slipway diff STAGE STAGE")
			}
			if err := stagefile.CheckNames(args); err != nil {
				return err
			}
			if stagefile.StageName(args[0]) == stagefile.StageName(args[1]) {
				return fmt.Errorf("%s does not differ from itself: name two stages", args[0])
			}
			return nil
		},
		ValidArgsFunction: completeStages(directory, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			project, err := stagefile.Find(*directory)
			if err != nil {
				return err
			}
			report := console.NewReport(cmd)
			done := report.Progress("Reading %s and %s", args[0], args[1])
			found, err := diff(cmd.Context(), pulumicli.New(project.Directory), project, [2]string(args))
			done()
			if err != nil {
				return err
			}
			if asJSON {
				if err := report.JSON(found); err != nil {
					return err
				}
			} else {
				found.print(report)
			}
			return found.verdict()
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return command
}

// side is one of the two stages.
type side struct {
	stack string
	// settings as its file has them.
	settings *stage.Stage
	// providers are the values of all keys that are not the project's own, such as aws:region.
	providers map[string]timeline.Setting
	// sealed is why its encrypted values could not be decrypted; nil where they were.
	sealed error
	// last is its last update; nil where it was never deployed.
	last *pulumicli.Update
	// outputs of that; empty where nothing runs.
	outputs *pulumicli.Outputs
}

// comparison is what differs between two stages, as --json prints it. Pairs are in the order of Stages.
type comparison struct {
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
	Commits  *commitsBetween  `json:"commits,omitempty"`
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
	// Equal is nil where that could not be told.
	Equal *bool `json:"equal"`
	// ARNs of values that are kept elsewhere; empty for one that is encrypted.
	ARNs [2]string `json:"arns"`
}

func diff(ctx context.Context, pulumi pulumicli.CLI, project *stagefile.Project, stacks [2]string) (*comparison,
	error) {
	var sides [2]*side
	var errs [2]error
	var reading errgroup.Group
	for i, stack := range stacks {
		reading.Go(func() error {
			sides[i], errs[i] = readSide(ctx, pulumi, project, stack)
			return nil
		})
	}
	_ = reading.Wait() // the errors have places of their own, so that both are told
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	found, err := compareSides(sides)
	if err != nil {
		return nil, err
	}
	for i, each := range found.Images {
		if a, b := each.Run[0], each.Run[1]; !each.Same && a != nil && b != nil {
			found.Images[i].Commits = findCommits(ctx, sourceOf(project, sides, each.Name), a.Commit, b.Commit)
		}
	}
	return found, nil
}

// readSide reads a stage's settings, its secrets as far as they can be decrypted, and what it runs.
func readSide(ctx context.Context, pulumi pulumicli.CLI, project *stagefile.Project, stack string) (*side, error) {
	config, secretKeys, err := pulumicli.ReadConfig(ctx, pulumi, project, stack)
	if err != nil {
		return nil, err
	}
	read := &side{stack: stack, providers: map[string]timeline.Setting{}, outputs: &pulumicli.Outputs{}}
	if len(secretKeys) > 0 {
		var revealed map[string]pulumicli.ConfigValue
		revealed, read.sealed = pulumi.Config(ctx, stack, "", "--show-secrets")
		for key, value := range revealed {
			if value.Value != nil {
				config[key] = *value.Value
			}
		}
	}
	read.settings, err = stagefile.Load(project, stack, config, secretKeys)
	if err != nil {
		return nil, err
	}
	values := map[string]pulumicli.ConfigValue{}
	for key, text := range config {
		if !strings.HasPrefix(key, project.Name+":") {
			values[key] = pulumicli.ConfigValue{Value: &text, Secret: slices.Contains(secretKeys, key)}
		}
	}
	read.providers = timeline.Flatten(project.Name, values)

	read.last, err = pulumi.LastUpdate(ctx, stack)
	if err != nil || !read.deployed() {
		return read, err
	}
	read.outputs, err = pulumicli.ReadOutputs(ctx, pulumi, stack)
	return read, err
}

// deployed tells whether anything of the stage can run.
func (s *side) deployed() bool {
	return s.last != nil && (s.last.Kind != "destroy" || s.last.Result != "succeeded")
}

// runs is the image that the stage runs, by its outputs; where those have none, the one that its file pins. Nil where
// it is to be built first.
func (s *side) runs(name string) *pulumicli.Image {
	if image, there := s.outputs.Images[name]; there {
		return &image
	}
	return s.pins(name)
}

// pins is the image that the stage's file pins, nil for none.
func (s *side) pins(name string) *pulumicli.Image {
	ref := s.settings.Images[name].Ref
	if ref == nil {
		return nil
	}
	found := pinned(ref.Raw)
	found.Commit = stage.CommitOf(found.Tag)
	return found
}

// has tells whether a stage has an image: in its file, or still deployed.
func (s *side) has(image string) bool {
	_, deployed := s.outputs.Images[image]
	_, declared := s.settings.Images[image]
	return deployed || declared
}

// notes are what qualifies a comparison with this stage.
func (s *side) notes() (notes []string) {
	up := fmt.Sprintf("`pulumi up --stack %s`", s.stack)
	switch {
	case s.last == nil:
		notes = append(notes, s.stack+" runs nothing yet, as it was never deployed: what its file says is compared")
	case !s.deployed():
		notes = append(notes, s.stack+" runs nothing, as it was destroyed: what its file says is compared")
	case s.last.Result != "succeeded":
		notes = append(notes, fmt.Sprintf("the last %s of %s %s, so it may run something else: `slipway status %[2]s` tells",
			s.last.Kind, s.stack, ended(s.last.Result)))
	}
	for _, name := range slices.Sorted(maps.Keys(s.outputs.Images)) {
		if pin := s.pins(name); pin != nil && pin.Digest != s.outputs.Images[name].Digest {
			notes = append(notes, fmt.Sprintf("Pulumi.%s.yaml pins %s to %s, which is not deployed yet: run %s",
				stagefile.StageName(s.stack), name, pin.Label(), up))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.outputs.Services)) {
		if s.outputs.Services[name].Pinned {
			notes = append(notes,
				fmt.Sprintf("services.%s of %s is pinned to an earlier revision, and may run an earlier image: "+
					"`slipway status %[2]s` tells", name, s.stack))
		}
	}
	if s.sealed != nil {
		notes = append(notes, fmt.Sprintf("the secrets of %s could not be decrypted: %s", s.stack,
			strings.Join(strings.Fields(s.sealed.Error()), " ")))
	}
	return notes
}

// compareSides says all that differs, but for the commits between images.
func compareSides(sides [2]*side) (*comparison, error) {
	a, b := sides[0], sides[1]
	found := &comparison{Stages: [2]string{a.stack, b.stack}, Images: []imageDifference{}, Stage: []unequalSetting{},
		Secrets: compareSecrets(sides), Notes: append(append([]string{}, a.notes()...), b.notes()...)}
	settingsA, err := settingsOf(a.settings)
	if err != nil {
		return nil, err
	}
	settingsB, err := settingsOf(b.settings)
	if err != nil {
		return nil, err
	}

	imagesA, imagesB := settingsA.take("images"), settingsB.take("images")
	for _, name := range slices.Compact(slices.Sorted(slices.Values(append(timeline.Union(imagesA, imagesB),
		timeline.Union(a.outputs.Images, b.outputs.Images)...)))) {
		if each := compareImage(sides, name, imagesA.object(name), imagesB.object(name)); !each.Same || each.OnlyIn != "" ||
			len(each.Settings) > 0 {
			found.Images = append(found.Images, each)
		}
	}
	found.Services = compareEach(sides, settingsA.take("services"), settingsB.take("services"))
	found.Tasks = compareEach(sides, settingsA.take("tasks"), settingsB.take("tasks"))
	found.Stage = append(found.Stage, differences("", map[string]any(settingsA), map[string]any(settingsB))...)
	for _, key := range timeline.Union(a.providers, b.providers) {
		x, inA := a.providers[key]
		y, inB := b.providers[key]
		if x.Secret || y.Secret || x == y {
			continue
		}
		each := unequalSetting{Key: key}
		if inA {
			each.Values[0] = x.Text
		}
		if inB {
			each.Values[1] = y.Text
		}
		found.Stage = append(found.Stage, each)
	}
	found.Equal = len(found.Images)+len(found.Services)+len(found.Tasks)+len(found.Stage) == 0 &&
		!slices.ContainsFunc(found.Secrets, func(s secretComparison) bool { return s.Equal == nil || !*s.Equal })
	return found, nil
}

// compareEach compares the services, or the tasks, of two stages.
func compareEach(sides [2]*side, a, b settings) []serviceDifference {
	found := []serviceDifference{}
	for _, name := range timeline.Union(a, b) {
		each := serviceDifference{Name: name, Settings: []unequalSetting{}}
		x, inA := a[name]
		y, inB := b[name]
		switch {
		case !inB:
			each.OnlyIn = sides[0].stack
		case !inA:
			each.OnlyIn = sides[1].stack
		default:
			each.Settings = append(each.Settings, differences("", x, y)...)
		}
		if each.OnlyIn != "" || len(each.Settings) > 0 {
			found = append(found, each)
		}
	}
	return found
}

// compareImage compares what two stages run of an image, and how they declare it. How one comes by it is a difference
// only where both build.
func compareImage(sides [2]*side, name string, declaredA, declaredB settings) imageDifference {
	a, b := sides[0], sides[1]
	found := imageDifference{Name: name, Run: [2]*pulumicli.Image{a.runs(name), b.runs(name)},
		Settings: []unequalSetting{}}
	switch {
	case !b.has(name):
		found.OnlyIn = a.stack
		return found
	case !a.has(name):
		found.OnlyIn = b.stack
		return found
	}
	x, y := found.Run[0], found.Run[1]
	found.Same = (x == nil && y == nil) || (x != nil && y != nil && x.Digest == y.Digest)
	for _, declared := range []settings{declaredA, declaredB} {
		delete(declared, "ref")
		if declaredA["build"] == nil || declaredB["build"] == nil {
			delete(declared, "build")
		}
	}
	if declaredA != nil && declaredB != nil {
		found.Settings = append(found.Settings, differences("", map[string]any(declaredA), map[string]any(declaredB))...)
	}
	return found
}

// compareSecrets compares the secrets of the stages, and the keys of providers that either has encrypted.
func compareSecrets(sides [2]*side) []secretComparison {
	a, b := sides[0], sides[1]
	compared := []secretComparison{}
	add := func(name string, inA, inB, plain bool, x, y string) *secretComparison {
		each := secretComparison{Name: name}
		equal := inA && inB && x == y
		switch {
		case !inB:
			each.OnlyIn = a.stack
		case !inA:
			each.OnlyIn = b.stack
		}
		if plain || each.OnlyIn != "" || (a.sealed == nil && b.sealed == nil) {
			each.Equal = &equal
		}
		compared = append(compared, each)
		return &compared[len(compared)-1]
	}
	for _, name := range timeline.Union(a.settings.Secrets, b.settings.Secrets) {
		x, inA := a.settings.Secrets[name]
		y, inB := b.settings.Secrets[name]
		// An ARN and a value of the stage's own differ, whatever the value is.
		each := add(name, inA, inB, x.ARN != "" || y.ARN != "", x.ARN+x.Value.Reveal(), y.ARN+y.Value.Reveal())
		each.ARNs = [2]string{x.ARN, y.ARN}
	}
	for _, key := range timeline.Union(a.providers, b.providers) {
		x, inA := a.providers[key]
		y, inB := b.providers[key]
		if x.Secret || y.Secret {
			add(key, inA, inB, false, x.Text, y.Text)
		}
	}
	return compared
}

// sourceOf is a directory of the repository that an image is built from, as far as that is known.
func sourceOf(project *stagefile.Project, sides [2]*side, name string) string {
	for _, each := range sides {
		if build := each.settings.Images[name].Build; build != nil {
			dir := filepath.Join(project.Directory, filepath.FromSlash(build.Context))
			if info, err := os.Stat(dir); err == nil && info.IsDir() {
				return dir
			}
		}
	}
	return project.Directory
}

// verdict is the command's: errDifference where something differs, another error where that could not be told.
func (c *comparison) verdict() error {
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
			"PULUMI_CONFIG_PASSPHRASE, "+
			"and compare again", strings.Join(unknown, ", "))
	}
	return nil
}
