package stage

import (
	"maps"
	"slices"

	"github.com/distribution/reference"

	"slipway/internal/awslimits"
)

// Sidecar is a container beside a task's main one.
type Sidecar struct {
	// Image is what the container runs: an image of the stage by its name, or any other by its reference. Slipway keeps
	// images from expiring only in the repositories of the stage's `images`: elsewhere that is for the repository's owner
	// to do. An image of a pull-through cache has to be in ECR already: it is looked up before anything changes, and the
	// execution role may not import it.
	//
	// Default: none; required
	// Allowed: a name in `images`, of the main container's platform, or a reference with a tag or a digest
	// Example: image: public.ecr.aws/docker/library/busybox:1.37
	// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
	Image string `json:"image"`

	// CPU is the container's share of the task's CPU. The main container has the rest.
	//
	// Allowed: together less than the task's `cpu`
	// Example: cpu: 64
	// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
	CPU int `json:"cpu" default:"32" min:"1" max:"32768" unit:"CPU units"`

	// Memory is the most that the container may use, before it is killed.
	//
	// Default: none; what the task has
	// Allowed: together less than the task's `memory`
	// Example: memory: 128
	// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
	Memory int `json:"memory" min:"6" max:"249856" unit:"MiB"`

	// Essential ends the task when the container ends. One whose end others wait for is not essential. In a task that runs
	// once it is best false: the main container's end is the task's, and should not be hastened by another's.
	//
	// Example: essential: false
	// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
	Essential bool `json:"essential" default:"true"`

	Container
}

// mostContainers is how many containers a task has at most, the main one among them
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html).
const mostContainers = awslimits.Containers

// checkContainers checks the containers beside the main one, called main. keys lead to the service or the task.
func (c *checker) checkContainers(keys []any, main string, definition TaskDefinition) {
	all := below(keys, "containers")
	if others := len(definition.Containers); others >= mostContainers {
		c.fail(all, "has %d containers; ECS takes %d in a task, and so %d beside the main one", others, mostContainers,
			mostContainers-1)
	}
	for _, name := range slices.Sorted(maps.Keys(definition.Containers)) {
		sidecar, own := definition.Containers[name], below(all, name)
		switch {
		case !awslimits.ECSName.MatchString(name):
			c.fail(own, "cannot name a container in ECS; use up to 255 letters, digits, - and _")
		case name == main:
			c.fail(own, "is the name of the main container, whose keys stand in %s; use another name", written(keys...))
		}
		c.checkSidecarImage(below(own, "image"), sidecar.Image, definition.Image)
		c.checkContainer(own, sidecar.Container)
	}
	c.checkShares(keys, definition)
}

// checkSidecarImage checks what a container beside the main one runs, given the image of that one.
func (c *checker) checkSidecarImage(keys []any, image, main string) {
	where, declared := c.root.at(keys...), slices.Sorted(maps.Keys(c.document.Images))
	if own, is := c.document.Images[image]; is {
		mains, known := c.document.Images[main]
		if known && own.platform() != mains.platform() {
			c.failAt(where, "is %s, for %s, and the main container's image, %s, is for %s; a task runs on one platform: build "+
				"both for it",
				image, own.platform(), main, mains.platform())
		}
		return
	}
	named, err := reference.ParseNormalizedNamed(image)
	switch {
	case c.root.at("images").bad:
	case !where.present:
		c.failAt(where, "is missing; write the reference of an image, with its tag or digest%s", orOneOf(declared))
	case err != nil:
		c.failAt(where, "is %q, which is no reference to an image (%s); write one with a tag or a digest%s", shorten(image),
			err, orOneOf(declared))
	case reference.IsNameOnly(named):
		c.failAt(where, "names %q, which is not declared, and as a reference has no tag; declare images.%s, write a tag or "+
			"a digest%s",
			image, image, orOneOf(declared))
	}
}

// checkShares checks that the main container is left something of what the task has.
func (c *checker) checkShares(keys []any, definition TaskDefinition) {
	cpu, memory := 0, 0
	for name, sidecar := range definition.Containers {
		if own := below(keys, "containers", name); c.root.at(own...).bad || c.root.at(below(own, "cpu")...).bad ||
			c.root.at(below(own, "memory")...).bad {
			return
		}
		cpu += sidecar.CPU
		memory += sidecar.Memory
	}
	all := below(keys, "containers")
	if !c.root.at(below(keys, "cpu")...).bad && awslimits.FindTaskSize(definition.CPU) != nil && cpu >= definition.CPU {
		c.fail(all, "have %d CPU units together, and the task has %d, of which the main container needs some; lower their "+
			"cpu, or raise %s",
			cpu, definition.CPU, written(below(keys, "cpu")...))
	}
	if !c.root.at(below(keys, "memory")...).bad && awslimits.FindTaskSize(definition.CPU) != nil &&
		memory >= definition.Memory {
		c.fail(all, "may use %d MiB together, and the task has %d, of which the main container needs some; lower their "+
			"memory, or raise %s",
			memory, definition.Memory, written(below(keys, "memory")...))
	}
}
