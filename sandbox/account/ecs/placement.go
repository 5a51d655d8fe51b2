package ecs

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"slipway/sandbox/account"
)

// PlacementConstraint limits the instances that tasks may be on.
type PlacementConstraint struct {
	Type       string `json:"type"` // memberOf or distinctInstance
	Expression string `json:"expression,omitempty"`
}

// room is what an instance has left, or a task takes.
type room struct {
	cpu, memory, enis int
	ports             map[string]bool // PORT/PROTOCOL: those that are taken
}

// needsOf is what a task takes.
func needsOf(d *TaskDefinition) room {
	needs := room{ports: map[string]bool{}}
	for _, c := range d.Containers {
		needs.cpu += int(number(c["cpu"]))
		needs.memory += int(cmp.Or(number(c["memoryReservation"]), number(c["memory"])))
		for _, port := range c.objects("portMappings") {
			at := port["hostPort"]
			if d.NetworkMode == "host" {
				at = port["containerPort"]
			}
			if n := int(number(at)); n != 0 && d.NetworkMode != networkOfTask {
				needs.ports[fmt.Sprintf("%d/%v", n, cmp.Or(port["protocol"], any("tcp")))] = true
			}
		}
	}
	if n, err := strconv.Atoi(d.CPU); err == nil {
		needs.cpu = n
	}
	if n, err := strconv.Atoi(d.Memory); err == nil {
		needs.memory = n
	}
	if d.NetworkMode == networkOfTask {
		needs.enis = 1
	}
	return needs
}

func number(v any) float64 {
	n, _ := v.(float64)
	return n
}

const networkOfTask = "awsvpc"

// lacks says what a task needs that there is no room for, as ECS's events do; "" where there is.
func (r room) lacks(needs room) string {
	for port := range needs.ports {
		if r.ports[port] {
			return "is already using a port required by your task"
		}
	}
	switch {
	case needs.cpu > r.cpu:
		return "has insufficient CPU units available"
	case needs.memory > r.memory:
		return "has insufficient memory available"
	case needs.enis > r.enis:
		return `encountered error "RESOURCE:ENI"`
	}
	return ""
}

// less is what is left once a task has its part.
func (r room) less(needs room) room {
	left := room{r.cpu - needs.cpu, r.memory - needs.memory, r.enis - needs.enis, map[string]bool{}}
	maps.Copy(left.ports, r.ports)
	maps.Copy(left.ports, needs.ports)
	return left
}

// left is the room that the tasks on an instance leave.
func (f *fleet) left(c *ContainerInstance) room {
	left := room{c.CPU, c.Memory, c.ENIs, map[string]bool{}}
	for _, task := range f.on(c) {
		left = left.less(needsOf(task.definition))
	}
	return left
}

// placing is a task that needs an instance.
type placing struct {
	cluster, provider string // its ARN, and what its capacity is; the latter is "" for the launch type EC2
	group             string // service:NAME, for instance
	definition        *TaskDefinition
	constraints       []PlacementConstraint
}

// refuses says why an instance cannot take a task, whatever room it has; "" where it can.
func (f *fleet) refuses(c *ContainerInstance, p placing) string {
	const attribute = "is missing an attribute required by your task"
	architecture := strings.ToLower(p.definition.RuntimePlatform["cpuArchitecture"])
	switch {
	case p.provider != "" && c.CapacityProvider != p.provider, architecture != "" &&
		architecture != c.Attributes["ecs.cpu-architecture"]:
		return attribute
	}
	for _, constraint := range p.constraints {
		if constraint.Type == "distinctInstance" {
			if slices.ContainsFunc(f.on(c), func(task fleetTask) bool { return task.Group == p.group }) {
				return "is already running a task of this service"
			}
			continue
		}
		if holds, err := evaluate(constraint.Expression, c); err != nil || !holds {
			return attribute
		}
	}
	return ""
}

// place finds the instance for a task, or says why there is none.
func (f *fleet) place(p placing) (found *ContainerInstance, problem string) {
	problem = "Reason: No Container Instances were found in your cluster."
	var fit []*ContainerInstance
	for _, c := range f.instances {
		if c.ClusterARN != p.cluster || c.Status != statusActive {
			continue
		}
		lacks := cmp.Or(f.refuses(c, p), f.left(c).lacks(needsOf(p.definition)))
		if lacks == "" {
			fit = append(fit, c)
			continue
		}
		problem = fmt.Sprintf("The closest matching (container-instance %s) %s. For more information, see the "+
			"Troubleshooting section of the Amazon ECS Developer Guide.", c.ID(), lacks)
	}
	if len(fit) == 0 {
		return nil, problem
	}
	// Without a strategy of the service's own, ECS spreads its tasks over availability zones.
	return slices.MinFunc(fit, func(x, y *ContainerInstance) int {
		return cmp.Compare(f.inZoneOf(x, p), f.inZoneOf(y, p))
	}), ""
}

// inZoneOf counts the tasks of the same service in the availability zone of an instance.
func (f *fleet) inZoneOf(c *ContainerInstance, p placing) (n int) {
	const zone = "ecs.availability-zone"
	for _, task := range f.tasks {
		other := f.find(task.ContainerInstance)
		if task.Group == p.group && other != nil && other.ClusterARN == p.cluster &&
			other.Attributes[zone] == c.Attributes[zone] {
			n++
		}
	}
	return n
}

// valueOf is what an instance has in a field of an expression.
func valueOf(c *ContainerInstance, field string) string {
	switch name := strings.TrimPrefix(field, "attribute:"); {
	case strings.EqualFold(field, "instanceId") || field == "host":
		return c.Instance
	case field == "ec2InstanceId":
		return c.Instance
	default:
		return c.Attributes[name]
	}
}

// checkPlacement refuses constraints that ECS refuses.
func checkPlacement(constraints []PlacementConstraint) error {
	invalid := func(format string, args ...any) error {
		return account.Refuse("InvalidParameterException", format, args...)
	}
	for _, constraint := range constraints {
		switch constraint.Type {
		case "distinctInstance":
			if constraint.Expression != "" {
				return invalid("Expression must not be specified for the constraint type distinctInstance.")
			}
		case "memberOf":
			if _, err := evaluate(constraint.Expression, &ContainerInstance{}); err != nil {
				return invalid("Invalid expression: %s: %v", constraint.Expression, err)
			}
		default:
			return invalid("Invalid placement constraint type: %s", constraint.Type)
		}
	}
	if len(constraints) > 10 {
		return invalid("The number of placement constraints cannot exceed 10.")
	}
	return nil
}
