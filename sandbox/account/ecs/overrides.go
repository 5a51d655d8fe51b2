package ecs

import (
	"maps"
	"slices"

	"slipway/sandbox/account"
)

// Overrides replace parts of a task definition for one task.
type Overrides struct {
	Containers       []ContainerOverride `json:"containerOverrides"`
	CPU              string              `json:"cpu,omitempty"`
	Memory           string              `json:"memory,omitempty"`
	TaskRoleARN      string              `json:"taskRoleArn,omitempty"`
	ExecutionRoleARN string              `json:"executionRoleArn,omitempty"`
}

// ContainerOverride replaces parts of one container. Variables are added to the container's own.
type ContainerOverride struct {
	Name              string     `json:"name"`
	Command           []string   `json:"command,omitempty"`
	Environment       []Variable `json:"environment,omitempty"`
	CPU               int        `json:"cpu,omitempty"`
	Memory            int        `json:"memory,omitempty"`
	MemoryReservation int        `json:"memoryReservation,omitempty"`
}

// Variable is one of a container's environment.
type Variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// check refuses what ECS refuses of overrides of this definition.
func (o Overrides) check(d *TaskDefinition) error {
	invalid := func(format string, args ...any) error {
		return account.Refuse("InvalidParameterException", format, args...)
	}
	for _, override := range o.Containers {
		if !slices.ContainsFunc(d.Containers, func(c Container) bool { return c.Name() == override.Name }) {
			return invalid("Override for container named %s is not a container in the TaskDefinition.", override.Name)
		}
	}
	changed := o.put(d)
	if (o.CPU != "" || o.Memory != "") && !onFargate(changed.CPU, changed.Memory) {
		return invalid("No Fargate configuration exists for given values.")
	}
	return nil
}

// put is a definition with the overrides in place.
func (o Overrides) put(d *TaskDefinition) *TaskDefinition {
	changed := *d
	for value, field := range map[*string]*string{&o.CPU: &changed.CPU, &o.Memory: &changed.Memory,
		&o.TaskRoleARN:      &changed.TaskRoleARN,
		&o.ExecutionRoleARN: &changed.ExecutionRoleARN} {
		if *value != "" {
			*field = *value
		}
	}
	changed.Containers = nil
	for _, c := range d.Containers {
		c = maps.Clone(c)
		for _, override := range o.Containers {
			if override.Name == c.Name() {
				override.put(c)
			}
		}
		changed.Containers = append(changed.Containers, c)
	}
	return &changed
}

func (o ContainerOverride) put(c Container) {
	if o.Command != nil {
		command := []any{}
		for _, word := range o.Command {
			command = append(command, word)
		}
		c["command"] = command
	}
	for key, n := range map[string]int{"cpu": o.CPU, "memory": o.Memory, "memoryReservation": o.MemoryReservation} {
		if n != 0 {
			c[key] = float64(n)
		}
	}
	variables, _ := c["environment"].([]any)
	for _, v := range o.Environment {
		variables = slices.DeleteFunc(slices.Clone(variables), func(old any) bool {
			return account.Member(old,
				"name") == v.Name
		})
		variables = append(variables, map[string]any{"name": v.Name, "value": v.Value})
	}
	c["environment"] = variables
}

// definitionOf is that of a task, with what RunTask overrides put in place.
func definitionOf(t *account.Tx, task *Task) (*TaskDefinition, error) {
	d, err := findTaskDefinition(t, task.TaskDefinition)
	if err != nil || task.Run == nil {
		return d, err
	}
	return task.Run.Overrides.put(d), nil
}
