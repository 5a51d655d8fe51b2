package deployrole

import (
	"slices"
	"strings"

	"slipway/internal/secretref"
)

// taskRoles are those that ECS is passed.
func (n *names) taskRoles() []string {
	role := func(name func(string) string) func(string) string {
		return func(of string) string { return n.iam("role" + n.Roles.Path + name(of)) }
	}
	return slices.Concat(n.each(role(n.ExecutionRole)), n.each(role(n.TaskRole)))
}

func (n *names) scheduleRoles() []string {
	return n.each(func(name string) string { return n.iam("role" + n.Roles.Path + n.ScheduleRole(name)) }, n.isScheduled)
}

func (n *names) roles() []string {
	return slices.Concat(n.taskRoles(), n.scheduleRoles(), n.instanceRoles())
}

// lookedUp are roles as IAM decides on a look at them: it knows the path only of one that is there.
func lookedUp(roles func(*names) []string) func(*names) []string {
	return func(n *names) []string {
		arns := roles(n)
		for _, arn := range arns {
			if bare := strings.Replace(arn, ":role"+n.Roles.Path, ":role/", 1); bare != arn {
				arns = append(arns, bare)
			}
		}
		return arns
	}
}

// boundedRoles are all where the stage has a permissions boundary, freeRoles where it has none.
func (n *names) boundedRoles() []string {
	if n.Roles.PermissionsBoundary == "" {
		return nil
	}
	return n.roles()
}

func (n *names) freeRoles() []string {
	if n.Roles.PermissionsBoundary != "" {
		return nil
	}
	return n.roles()
}

func (n *names) boundaries() []string {
	if n.Roles.PermissionsBoundary == "" {
		return nil
	}
	return []string{n.Roles.PermissionsBoundary}
}

// ownersRoles are those whose tags are asked for whose they are.
func (n *names) ownersRoles() []string {
	return n.each(func(name string) string { return n.iam("role" + n.Roles.Path + n.ExecutionRole(name)) }, n.MayMeet)
}

// policies are those of roles whose permissions are too long for an inline policy, and rolesOfPolicies those roles.
func (n *names) policies() []string {
	return n.each(func(name string) string { return n.iam("policy" + n.Roles.Path + n.Family(name) + "-*") }, n.hasManaged)
}

func (n *names) rolesOfPolicies() []string {
	return n.each(func(name string) string { return n.iam("role" + n.Roles.Path + n.Family(name) + "-*") }, n.hasManaged)
}

// secrets are those that hold encrypted values. Their names end in characters of the engine's, and their ARNs in some
// of AWS's.
func (n *names) secrets() []string {
	return n.each(func(name string) string { return n.arn("secretsmanager", "secret:"+n.Family(name)+"-*") },
		n.keepsSecrets)
}

// namedSecrets are those that the stage file names by their ARNs, and parameters, too.
func (n *names) namedSecrets() []string { return n.named(false) }

func (n *names) parameters() []string { return n.named(true) }

func (n *names) named(parameters bool) (arns []string) {
	for _, secret := range n.Secrets {
		if secret.ARN != "" && secretref.IsParameter(secret.ARN) == parameters {
			arns = append(arns, secretref.ARN(secret.ARN))
		}
	}
	if !parameters {
		arns = append(arns, n.passwords()...)
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// linkedRoles are AWS's own, which the first call makes that needs them.
func linkedRole(service string, something func(*names) []string) func(*names) []string {
	return func(n *names) []string {
		return anyOf(something(n), n.iam("role/aws-service-role/"+service+"/*"))
	}
}
