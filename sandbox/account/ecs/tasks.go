package ecs

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"slipway/internal/imageref"
	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/logs"
	"slipway/sandbox/account/vpc"
)

// Task is one copy of a task definition's containers.
type Task struct {
	ARN            string     `json:"arn"`
	TaskDefinition string     `json:"taskDefinition"`
	StartedBy      string     `json:"startedBy"`     // the deployment's id
	LastStatus     string     `json:"lastStatus"`    // PROVISIONING, PENDING, RUNNING or STOPPED
	DesiredStatus  string     `json:"desiredStatus"` // RUNNING or STOPPED
	StopCode       string     `json:"stopCode"`
	StoppedReason  string     `json:"stoppedReason"`
	CreatedAt      time.Time  `json:"createdAt"`
	StartedAt      *time.Time `json:"startedAt"`
	StoppedAt      *time.Time `json:"stoppedAt"`
	// ExitCode is what every container of a stopped task ended with; nil where none has run.
	ExitCode        *int   `json:"exitCode"`
	ContainerReason string `json:"containerReason"` // why its containers stopped, where ECS says so
	// Health is what the containers' own checks say: UNKNOWN, HEALTHY or UNHEALTHY, and "" where they have none.
	Health       string `json:"health"`
	TargetHealth string `json:"targetHealth"` // in the service's target groups; "" where it has none
	// CapacityProvider is what it runs on; "" for a task of the launch type.
	CapacityProvider string `json:"capacityProvider,omitempty"`
	// ContainerInstance is the ARN of the one that it is on, and Instance EC2's id of that; "" on Fargate, and as long as
	// it waits for one. EC2 tells that it is not for Fargate.
	ContainerInstance string `json:"containerInstance,omitempty"`
	Instance          string `json:"instance,omitempty"`
	EC2               bool   `json:"ec2,omitempty"`
	Group             string `json:"group"` // service:NAME, family:NAME, or what RunTask was told
	// LoadBalancers are those that it is registered with; none for a task without a service.
	LoadBalancers []ServiceLoadBalancer `json:"loadBalancers,omitempty"`
	// OnEngine tells that an engine ran tasks when this one was made, Admitted that nothing keeps that from starting it,
	// and Settling that it runs, but not for long enough yet to count for its service.
	OnEngine bool `json:"onEngine"`
	Admitted bool `json:"admitted"`
	Settling bool `json:"settling"`
	// Pull is how the pull of images from other registries ended; nil before that, and where an engine pulls.
	Pull *Pull `json:"pull,omitempty"`
	// Containers is what an engine says of them; none where no engine runs the task.
	Containers []ContainerState `json:"containers"`
	// Run is what RunTask was given; nil for a service's task.
	Run *TaskRun `json:"run"`

	forgotten bool
}

const (
	taskProvisioning = "PROVISIONING" // it waits for an instance
	taskPending      = "PENDING"
	taskRunning      = "RUNNING"
	taskStopped      = "STOPPED"

	stopExited     = "EssentialContainerExited"
	exitedReason   = "Essential container in task exited"
	stopNotStarted = "TaskFailedToStart"
)

// newTask is a task that a deployment, or whoever called RunTask, has started.
func (m moment) newTask(clusterARN, taskDefinition, startedBy, group string) *Task {
	arn := strings.Replace(clusterARN, ":cluster/", ":task/", 1) + "/" + m.NewID("task", 32)
	return &Task{ARN: arn, TaskDefinition: taskDefinition, StartedBy: startedBy, Group: group, LastStatus: taskPending,
		DesiredStatus: taskRunning, CreatedAt: m.at, OnEngine: m.engine}
}

// onInstance tells whether a task is for an EC2 instance.
func (task *Task) onInstance() bool { return task.EC2 }

// ID is the last part of the task's ARN.
func (task *Task) ID() string { return account.AfterSlash(task.ARN) }

// Family is that of the task's definition.
func (task *Task) Family() string {
	family, _, _ := strings.Cut(account.AfterSlash(task.TaskDefinition), ":")
	return family
}

func (task *Task) run(at time.Time) {
	task.LastStatus, task.StartedAt = taskRunning, &at
	for i := range task.Containers {
		task.Containers[i].LastStatus = taskRunning
	}
}

// stop ends a task that the scheduler no longer wants; its containers obey SIGTERM.
func (task *Task) stop(at time.Time) {
	if task.LastStatus == taskRunning {
		code := 0
		task.ExitCode = &code
	}
	task.finish(at)
}

// finish ends a task whose containers have ended.
func (task *Task) finish(at time.Time) {
	task.LastStatus, task.StoppedAt = taskStopped, &at
	for i := range task.Containers {
		task.Containers[i].LastStatus = taskStopped
	}
}

// end says that a task has to stop, and why.
func (task *Task) end(f *taskFailure) {
	task.DesiredStatus, task.StopCode, task.StoppedReason = taskStopped, f.code, f.reason
}

// fail ends a task at once.
func (task *Task) fail(at time.Time, f *taskFailure) {
	task.end(f)
	task.ExitCode, task.ContainerReason = f.exitCode, f.container
	task.finish(at)
}

// Network is where a task is placed.
type Network struct {
	Subnets        []string `json:"subnets"`
	SecurityGroups []string `json:"securityGroups"`
	AssignPublicIP bool     `json:"assignPublicIp"`
}

func (s ServiceSettings) network() Network {
	return Network{s.Subnets, s.SecurityGroups, s.AssignPublicIP}
}

// moment is the account at one time, as a task finds it.
type moment struct {
	*account.Tx
	faults map[string]string
	engine bool // whether an engine runs tasks
	at     time.Time
}

func momentAt(t *account.Tx, at time.Time) moment {
	return moment{Tx: t, faults: t.Faults(), engine: agentConnected(t), at: at}
}

// taskFailure is why a task did not come to run.
type taskFailure struct {
	code, reason, container string
	exitCode                *int
	notLaunched             bool // ECS reports it in an event
}

func notStarted(format string, args ...any) *taskFailure {
	return &taskFailure{code: stopNotStarted, reason: fmt.Sprintf(format, args...)}
}

// startFailure says why a task that is about to run cannot, or nil. The order is the one in which Fargate finds out:
// role, network, registry login, secrets, log stream, image, and then the container itself.
func (m moment) startFailure(d *TaskDefinition, task *Task, network Network) *taskFailure {
	role := account.AfterSlash(d.ExecutionRoleARN)
	if reason := m.unassumable(d); reason != "" {
		f := notStarted("%s", reason)
		f.notLaunched = true
		return f
	}
	if d.NetworkMode == "awsvpc" && !task.EC2 && m.reachesNothing(network) { // an instance pulls by its own network
		return notStarted("ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull "+
			"registry "+
			"auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network "+
			"configuration. RequestError: send request failed caused by: Post \"https://api.ecr.%s.amazonaws.com/\": dial tcp: "+
			"i/o timeout", account.Region(d.ARN))
	}
	for _, c := range d.Containers {
		if f := m.containerStartFailure(d, c, role, account.AfterSlash(task.ARN)); f != nil {
			return f
		}
	}
	if pattern := m.faults[account.FailingTasks]; pattern != "" {
		return m.failingTask(d, pattern)
	}
	return nil
}

// reachesNothing tells whether tasks are placed in a subnet from which they have no way out.
func (m moment) reachesNothing(network Network) bool {
	return slices.ContainsFunc(network.Subnets, func(id string) bool {
		subnet := vpc.FindSubnet(m.Tx, id)
		return subnet == nil || subnet.NoRoute(m.faults) || subnet.Public && !network.AssignPublicIP
	})
}

func (m moment) containerStartFailure(d *TaskDefinition, c Container, role, task string) *taskFailure {
	denied := func(action, resource string) string {
		return fmt.Sprintf("AccessDeniedException: User: arn:aws:sts::%s:assumed-role/%s/%s is not authorized to perform: "+
			"%s on "+
			"resource: %s because no identity-based policy allows the %s action", m.ID, role, task, action, resource,
			action)
	}
	image, inECR := imageref.ParseECR(c.Image())
	if action := "ecr:GetAuthorizationToken"; inECR && !m.allowed(role, action, "*") {
		return notStarted(noAuth+"unable to retrieve ecr registry auth: service call has been retried 1 time(s): %s",
			denied(action, "*"))
	}
	if secret := c.pullSecret(); secret != "" {
		const noLogin = noAuth + "unable to get registry auth from asm: service call has been retried 1 time(s): %s"
		if action := "secretsmanager:GetSecretValue"; !m.allowed(role, action, secret) {
			return notStarted(noLogin, denied(action, secret))
		}
		if _, err := m.pullLogin(c); err != nil {
			return notStarted(noLogin, err)
		}
	}
	if f := m.secretFailure(d, c, role, denied); f != nil {
		return f
	}
	if group := c.LogGroup(); group != "" {
		resource := account.ARN(m.ID, "logs", account.Region(d.ARN), "log-group:"+group+":log-stream:*")
		const noLogs = "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: " +
			"failed to create Cloudwatch log stream: "
		if action := "logs:CreateLogStream"; !m.allowed(role, action, resource) {
			return notStarted(noLogs+"%s : exit status 1", denied(action, resource))
		}
		if account.Get[account.Object](m.Tx, logs.LogGroup, group) == nil {
			return notStarted(noLogs + "ResourceNotFoundException: The specified log group does not exist. : exit status 1")
		}
	}
	if inECR && !m.mayPull(image, role, task) {
		return notStarted("CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve "+
			"ref %s: unexpected status from HEAD request: 403 Forbidden", c.Image())
	}
	if inECR && !ecr.Exists(m.Tx, c.Image()) {
		return notStarted("CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "+
			"%s: %s: "+
			"not found", c.Image(), c.Image())
	}
	return nil
}

// mayPull tells whether the policies of a task's role let it pull an image, and the repository's own, where that is in
// another account.
func (m moment) mayPull(image imageref.Ref, role, task string) bool {
	in := m.In(image.Account)
	in.Caller = account.Session(m.ID, role, task)
	for _, action := range ecr.PullActions {
		if !m.allowed(role, action, account.ARN(image.Account, "ecr", image.Region, "repository/"+image.Repository)) ||
			ecr.CheckAccess(in, image.Repository, action) != nil {
			return false
		}
	}
	return true
}

func (m moment) failingTask(d *TaskDefinition, pattern string) *taskFailure {
	match := account.Wildcard(pattern, fmt.Sprintf("%s:%d", d.Family, d.Revision))
	for _, c := range d.Containers {
		match = match || account.Wildcard(pattern, c.Image())
	}
	if !match {
		return nil
	}
	code, err := strconv.Atoi(cmp.Or(m.faults[account.FailingExitCode], "1"))
	account.Must(err)
	return &taskFailure{code: stopExited, reason: exitedReason,
		exitCode: &code, container: m.faults[account.FailingReason]}
}

// unassumable says of which role of a definition ECS cannot make use, or "".
func (m moment) unassumable(d *TaskDefinition) string {
	for _, arn := range []string{d.ExecutionRoleARN, d.TaskRoleARN} {
		if arn != "" && !m.assumable(account.AfterSlash(arn)) {
			return fmt.Sprintf("ECS was unable to assume the role '%s' that was provided for this task. Please verify that "+
				"the role "+
				"being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass "+
				"this role.", arn)
		}
	}
	return ""
}

// assumable reports whether ECS can give a role to a task: it trusts ecs-tasks.amazonaws.com, and has existed for a
// while.
func (m moment) assumable(role string) bool {
	o := account.Get[account.Object](m.Tx, iam.Role, role)
	if o == nil || !strings.Contains(o.Text("assumeRolePolicy"), "ecs-tasks.amazonaws.com") {
		return false
	}
	created, err := time.Parse(time.RFC3339Nano, o.Text("createDate"))
	account.Must(err)
	return m.at.Sub(created) >= account.FaultDuration(m.faults, account.IAMDelay, 0)
}

// allowed reports whether IAM lets a role do an action. It says no where a policy has a condition, which is beyond it.
func (m moment) allowed(role, action, resource string) bool {
	found, err := iam.Decide(m.Tx, role, action, resource, nil)
	return err == nil && found.Decision == iam.Allowed
}
