package ecs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/logs"
)

// taskKind holds the tasks that no service stands behind, each by its id: those that RunTask has started.
const taskKind = "task"

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
	} else if m.awaitsPull(task, d) {
		return false
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
