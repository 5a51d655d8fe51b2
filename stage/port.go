package stage

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Port is a port that a container listens on beside the service's `port`.
//
// Rule: [ECS PortMapping](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_PortMapping.html)
type Port struct {
	// Port is its number. The containers of a task share its network, so no two of them listen on the same one.
	//
	// Default: none; required
	// Allowed: a port that no other container of the task has, and not the service's `port`
	// Example: port: 9090
	Port int `json:"port" min:"1" max:"65535"`

	// Protocol is what is spoken there.
	//
	// Example: protocol: udp
	Protocol string `json:"protocol" default:"tcp" enum:"tcp,udp"`

	// AllowFrom are those that may reach the port. The containers of the task reach it on localhost in any case; the
	// service's own `allowFrom` is for its `port` alone.
	//
	// Default: none; nobody
	// Allowed: as in `allowFrom` of a service
	// Example: allowFrom: ["10.0.0.0/8"]
	// Rule: [Security group rules](https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html)
	AllowFrom []string `json:"allowFrom"`
}

// String is the port as messages and names have it: 9090/udp.
//
// Example: String() is 9090/udp
func (p Port) String() string { return fmt.Sprintf("%d/%s", p.Port, p.Protocol) }

// SortedPorts are the further ports of a container, by number.
//
// Example: SortedPorts() has 8081 before 9090
func (c Container) SortedPorts() []Port {
	return slices.SortedFunc(slices.Values(c.Ports), func(a, b Port) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol))
	})
}

// checkPorts checks the ports of all containers of the service or task here, whose main one is main. main listens on
// the port service, too, where that is not 0.
func (c *checker) checkPorts(here place, main string, service int, containers map[string]Container) {
	taken := map[string]string{}
	if service != 0 {
		taken[Port{Port: service, Protocol: "tcp"}.String()] = here.at("port").key()
	}
	for _, name := range slices.Sorted(maps.Keys(containers)) {
		all := ofContainer(here, main, name).at("ports")
		for i, port := range containers[name].Ports {
			one := all.at(i)
			number := one.at("port")
			switch other := taken[port.String()]; {
			case one.bad || number.bad || one.at("protocol").bad:
				continue
			case !number.present:
				number.fail("is missing; write the port that the container listens on, as in 9090")
			case other != "":
				number.fail("is %s, which is that of %s already; the containers of a task share its network: use another port",
					port, other)
			}
			taken[port.String()] = number.key()
			c.checkAllowFrom(one.at("allowFrom"), port.AllowFrom, false)
		}
	}
}
