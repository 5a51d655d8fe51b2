package deployrole

import (
	"cmp"
	"fmt"
	"slices"

	"slipway/internal/awslimits"
	"slipway/internal/policies"
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
func (n *names) hasSteps(name string) bool {
	return n.scales(name) && len(n.Services[name].Scaling.Steps) > 0
}
func (n *names) isPredeploy(name string) bool {
	return n.isTask(name) && len(n.Tasks[name].Before) > 0
}
func (n *names) isScheduled(name string) bool {
	return n.isTask(name) && n.Tasks[name].Schedule != nil
}
func (n *names) keepsSecrets(name string) bool {
	return policies.OwnSecretLike(n.Stage, name, n.arn) != ""
}
func (n *names) hasManaged(name string) bool {
	return len(policies.ManagedRoles(n.Stage, name, n.arn)) > 0
}

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

func (n *names) clustersWithCapacity() []string {
	if !n.HasCapacity() {
		return nil
	}
	return n.clusters()
}

// namespaces are where services find each other by name; AWS makes their ids.
func (n *names) namespaces() []string {
	if !n.HasNames() {
		return nil
	}
	return []string{n.arn("servicediscovery", "namespace/*")}
}

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

func (n *names) alarms() []string {
	alarm := func(name string) string { return n.arn("cloudwatch", "alarm:"+name) }
	return append(n.each(func(name string) string { return alarm(n.ErrorAlarm(name)) }, n.hasAlarm),
		n.each(func(name string) string { return alarm(n.StepsAlarm(name, "*")) }, n.hasSteps)...)
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
	for _, service := range n.Services {
		if service.Scaling != nil && service.Scaling.Queue != nil {
			arns = append(arns, n.arn("sqs", service.Scaling.Queue.Queue()))
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}
