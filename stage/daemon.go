package stage

import (
	"maps"
	"slices"
)

const (
	// Sizes of tasks on EC2
	// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters_ec2.html).
	leastCPU, mostCPU = 128, 10240
	leastMemory       = 6
)

// DaemonInstances are the groups of instances that a daemon has a task on each instance of, sorted.
//
// Example: DaemonInstances("collector") is [general intel] without capacity, and [general] with {instances: general}
func (s *Stage) DaemonInstances(service string) []string {
	return daemonInstances(s.Services[service], s.Instances)
}

func daemonInstances(service Service, groups map[string]Instances) []string {
	switch only := service.OnInstances(); {
	case !service.Daemon:
		return nil
	case only != "":
		return []string{only}
	}
	return slices.Sorted(maps.Keys(groups))
}

// NeedsInstances tells whether the service's tasks run on EC2 instances, and not on Fargate.
//
// Example: NeedsInstances() is true of a daemon, and where capacity is {instances: general}
func (s Service) NeedsInstances() bool { return s.Daemon || s.OnInstances() != "" }

// OwnNetwork tells whether each task has a network of its own, and not its instance's.
//
// Example: OwnNetwork() is false with network: host
func (s Service) OwnNetwork() bool { return s.Network != "host" && s.Network != "bridge" }

// withDaemonDefaults has a daemon replaced as ECS replaces it: an instance has no room for a second task of it.
func (s Service) withDaemonDefaults(here place) Service {
	if !s.Daemon {
		return s
	}
	if !here.at("deployment", "minimumHealthy").present {
		s.Deployment.MinimumHealthy = 0
	}
	if !here.at("deployment", "maximum").present {
		s.Deployment.Maximum = 100
	}
	return s
}

// checkDaemon checks what a daemon can have, and what only a daemon can have.
func (c *checker) checkDaemon(here place, service Service) {
	daemon := here.at("daemon")
	if daemon.bad {
		return
	}
	if !service.Daemon {
		for _, key := range []string{"network", "placement"} {
			if only := here.at(key); only.present {
				only.fail("is for daemons, and a service with replicas has a network of its own, wherever it runs; remove it, " +
					"or write daemon: true")
			}
		}
		return
	}
	for _, has := range []struct{ key, why string }{
		{"replicas", "a daemon has one task on each instance"},
		{"scaling", "a daemon has one task on each instance"},
		{"route", "the load balancer asks services with replicas"},
		{"name", "who calls it would reach that of any instance"},
		{"ephemeralStorage", "the tasks of an instance share its disk"},
	} {
		if at := here.at(has.key); at.present {
			at.fail("cannot be combined with daemon: %s; remove one of them", has.why)
		}
	}
	if calls := here.at("calls"); calls.present && !service.OwnNetwork() {
		calls.fail("needs a network of the task's own; remove it, or write network: awsvpc")
	}
	if maximum := here.at("deployment", "maximum"); maximum.present && service.Deployment.Maximum != 100 {
		maximum.fail("is %d, and a daemon has one task at most on each instance; write 100, or remove it",
			service.Deployment.Maximum)
	}
	c.checkDaemonInstances(here, service)
	for i, expression := range service.Placement {
		if blank(expression) {
			here.at("placement", i).fail("is empty; write an expression, as in attribute:ecs.instance-type == m7g.large")
		}
	}
}

func (c *checker) checkDaemonInstances(here place, service Service) {
	capacity := here.at("capacity")
	groups := c.at("instances")
	switch {
	case capacity.broken() || groups.bad:
		return
	case len(c.document.Instances) == 0:
		here.at("daemon").fail("needs EC2 instances, and the stage has none; declare instances, or remove daemon")
		return
	case service.Capacity != nil && service.Capacity.Instances == "":
		capacity.fail("has shares of Fargate, and a daemon runs on instances; write {instances: …}, or remove it for all")
		return
	}
	for _, group := range daemonInstances(service, c.document.Instances) {
		c.checkInstancesPlatform(here, service.Image, group)
	}
}

// checkDaemonPorts refuses a port of instances that two daemons listen on.
func (c *checker) checkDaemonPorts(services map[string]Service) {
	type port struct{ group, port string }
	taken := map[port]string{}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		service, here := services[name], c.at("services", name)
		if !service.Daemon || service.OwnNetwork() || here.broken() {
			continue
		}
		for _, group := range daemonInstances(service, c.document.Instances) {
			for _, each := range service.allPorts(name) {
				one := port{group, each.String()}
				if other := taken[one]; other != "" {
					here.fail("listens on %s of instances.%s, as services.%s does; use another port, or network: awsvpc", each,
						group, other)
					return
				}
				taken[one] = name
			}
		}
	}
}

// allPorts are those that its containers listen on.
func (s Service) allPorts(name string) (ports []Port) {
	if s.Port != 0 {
		ports = append(ports, Port{Port: s.Port, Protocol: "tcp"})
	}
	for _, container := range s.AllContainers(name) {
		ports = append(ports, container.Ports...)
	}
	return ports
}

func checkDaemonSize(here place, cpu, memory int) {
	cpuAt, memoryAt := here.at("cpu"), here.at("memory")
	if cpu < leastCPU || cpu > mostCPU {
		cpuAt.fail("is %d; allowed for a daemon: %d to %d CPU units (1024 are one vCPU)", cpu, leastCPU, mostCPU)
	}
	if memory < leastMemory {
		memoryAt.fail("is %d; allowed for a daemon: %d MiB and more", memory, leastMemory)
	}
}
