package recovery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/pulumicli"
)

// What a preview has in place of a value: Pulumi's mark for one that is known only once another resource is there, and
// its words for one that is secret.
const (
	unknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
	secretValue  = "[secret]"
)

// creations are the resources that the next update would create, in the order in which the program declares them. Their
// inputs are those that the provider has checked, with holes.
func creations(ctx context.Context, p pulumicli.CLI, stack string) (made []stateResource, err error) {
	stdout, stderr, err := p.Preview(ctx, stack)
	made, said, unreadable := readPreview([]byte(stdout))
	if err != nil {
		said = append([]string{strings.TrimSpace(stderr)}, said...)
		return nil, fmt.Errorf("pulumi preview --stack %s, which says what the stage is to have: %s (%w)", stack,
			strings.TrimSpace(strings.Join(said, "\n")), err)
	}
	if unreadable != nil {
		return nil, errors.New("pulumi preview --json printed JSON that slipway does not understand: update slipway or pulumi")
	}
	return made, nil
}

// readPreview reads what would be created, and what the preview gives as errors.
func readPreview(stdout []byte) (made []stateResource, said []string, err error) {
	var digest struct {
		Steps []struct {
			Op       string
			NewState stateResource
		}
		Diagnostics []struct{ Severity, Message string }
	}
	decoder := json.NewDecoder(bytes.NewReader(stdout))
	decoder.UseNumber()
	err = decoder.Decode(&digest)
	for _, each := range digest.Diagnostics {
		if each.Severity == "error" {
			said = append(said, strings.TrimSpace(each.Message))
		}
	}
	for _, step := range digest.Steps {
		if step.Op == "create" && step.NewState != nil {
			made = append(made, step.NewState)
		}
	}
	return made, said, err
}

// isHole tells whether a preview does not say a value.
func isHole(value any) bool { return value == unknownValue || value == secretValue }

// hasHole tells whether a preview does not say a value whole.
func hasHole(value any) bool {
	switch value := value.(type) {
	case map[string]any:
		for _, inner := range value {
			if hasHole(inner) {
				return true
			}
		}
		return false
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
