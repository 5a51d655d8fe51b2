package deployrole

import (
	"maps"
	"slices"
)

// eachGroup makes ARNs of the names of groups of instances.
func (n *names) eachGroup(arn func(name string) string) (arns []string) {
	for _, name := range slices.Sorted(maps.Keys(n.Instances)) {
		if n.broad {
			return []string{arn("*")}
		}
		arns = append(arns, arn(name))
	}
	return arns
}

func (n *names) capacityProviders() []string {
	return n.eachGroup(func(name string) string { return n.arn("ecs", "capacity-provider/"+n.CapacityProvider(name)) })
}

func (n *names) autoScalingGroups() []string {
	return n.eachGroup(func(name string) string {
		return n.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/"+n.CapacityProvider(name))
	})
}

// launchTemplates have ids that AWS makes.
func (n *names) launchTemplates() []string {
	return anyOf(n.capacityProviders(), n.arn("ec2", "launch-template/*"))
}

func (n *names) instanceRoles() []string {
	return n.eachGroup(func(name string) string { return n.iam("role" + n.Roles.Path + n.InstancesRole(name)) })
}

func (n *names) instanceProfiles() []string {
	return n.eachGroup(func(name string) string {
		return n.iam("instance-profile" + n.Roles.Path + n.InstancesRole(name))
	})
}

// attachedRoles are those that managed policies are attached to.
func (n *names) attachedRoles() []string {
	return slices.Concat(n.rolesOfPolicies(), n.instanceRoles())
}

// instanceImages are those that Amazon publishes for ECS.
func (n *names) instanceImages() []string {
	return anyOf(n.capacityProviders(), "arn:"+n.partition()+":ssm:"+n.region+"::parameter/aws/service/ecs/*")
}
