package pulumicli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
)

// Outputs are the outputs of a stack, as far as the commands need them.
type Outputs struct {
	Cluster  string
	Images   map[string]Image
	Services map[string]struct {
		TaskDefinition string
		Pinned         bool
	}
	Tasks map[string]DeployedTask
}

func ReadOutputs(ctx context.Context, stacks Stacks, stack string) (*Outputs, error) {
	outputs, err := stacks.Outputs(ctx, stack)
	if err != nil {
		return nil, err
	}
	found := &Outputs{}
	for name, into := range map[string]any{"cluster": &found.Cluster, "images": &found.Images, "services": &found.Services,
		"tasks": &found.Tasks} {
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
