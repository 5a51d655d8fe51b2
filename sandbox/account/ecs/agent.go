package ecs

import (
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/logs"
)

// A Docker engine runs an account's tasks where one answers: see the package agent. The account says which tasks there
// are to run (AgentTasks) and is told how their containers do (SubmitTaskStateChange, as ECS calls it); what follows
// from that, the scheduler decides. Where none answers, tasks are recorded as running, and nothing else differs.

// Agent is the accounts as the ECS agent sees them.
type Agent struct{ *account.Account }

// of is the account that a task is in.
func (a Agent) of(taskARN string) *account.Account { return a.As(account.User(account.Owner(taskARN))) }

// AgentTask is a task that an engine has to run, or to stop.
type AgentTask struct {
	Task Task
	// Definition is the task's revision, with what RunTask overrides put in place.
	Definition TaskDefinition
	// Region that the task is in.
	Region string
	// Secrets are the values of its secret variables, by container and variable.
	Secrets map[string]map[string]string
	// PullLogins are the names and passwords for the registries of its images, by container; none where it asks for none.
	PullLogins map[string]PullLogin
	// HealthChecks are the target groups that the task has to be healthy in.
	HealthChecks []HealthCheck
	// DeregistrationDelay is how long its requests may take to end once it is to stop.
	DeregistrationDelay time.Duration
}

// HealthCheck is a target group's health check of a task.
type HealthCheck struct {
	TargetGroupARN string
	ContainerPort  int
	Path           string
	Matcher        string // the codes that count as healthy: 200, 200-299 or 200,202
	Interval       time.Duration
	Timeout        time.Duration
	Healthy        int // how many checks in a row decide
	Unhealthy      int
	GracePeriod    time.Duration // how long a failed check does not count, after the task's start
}

// ContainerState is how one container of a task does.
type ContainerState struct {
	Name        string     `json:"name"`
	RuntimeID   string     `json:"runtimeId"`   // the engine's id; "" where it was never made
	ImageDigest string     `json:"imageDigest"` // sha256:…
	LastStatus  string     `json:"lastStatus"`  // PENDING, RUNNING or STOPPED
	ExitCode    *int       `json:"exitCode"`    // nil where it has not ended, or never ran
	Reason      string     `json:"reason"`      // why it did not start, or stopped, where that is known
	Health      string     `json:"health"`      // UNKNOWN, HEALTHY or UNHEALTHY; "" without a health check
	StartedAt   *time.Time `json:"startedAt"`
	StoppedAt   *time.Time `json:"stoppedAt"`
	Ports       []Port     `json:"ports"`
	// LogsTo is up to when its output is in the log, so that who goes on after a crash stores each line once.
	LogsTo time.Time `json:"logsTo"`
}

// Port is where a container's port answers on this machine.
type Port struct {
	ContainerPort int    `json:"containerPort"`
	HostIP        string `json:"hostIp"`
	HostPort      int    `json:"hostPort"`
}

// TaskStateChange is how a task's containers do, and what its target groups found.
type TaskStateChange struct {
	Containers []ContainerState
	// StopCode and StoppedReason say why the task cannot start, where no container of it tells: TaskFailedToStart and
	// `CannotPullContainerError: …`, for instance.
	StopCode, StoppedReason string
	// Targets has, by target group, "" for a healthy target or else why it is unhealthy, as ECS words it: `Health checks
	// failed with these codes: [503]` or `Request timed out`. A target that is not decided yet is not in it.
	Targets map[string]string
}

// CreateLogStream makes the log stream of a container of a task.
func (a Agent) CreateLogStream(taskARN, group, stream string) error {
	return logs.CreateLogStream(a.of(taskARN), group, stream)
}

// PutLogEvents carries what a container wrote into its log stream.
func (a Agent) PutLogEvents(taskARN, group, stream string, events []logs.LogEvent) error {
	return logs.PutLogEvents(a.of(taskARN), group, stream, events)
}

// FindLogEvents finds what is in the log already.
func (a Agent) FindLogEvents(taskARN, group, prefix string, from, to int64) ([]*logs.LogEvent, error) {
	return logs.FindLogEvents(a.of(taskARN), group, prefix, from, to)
}
