package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"slipway/cmd/slipway/internal/console"
)

// stageOutputs are the outputs of a stack, as far as the commands need them.
type stageOutputs struct {
	Cluster  string
	Images   map[string]image
	Services map[string]struct {
		TaskDefinition string
		Pinned         bool
	}
	Tasks map[string]deployedTask
}

func readOutputs(ctx context.Context, stacks stacks, stack string) (*stageOutputs, error) {
	outputs, err := stacks.Outputs(ctx, stack)
	if err != nil {
		return nil, err
	}
	found := &stageOutputs{}
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

// image is one entry of the stack output `images`.
type image struct {
	Ref    string `json:"ref"` // repository:tag@sha256:…
	Tag    string `json:"tag"`
	Digest string `json:"digest"`           // sha256:…
	Commit string `json:"commit,omitempty"` // empty without git, and in what a stage file says
	// Platform is linux/amd64 or linux/arm64; empty in what a stage file says.
	Platform string `json:"platform,omitempty"`
}

// label is how people call an image: its tag, or what else there is.
func (i image) label() string { return cmp.Or(i.Tag, i.Digest, i.Ref) }

// describe is an image's tag, the start of its digest and its commit, in columns; or its ref, where that is no more
// than text.
func (i image) describe() string {
	if i.Tag == "" && i.Digest == "" {
		return i.Ref
	}
	described := i.Tag + "\t" + console.ShortDigest(i.Digest)
	if i.Commit != "" {
		described += "\tcommit " + i.Commit
	}
	return described
}
