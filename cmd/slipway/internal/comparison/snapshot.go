package comparison

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/stage"
)

// snapshot is one of the two stages.
type snapshot struct {
	stack string
	// settings as its file has them.
	settings *stage.Stage
	// providers are the values of all keys that are not the project's own, such as aws:region.
	providers flatconfig.Config
	// decryptErr is why its encrypted values could not be decrypted; nil where they were.
	decryptErr error
	// last is its last update; nil where it was never deployed.
	last *pulumicli.Update
	// outputs of that; empty where nothing runs.
	outputs *pulumicli.Outputs
}

// readSnapshot reads a stage's settings, its secrets as far as they can be decrypted, and what it runs.
func readSnapshot(ctx context.Context, pulumi pulumicli.CLI, project *stagefile.Project, stack string) (*snapshot,
	error) {
	config, secretKeys, err := pulumicli.ReadConfig(ctx, pulumi, project, stack)
	if err != nil {
		return nil, err
	}
	read := &snapshot{stack: stack, providers: flatconfig.Config{}, outputs: &pulumicli.Outputs{}}
	if len(secretKeys) > 0 {
		var revealed map[string]pulumicli.ConfigValue
		revealed, read.decryptErr = pulumi.Config(ctx, stack, "", "--show-secrets")
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
	read.providers = flatconfig.Of(project.Name, values)

	read.last, err = pulumi.LastUpdate(ctx, stack)
	if err != nil || !read.deployed() {
		return read, err
	}
	read.outputs, err = pulumicli.ReadOutputs(ctx, pulumi, stack)
	return read, err
}

// deployed tells whether anything of the stage can run.
func (s *snapshot) deployed() bool {
	return s.last != nil && (s.last.Kind != "destroy" || s.last.Result != "succeeded")
}

// runs is the image that the stage runs, by its outputs; where those have none, the one that its file pins. Nil where
// it is to be built first.
func (s *snapshot) runs(name string) *pulumicli.Image {
	if image, there := s.outputs.Images[name]; there {
		return &image
	}
	return s.pins(name)
}

// pins is the image that the stage's file pins, nil for none.
func (s *snapshot) pins(name string) *pulumicli.Image {
	ref := s.settings.Images[name].Ref
	if ref == nil {
		return nil
	}
	found := pulumicli.PinnedImage(ref.Raw)
	found.Commit = stage.CommitOf(found.Tag)
	return found
}

// has tells whether a stage has an image: in its file, or still deployed.
func (s *snapshot) has(image string) bool {
	_, deployed := s.outputs.Images[image]
	_, declared := s.settings.Images[image]
	return deployed || declared
}

// notes are what qualifies a comparison with this stage.
func (s *snapshot) notes() (notes []string) {
	up := fmt.Sprintf("`pulumi up --stack %s`", s.stack)
	switch {
	case s.last == nil:
		notes = append(notes, s.stack+" runs nothing yet, as it was never deployed: what its file says is compared")
	case !s.deployed():
		notes = append(notes, s.stack+" runs nothing, as it was destroyed: what its file says is compared")
	case s.last.Result != "succeeded":
		notes = append(notes, fmt.Sprintf("the last %s of %s %s, so it may run something else: `slipway status %[2]s` tells",
			s.last.Kind, s.stack, pulumicli.Ended(s.last.Result)))
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
	if s.decryptErr != nil {
		notes = append(notes, fmt.Sprintf("the secrets of %s could not be decrypted: %s", s.stack,
			strings.Join(strings.Fields(s.decryptErr.Error()), " ")))
	}
	return notes
}
