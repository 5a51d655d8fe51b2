package components

import (
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

// shared is what the services and tasks of a stage share.
type shared struct {
	// Stage that they belong to, with their settings and the names of everything.
	Stage *stage.Stage
	// Preflight found what they are made in.
	Preflight *Preflight
	// Cluster that they run in.
	Cluster *ownCluster
	// LoadBalancer of the stage; nil where no service has a route from it. InternalLoadBalancer is the internal one.
	LoadBalancer, InternalLoadBalancer *LoadBalancer
	// Images of the stage, which their containers run.
	Images stageImages
	// Retention keeps the images of their revisions.
	Retention *imageRetention
	// Handovers are what resources of the team's own give to their containers.
	Handovers Handovers
}

// Workload is what a service and a task have in common: the component that all its resources belong to, and what its
// tasks need to start. newService and newTask declare the rest.
type Workload struct {
	pulumi.ResourceState
	*shared

	// TaskRole is the name of the role that its containers' own code has, SecurityGroup the id of the security group of
	// its tasks.
	TaskRole, SecurityGroup pulumi.StringOutput
	// TargetGroup is the ARN of a service's target group, "" for one without a route and for a task.
	TargetGroup pulumi.StringOutput

	name                    string
	executionRole, taskRole *iam.Role
	// targetRevision is the ARN of the revision to run, the pinned one or else the newest, and revision its number. It
	// is known once its images are protected.
	targetRevision pulumi.StringOutput
	revision       pulumi.IntOutput
	// group lets everything out and nothing in.
	group *securityGroup
	// service is the ECS service, once it is declared; nil for a task.
	service pulumi.Resource
	// ready are those without which a task cannot start.
	ready []pulumi.Resource
}

// newWorkloads declares what each service and task of a stage has by its name, and returns them by name.
func newWorkloads(ctx *pulumi.Context, shared *shared) (map[string]*Workload, error) {
	workloads := map[string]*Workload{}
	for _, name := range shared.Stage.TaskDefinitions() {
		var err error
		if workloads[name], err = newWorkload(ctx, name, shared); err != nil {
			return nil, err
		}
	}
	for _, name := range sortedKeys(workloads) {
		if err := workloads[name].admitToPorts(ctx, workloads); err != nil {
			return nil, err
		}
	}
	return workloads, nil
}

// newWorkload declares what a service or a task has, in the order in which AWS needs it.
func newWorkload(ctx *pulumi.Context, name string, shared *shared) (*Workload, error) {
	w := &Workload{shared: shared, name: name}
	service, isService := w.Stage.Services[name]
	token := taskType
	if isService {
		token = serviceType
	}
	if err := ctx.RegisterComponentResource(token, name, w); err != nil {
		return nil, err
	}
	parent := pulumi.Parent(w)
	settings, family, account, tags := w.Stage.TaskDefinition(name), w.Stage.Family(name), w.Preflight.account,
		w.Stage.TagsOf(name)

	logGroup, err := cloudwatch.NewLogGroup(ctx, name, &cloudwatch.LogGroupArgs{
		Name:            pulumi.String(w.logGroup()),
		RetentionInDays: pulumi.Int(settings.LogRetention),
		Tags:            pulumi.ToStringMap(tags),
	}, parent)
	if err != nil {
		return nil, err
	}
	secrets, ownSecret, err := newSecrets(ctx, name, w.Stage, parent)
	if err != nil {
		return nil, err
	}
	own := roles{w, parent}
	executionRole, executionPolicies, err := own.execution(ctx, ownSecret)
	if err != nil {
		return nil, err
	}
	taskRole, taskPolicies, err := own.task(ctx)
	if err != nil {
		return nil, err
	}
	definition, err := newTaskDefinition(ctx, name, &taskDefinitionArgs{
		Family:           family,
		Container:        name,
		Settings:         settings,
		Port:             service.Port,
		PortName:         service.Name,
		AppProtocol:      service.AppProtocol,
		NetworkMode:      networkMode(service),
		OnInstances:      service.NeedsInstances(),
		Exec:             service.Exec,
		Images:           w.Images,
		PullCredentials:  w.Stage.PullCredentials(settings),
		Region:           account.Region,
		LogGroup:         w.logGroup(),
		Secrets:          secrets,
		Handovers:        w.Handovers.usedBy(settings),
		ExecutionRoleArn: executionRole.Arn,
		TaskRoleArn:      taskRole.Arn,
		Tags:             tags,
	}, parent)
	if err != nil {
		return nil, err
	}
	w.executionRole, w.taskRole, w.revision = executionRole, taskRole, definition.Revision
	w.ready = slices.Concat([]pulumi.Resource{logGroup}, executionPolicies, taskPolicies)
	pinned := w.Preflight.revisions[name]
	if pinned != "" {
		w.revision = pulumi.Int(service.Revision).ToIntOutput()
	}
	w.targetRevision = w.Retention.Protect(name, definition, w.Images.refs(settings), pinned)
	w.group, err = newSecurityGroup(ctx, name, "tasks of "+family, w.Preflight.Network, tags, everywhere, parent)
	if err != nil {
		return nil, err
	}
	w.TaskRole, w.SecurityGroup = taskRole.Name, w.group.ID().ToStringOutput()
	w.TargetGroup = pulumi.String("").ToStringOutput()
	return w, err
}

// logGroup is where the output of its containers is.
func (w *Workload) logGroup() string { return w.Stage.LogGroup(w.name) }

// balancer is the load balancer from which the service's route leads to it; nil where it has none.
func (w *Workload) balancer() *LoadBalancer {
	switch route := w.Stage.Services[w.name].Route; {
	case route == nil:
		return nil
	case route.Internal:
		return w.InternalLoadBalancer
	}
	return w.LoadBalancer
}

// securityGroups are those of its tasks.
func (w *Workload) securityGroups() pulumi.StringArray {
	return pulumi.StringArray{w.group.ID().ToStringOutput()}
}
