package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// update is one entry of a stack's history.
type update struct {
	// Kind is update, refresh, destroy, import, … as `pulumi stack history` names them.
	Kind string `json:"kind"`
	// Result is succeeded, failed or in-progress.
	Result string `json:"result"`
}

// stacks is what promote asks about a stack.
type stacks interface {
	// Outputs returns the stack's outputs, with secret ones blinded.
	Outputs(ctx context.Context, stack string) (map[string]json.RawMessage, error)
	// LastUpdate returns the newest update or destroy in the stack's history, or nil if there is none. A refresh changes
	// nothing that runs, so one that succeeded does not hide a failed update before it.
	LastUpdate(ctx context.Context, stack string) (*update, error)
}

// pulumiCLI asks the `pulumi` on the PATH, in the project's directory. Neither question selects a stack, writes a stage
// file or decrypts a secret, which the Automation API's own calls would do.
type pulumiCLI struct {
	directory string
}

func (p pulumiCLI) Outputs(ctx context.Context, stack string) (map[string]json.RawMessage, error) {
	var outputs map[string]json.RawMessage
	return outputs, p.ask(ctx, &outputs, "stack", "output", "--json", "--stack", stack)
}

func (p pulumiCLI) LastUpdate(ctx context.Context, stack string) (*update, error) {
	for page := 1; ; page++ {
		var updates []update
		err := p.ask(ctx, &updates, "stack", "history", "--json", "--stack", stack, "--page", strconv.Itoa(page))
		if err != nil || len(updates) == 0 {
			return nil, err
		}
		for _, each := range updates {
			if each.Kind == "update" || each.Kind == "destroy" {
				return &each, nil
			}
		}
	}
}

// ask decodes what one pulumi command prints as JSON.
func (p pulumiCLI) ask(ctx context.Context, answer any, args ...string) error {
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(ctx, "pulumi", append(args, "--non-interactive")...)
	command.Dir = p.directory
	command.Stdout, command.Stderr = &stdout, &stderr
	err := command.Run()
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("there is no pulumi on the PATH: install the Pulumi CLI")
	}
	if err != nil {
		said := strings.TrimPrefix(strings.TrimSpace(stderr.String()), "error: ")
		return fmt.Errorf("pulumi %s: %s (%w)", strings.Join(args, " "), said, err)
	}
	if err := json.Unmarshal(stdout.Bytes(), answer); err != nil {
		return fmt.Errorf("pulumi %s: %w", strings.Join(args, " "), err)
	}
	return nil
}
