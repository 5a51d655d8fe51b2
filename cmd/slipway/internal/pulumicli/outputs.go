package pulumicli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/imageref"
)

// Outputs are the outputs of a stack, as far as the commands need them.
type Outputs struct {
	Cluster  string
	Images   map[string]Image
	Services map[string]DeployedService
	Tasks    map[string]DeployedTask
	// Slipway says which version of it has deployed the stack; nothing, where that was before it had a number.
	Slipway struct{ Version string }
}

// Outputs reads the outputs of a stack. Those that are secret are blinded.
func (p CLI) Outputs(ctx context.Context, stack string) (*Outputs, error) {
	var outputs map[string]json.RawMessage
	if err := p.Call(ctx, &outputs, "stack", "output", "--json", "--stack", stack); err != nil {
		return nil, err
	}
	return parseOutputs(stack, outputs)
}

// Outputs are those of the stack, as CLI.Outputs reads them.
func (s *State) Outputs(stack string) (*Outputs, error) {
	var outputs map[string]json.RawMessage
	for _, resource := range s.resources() {
		if resource.Type != "pulumi:pulumi:Stack" || len(resource.Outputs) == 0 {
			continue
		}
		var found any
		if err := json.Unmarshal(resource.Outputs, &found); err != nil {
			return nil, fmt.Errorf("the outputs of %s: %w", stack, err)
		}
		blinded, err := json.Marshal(stagefile.Hide(found, isSecret))
		if err == nil {
			err = json.Unmarshal(blinded, &outputs)
		}
		if err != nil {
			return nil, fmt.Errorf("the outputs of %s: %w", stack, err)
		}
	}
	return parseOutputs(stack, outputs)
}

// isSecret tells what a state has encrypted.
func isSecret(object map[string]any) bool { return object[sig.Key] == sig.Secret }

func parseOutputs(stack string, outputs map[string]json.RawMessage) (*Outputs, error) {
	found := &Outputs{}
	for name, into := range map[string]any{"cluster": &found.Cluster, "images": &found.Images, "services": &found.Services,
		"tasks": &found.Tasks, "slipway": &found.Slipway} {
		if output, ok := outputs[name]; ok {
			if err := json.Unmarshal(output, into); err != nil {
				return nil, fmt.Errorf("the output %s of %s: %w", name, stack, err)
			}
		}
	}
	return found, nil
}

// Image is one entry of the stack output `images`.
type Image struct {
	Ref    string `json:"ref"` // repository:tag@sha256:…
	Tag    string `json:"tag"`
	Digest string `json:"digest"`           // sha256:…
	Commit string `json:"commit,omitempty"` // empty without git, and in what a stage file says
	// Platform is linux/amd64 or linux/arm64; empty in what a stage file says.
	Platform string `json:"platform,omitempty"`
}

// Label is how people call an image: its tag, or what else there is.
func (i Image) Label() string { return cmp.Or(i.Tag, i.Digest, i.Ref) }

// DeployedService is one entry of the stack output `services`.
type DeployedService struct {
	Revision       int    `json:"revision"`
	TaskDefinition string `json:"taskDefinition"` // the revision's ARN
	Replicas       int    `json:"replicas"`
	Pinned         bool   `json:"pinned"` // to an earlier revision
	URL            string `json:"url,omitempty"`
}

// DeployedTask is one entry of the stack output `tasks`.
type DeployedTask struct {
	Family         string
	Revision       int
	TaskDefinition string // the revision's ARN
	Container      string // the main one's name
	Cluster        string
	LogGroup       string
	Subnets        []string
	SecurityGroups []string
	AssignPublicIP bool
	Schedule       string // its name; empty for none
}

// Describe is an image's tag, the start of its digest and its commit, in columns; or its ref, where that is no
// more than text.
func (i Image) Describe() string {
	if i.Tag == "" && i.Digest == "" {
		return i.Ref
	}
	described := i.Tag + "\t" + console.ShortDigest(i.Digest)
	if i.Commit != "" {
		described += "\tcommit " + i.Commit
	}
	return described
}

// PinnedImage is what a ref in a stage file says about its image.
func PinnedImage(text string) *Image {
	ref, _ := imageref.Parse(text) // of other text, nothing is known
	return &Image{Ref: text, Tag: ref.Tag, Digest: ref.Digest}
}
