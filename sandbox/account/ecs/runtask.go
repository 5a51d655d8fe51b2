package ecs

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
)

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
	case request.LaunchType != awslimits.Fargate: // EC2 where none is given
		return nil, invalid("No Container Instances were found in your cluster.")
	case !slices.Contains(d.RequiresCompatibilities, awslimits.Fargate):
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
