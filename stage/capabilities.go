package stage

import (
	"slices"

	"slipway/internal/awslimits"
)

// Capabilities are the Linux capabilities of a container's processes.
//
// Rule: [ECS KernelCapabilities](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_KernelCapabilities.html)
type Capabilities struct {
	// Add are those that the container has beside Docker's own. Fargate adds one only, with which a process traces
	// others: an agent that watches or debugs the application needs it.
	//
	// Default: none
	// Allowed: `SYS_PTRACE`
	// Example: add: [SYS_PTRACE]
	Add []string `json:"add"`

	// Drop are those of Docker's that the container does not have.
	//
	// Default: none
	// Allowed: `ALL`, or names of Linux capabilities in capitals without `CAP_`, as in `NET_RAW`, each once
	// Example: drop: [ALL]
	Drop []string `json:"drop"`
}

func checkCapabilities(here place, capabilities *Capabilities) {
	if capabilities == nil || here.bad {
		return
	}
	for kind, names := range map[string][]string{"add": capabilities.Add, "drop": capabilities.Drop} {
		for i, name := range names {
			one := here.at(kind, i)
			switch {
			case kind == "add" && name != awslimits.AddedCapability:
				one.fail("is %q, and Fargate adds %s only; write that, or remove it", shorten(name), awslimits.AddedCapability)
			case !slices.Contains(awslimits.Capabilities, name):
				one.fail("is %q, which is no Linux capability that ECS knows; write ALL, or one as in NET_RAW",
					shorten(name))
			case slices.Contains(names[:i], name):
				one.fail("duplicates %s; remove it", name)
			}
		}
	}
}
