package pulumicli

import (
	"context"
	"encoding/json"
	"path"
	"slices"
	"strings"
)

// State is a stack's as it is now, or as an update of Pulumi Cloud left it, given --version and its number.
func (p CLI) State(ctx context.Context, stack string, more ...string) (*State, error) {
	var exported struct{ Deployment *State }
	err := p.Call(ctx, &exported, append([]string{"stack", "export", "--stack", stack}, more...)...)
	return exported.Deployment, err
}

// State is what a state says of the stack's task definitions and services, and of what was cut off.
type State struct {
	Resources         []Resource         `json:"resources"`
	PendingOperations []PendingOperation `json:"pending_operations"`
}

// PendingOperation is what an update has begun and not ended.
type PendingOperation struct {
	Kind     string   `json:"type"` // creating, updating, deleting, reading, importing
	Resource Resource `json:"resource"`
}

// Resource is one of a state, as far as it is read.
type Resource struct {
	URN     string          `json:"urn"`
	Type    string          `json:"type"`
	Delete  bool            `json:"delete"` // what replaced it is there already
	Outputs json.RawMessage `json:"outputs"`
}

// Name is the last part of a resource's URN.
func (r Resource) Name() string { return r.URN[strings.LastIndex(r.URN, "::")+2:] }

// resources are those of a state; none where there is no state.
func (s *State) resources() []Resource {
	if s == nil {
		return nil
	}
	return s.Resources
}

// Pending are the operations of a state that were cut off; none where there is no state.
func (s *State) Pending() []PendingOperation {
	if s == nil {
		return nil
	}
	return s.PendingOperations
}

// Service is a service's URN, and the ARN of the revision that ECS was last asked for; empty where the state has no
// such service.
func (s *State) Service(cluster, name string) (urn, target string) {
	for _, resource := range s.resources() {
		var own struct{ Name, Cluster, TaskDefinition string }
		if !resource.Delete && resource.Type == "aws:ecs/service:Service" && json.Unmarshal(resource.Outputs, &own) == nil &&
			own.Name == name && path.Base(own.Cluster) == cluster {
			return resource.URN, own.TaskDefinition
		}
	}
	return "", ""
}

// Registered is the number of the newest revision that the stack has registered of a family; 0 for none.
func (s *State) Registered(family string) int {
	if s == nil {
		return 0
	}
	for _, resource := range s.Resources {
		var own struct {
			Family   string
			Revision int
		}
		if !resource.Delete && resource.Type == "aws:ecs/taskDefinition:TaskDefinition" &&
			json.Unmarshal(resource.Outputs, &own) == nil && own.Family == family {
			return own.Revision
		}
	}
	return 0
}

// HasAWS tells whether the stack has anything in AWS, as far as the state knows.
func (s *State) HasAWS() bool {
	return s != nil && slices.ContainsFunc(s.Resources,
		func(r Resource) bool { return strings.HasPrefix(r.Type, "aws:") })
}
