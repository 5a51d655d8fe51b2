package account

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
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
func (a *Account) RunTask(request RunTaskRequest) (tasks []*Task, err error) {
	err = a.Transact(func(t *Tx) error {
		if call := Get[runTaskCall](t, runTaskCallKind, request.ClientToken); call != nil {
			if tasks = call.Tasks; !sameJSON(call.Request, request) {
				return Refuse("ConflictException", "The RunTask request could not be processed due to conflicts. The provided "+
					"clientToken is already in use with a different RunTask request.")
			}
			return nil
		}
		clusterARN, err := t.clusterARN(request.Cluster)
		if err != nil {
			return err
		}
		d, err := t.runnable(request)
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
				tags[key] = Text(value)
			}
		}
		maps.Copy(tags, request.Tags)
		if request.ManagedTags {
			tags["aws:ecs:clusterName"] = AfterSlash(clusterARN)
		}
		for range request.Count {
			task := t.moment(t.Now).newTask(clusterARN, d.ARN, request.StartedBy, group)
			task.Run = &TaskRun{Network: *request.Network, Overrides: request.Overrides, Tags: tags, AdvancedTo: t.Now}
			Put(t, taskKind, task.ID(), task)
			tasks = append(tasks, task)
		}
		if request.ClientToken != "" {
			Put(t, runTaskCallKind, request.ClientToken, runTaskCall{request, tasks})
		}
		return nil
	})
	return tasks, err
}

// runnable finds the definition of tasks that RunTask may start.
func (t *Tx) runnable(request RunTaskRequest) (*TaskDefinition, error) {
	invalid := func(format string, args ...any) error { return Refuse("InvalidParameterException", format, args...) }
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
	d, err := t.deployable(request.TaskDefinition)
	if IsCode(err, "ClientException") && strings.Contains(err.Error(), "Unable to describe") {
		return nil, Refuse("ClientException", "TaskDefinition not found.")
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
	if err := t.checkNetwork(*request.Network); err != nil {
		return nil, err
	}
	if err := t.assumeLinkedRole(); err != nil {
		return nil, err
	}
	if err := request.Overrides.check(d); err != nil {
		return nil, err
	}
	if reason := t.moment(t.Now).unassumable(request.Overrides.put(d)); reason != "" {
		return nil, Refuse("ClientException", "%s", reason)
	}
	return d, nil
}

// StopTask stops a task; where it is a service's, that starts another.
func (a *Account) StopTask(cluster, reference, reason string) (stopped *Task, err error) {
	if reason == "" {
		reason = "Task stopped by user"
	}
	stop := &taskFailure{code: "UserInitiated", reason: reason}
	err = a.Transact(func(t *Tx) error {
		tasks, err := t.allTasks(cluster)
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
				Put(t, serviceKind, task.service.id(), task.service)
			} else {
				Put(t, taskKind, task.ID(), task.Task)
			}
			return nil
		}
		return Refuse("InvalidParameterException", "The referenced task was not found.")
	})
	return stopped, err
}

// is reports whether a reference, an ARN or an id, is the task's.
func (task *Task) is(reference string) bool {
	return reference == task.ID() || reference == task.ARN
}

// Tasks lists the tasks of a cluster, or of every cluster where it is "": those of services first, and each oldest
// first. Stopped ones are among them for an hour.
func (a *Account) Tasks(cluster string) (found []*Task, err error) {
	err = a.Transact(func(t *Tx) error {
		tasks, err := t.allTasks(cluster)
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

func (t *Tx) allTasks(cluster string) (found []ownedTask, err error) {
	if cluster != "" {
		if cluster, err = t.clusterARN(cluster); err != nil {
			return nil, err
		}
	}
	for _, s := range List[Service](t, serviceKind) {
		if cluster != "" && s.ClusterARN != cluster {
			continue
		}
		t.advance(s)
		for _, task := range s.Tasks {
			task.Group = "service:" + s.Name
			found = append(found, ownedTask{task, s})
		}
	}
	for _, task := range t.standaloneTasks() {
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
func (t *Tx) standaloneTasks() (tasks []*Task) {
	for _, task := range List[Task](t, taskKind) {
		t.advanceTask(task)
		if task.LastStatus == taskStopped && t.Now.Sub(*task.StoppedAt) > time.Hour {
			Remove(t, taskKind, task.ID())
			continue
		}
		tasks = append(tasks, task)
	}
	slices.SortStableFunc(tasks, func(x, y *Task) int { return x.CreatedAt.Compare(y.CreatedAt) })
	return tasks
}

// advanceTask works out a task that no service stands behind up to now, and keeps it.
func (t *Tx) advanceTask(task *Task) {
	if task.LastStatus == taskStopped {
		return
	}
	m := t.moment(t.Now)
	step := FaultDuration(m.faults, SlowRollout, stepTime)
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
		Put(t, taskKind, task.ID(), task)
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
