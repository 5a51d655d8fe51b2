package stage

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

const mostReplicas = 5000 // the quota of tasks per service

func (c *checker) checkService(name string, service serviceDocument) {
	key := func(keys ...any) []any { return append(at("services", name), keys...) }
	given := func(name string) bool { return c.root.at(key(name)...).present }

	c.checkServiceName(name)
	c.checkServiceImage(name, service.Image)
	for i, argument := range service.Command {
		if argument == "" {
			c.fail(key("command", i), "is empty; write an argument, or remove it")
		}
	}
	if given("port") && (service.Port < 1 || service.Port > 65535) {
		c.fail(key("port"), "is %d; allowed: 1 to 65535, or remove it if the service listens on none", service.Port)
	}
	if service.Replicas < 0 || service.Replicas > mostReplicas {
		c.fail(key("replicas"), "is %d; allowed: 0 to %d", service.Replicas, mostReplicas)
	}
	c.checkSize(name, service.CPU, service.Memory)
	c.checkVariableNames(slices.Sorted(maps.Keys(service.Environment)), key("environment")...)
	c.checkServiceSecrets(name, service)
	if given("revision") && service.Revision < 1 {
		c.fail(key("revision"), "is %d; write the number of a revision, 1 or more, or remove it to run the newest",
			service.Revision)
	}
	if !given("port") && len(service.AllowFrom) > 0 {
		c.fail(key("allowFrom"), "lets addresses reach a service that has no port; write port, or remove allowFrom")
	}
	c.checkRanges(name, service.AllowFrom)
}

func (c *checker) checkServiceImage(name, image string) {
	path := at("services", name, "image")
	images := c.root.at("images")
	declared := slices.Sorted(maps.Keys(c.document.Images))
	switch {
	case images.bad || slices.Contains(declared, image):
	case len(declared) == 0:
		if !c.root.at(path...).bad {
			c.fail(at("images"), "no image is declared yet; %s", c.firstImage())
		}
	case !c.root.at(path...).present:
		c.fail(path, "is missing; name one of the declared images: %s", enumerate(declared))
	default:
		c.fail(path, "names %q, which is not declared; declare images.%s, or name one of: %s",
			image, image, enumerate(declared))
	}
}

// firstImage says how a stage without images comes by one. It is the same for every service, and so told once.
func (c *checker) firstImage() string {
	from, hint := "FROM", ", where FROM is the stage whose images it should run"
	switch stages := stagesThatBuild(c.in); len(stages) {
	case 0:
	case 1:
		from, hint = stages[0], ""
	default:
		hint = ", where FROM is one of: " + enumerate(stages)
	}
	return fmt.Sprintf(`run "slipway promote %s %s" to pin the images that another stage runs%s, `+
		"or build them here: write images.<name>.build.context", from, c.in.Stage, hint)
}

func (c *checker) checkSize(name string, cpu, memory int) {
	cpuAt, memoryAt := c.root.at("services", name, "cpu"), c.root.at("services", name, "memory")
	if cpuAt.bad || memoryAt.bad {
		return
	}
	i := slices.IndexFunc(taskSizes, func(size taskSize) bool { return size.cpu == cpu })
	switch {
	case i < 0:
		c.failAt(cpuAt, "%d CPU units are not a size of Fargate; allowed: %s (1024 are one vCPU)", cpu, allowedCPU())
	case slices.Contains(taskSizes[i].memory, memory):
	case memoryAt.present && (cpuAt.inherited() || !memoryAt.inherited()):
		c.failAt(memoryAt, "%d MiB does not go with cpu %d; allowed: %s", memory, cpu, taskSizes[i].allowed())
	default:
		c.failAt(cpuAt, "%d does not go with the default memory of %d MiB; write memory, allowed: %s",
			cpu, memory, taskSizes[i].allowed())
	}
}

func (c *checker) checkServiceSecrets(name string, service serviceDocument) {
	declared := slices.Sorted(maps.Keys(c.document.Secrets))
	for i, secret := range service.Secrets {
		path := at("services", name, "secrets", i)
		switch {
		case slices.Contains(service.Secrets[:i], secret):
			c.fail(path, "names %q again; remove it", secret)
		case !slices.Contains(declared, secret) && !c.root.at("secrets").bad:
			c.fail(path, "names %q, which is not declared; write its ARN in secrets.%s%s", secret, secret,
				orOneOf(declared))
		case hasKey(service.Environment, secret):
			c.fail(path, "%q is a variable in services.%s.environment too; remove one of them", secret, name)
		case hasKey(c.document.Environment, secret):
			c.fail(path, "%q is a variable in environment too; remove one of them", secret)
		}
	}
}

func (c *checker) checkRanges(name string, ranges []string) {
	var seen []netip.Prefix
	for i, text := range ranges {
		path := at("services", name, "allowFrom", i)
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			c.fail(path, "is %q; write a range of addresses as in 203.0.113.0/24, or one address as in 203.0.113.7/32",
				text)
			continue
		}
		switch {
		case prefix != prefix.Masked():
			c.fail(path, "is %s, an address inside its range; write %s for the range, or %s for the address alone",
				text, prefix.Masked(), netip.PrefixFrom(prefix.Addr(), prefix.Addr().BitLen()))
		case prefix.String() != text: // as AWS keeps it: written otherwise, it would be another one on every refresh
			c.fail(path, "is %s; write it as %s", text, prefix)
		case slices.Contains(seen, prefix):
			c.fail(path, "is %s again; remove it", text)
		}
		seen = append(seen, prefix)
	}
}

func hasKey(m map[string]string, key string) bool {
	_, has := m[key]
	return has
}

func orOneOf(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return ", or name one of: " + enumerate(names)
}
