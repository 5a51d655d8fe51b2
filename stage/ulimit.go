package stage

import (
	"maps"
	"slices"
)

// Ulimit is one limit of a container's processes.
type Ulimit struct {
	// Soft is the limit that a process starts with, and may raise up to `hard`.
	//
	// Default: none; required
	// Allowed: not more than `hard`
	// Example: soft: 65535
	// Rule: [ECS Ulimit](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html)
	Soft int `json:"soft" min:"0" max:"2147483647"`

	// Hard is the limit that no process can raise.
	//
	// Default: none; required
	// Example: hard: 65535
	// Rule: [ECS Ulimit](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html)
	Hard int `json:"hard" min:"0" max:"2147483647"`
}

// ulimits are the limits that ECS knows (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html).
var ulimits = []string{"core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio",
	"rttime", "sigpending", "stack"}

func (c *checker) checkUlimits(keys []any, limits map[string]Ulimit) {
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		if !slices.Contains(ulimits, name) {
			c.fail(below(keys, name), "is no limit that ECS knows; allowed: %s", enumerate(ulimits))
			continue
		}
		soft, hard := c.root.at(below(keys, name, "soft")...), c.root.at(below(keys, name, "hard")...)
		for _, limit := range []place{soft, hard} {
			if !limit.present {
				c.failAt(limit, "is missing; write soft and hard, as in {soft: 65535, hard: 65535}")
			}
		}
		if soft.present && hard.present && !hard.bad && limits[name].Soft > limits[name].Hard {
			c.failAt(soft, "is %d, more than hard, which is %d; lower soft, or raise hard", limits[name].Soft, limits[name].Hard)
		}
	}
}
