package stage

import (
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

func checkUlimits(here place, limits map[string]Ulimit) {
	for name, limit := range limits {
		if !slices.Contains(awslimits.Ulimits, name) {
			here.at(name).fail("is not a ulimit that ECS supports; allowed: %s", enumerate(awslimits.Ulimits))
			continue
		}
		soft, hard := here.at(name, "soft"), here.at(name, "hard")
		for _, part := range []place{soft, hard} {
			if !part.present {
				part.fail("is missing; write soft and hard, as in {soft: 65535, hard: 65535}")
			}
		}
		if soft.present && hard.present && !hard.bad &&
			awslimits.SoftAboveHard(limit.Soft, limit.Hard) {
			soft.fail("is %d, more than hard, which is %d; lower soft, or raise hard (-1 is no limit)", limit.Soft, limit.Hard)
		}
	}
}
