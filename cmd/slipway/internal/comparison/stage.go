package comparison

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/imageref"
	"slipway/internal/pulumiconfig"
	"slipway/stage"
)

// comparedStage is one of the two stages.
type comparedStage struct {
	*snapshot.Stage
	// settings as its file has them, with secrets as far as they could be decrypted.
	settings *stage.Stage
	// providers are the values of all keys that are not the project's own, such as aws:region.
	providers flatconfig.Config
}

func newComparedStage(ctx context.Context, of *snapshot.Stage) (*comparedStage, error) {
	config, providers := maps.Clone(of.Config), map[string]pulumicli.ConfigValue{}
	for key, value := range of.Values {
		if value.Value != nil && value.Secret {
			config[key] = *value.Value
		}
	}
	for key, text := range config {
		if _, own := pulumiconfig.OwnKey(of.Project.Name, key); !own {
			providers[key] = pulumicli.ConfigValue{Value: &text, Secret: slices.Contains(of.SecretKeys, key)}
		}
	}
	settings, err := stagefile.Load(of.Project, of.Stack, config, of.SecretKeys,
		pulumicli.StackOutputs(ctx, of.Pulumi, of.Project, of.Stack, true))
	return &comparedStage{of, settings, flatconfig.Of(of.Project.Name, providers)}, err
}

// deployed tells whether anything of the stage can run.
func (s *comparedStage) deployed() bool {
	return s.Last != nil && (s.Last.Kind != "destroy" || s.Last.Result != "succeeded")
}

// runs is the image that the stage runs, by its outputs; where those have none, the one that its file pins. Nil where
// it is to be built first.
func (s *comparedStage) runs(name string) *pulumicli.Image {
	if image, there := s.Outputs.Images[name]; there {
		return &image
	}
	return s.pins(name)
}

// pins is the image that the stage's file pins, nil for none.
func (s *comparedStage) pins(name string) *pulumicli.Image {
	ref := s.settings.Images[name].Ref
	if ref == nil {
		return nil
	}
	found := pulumicli.PinnedImage(ref.String())
	found.Commit = imageref.CommitOf(found.Tag)
	return found
}

// has tells whether a stage has an image: in its file, or still deployed.
func (s *comparedStage) has(image string) bool {
	_, deployed := s.Outputs.Images[image]
	_, declared := s.settings.Images[image]
	return deployed || declared
}

// notes are what qualifies a comparison with this stage.
func (s *comparedStage) notes() (notes []string) {
	up := fmt.Sprintf("`pulumi up --stack %s`", s.Stack)
	switch {
	case s.Last == nil:
		notes = append(notes, s.Stack+" runs nothing yet, as it was never deployed: what its file says is compared")
	case !s.deployed():
		notes = append(notes, s.Stack+" runs nothing, as it was destroyed: what its file says is compared")
	case s.Last.Result != "succeeded":
		notes = append(notes, fmt.Sprintf("the last %s of %s %s, so it may run something else: `slipway status %[2]s` tells",
			s.Last.Kind, s.Stack, pulumicli.Ended(s.Last.Result)))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Outputs.Images)) {
		if pin := s.pins(name); pin != nil && pin.Digest != s.Outputs.Images[name].Digest {
			notes = append(notes, fmt.Sprintf("Pulumi.%s.yaml pins %s to %s, which is not deployed yet: run %s",
				s.Name(), name, pin.Label(), up))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Outputs.Services)) {
		if pinned := s.Pinned(name); pinned != "" {
			notes = append(notes, fmt.Sprintf("%s: `slipway status %s` tells", pinned, s.Stack))
		}
	}
	if s.DecryptErr != nil {
		notes = append(notes, fmt.Sprintf("the secrets of %s could not be decrypted: %s", s.Stack,
			strings.Join(strings.Fields(s.DecryptErr.Error()), " ")))
	}
	return notes
}
