package stage

import (
	"maps"
	"slices"
)

// check looks for values of the right type that cannot work.
func (c *checker) check(aws AWS) {
	d := c.document
	c.checkStageName()
	images, services := c.root.at("images"), c.root.at("services")
	if len(d.Images) == 0 && len(d.Services) == 0 && !images.bad && !services.bad {
		c.failAt(place{file: c.files[0].name}, "declares no image and no service, so there is nothing to deploy; "+
			"write %[1]s:images, such as {web: {build: {context: ./app}}}, and %[1]s:services, such as {web: {image: web}}",
			c.in.Project)
	}
	c.checkVariableNames(slices.Sorted(maps.Keys(d.Environment)), "environment")
	c.checkVariableNames(slices.Sorted(maps.Keys(d.Secrets)), "secrets")
	for name, arn := range d.Secrets {
		c.checkSecret(name, arn)
	}
	for name, image := range d.Images {
		c.checkImage(name, image, aws)
	}
	for name, service := range d.Services {
		c.checkService(name, service)
	}
	c.checkNetwork(d.Network)
}
