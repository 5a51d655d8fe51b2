package stage

// Capacity is what tasks of services run on: Fargate's capacity at its usual price (on demand), or what Fargate has
// left at the moment (Spot), which costs up to 70 % less and is taken back with two minutes' notice.
//
// Rule: [Fargate capacity providers](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html)
type Capacity struct {
	// OnDemand is the share of tasks that run on demand, against `spot`.
	//
	// Allowed: at least 1 of `onDemand` and `spot` is more than 0
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
}

// HasCapacity tells whether any service says what it runs on.
//
// Example: HasCapacity() is true where a service has capacity
func (s *Stage) HasCapacity() bool {
	for _, service := range s.Services {
		if service.Capacity != nil {
			return true
		}
	}
	return false
}

func checkCapacity(here place, capacity *Capacity) {
	if capacity == nil || here.bad {
		return
	}
	if here.at("onDemand").bad || here.at("spot").bad {
		return
	}
	if capacity.OnDemand == 0 && capacity.Spot == 0 {
		here.fail("has no share that is more than 0; write onDemand, spot or both, as in {spot: 3, onDemand: 1}")
	}
}
