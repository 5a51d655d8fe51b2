package stage

import (
	"maps"
	"slices"
)

// Capacity is what tasks of services run on: Fargate's capacity at its usual price (on demand), what Fargate has left
// at the moment (Spot), which costs up to 70 % less and is taken back with two minutes' notice, or EC2 instances of the
// stage's own.
//
// Rule: [Fargate capacity providers](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html)
type Capacity struct {
	// OnDemand is the share of tasks that run on demand, against `spot`.
	//
	// Allowed: at least 1 of `onDemand` and `spot` is more than 0, unless there is `instances`
	// Example: onDemand: 1
	OnDemand int `json:"onDemand" default:"0" min:"0" max:"1000"`

	// Spot is the share of tasks that run on Fargate Spot, against `onDemand`. When AWS takes a task back, the
	// containers get SIGTERM and have `stopTimeout` to end, and ECS starts another task where it finds capacity: where
	// it finds none, there is one less. Not for what must not be interrupted, or for a service of which one task less
	// is too few.
	//
	// Example: spot: 3
	Spot int `json:"spot" default:"0" min:"0" max:"1000"`

	// Base is how many tasks run on demand in any case, before the shares are counted. With `{spot: 1, base: 2}` all but
	// two run on Spot.
	//
	// Example: base: 1
	// Rule: [CapacityProviderStrategyItem](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CapacityProviderStrategyItem.html)
	Base int `json:"base" default:"0" min:"0" max:"100000" unit:"tasks"`

	// Instances names the group of EC2 instances that the tasks run on. They have no public address there: in public
	// subnets they reach nothing outside of the VPC, but for a NAT gateway or endpoints of it. Their images, secrets and
	// logs go through the instance, which has one.
	//
	// Default: none; Fargate
	// Allowed: a name in `instances`; not with `onDemand`, `spot` and `base`
	// Example: instances: general
	// Rule: [Task networking on EC2](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-networking-awsvpc.html)
	Instances string `json:"instances"`
}

// HasCapacity tells whether any service says what it runs on, or the stage has instances.
//
// Example: HasCapacity() is true where a service has capacity
func (s *Stage) HasCapacity() bool {
	for _, service := range s.Services {
		if service.Capacity != nil {
			return true
		}
	}
	return len(s.Instances) > 0
}

func (c *checker) checkCapacity(here place, capacity *Capacity) {
	if capacity == nil || here.bad {
		return
	}
	instances := here.at("instances")
	if here.at("onDemand").bad || here.at("spot").bad || instances.bad {
		return
	}
	if instances.present {
		c.checkCapacityInstances(here, capacity.Instances)
		return
	}
	if capacity.OnDemand == 0 && capacity.Spot == 0 {
		here.fail("has no share that is more than 0; write onDemand, spot or both, as in {spot: 3, onDemand: 1}")
	}
}

func (c *checker) checkCapacityInstances(here place, name string) {
	for _, share := range []string{"onDemand", "spot", "base"} {
		if other := here.at(share); other.present {
			other.fail("is a share of Fargate, and cannot be combined with instances; remove one of them")
			return
		}
	}
	declared := slices.Sorted(maps.Keys(c.document.Instances))
	if !slices.Contains(declared, name) && !c.at("instances").bad {
		here.at("instances").fail("names %q, which is not declared; declare instances.%[1]s%[2]s", shorten(name),
			orOneOf(declared))
	}
}
