package recovery

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"slipway/cmd/slipway/internal/pulumicli"
)

const unknownValue, secretValue = pulumicli.UnknownValue, pulumicli.SecretValue

// creations are the resources that the next update would create, in the order in which the program declares them. Their
// inputs are those that the provider has checked, with holes.
func creations(ctx context.Context, p pulumicli.CLI, stack string) (made []stateResource, err error) {
	preview, err := p.Preview(ctx, stack)
	if err != nil {
		return nil, fmt.Errorf("what the stage is to have is not known: %w", err)
	}
	return created(preview), nil
}

// created are the resources that a preview would create.
func created(preview *pulumicli.Preview) (made []stateResource) {
	for _, step := range preview.Steps {
		if step.Op == "create" && step.NewState != nil {
			made = append(made, step.NewState)
		}
	}
	return made
}

// isHole tells whether a preview does not say a value.
func isHole(value any) bool { return value == unknownValue || value == secretValue }

// hasHole tells whether a preview does not say a value whole.
func hasHole(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		return slices.ContainsFunc(slices.Collect(maps.Values(value)), hasHole)
	case []any:
		return slices.ContainsFunc(value, hasHole)
	}
	return isHole(value)
}

// filled is a value with its holes filled from what was read of AWS, and left out where that has nothing. A list with a
// hole is read whole.
func filled(value, read any) any {
	if !hasHole(value) {
		return value
	}
	object, isObject := value.(map[string]any)
	if !isObject {
		return read
	}
	from, _ := read.(map[string]any)
	whole := map[string]any{}
	for key, inner := range object {
		if found := filled(inner, from[key]); found != nil {
			whole[key] = found
		}
	}
	return whole
}
