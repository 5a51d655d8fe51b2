package agent

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account/ecs"
)

// definition is a container definition as far as the agent acts on it. Field names are those of the ECS API, whatever
// their case.
type definition struct {
	Name, Image            string
	EntryPoint, Command    []string
	Environment            []struct{ Name, Value string }
	User, WorkingDirectory string
	ReadonlyRootFilesystem bool
	CPU                    int64
	Memory                 int64 // MiB
	MemoryReservation      int64 // MiB
	DockerLabels           map[string]string
	HealthCheck            *struct {
		Command                                 []string
		Interval, Timeout, Retries, StartPeriod int
	}
	LinuxParameters struct {
		InitProcessEnabled bool
		Capabilities       struct{ Add, Drop []string }
	}
	SystemControls []struct{ Namespace, Value string }
	Ulimits        []struct {
		Name                 string
		SoftLimit, HardLimit int64
	}
	MountPoints []mountPoint
	VolumesFrom []struct {
		SourceContainer string
		ReadOnly        bool
	}
	StopTimeout  *int // seconds
	StartTimeout *int // seconds
	DependsOn    []dependency
	PortMappings []struct {
		ContainerPort uint16
		Protocol      string
	}
	FirelensConfiguration *struct{ Type string }
	LogConfiguration      struct {
		LogDriver string
		Options   map[string]string
	}
}

type mountPoint struct {
	SourceVolume, ContainerPath string
	ReadOnly                    bool
}

func definitionsOf(d ecs.TaskDefinition) (found []definition, err error) {
	content, err := json.Marshal(d.Containers)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(content, &found); err != nil {
		return nil, fmt.Errorf("reading the containers of %s: %w", d.ARN, err)
	}
	router := slices.IndexFunc(found, func(c definition) bool { return c.FirelensConfiguration != nil })
	for i, c := range found {
		if router >= 0 && c.LogConfiguration.LogDriver == awslimits.FireLensDriver { // as ECS has it
			found[i].DependsOn = append(c.DependsOn, dependency{found[router].Name, "START"})
		}
	}
	return found, nil
}

// sysctls are the container's kernel parameters: those of the network, or all others.
func (d definition) sysctls(network bool) map[string]string {
	found := map[string]string{}
	for _, control := range d.SystemControls {
		if strings.HasPrefix(control.Namespace, awslimits.NetworkControl) == network {
			found[control.Namespace] = control.Value
		}
	}
	return found
}

// health reports whether the container has a health check that decides something.
func (d definition) health() bool {
	return d.HealthCheck != nil && len(d.HealthCheck.Command) > 0 && d.HealthCheck.Command[0] != "NONE"
}

// log is where the container's output goes; "" where that is nowhere in the account.
func (d definition) log(taskID string) (group, stream string) {
	options := d.LogConfiguration.Options
	if d.LogConfiguration.LogDriver != "awslogs" || options["awslogs-group"] == "" {
		return "", ""
	}
	return options["awslogs-group"], options["awslogs-stream-prefix"] + "/" + d.Name + "/" + taskID
}
