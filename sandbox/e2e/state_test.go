package e2e

import (
	"encoding/json"
	"os"
	"regexp"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

// stackState is what a stack's state has, as `pulumi stack export` has it.
type stackState struct {
	testing.TB        `json:"-"`
	Resources         []stateResource
	PendingOperations []any `json:"pending_operations"`
}

type stateResource struct {
	URN, Type, ID   string
	Inputs, Outputs map[string]any
}

// readState reads the backend's file.
func readState(t testing.TB, file string) *stackState {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	content = ciphertext.ReplaceAll(content, []byte(`"[secret]"`)) // the same value is another text each time
	state := &stackState{}
	stack := struct{ Checkpoint struct{ Latest *stackState } }{}
	stack.Checkpoint.Latest = state
	require.NoError(t, json.Unmarshal(content, &stack))
	state.TB = t
	return state
}

var ciphertext = regexp.MustCompile(`"v1:[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+"`)

// ofType are the resources of a type.
func (s *stackState) ofType(token string) (found []stateResource) {
	for _, each := range s.Resources {
		if each.Type == token {
			found = append(found, each)
		}
	}
	return found
}

// inputsByURN are those of each resource.
func (s *stackState) inputsByURN() map[string]resource.PropertyMap {
	inputs := map[string]resource.PropertyMap{}
	for _, each := range s.Resources {
		inputs[each.URN] = resource.NewPropertyMapFromMap(each.Inputs)
	}
	return inputs
}

// containers are the container definitions of the stage's only task definition.
func (s *stackState) containers() string {
	s.Helper()
	definitions := s.ofType("aws:ecs/taskDefinition:TaskDefinition")
	require.Len(s, definitions, 1)
	return definitions[0].Outputs["containerDefinitions"].(string)
}

// outputs are the stack's outputs.
func (s *stackState) outputs() (outputs stackOutputs) {
	s.Helper()
	stack := s.ofType("pulumi:pulumi:Stack")
	require.Len(s, stack, 1)
	text, err := json.Marshal(stack[0].Outputs)
	require.NoError(s, err)
	require.NoError(s, json.Unmarshal(text, &outputs))
	return outputs
}

type stackOutputs struct {
	Cluster  string
	Images   map[string]struct{ Ref, Tag, Digest, Commit string }
	Services map[string]struct {
		Family, TaskDefinition, LogGroup, Service, URL string
		Revision, Replicas                             int
	}
	Tasks map[string]struct {
		Family, TaskDefinition, LogGroup, Run, Schedule string
		Revision                                        int
		SecurityGroups                                  []string
	}
}
