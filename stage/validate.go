package stage

import (
	"maps"
	"slices"
)

// check looks for values of the right type that cannot work.
func (c *checker) check(aws AWS) {
	d := c.document
	c.aws = aws
	c.checkStageName()
	images, services, tasks := c.at("images"), c.at("services"), c.at("tasks")
	if len(d.Images) == 0 && len(d.Services) == 0 && len(d.Tasks) == 0 && !images.bad && !services.bad && !tasks.bad {
		c.failAt(place{file: c.files[0].name}, "declares no image, no service and no task, so there is nothing to deploy; "+
			"write %[1]s:images, such as {web: {build: {context: ./app}}}, and %[1]s:services, such as {web: {image: web}}",
			c.namespace)
	}
	checkVariableNames(c.at("environment"), slices.Sorted(maps.Keys(d.Environment)))
	checkVariableNames(c.at("secrets"), slices.Sorted(maps.Keys(d.Secrets)))
	for name, text := range d.Secrets {
		if !c.at("secrets", name).bad {
			c.checkSecret(name, text)
			c.checkSecretPlace(name, text)
		}
	}
	for name, image := range d.Images {
		c.checkImage(name, image)
	}
	for name, service := range d.Services {
		c.checkService(name, service)
	}
	for name, task := range d.Tasks {
		c.checkTask(name, task)
	}
	c.checkNamesByCase(map[string][]string{"services": slices.Sorted(maps.Keys(d.Services)),
		"tasks": slices.Sorted(maps.Keys(d.Tasks))})
	c.checkNames()
	c.checkRoutes()
	c.checkCertificateDomains()
	c.checkLoadBalancer(d.LoadBalancer)
	c.checkOwnLoadBalancer(c.at(internalLoadBalancerKey), d.InternalLoadBalancer.Settings())
	c.checkNetwork(d.Network)
	c.checkInstances(d.Instances)
	c.checkDaemonPorts(d.Services)
	c.checkCapacity(c.at("capacity"), d.Capacity)
	c.checkRoles(d.Roles)
	c.checkTags(d.Tags)
	c.checkRepository(d.Repository)
	c.checkRegistries(d.Registries)
}
