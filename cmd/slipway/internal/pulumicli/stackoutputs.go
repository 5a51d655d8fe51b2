package pulumicli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"

	"slipway/cmd/slipway/internal/stagefile"
	"slipway/stage"
)

// StackOutputs reads what other stacks export to a stage, each stack once, for stage.Input. They are read from their
// states, which takes nothing that decrypts: secret values are stagefile.HiddenValue. With decrypt they are themselves,
// where what decrypts them is at hand.
func StackOutputs(ctx context.Context, pulumi CLI, project *stagefile.Project, stack string,
	decrypt bool) stage.ReadOutputs {
	organization := sync.OnceValues(func() (string, error) { return pulumi.organization(ctx, project, stack) })
	var known sync.Map // by stack
	type read = func() (map[string]stage.OutputValue, error)
	return func(other string) (map[string]stage.OutputValue, error) {
		once, _ := known.LoadOrStore(other, sync.OnceValues(func() (map[string]stage.OutputValue, error) {
			name := other
			if strings.Count(other, "/") == 1 {
				own, err := organization()
				if err != nil {
					return nil, err
				}
				name = own + "/" + other
			}
			return pulumi.stackOutputs(ctx, name, decrypt)
		}))
		return once.(read)()
	}
}

// organization is that of a stage: what its name says, or what the CLI takes for one that says none.
func (p CLI) organization(ctx context.Context, project *stagefile.Project, stack string) (string, error) {
	if organization, _, says := strings.Cut(stack, "/"); says {
		return organization, nil
	}
	address, err := backendURL(project)
	if err != nil {
		return "", fmt.Errorf("finding out where pulumi keeps its stacks: %w", err)
	}
	if parsed, err := url.Parse(address); err != nil || !isCloud(parsed) {
		return "organization", nil
	}
	answer, err := p.Read(ctx, "org", "get-default")
	organization := strings.TrimSpace(string(answer))
	if err == nil && strings.Contains(organization, " ") { // it says that there is none
		err = fmt.Errorf("%s: run `pulumi org set-default`, or name the stage as ORGANIZATION/PROJECT/STAGE", organization)
	}
	return organization, err
}

func (p CLI) stackOutputs(ctx context.Context, stack string, decrypt bool) (map[string]stage.OutputValue, error) {
	var state *State
	err := errors.ErrUnsupported
	if decrypt {
		state, err = p.State(ctx, stack, "--show-secrets")
	}
	if err != nil {
		state, err = p.State(ctx, stack)
	}
	switch {
	case errors.As(err, new(NoStack)):
		return nil, fmt.Errorf("there is no stack %s; run `pulumi up` there first, or correct its name", stack)
	case err != nil:
		return nil, fmt.Errorf("the outputs of %s cannot be read: %w", stack, err)
	}
	exported := map[string]any{}
	for _, resource := range state.resources() {
		if resource.Type == "pulumi:pulumi:Stack" && len(resource.Outputs) > 0 {
			if err := json.Unmarshal(resource.Outputs, &exported); err != nil {
				return nil, fmt.Errorf("the outputs of %s: %w", stack, err)
			}
		}
	}
	values := map[string]stage.OutputValue{}
	for name, value := range exported {
		secret := false
		revealed := reveal(value, &secret)
		values[name] = stage.OutputValue{Value: revealed, Secret: secret}
	}
	return values, nil
}

// reveal is a value of a state with its secrets as text has them, or hidden where that is encrypted. It notes whether
// there is any.
func reveal(value any, secret *bool) any {
	switch value := value.(type) {
	case map[string]any:
		if isSecret(value) {
			*secret = true
			var revealed any = stagefile.HiddenValue
			if text, plain := value["plaintext"].(string); plain && json.Unmarshal([]byte(text), &revealed) != nil {
				return stagefile.HiddenValue
			}
			return revealed
		}
		for key := range value {
			value[key] = reveal(value[key], secret)
		}
	case []any:
		for i := range value {
			value[i] = reveal(value[i], secret)
		}
	}
	return value
}
