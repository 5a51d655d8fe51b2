package account

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Task is one copy of a task definition's containers.
type Task struct {
	ARN            string     `json:"arn"`
	TaskDefinition string     `json:"taskDefinition"`
	StartedBy      string     `json:"startedBy"`     // the deployment's id
	LastStatus     string     `json:"lastStatus"`    // PENDING, RUNNING or STOPPED
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
	// Containers are as the engine that runs the task last reported them.
	Containers []ContainerState `json:"containers"`

	forgotten bool
}

const (
	taskPending = "PENDING"
	taskRunning = "RUNNING"
	taskStopped = "STOPPED"
)

func (t *tx) newTask(s *Service, d *Deployment, at time.Time) *Task {
	arn := strings.Replace(s.ClusterARN, ":cluster/", ":task/", 1) + "/" + t.newID("task", 32)
	return &Task{ARN: arn, TaskDefinition: d.TaskDefinition, StartedBy: d.ID, LastStatus: taskPending,
		DesiredStatus: taskRunning, CreatedAt: at}
}

func (task *Task) run(at time.Time) { task.LastStatus, task.StartedAt = taskRunning, &at }

// stop ends a task that the scheduler no longer wants; its containers obey SIGTERM.
func (task *Task) stop(at time.Time) {
	if task.LastStatus == taskRunning {
		code := 0
		task.ExitCode = &code
	}
	task.LastStatus, task.StoppedAt = taskStopped, &at
}

func (task *Task) fail(at time.Time, f *taskFailure) {
	task.LastStatus, task.DesiredStatus, task.StoppedAt = taskStopped, taskStopped, &at
	task.StopCode, task.StoppedReason, task.ExitCode, task.ContainerReason = f.code, f.reason, f.exitCode, f.container
}

// taskFailure is why a task did not come to run.
type taskFailure struct {
	code, reason, container string
	exitCode                *int
	notLaunched             bool // ECS reports it in an event
}

func notStarted(format string, args ...any) *taskFailure {
	return &taskFailure{code: "TaskFailedToStart", reason: fmt.Sprintf(format, args...)}
}

// failure says why a task that is about to run cannot, or nil. The order is the one in which Fargate finds out:
// role, network, registry login, secrets, log stream, image, and then the container itself.
func (r *rollout) failure(s *Service, task *Task) *taskFailure {
	d, err := r.taskDefinition(task.TaskDefinition)
	if err != nil {
		return notStarted("%s", err)
	}
	role := afterSlash(d.ExecutionRoleARN)
	for _, arn := range []string{d.ExecutionRoleARN, d.TaskRoleARN} {
		if arn != "" && !r.assumable(afterSlash(arn)) {
			f := notStarted("ECS was unable to assume the role '%s' that was provided for this task. Please verify that the role "+
				"being passed has the proper trust relationship and permissions and that your IAM user has permissions to pass "+
				"this role.", arn)
			f.notLaunched = true
			return f
		}
	}
	if d.NetworkMode == "awsvpc" && (!s.Settings.AssignPublicIP || r.cutOff(s.Settings.Subnets)) {
		return notStarted("ResourceInitializationError: unable to pull secrets or registry auth: The task cannot pull registry "+
			"auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. Check your task network "+
			"configuration. RequestError: send request failed caused by: Post \"https://api.ecr.%s.amazonaws.com/\": dial tcp: "+
			"i/o timeout", region(d.ARN))
	}
	for _, c := range d.Containers {
		if f := r.containerFailure(d, c, role, afterSlash(task.ARN)); f != nil {
			return f
		}
	}
	if pattern := r.faults[FailingTasks]; pattern != "" {
		return r.failingTask(d, pattern)
	}
	return nil
}

// cutOff tells whether tasks are placed in a subnet that has no way out.
func (r *rollout) cutOff(subnets []string) bool {
	return slices.ContainsFunc(subnets, func(id string) bool { return wildcard(r.faults[NoRoute], id) })
}

func region(arn string) string { return strings.Split(arn, ":")[3] }

func (r *rollout) containerFailure(d *TaskDefinition, c Container, role, task string) *taskFailure {
	denied := func(action, resource string) string {
		return fmt.Sprintf("AccessDeniedException: User: arn:aws:sts::%s:assumed-role/%s/%s is not authorized to perform: %s on "+
			"resource: %s because no identity-based policy allows the %s action", ID, role, task, action, resource, action)
	}
	own := strings.HasPrefix(c.Image(), ID+".dkr.ecr.")
	const noAuth = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
	if action := "ecr:GetAuthorizationToken"; own && !r.allowed(role, action, "*") {
		return notStarted(noAuth+"unable to retrieve ecr registry auth: service call has been retried 1 time(s): %s", denied(action, "*"))
	}
	for _, secret := range c.objects("secrets") {
		from := fmt.Sprint(secret["valueFrom"])
		action := "secretsmanager:GetSecretValue"
		resource := from
		if strings.Contains(from, ":secretsmanager:") {
			resource, _, _, _ = secretReference(from)
		} else {
			action = "ssm:GetParameters"
			if !strings.HasPrefix(from, "arn:") {
				resource = ARN("ssm", region(d.ARN), "parameter/"+strings.TrimPrefix(from, "/"))
			}
		}
		if !r.allowed(role, action, resource) {
			return notStarted(noAuth+"unable to retrieve secret: service call has been retried 1 time(s): %s", denied(action, resource))
		}
		if err := r.unreadable(from); err != nil {
			return notStarted(noAuth+"unable to retrieve secret from asm: service call has been retried 1 time(s): %s", err)
		}
	}
	if group := c.logGroup(); group != "" {
		resource := ARN("logs", region(d.ARN), "log-group:"+group+":log-stream:*")
		const noLogs = "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: " +
			"failed to create Cloudwatch log stream: "
		if action := "logs:CreateLogStream"; !r.allowed(role, action, resource) {
			return notStarted(noLogs+"%s : exit status 1", denied(action, resource))
		}
		if get[Object](r.tx, LogGroup, group) == nil {
			return notStarted(noLogs + "ResourceNotFoundException: The specified log group does not exist. : exit status 1")
		}
	}
	if own {
		name, _, _ := strings.Cut(strings.TrimPrefix(c.Image(), strings.SplitN(c.Image(), "/", 2)[0]+"/"), "@")
		repository, _, _ := strings.Cut(name, ":")
		for _, action := range []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"} {
			if !r.allowed(role, action, ARN("ecr", region(d.ARN), "repository/"+repository)) {
				return notStarted("CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref %s: "+
					"unexpected status from HEAD request: 403 Forbidden", c.Image())
			}
		}
	}
	if !r.pullable(c.Image()) {
		return notStarted("CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref %s: %s: "+
			"not found", c.Image(), c.Image())
	}
	return nil
}

func (r *rollout) failingTask(d *TaskDefinition, pattern string) *taskFailure {
	match := wildcard(pattern, fmt.Sprintf("%s:%d", d.Family, d.Revision))
	for _, c := range d.Containers {
		match = match || wildcard(pattern, c.Image())
	}
	if !match {
		return nil
	}
	code, err := strconv.Atoi(cmp.Or(r.faults[FailingExitCode], "1"))
	must(err)
	return &taskFailure{code: "EssentialContainerExited", reason: "Essential container in task exited",
		exitCode: &code, container: r.faults[FailingReason]}
}

// assumable reports whether ECS can give a role to a task: it trusts ecs-tasks.amazonaws.com, and has existed for a while.
func (r *rollout) assumable(role string) bool {
	o := get[Object](r.tx, Role, role)
	if o == nil || !strings.Contains(o.text("assumeRolePolicy"), "ecs-tasks.amazonaws.com") {
		return false
	}
	created, err := time.Parse(time.RFC3339Nano, o.text("createDate"))
	must(err)
	return r.at.Sub(created) >= duration(r.faults, IAMDelay, 0)
}

// allowed reports whether IAM lets a role do an action. It says no where a policy has a condition, which is beyond it.
func (r *rollout) allowed(role, action, resource string) bool {
	found, err := r.simulate(role, action, resource, nil)
	return err == nil && found.Decision == Allowed
}
