package components

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/internal/ecsread"
	"slipway/stage"
)

// scheduling is what ECS calls one task on each instance, and a number of tasks.
func scheduling(daemon bool) string {
	if daemon {
		return "DAEMON"
	}
	return "REPLICA"
}

// placement is where tasks of a daemon may be; ECS takes no capacity provider for them.
func placement(settings stage.Service) (constraints ecs.ServicePlacementConstraintArray) {
	if !settings.Daemon {
		return nil
	}
	expressions := slices.Clone(settings.Placement)
	if group := settings.OnInstances(); group != "" {
		expressions = append(expressions, fmt.Sprintf("attribute:%s == %s", stage.InstancesAttribute, group))
	}
	for _, expression := range expressions {
		constraints = append(constraints, &ecs.ServicePlacementConstraintArgs{Type: pulumi.String("memberOf"),
			Expression: pulumi.String(expression)})
	}
	return constraints
}

// networkMode is that of tasks: of their own, unless a daemon has its instances'.
func networkMode(settings stage.Service) string {
	if settings.OwnNetwork() {
		return "awsvpc"
	}
	return settings.Network
}

// door is a security group that lets others in to a workload's tasks.
type door struct {
	*securityGroup
	// name of the workload's rules in it.
	name string
}

// doors are the security group of the tasks, or those of the instances whose network they have.
func (w *Workload) doors() (doors []door) {
	if service, is := w.Stage.Services[w.name]; !is || service.OwnNetwork() {
		return []door{{w.group, w.name}}
	}
	for _, group := range w.Stage.DaemonInstances(w.name) {
		doors = append(doors, door{w.Cluster.instances[group].security, w.name + "-on-" + group})
	}
	return doors
}

// checkScheduling refuses what ECS does not change of a service.
func checkScheduling(settings *stage.Stage, name string, found types.Service) error {
	service := settings.Services[name]
	if !ecsread.IsActive(found) || found.SchedulingStrategy == "" {
		return nil
	}
	if has, target := string(found.SchedulingStrategy), scheduling(service.Daemon); has != target {
		return fmt.Errorf("%s: the service is a %s in ECS, which never makes a %s of it. Remove the service in an update of "+
			"its own, and write it anew in the next, or give the new one another name",
			settings.Where("services", name, "daemon"), has, target)
	}
	if own := found.NetworkConfiguration != nil; service.Daemon && own != service.OwnNetwork() {
		return fmt.Errorf("%s: is %s, and ECS leaves a service the kind of network that it was made with. Remove the service "+
			"in an update of its own, and write it anew in the next", settings.Where("services", name, "network"),
			networkMode(service))
	}
	return nil
}
