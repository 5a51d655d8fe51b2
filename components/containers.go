package components

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
)

// containerDefinition is a container as ECS describes it back: fields in the order of their names, with the
// defaults that AWS fills in written out. A preview then shows what really changed and nothing else, and a
// refresh finds no drift
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html).
type containerDefinition struct {
	Command []string `json:"command,omitempty"`
	// CPU units; never 0, which releases of the provider store in different ways
	CPU              int               `json:"cpu"`
	DependsOn        []dependency      `json:"dependsOn,omitempty"`
	DockerLabels     map[string]string `json:"dockerLabels,omitempty"`
	EntryPoint       []string          `json:"entryPoint,omitempty"`
	Environment      []keyValue        `json:"environment"`
	Essential        bool              `json:"essential"`
	FireLens         *fireLens         `json:"firelensConfiguration,omitempty"`
	HealthCheck      *healthCheck      `json:"healthCheck,omitempty"`
	Image            string            `json:"image"`
	LinuxParameters  *linuxParameters  `json:"linuxParameters,omitempty"`
	LogConfiguration logConfiguration  `json:"logConfiguration"`
	Memory           int               `json:"memory,omitempty"`            // MiB
	MemoryReserved   int               `json:"memoryReservation,omitempty"` // MiB
	MountPoints      []mountPoint      `json:"mountPoints"`
	Name             string            `json:"name"`
	PortMappings     []portMapping     `json:"portMappings"`
	ReadonlyRoot     bool              `json:"readonlyRootFilesystem,omitempty"`
	// PullCredentials are for a registry that asks for a password; nil for any other
	PullCredentials *repositoryCredentials `json:"repositoryCredentials,omitempty"`
	Secrets         []secret               `json:"secrets,omitempty"`
	StartTimeout    int                    `json:"startTimeout,omitempty"` // seconds
	StopTimeout     int                    `json:"stopTimeout"`            // seconds
	SystemControls  []systemControl        `json:"systemControls"`
	Ulimits         []ulimit               `json:"ulimits,omitempty"`
	User            string                 `json:"user,omitempty"`
	VolumesFrom     []struct{}             `json:"volumesFrom"`
	WorkingDir      string                 `json:"workingDirectory,omitempty"`
}

type dependency struct {
	Condition     string `json:"condition"`
	ContainerName string `json:"containerName"`
}

type keyValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type secret struct {
	Name      string `json:"name"`
	ValueFrom string `json:"valueFrom"`
}

type repositoryCredentials struct {
	CredentialsParameter string `json:"credentialsParameter"` // the ARN of a secret
}

type mountPoint struct {
	ContainerPath string `json:"containerPath"`
	ReadOnly      bool   `json:"readOnly"`
	SourceVolume  string `json:"sourceVolume"`
}

type portMapping struct {
	AppProtocol   string `json:"appProtocol,omitempty"`
	ContainerPort int    `json:"containerPort"`
	HostPort      int    `json:"hostPort"`
	Name          string `json:"name,omitempty"`
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
	Capabilities       *capabilities `json:"capabilities,omitempty"`
	InitProcessEnabled bool          `json:"initProcessEnabled,omitempty"`
}

type capabilities struct {
	Add  []string `json:"add,omitempty"`
	Drop []string `json:"drop,omitempty"`
}

type systemControl struct {
	Namespace string `json:"namespace"`
	Value     string `json:"value"`
}

type ulimit struct {
	HardLimit int    `json:"hardLimit"`
	Name      string `json:"name"`
	SoftLimit int    `json:"softLimit"`
}

type logConfiguration struct {
	LogDriver     string            `json:"logDriver"`
	Options       map[string]string `json:"options,omitempty"`
	SecretOptions []secret          `json:"secretOptions,omitempty"`
}

type fireLens struct {
	Options map[string]string `json:"options"`
	Type    string            `json:"type"`
}

// encodeContainers writes container definitions the one way that equal definitions are equal texts. Their order is that
// of their names, in which the provider keeps them: in another one, a preview of any change would show them moved, too.
func encodeContainers(containers []containerDefinition) (string, error) {
	slices.SortFunc(containers, func(a, b containerDefinition) int { return cmp.Compare(a.Name, b.Name) })
	for i := range containers {
		container := &containers[i]
		container.Environment = orEmpty(container.Environment)
		container.PortMappings = orEmpty(container.PortMappings)
		container.MountPoints = orEmpty(container.MountPoints)
		container.SystemControls = orEmpty(container.SystemControls)
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

// inOrder has an element for each entry of a map, in the order of their keys; nil for none.
func inOrder[V, T any](entries map[string]V, element func(key string, value V) T) (list []T) {
	for _, key := range sortedKeys(entries) {
		list = append(list, element(key, entries[key]))
	}
	return list
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
