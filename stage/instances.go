package stage

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"slipway/internal/awslimits"
)

// Instances is a group of EC2 instances that services of the stage run on with `capacity: {instances: …}`. ECS starts
// instances as tasks need room, and ends those that no task is on. The instances cost what EC2 charges for them, with
// their disks, whether tasks fill them or not, and they are the team's to renew; one that is full of tasks is cheaper
// than Fargate. Not for a few small services, or where nobody looks after instances.
//
// Rule: [EC2 capacity providers](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/asg-capacity-providers.html)
type Instances struct {
	// Types are the instance types, the preferred one first. A task with a network of its own takes one of the network
	// interfaces of its instance, of which a small type has two or three; `awsvpcTrunking` of the account gives it more.
	//
	// Default: none; required
	// Allowed: 1 to 40 instance types, each once, and all of one architecture
	// Example: types: [m7g.large, m6g.large]
	// Rule: [Instance types](https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-types.html)
	Types []string `json:"types"`

	// Min is how many instances there are at least: 0 where there may be none while no task needs one. Each costs all
	// the time.
	//
	// Example: min: 2
	Min int `json:"min" default:"0" min:"0" max:"1000" unit:"instances"`

	// Max is how many instances there are at most, and so what the group can cost.
	//
	// Default: none; required
	// Allowed: at least `min`
	// Example: max: 10
	Max int `json:"max" min:"1" max:"1000" unit:"instances"`

	// VolumeSize is the disk of each instance, encrypted (gp3), for the images and files of all of its tasks. Instances
	// that start from then on have it.
	//
	// Example: volumeSize: 100
	// Rule: [ECS-optimized AMIs](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-optimized_AMI.html)
	VolumeSize int `json:"volumeSize" default:"30" min:"30" max:"16384" unit:"GiB"`
}

const (
	// mostTypes is how many instance types a mixed instances policy may have
	// (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html).
	mostTypes = 40

	arm64, amd64 = "linux/arm64", "linux/amd64"
)

var (
	// instancesName is that of a group, which ends names in AWS and is an attribute of its instances.
	instancesName = regexp.MustCompile(`^[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*$`)
	instanceType  = regexp.MustCompile(`^[a-z][a-z0-9-]*\.(?:nano|micro|small|medium|large|[0-9]*xlarge|metal[a-z0-9-]*)$`)
	// graviton is the family of a type with processors of AWS, whose generation a g follows: m7g, c7gn, im4gn.
	graviton = regexp.MustCompile(`^(?:a1|[a-z]+[0-9]+[a-z]*g[a-z]*)[.-]`)
	// ofECS begins names that ECS keeps for its own capacity providers
	// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateCapacityProvider.html).
	ofECS = regexp.MustCompile(`(?i)^(?:aws|ecs|fargate)`)
)

// Platform is the platform of the images that the instances run.
//
// Example: Platform() is linux/arm64 with types: [m7g.large]
func (i Instances) Platform() string {
	if len(i.Types) > 0 && graviton.MatchString(i.Types[0]) {
		return arm64
	}
	return amd64
}

// CapacityProvider is the name of the capacity provider of a group of instances, and of its auto scaling group and
// launch template.
//
// Example: CapacityProvider("general") is shop-dev-general
func (s *Stage) CapacityProvider(instances string) string {
	name := s.Family(instances)
	if ofECS.MatchString(name) {
		return "slipway-" + name
	}
	return name
}

// OwnCapacityProvider tells whether a name is one that CapacityProvider gives, of whatever group.
//
// Example: OwnCapacityProvider("shop-dev-general") is true, and OwnCapacityProvider("FARGATE") is not
func (s *Stage) OwnCapacityProvider(name string) bool {
	return strings.HasPrefix(name, s.CapacityProvider(""))
}

// InstancesRole is the name of the IAM role of a group's instances, and of their instance profile.
//
// Example: InstancesRole("general") is shop-dev-general-instances
func (s *Stage) InstancesRole(instances string) string { return s.Family(instances) + "-instances" }

// OnInstances is the group of instances that a service runs on; "" for Fargate.
//
// Example: OnInstances() is general where the service has capacity: {instances: general}
func (s Service) OnInstances() string {
	if s.Capacity == nil {
		return ""
	}
	return s.Capacity.Instances
}

// checkInstances checks the groups of instances.
func (c *checker) checkInstances(groups map[string]Instances) {
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		here, group := c.at("instances", name), groups[name]
		if here.bad {
			continue
		}
		c.checkInstancesName(here, name)
		checkTypes(here.at("types"), group.Types)
		switch most := here.at("max"); {
		case most.bad:
		case !most.present:
			most.fail("is missing; write how many instances there may be at most, as in max: 10")
		case group.Max < group.Min && !here.at("min").bad:
			most.fail("is %d, and min is %d; raise max, or lower min", group.Max, group.Min)
		}
	}
}

func (c *checker) checkInstancesName(here place, name string) {
	switch {
	case !instancesName.MatchString(name):
		here.fail("cannot name a group of instances; use lower case letters and digits, separated by single - or _, and " +
			"begin with a letter")
	case strings.HasPrefix(name, awslimits.NotSecurityGroup):
		here.fail("begins with %s, with which AWS lets no name of a security group begin; use another name",
			awslimits.NotSecurityGroup)
	default:
		checkRoleName(here, c.names().InstancesRole(name))
	}
}

func checkTypes(here place, types []string) {
	switch {
	case here.bad:
		return
	case len(types) == 0:
		here.fail("is missing; write instance types, as in types: [m7g.large]")
		return
	case len(types) > mostTypes:
		here.fail("has %d instance types; allowed: 1 to %d", len(types), mostTypes)
	}
	first := Instances{Types: types[:1]}.Platform()
	for i, name := range types {
		switch {
		case !instanceType.MatchString(name):
			here.at(i).fail("is %q; write an instance type, as in m7g.large", shorten(name))
		case slices.Contains(types[:i], name):
			here.at(i).fail("duplicates %s; remove it", name)
		case Instances{Types: []string{name}}.Platform() != first:
			here.at(i).fail("is of another architecture than %s; write types of one architecture, and a group of its own "+
				"for the other", types[0])
		}
	}
}

// checkOnInstances checks what a service has that runs on instances.
func (c *checker) checkOnInstances(here place, service Service) {
	if service.Daemon {
		return // which checkDaemon does
	}
	at := here.at("capacity")
	capacity := service.Capacity
	if !at.present && !at.bad {
		at, capacity = c.at("capacity"), c.document.Capacity
	}
	if capacity == nil || capacity.Instances == "" || at.broken() {
		return
	}
	if storage := here.at("ephemeralStorage"); storage.present && !storage.bad {
		storage.fail("is Fargate's, and the service runs on instances.%s, whose tasks share the disk of their instance; "+
			"remove it, and write instances.%[1]s.volumeSize", capacity.Instances)
	}
	c.checkInstancesPlatform(here, service.Image, capacity.Instances)
}

// checkInstancesPlatform checks that instances can run an image.
func (c *checker) checkInstancesPlatform(here place, name, instances string) {
	group, declared := c.document.Instances[instances]
	image, known := c.document.Images[name]
	if !declared || !known || c.at("instances", instances).broken() || c.at("images", name).broken() {
		return
	}
	if has, runs := image.platform(), group.Platform(); has != runs {
		here.at("image").fail("is %s, which is for %s, and instances.%s run %s; write that as its platform, or instances "+
			"of the other architecture", name, has, instances, runs)
	}
}
