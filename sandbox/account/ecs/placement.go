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

// PlacementStrategy orders them.
type PlacementStrategy struct {
	Type  string `json:"type"` // spread, binpack or random
	Field string `json:"field,omitempty"`
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
	strategies        []PlacementStrategy
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
	strategies := p.strategies
	if len(strategies) == 0 {
		strategies = []PlacementStrategy{{"spread", "attribute:ecs.availability-zone"}}
	}
	return slices.MinFunc(fit, func(x, y *ContainerInstance) int {
		for _, strategy := range strategies {
			if order := cmp.Compare(f.rank(x, p, strategy), f.rank(y, p, strategy)); order != 0 {
				return order
			}
		}
		return 0
	}), ""
}

// rank orders instances by one strategy, the preferred ones first.
func (f *fleet) rank(c *ContainerInstance, p placing, strategy PlacementStrategy) (n int) {
	switch strategy.Type {
	case "binpack":
		if strings.EqualFold(strategy.Field, "cpu") {
			return f.left(c).cpu
		}
		return f.left(c).memory
	case "spread":
		same := valueOf(c, strategy.Field)
		for _, task := range f.tasks {
			other := f.find(task.ContainerInstance)
			if task.Group == p.group && other != nil && other.ClusterARN == p.cluster && valueOf(other, strategy.Field) == same {
				n++
			}
		}
	}
	return n
}

// valueOf is what an instance has in a field of a strategy or of an expression.
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

// checkPlacement refuses constraints and strategies that ECS refuses.
func checkPlacement(constraints []PlacementConstraint, strategies []PlacementStrategy) error {
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
	for _, strategy := range strategies {
		fields := map[string][]string{"binpack": {"cpu", "memory"}, "random": {""}, "spread": nil}
		allowed, known := fields[strategy.Type]
		switch {
		case !known:
			return invalid("Invalid placement strategy type: %s", strategy.Type)
		case allowed != nil && !slices.Contains(allowed, strings.ToLower(strategy.Field)),
			strategy.Type == "spread" && strategy.Field == "":
			return invalid("Invalid field of the placement strategy %s: %s", strategy.Type, strategy.Field)
		}
	}
	switch {
	case len(constraints) > 10:
		return invalid("The number of placement constraints cannot exceed 10.")
	case len(strategies) > 5:
		return invalid("The number of placement strategies cannot exceed 5.")
	}
	return nil
}
