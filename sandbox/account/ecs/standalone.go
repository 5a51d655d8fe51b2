package ecs

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/logs"
)

// taskKind holds the tasks that no service stands behind, each by its id: those that RunTask has started.
const taskKind = "task"

// TaskRun is what RunTask was given for a task.
type TaskRun struct {
	Network    Network           `json:"network"`
	Overrides  Overrides         `json:"overrides"`
	Tags       map[string]string `json:"tags"`
	AdvancedTo time.Time         `json:"advancedTo"` // up to when the task has been worked out
}

// RunTaskRequest is a call of RunTask.
type RunTaskRequest struct {
	Cluster, TaskDefinition string
	Count                   int
	LaunchType              string
	Network                 *Network // nil where none is given
	Overrides               Overrides
	StartedBy, Group        string
	Tags                    map[string]string
	PropagateTags           string // TASK_DEFINITION or ""
	ManagedTags             bool
	ClientToken             string // a call that has one may be repeated
}

var validStartedBy = regexp.MustCompile(`^[A-Za-z0-9_/-]{0,128}$`)

// runTaskCall remembers a call of RunTask by its token: what it asked for, and the tasks that it has started.
type runTaskCall struct {
	Request RunTaskRequest `json:"request"`
	Tasks   []*Task        `json:"tasks"`
}

const runTaskCallKind = "runTaskCall"

// RunTask starts tasks that run once.
func RunTask(a *account.Account, request RunTaskRequest) (tasks []*Task, err error) {
	err = a.Transact(func(t *account.Tx) error {
		if call := account.Get[runTaskCall](t, runTaskCallKind, request.ClientToken); call != nil {
			if tasks = call.Tasks; !sameJSON(call.Request, request) {
				return account.Refuse("ConflictException",
					"The RunTask request could not be processed due to conflicts. The provided "+
						"clientToken is already in use with a different RunTask request.")
			}
			return nil
		}
		clusterARN, err := clusterARN(t, request.Cluster)
		if err != nil {
			return err
		}
		d, err := runnable(t, request)
		if err != nil {
			return err
		}
		group := request.Group
		if group == "" {
			group = "family:" + d.Family
		}
		tags := map[string]string{}
		if request.PropagateTags != "" {
			for key, value := range d.Tags {
				tags[key] = account.Text(value)
			}
		}
		maps.Copy(tags, request.Tags)
		if request.ManagedTags {
			tags["aws:ecs:clusterName"] = account.AfterSlash(clusterARN)
		}
		for range request.Count {
			task := momentAt(t, t.Now).newTask(clusterARN, d.ARN, request.StartedBy, group)
			task.Run = &TaskRun{Network: *request.Network, Overrides: request.Overrides, Tags: tags, AdvancedTo: t.Now}
			account.Put(t, taskKind, task.ID(), task)
			tasks = append(tasks, task)
		}
		if request.ClientToken != "" {
			account.Put(t, runTaskCallKind, request.ClientToken, runTaskCall{request, tasks})
		}
		return nil
	})
	return tasks, err
}

// runnable finds the definition of tasks that RunTask may start.
func runnable(t *account.Tx, request RunTaskRequest) (*TaskDefinition, error) {
	invalid := func(format string, args ...any) error {
		return account.Refuse("InvalidParameterException", format, args...)
	}
	switch {
	case request.Count < 1 || request.Count > 10:
		return nil, invalid("count must be between 1 and 10.")
	case !validStartedBy.MatchString(request.StartedBy):
		return nil, invalid("startedBy must be 128 characters or less, and contain letters, numbers, hyphens, forward " +
			"slashes and " +
			"underscores only.")
	case strings.HasPrefix(request.Group, "family:") || strings.HasPrefix(request.Group, "service:"):
		return nil, invalid("Invalid namespace for group.")
	case request.PropagateTags != "" && request.PropagateTags != "TASK_DEFINITION":
		return nil, invalid("Unsupported value for propagateTags: %s", request.PropagateTags)
	}
	d, err := deployable(t, request.TaskDefinition)
	if account.IsCode(err, "ClientException") && strings.Contains(err.Error(), "Unable to describe") {
		return nil, account.Refuse("ClientException", "TaskDefinition not found.")
	}
	switch {
	case err != nil:
		return nil, err
	case request.LaunchType != "FARGATE": // EC2 where none is given
		return nil, invalid("No Container Instances were found in your cluster.")
	case !slices.Contains(d.RequiresCompatibilities, "FARGATE"):
		return nil, invalid("Task definition does not support launch_type FARGATE.")
	case request.Network == nil:
		return nil, invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	case len(request.Network.Subnets) == 0:
		return nil, invalid("subnets can not be empty.")
	}
	if err := checkNetwork(t, *request.Network); err != nil {
		return nil, err
	}
	if err := iam.AssumeECSRole(t); err != nil {
		return nil, err
	}
	if err := request.Overrides.check(d); err != nil {
		return nil, err
	}
	if reason := momentAt(t, t.Now).unassumable(request.Overrides.put(d)); reason != "" {
		return nil, account.Refuse("ClientException", "%s", reason)
	}
	return d, nil
}

// StopTask stops a task; where it is a service's, that starts another.
func StopTask(a *account.Account, cluster, reference, reason string) (stopped *Task, err error) {
	if reason == "" {
		reason = "Task stopped by user"
	}
	stop := &taskFailure{code: "UserInitiated", reason: reason}
	err = a.Transact(func(t *account.Tx) error {
		tasks, err := allTasks(t, cluster)
		if err != nil {
			return err
		}
		for _, task := range tasks {
			if !task.is(reference) {
				continue
			}
			if stopped = task.Task; task.DesiredStatus == taskStopped {
				return nil
			}
			task.end(stop)
			if task.service != nil {
				account.Put(t, serviceKind, task.service.id(), task.service)
			} else {
				account.Put(t, taskKind, task.ID(), task.Task)
			}
			return nil
		}
		return account.Refuse("InvalidParameterException", "The referenced task was not found.")
	})
	return stopped, err
}

// is reports whether a reference, an ARN or an id, is the task's.
func (task *Task) is(reference string) bool {
	return reference == task.ID() || reference == task.ARN
}

// Tasks lists the tasks of a cluster, or of every cluster where it is "": those of services first, and each oldest
// first. Stopped ones are among them for an hour.
func Tasks(a *account.Account, cluster string) (found []*Task, err error) {
	err = a.Transact(func(t *account.Tx) error {
		tasks, err := allTasks(t, cluster)
		for _, task := range tasks {
			found = append(found, task.Task)
		}
		return err
	})
	return found, err
}

// ownedTask is a task and its service, if any.
type ownedTask struct {
	*Task
	service *Service
}

func allTasks(t *account.Tx, cluster string) (found []ownedTask, err error) {
	if cluster != "" {
		if cluster, err = clusterARN(t, cluster); err != nil {
			return nil, err
		}
	}
	for _, s := range account.List[Service](t, serviceKind) {
		if cluster != "" && s.ClusterARN != cluster {
			continue
		}
		advance(t, s)
		for _, task := range s.Tasks {
			task.Group = "service:" + s.Name
			found = append(found, ownedTask{task, s})
		}
	}
	for _, task := range standaloneTasks(t) {
		if cluster == "" || task.ClusterARN() == cluster {
			found = append(found, ownedTask{task, nil})
		}
	}
	return found, nil
}

// ClusterARN is that of the task's cluster.
func (task *Task) ClusterARN() string {
	return strings.Replace(task.ARN[:strings.LastIndex(task.ARN, "/")], ":task/", ":cluster/", 1)
}

// standaloneTasks are those that RunTask has started, worked out up to now, in the order in which they came.
func standaloneTasks(t *account.Tx) (tasks []*Task) {
	for _, task := range account.List[Task](t, taskKind) {
		advanceTask(t, task)
		if task.LastStatus == taskStopped && t.Now.Sub(*task.StoppedAt) > time.Hour {
			account.Remove(t, taskKind, task.ID())
			continue
		}
		tasks = append(tasks, task)
	}
	slices.SortStableFunc(tasks, func(x, y *Task) int { return x.CreatedAt.Compare(y.CreatedAt) })
	return tasks
}

// advanceTask works out a task that no service stands behind up to now, and keeps it.
func advanceTask(t *account.Tx, task *Task) {
	if task.LastStatus == taskStopped {
		return
	}
	m := momentAt(t, t.Now)
	step := account.FaultDuration(m.faults, account.SlowRollout, stepTime)
	changed := false
	for task.LastStatus != taskStopped {
		if m.at = task.Run.AdvancedTo.Add(step); m.at.After(t.Now) {
			break
		}
		task.Run.AdvancedTo = m.at
		if !m.step(task) {
			task.Run.AdvancedTo = t.Now
			break
		}
		changed = true
	}
	if changed {
		account.Put(t, taskKind, task.ID(), task)
	}
}

// step moves such a task by one status, and reports whether anything happened. Where no engine runs it, it is recorded
// as running for one step, and its log says so.
func (m moment) step(task *Task) bool {
	switch {
	case m.runByAgent(task):
		return false
	case task.DesiredStatus == taskStopped, task.LastStatus == taskRunning:
		if task.DesiredStatus != taskStopped {
			task.end(&taskFailure{code: stopExited, reason: exitedReason})
		}
		task.stop(m.at)
		return true
	}
	d, failure := m.admit(task, task.Run.Network)
	if failure != nil {
		task.fail(m.at, failure)
	} else if !task.Admitted {
		task.run(m.at)
		if d.hasHealthCheck() {
			task.Health = healthUnknown
		}
	}
	if code := m.exitCode(task, failure); code >= 0 {
		for _, c := range d.Containers {
			m.logNote(task, c, "The sandbox has no Docker engine: this task is recorded as ended with exit code %d", code)
		}
	}
	return true
}

// exitCode is what a recorded task that has just come to run is to end with; -1 where it never ran, or is an engine's.
func (m moment) exitCode(task *Task, failure *taskFailure) int {
	switch {
	case m.engine && task.OnEngine, failure != nil && failure.exitCode == nil:
		return -1
	case failure != nil:
		return *failure.exitCode
	}
	return 0
}

// logNote writes a line of the sandbox itself into the log of a task's container, where it has one.
func (m moment) logNote(task *Task, c Container, format string, args ...any) {
	group, stream := c.LogGroup(), c.LogStream(task.ID())
	if group == "" || account.Get[account.Object](m.Tx, logs.LogGroup, group) == nil {
		return
	}
	logs.PutLogStream(m.Tx, group, stream)
	logs.RecordLogEvents(m.Tx, group, stream, []logs.LogEvent{{Timestamp: m.at.UnixMilli(), Message: fmt.Sprintf(format,
		args...)}})
}
