package stage

import (
	"maps"
	"slices"

	"slipway/internal/awslimits"
)

// Ulimit is one limit of a container's processes.
type Ulimit struct {
	// Soft is the limit that a process starts with, and may raise up to `hard`.
	//
	// Default: none; required
	// Allowed: not more than `hard`; -1 stands for no limit
	// Example: soft: 65535
	// Rule: [ECS Ulimit](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html)
	Soft int `json:"soft" min:"-1" max:"2147483647"`

	// Hard is the limit that no process can raise.
	//
	// Default: none; required
	// Allowed: -1 stands for no limit
	// Example: hard: 65535
	// Rule: [ECS Ulimit](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html)
	Hard int `json:"hard" min:"-1" max:"2147483647"`
}

func (c *checker) checkUlimits(keys []any, limits map[string]Ulimit) {
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		if !slices.Contains(awslimits.Ulimits, name) {
			c.fail(below(keys, name), "is not a ulimit that ECS supports; allowed: %s", enumerate(awslimits.Ulimits))
			continue
		}
		soft, hard := c.root.at(below(keys, name, "soft")...), c.root.at(below(keys, name, "hard")...)
		for _, limit := range []place{soft, hard} {
			if !limit.present {
				c.failAt(limit, "is missing; write soft and hard, as in {soft: 65535, hard: 65535}")
			}
		}
		if limit := limits[name]; soft.present && hard.present && !hard.bad &&
			awslimits.SoftAboveHard(limit.Soft, limit.Hard) {
			c.failAt(soft, "is %d, more than hard, which is %d; lower soft, or raise hard (-1 is no limit)", limit.Soft,
				limit.Hard)
		}
	}
}
