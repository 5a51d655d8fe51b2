package components

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// containerDefinition is a container as ECS describes it back: fields in the order of their names, with the
// defaults that AWS fills in written out. A preview then shows what really changed and nothing else, and a
// refresh finds no drift
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html).
type containerDefinition struct {
	Command          []string          `json:"command,omitempty"`
	CPU              int               `json:"cpu"` // CPU units; never 0, which releases of the provider store in different ways
	DockerLabels     map[string]string `json:"dockerLabels,omitempty"`
	Environment      []keyValue        `json:"environment"`
	Essential        bool              `json:"essential"`
	HealthCheck      *healthCheck      `json:"healthCheck,omitempty"`
	Image            string            `json:"image"`
	LinuxParameters  *linuxParameters  `json:"linuxParameters,omitempty"`
	LogConfiguration logConfiguration  `json:"logConfiguration"`
	MountPoints      []struct{}        `json:"mountPoints"`
	Name             string            `json:"name"`
	PortMappings     []portMapping     `json:"portMappings"`
	Secrets          []secret          `json:"secrets,omitempty"`
	StopTimeout      int               `json:"stopTimeout"` // seconds
	SystemControls   []struct{}        `json:"systemControls"`
	VolumesFrom      []struct{}        `json:"volumesFrom"`
}

type keyValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type secret struct {
	Name      string `json:"name"`
	ValueFrom string `json:"valueFrom"`
}

type portMapping struct {
	ContainerPort int    `json:"containerPort"`
	HostPort      int    `json:"hostPort"`
	Protocol      string `json:"protocol"`
}

type healthCheck struct {
	Command     []string `json:"command"`
	Interval    int      `json:"interval"`
	Retries     int      `json:"retries"`
	StartPeriod int      `json:"startPeriod,omitempty"`
	Timeout     int      `json:"timeout"`
}

type linuxParameters struct {
	InitProcessEnabled bool `json:"initProcessEnabled"`
}

type logConfiguration struct {
	LogDriver string            `json:"logDriver"`
	Options   map[string]string `json:"options"`
}

// encodeContainers writes container definitions the one way that equal definitions are equal texts.
func encodeContainers(containers []containerDefinition) (string, error) {
	for i := range containers {
		container := &containers[i]
		container.Environment = orEmpty(container.Environment)
		container.PortMappings = orEmpty(container.PortMappings)
		container.MountPoints = []struct{}{}
		container.SystemControls = []struct{}{}
		container.VolumesFrom = []struct{}{}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false) // a preview is read by people
	err := encoder.Encode(containers)
	return string(bytes.TrimSpace(text.Bytes())), err
}

// orEmpty makes no elements [] rather than null, as AWS does.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func sortedVariables(variables map[string]string) []keyValue {
	var sorted []keyValue
	for _, name := range sortedKeys(variables) {
		sorted = append(sorted, keyValue{name, variables[name]})
	}
	return sorted
}

func sortedSecrets(arns map[string]string) []secret {
	var sorted []secret
	for _, name := range sortedKeys(arns) {
		sorted = append(sorted, secret{name, arns[name]})
	}
	return sorted
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
