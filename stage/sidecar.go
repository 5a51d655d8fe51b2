package stage

import (
	"maps"
	"slices"

	"slipway/internal/awslimits"
	"slipway/internal/imageref"
)

// Sidecar is a container beside a task's main one.
//
// Rule: [ECS ContainerDefinition](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html)
type Sidecar struct {
	// Image is what the container runs: an image of the stage by its name, or any other by its reference, as in
	// `images.<image>.ref`; `slipway pin` writes the digest. Slipway keeps images from expiring only in the repositories
	// of the stage's `images`: elsewhere that is for the repository's owner to do. An image of a pull-through cache has to
	// be in ECR already: it is looked up before anything changes, and the execution role may not import it.
	//
	// Default: none; required
	// Allowed: a name in `images`, of the main container's platform, or a reference with a digest
	// Example: image: ghcr.io/shop/proxy:1.4@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
	Image string `json:"image"`

	// CPU is the container's share of the task's CPU. The main container has the rest.
	//
	// Allowed: together less than the task's `cpu`
	// Example: cpu: 64
	CPU int `json:"cpu" default:"32" min:"1" max:"32768" unit:"CPU units"`

	// Memory is the most that the container may use, before it is killed.
	//
	// Default: none; what the task has
	// Allowed: together less than the task's `memory`
	// Example: memory: 128
	Memory int `json:"memory" min:"6" max:"249856" unit:"MiB"`

	// MemoryReservation is the memory that ECS keeps for the container: it may use more while the task has some.
	//
	// Default: none
	// Allowed: less than its `memory`, and than the task's
	// Example: memoryReservation: 64
	MemoryReservation int `json:"memoryReservation" min:"6" max:"249856" unit:"MiB"`

	// Essential ends the task when the container ends. One whose end others wait for is not essential. In a task that runs
	// once it is best false: the main container's end is the task's, and should not be hastened by another's.
	//
	// Example: essential: false
	Essential bool `json:"essential" default:"true"`

	// FireLens makes the container the log router of the task, to which others hand their output (`logs`) and which sends
	// it on ([how](operations.md#-send-logs-elsewhere)). ECS starts it before them, and stops it after them. Its own
	// output goes to the log group. It costs what it takes of the task's CPU and memory, some 50 MiB for Fluent Bit. Not
	// where CloudWatch Logs is enough.
	//
	// Default: none
	// Allowed: at one container of a task, where another one has `logs: {driver: awsfirelens}`. `{}` for Fluent Bit, whose
	// outputs are in the `options` of `logs`
	// Example: firelens: {}
	// Rule: [FireLens](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_firelens.html)
	FireLens *FireLens `json:"firelens"`

	Container
}

// checkContainers checks the containers beside the main one, called main, of the service or the task here.
func (c *checker) checkContainers(here place, main string, definition TaskDefinition) {
	all := here.at("containers")
	if others, most := len(definition.Containers), awslimits.Containers; others >= most {
		all.fail("has %d containers; ECS takes %d in a task, and so %d beside the main one", others, most, most-1)
	}
	for name, sidecar := range definition.Containers {
		own := all.at(name)
		switch {
		case !awslimits.ECSName.MatchString(name):
			own.fail("cannot name a container in ECS; use up to 255 letters, digits, - and _")
		case name == main:
			own.fail("is the name of the main container, whose keys stand in %s; use another name", here.key())
		}
		c.checkSidecarImage(own.at("image"), sidecar.Image, definition.Image)
		c.checkContainer(own, sidecar.Container)
		checkReservation(own, sidecar, definition.Memory)
	}
	checkShares(here, definition)
}

// checkSidecarImage checks what a container beside the main one runs, given the image of that one.
func (c *checker) checkSidecarImage(here place, image, main string) {
	declared := slices.Sorted(maps.Keys(c.document.Images))
	if own, is := c.document.Images[image]; is {
		mains, known := c.document.Images[main]
		if known && own.platform() != mains.platform() {
			here.fail("is %s, for %s, and the main container's image, %s, is for %s; a task runs on one platform: build "+
				"both for it", image, own.platform(), main, mains.platform())
		}
		return
	}
	ref, err := imageref.Parse(image)
	switch {
	case c.at("images").bad:
	case !here.present:
		here.fail("is missing; write the reference of an image, with its digest%s", orOneOf(declared))
	case err != nil:
		here.fail("is %q, which is no reference to an image (%s); write one with a digest%s", shorten(image),
			err, orOneOf(declared))
	case ref.Tag == "" && ref.Digest == "":
		here.fail("names %q, which is not declared, and as a reference has neither tag nor digest; declare images.%s, or "+
			"write %s%s", image, image, pinnedForm, orOneOf(declared))
	case c.in.Root == "" && ref.Digest == "":
		// An earlier update's, from when a tag alone would do.
	default:
		if err := unpinned(ref, c.in.Stage); err != nil {
			here.fail("%s", err)
			return
		}
		here.failIf(c.unreachable(ref))
	}
}

// checkReservation checks the memory that is kept for a container of a task that has so much.
func checkReservation(own place, sidecar Sidecar, task int) {
	here, memory := own.at("memoryReservation"), own.at("memory")
	switch kept := sidecar.MemoryReservation; {
	case !here.present || memory.bad:
	case sidecar.Memory != 0 && kept >= sidecar.Memory:
		here.fail("is %d, and the container may use %d; write less, or remove one of them", kept, sidecar.Memory)
	case kept >= task:
		here.fail("is %d, and the task has %d MiB, of which the main container needs some; write less", kept, task)
	}
}

// checkShares checks that the main container is left something of what the task has.
func checkShares(here place, definition TaskDefinition) {
	all, cpu, memory := here.at("containers"), 0, 0
	for name, sidecar := range definition.Containers {
		if own := all.at(name); own.bad || own.at("cpu").bad || own.at("memory").bad {
			return
		}
		cpu += sidecar.CPU
		memory += sidecar.Memory
	}
	if awslimits.FindTaskSize(definition.CPU) == nil {
		return
	}
	if whole := here.at("cpu"); !whole.bad && cpu >= definition.CPU {
		all.fail("have %d CPU units together, and the task has %d, of which the main container needs some; lower their "+
			"cpu, or raise %s", cpu, definition.CPU, whole.key())
	}
	if whole := here.at("memory"); !whole.bad && memory >= definition.Memory {
		all.fail("may use %d MiB together, and the task has %d, of which the main container needs some; lower their "+
			"memory, or raise %s", memory, definition.Memory, whole.key())
	}
}
