package components

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

const taskType = "slipway:components:Task"

// newTask declares what starts the tasks of a workload: nothing, or a schedule. It returns what the stack's outputs say
// of the task: all that starting it takes, family, revision, run (the command of the AWS CLI that runs it), and where
// it has one its schedule's name.
func newTask(ctx *pulumi.Context, w *Workload) (pulumi.Map, error) {
	family := w.Stage.Family(w.name)
	summary := w.runInput()
	summary["family"], summary["revision"], summary["taskRole"] = pulumi.String(family), w.revision, w.TaskRole
	summary["run"] = pulumi.All(w.Cluster.Name, w.revision, w.securityGroups(),
		w.Preflight.Network.subnets()).ApplyT(func(known []any) string {
		return runCommand(w.Preflight.account.Region, known[0].(string), fmt.Sprintf("%s:%d", family, known[1]),
			w.Preflight.Network.AssignPublicIP, known[3].([]string), known[2].([]string))
	})
	if w.Stage.Tasks[w.name].Schedule != nil {
		schedule, err := newSchedule(ctx, w)
		if err != nil {
			return nil, err
		}
		summary["schedule"] = schedule.Name
	}
	return summary, ctx.RegisterResourceOutputs(w, pulumi.Map{"taskDefinition": w.targetRevision})
}

// runInput is what starting a task once takes: taskDefinition (ARN of the revision), container (the main one's name),
// cluster, logGroup, subnets, securityGroups, assignPublicIp.
func (w *Workload) runInput() pulumi.Map {
	return pulumi.Map{
		"taskDefinition": w.targetRevision,
		"container":      pulumi.String(w.name),
		"cluster":        w.Cluster.Name,
		"logGroup":       pulumi.String(w.logGroup()),
		"subnets":        w.Preflight.Network.subnets(),
		"securityGroups": w.securityGroups(),
		"assignPublicIp": pulumi.Bool(w.Preflight.Network.AssignPublicIP),
	}
}

// runCommand is the command of the AWS CLI that runs a revision once. Only its network has what a shell would read: the
// rest is made of letters, digits, - _ and :
func runCommand(region, cluster, revision string, assignPublicIP bool, subnets, securityGroups []string) string {
	address := "DISABLED"
	if assignPublicIP {
		address = "ENABLED"
	}
	return fmt.Sprintf("aws ecs run-task --region %s --cluster %s --launch-type FARGATE --task-definition %s "+
		"--network-configuration 'awsvpcConfiguration={subnets=[%s],securityGroups=[%s],assignPublicIp=%s}' "+
		"--propagate-tags TASK_DEFINITION",
		region, cluster, revision, strings.Join(subnets, ","), strings.Join(securityGroups, ","), address)
}
