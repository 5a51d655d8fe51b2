package deployrole

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/internal/imageref"
	"slipway/stage"
)

// names has the ARNs of what a stage has in AWS. A method that returns none says that the stage has no such thing.
type names struct {
	*stage.Stage
	// account and region are * where the stage file does not say them.
	account, region string
	// broad has one * in the place of the name of each service, task and image.
	broad bool
}

func newNames(s *stage.Stage, broad bool) *names {
	n := &names{Stage: s, account: "*", region: cmp.Or(s.AWS.Region, "*"), broad: broad}
	if len(s.AWS.AllowedAccountIDs) == 1 {
		n.account = s.AWS.AllowedAccountIDs[0]
	}
	return n
}

func (n *names) partition() string { return awslimits.Partition(n.region) }

// arn is the name of a thing of the stage's account and region.
func (n *names) arn(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", n.partition(), service, n.region, n.account, resource)
}

// iam is the name of a thing of IAM, which has no region.
func (n *names) iam(resource string) string {
	return fmt.Sprintf("arn:%s:iam::%s:%s", n.partition(), n.account, resource)
}

// each makes ARNs of the names of services and tasks for which all of has hold.
func (n *names) each(arn func(name string) string, has ...func(name string) bool) (arns []string) {
	for _, name := range n.TaskDefinitions() {
		if slices.ContainsFunc(has, func(has func(string) bool) bool { return !has(name) }) {
			continue
		}
		if n.broad {
			return []string{arn("*")}
		}
		arns = append(arns, arn(name))
	}
	return arns
}

func (n *names) isService(name string) bool { _, is := n.Services[name]; return is }
func (n *names) isTask(name string) bool    { return !n.isService(name) }
func (n *names) hasRoute(name string) bool  { return n.Services[name].Route != nil }
func (n *names) scales(name string) bool    { return n.Services[name].Scaling != nil }
func (n *names) hasAlarm(name string) bool  { return n.Services[name].Deployment.MaxErrors > 0 }
func (n *names) isPredeploy(name string) bool {
	return n.isTask(name) && len(n.Tasks[name].Before) > 0
}
func (n *names) isScheduled(name string) bool {
	return n.isTask(name) && n.Tasks[name].Schedule != nil
}
func (n *names) keepsSecrets(name string) bool { return n.OwnSecretLike(name, n.arn) != "" }
func (n *names) hasManaged(name string) bool   { return len(n.ManagedRoles(name, n.arn)) > 0 }

// anything is what AWS has no resources for.
func anything(*names) []string { return []string{"*"} }

// anyWith is what AWS has no resources for, where the stage has something.
func anyWith(something func(*names) []string) func(*names) []string {
	return func(n *names) []string {
		if len(something(n)) == 0 {
			return nil
		}
		return anything(n)
	}
}

func (n *names) clusters() []string { return []string{n.arn("ecs", "cluster/"+n.Cluster())} }

func (n *names) services() []string {
	return n.each(func(name string) string { return n.arn("ecs", "service/"+n.Cluster()+"/"+name) }, n.isService)
}

// runningTasks are those in the cluster, whose names AWS makes.
func (n *names) runningTasks() []string {
	if len(n.TaskDefinitions()) == 0 {
		return nil
	}
	return []string{n.arn("ecs", "task/"+n.Cluster()+"/*")}
}

func (n *names) taskDefinition(name string) string {
	return n.arn("ecs", "task-definition/"+n.Family(name)+":*")
}

func (n *names) taskDefinitions() []string { return n.each(n.taskDefinition) }

// taskFamilies are the task definitions of tasks, which are run by themselves.
func (n *names) taskFamilies() []string { return n.each(n.taskDefinition, n.isTask) }

func (n *names) predeploys() []string { return n.each(n.taskDefinition, n.isPredeploy) }

// repositories are those of the images that the stage builds or copies.
func (n *names) repositories() []string {
	return n.ownRepositories(stage.Image.Owned)
}

// formerRepositories are those that the stage would have, and may have had, for images of others.
func (n *names) formerRepositories() []string {
	return n.ownRepositories(func(image stage.Image) bool { return !image.Owned() })
}

// pushed are those that an update pushes to.
func (n *names) pushed() []string {
	return n.ownRepositories(func(image stage.Image) bool { return image.Ref == nil || image.Mirror })
}

// copied are those that an update copies to.
func (n *names) copied() []string {
	return n.ownRepositories(func(image stage.Image) bool { return image.Mirror })
}

// readable are those that other accounts may read.
func (n *names) readable() []string {
	if len(n.Repository.Readers) == 0 {
		return nil
	}
	return n.repositories()
}

func (n *names) ownRepositories(has func(stage.Image) bool) (arns []string) {
	for _, name := range slices.Sorted(maps.Keys(n.Images)) {
		if has(n.Images[name]) {
			if n.broad {
				name = "*"
			}
			arns = append(arns, n.arn("ecr", "repository/"+n.RepositoryName(name)))
		}
	}
	return slices.Compact(arns)
}

// imageRepositories are those in ECR of all images that the stage may run, its own and those that it pins.
func (n *names) imageRepositories() []string {
	arns := n.repositories()
	for _, name := range n.TaskDefinitions() {
		arns = append(arns, n.RepositoryARNs(name, n.arn)...)
	}
	for _, image := range n.Images {
		if image.Ref != nil && image.Ref.Account != "" && !image.Mirror {
			arns = append(arns, stage.RepositoryARN(*image.Ref))
		}
	}
	if n.broad {
		own := n.repositories()
		arns = slices.DeleteFunc(arns, func(arn string) bool {
			covers := func(pattern string) bool { return pattern != arn && awslimits.Match(pattern, arn) }
			return slices.ContainsFunc(own, covers)
		})
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// elsewhere are the repositories of pinned images that are in ECR, and copied or not in the stage's account and region:
// what is there is asked with a login.
func (n *names) elsewhere() (arns []string) {
	add := func(ref imageref.Ref, copied bool) {
		if ref.Account != "" && (copied || !ref.In(n.account, n.region)) {
			arns = append(arns, stage.RepositoryARN(ref))
		}
	}
	for _, image := range n.Images {
		if image.Ref != nil {
			add(*image.Ref, image.Mirror)
		}
	}
	for _, name := range n.TaskDefinitions() {
		for _, image := range n.TaskDefinition(name).AllImages() {
			if _, declared := n.Images[image]; !declared {
				ref, _ := imageref.ParseECR(image)
				add(ref, false)
			}
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// logins are the repositories for which ECR gives a password.
func (n *names) logins() []string { return slices.Concat(n.pushed(), n.elsewhere()) }

// passwords are the secrets with the passwords of other registries.
func (n *names) passwords() []string {
	return slices.Sorted(maps.Values(n.Credentials()))
}

// logGroups are both as the actions on a group have them, and as those on its streams do.
func (n *names) logGroups() []string {
	group := func(name string) string { return n.arn("logs", "log-group:"+n.LogGroup(name)) }
	return slices.Concat(n.each(group), n.each(func(name string) string { return group(name) + ":*" }))
}

func (n *names) allLogGroups() []string {
	return anyOf(n.logGroups(), n.arn("logs", "log-group:*"))
}

// anyOf is a pattern, where there is something.
func anyOf(something []string, pattern string) []string {
	if len(something) == 0 {
		return nil
	}
	return []string{pattern}
}

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

func (n *names) roles() []string { return slices.Concat(n.taskRoles(), n.scheduleRoles()) }

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
func (n *names) parameters() []string   { return n.named(true) }

func (n *names) named(parameters bool) (arns []string) {
	for _, secret := range n.Secrets {
		if secret.ARN != "" && secret.IsParameter() == parameters {
			arns = append(arns, stage.SecretARN(secret.ARN))
		}
	}
	if !parameters {
		arns = append(arns, n.passwords()...)
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

func (n *names) alarms() []string {
	return n.each(func(name string) string { return n.arn("cloudwatch", "alarm:"+n.ErrorAlarm(name)) }, n.hasAlarm)
}

func (n *names) allAlarms() []string { return anyOf(n.alarms(), n.arn("cloudwatch", "alarm:*")) }

// scalingAlarms are those that Application Auto Scaling makes for a policy that tracks a target.
func (n *names) scalingAlarms() []string {
	return n.each(func(name string) string {
		return n.arn("cloudwatch", "alarm:TargetTracking-service/"+n.Cluster()+"/"+name+"-*")
	}, n.scales)
}

// scalableTargets have names that AWS makes.
func (n *names) scalableTargets() []string {
	return anyOf(n.scalingAlarms(), n.arn("application-autoscaling", "scalable-target/*"))
}

func (n *names) schedules() []string {
	return n.each(func(name string) string {
		return n.arn("scheduler", "schedule/default/"+n.ScheduleName(name))
	}, n.isScheduled)
}

func (n *names) queues() (arns []string) {
	for _, task := range n.Tasks {
		if task.Schedule != nil && task.Schedule.DeadLetterQueue != "" {
			arns = append(arns, task.Schedule.DeadLetterQueue)
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// targetGroups have names that the engine completes, and the load balancer's too.
func (n *names) targetGroups() []string {
	return n.each(func(name string) string {
		if name != "*" {
			name = n.TargetGroupName(name)
		}
		return n.arn("elasticloadbalancing", "targetgroup/"+name+"-*/*")
	}, n.hasRoute)
}

// balancers are the load balancer that the stage makes, existing one that it uses.
func (n *names) balancers() []string {
	if n.LoadBalancer.ARN != "" {
		return nil
	}
	return anyOf(n.targetGroups(), n.arn("elasticloadbalancing", "loadbalancer/app/"+n.LoadBalancerName()+"-*/*"))
}

// balancerPath is the part of the ARNs of a load balancer's listeners and rules that names it.
func (n *names) balancerPath() string {
	if arn := n.LoadBalancer.ARN; arn != "" {
		_, path, _ := strings.Cut(arn, ":loadbalancer/")
		return path
	}
	return "app/" + n.LoadBalancerName() + "-*/*"
}

// listeners get rules, ownListeners are those that the stage makes.
func (n *names) listeners() []string {
	return anyOf(n.targetGroups(), n.arn("elasticloadbalancing", "listener/"+n.balancerPath()+"/*"))
}

func (n *names) ownListeners() []string {
	if len(n.balancers()) == 0 {
		return nil
	}
	return n.listeners()
}

func (n *names) rules() []string {
	return anyOf(n.targetGroups(), n.arn("elasticloadbalancing", "listener-rule/"+n.balancerPath()+"/*/*"))
}

// certificates that the stage makes have names that AWS makes.
func (n *names) certificates() []string {
	if n.LoadBalancer.Zone == "" || n.LoadBalancer.Certificate != "" {
		return nil
	}
	return anyOf(n.balancers(), n.arn("acm", "certificate/*"))
}

func (n *names) namedCertificates() []string {
	if n.LoadBalancer.Certificate == "" {
		return nil
	}
	return []string{n.LoadBalancer.Certificate}
}

// zones are hosted zones of Route 53, whose ids the stage file does not say.
func (n *names) zones() []string {
	if n.LoadBalancer.Zone == "" {
		return nil
	}
	return anyOf(n.targetGroups(), "arn:"+n.partition()+":route53:::hostedzone/*")
}

func (n *names) changes() []string {
	return anyOf(n.zones(), "arn:"+n.partition()+":route53:::change/*")
}

// securityGroups have ids that AWS makes.
func (n *names) securityGroups() []string {
	return anyOf(n.taskDefinitions(), n.arn("ec2", "security-group/*"))
}

func (n *names) vpcs() []string {
	return anyOf(n.taskDefinitions(), n.arn("ec2", "vpc/"+cmp.Or(n.Network.VPC, "*")))
}

// linkedRoles are AWS's own, which the first call makes that needs them.
func linkedRole(service string, something func(*names) []string) func(*names) []string {
	return func(n *names) []string {
		return anyOf(something(n), n.iam("role/aws-service-role/"+service+"/*"))
	}
}

func (n *names) existingBalancers() []string {
	if n.LoadBalancer.ARN == "" || len(n.targetGroups()) == 0 {
		return nil
	}
	return []string{n.LoadBalancer.ARN}
}
