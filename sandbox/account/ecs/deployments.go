package ecs

import (
	"fmt"
	"slices"
	"slipway/sandbox/account"
	"time"
)

// Alarms are the CloudWatch alarms that fail a service's deployments.
type Alarms struct {
	Names    []string `json:"alarmNames"`
	Enable   bool     `json:"enable"`
	Rollback bool     `json:"rollback"`
}

// checkPercents refuses what leaves no room for a rolling update.
func checkPercents(settings ServiceSettings) error {
	if settings.MaximumPercent <= 100 && settings.MinimumHealthyPercent >= 100 {
		return account.Refuse("InvalidParameterException",
			"Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments.")
	}
	return nil
}

// checkAlarms gives up a deployment during which an alarm goes off. ECS does not watch an alarm that is in ALARM when
// the deployment starts, as it is when the deployment is a rollback.
func (r *rollout) checkAlarms(d *Deployment) {
	alarms := r.service.Settings.Alarms
	if d.RolloutState != InProgress || d.IsRollback || !alarms.Enable {
		return
	}
	if slices.ContainsFunc(alarms.Names, func(name string) bool {
		return account.Wildcard(r.faults[account.Alarm],
			name)
	}) {
		r.giveUp(d, "ECS deployment failed: ", "alarm detected.", alarms.Rollback)
	}
}

// inBakeTime holds a deployment whose tasks all run for one more step, where alarms are to be watched.
func (r *rollout) inBakeTime(d *Deployment) bool {
	if d.RolloutState != InProgress || d.Baking || !r.service.Settings.Alarms.Enable {
		return false
	}
	d.Baking, r.changed = true, true
	return true
}

// Deployment is one attempt to bring a service to a task definition.
type Deployment struct {
	ID                 string    `json:"id"`     // ecs-svc/…
	Status             string    `json:"status"` // PRIMARY or ACTIVE
	TaskDefinition     string    `json:"taskDefinition"`
	DesiredCount       int       `json:"desiredCount"`
	FailedTasks        int       `json:"failedTasks"`
	RolloutState       string    `json:"rolloutState"` // IN_PROGRESS, COMPLETED or FAILED
	RolloutStateReason string    `json:"rolloutStateReason"`
	CreatedAt          time.Time `json:"createdAt"`
	UpdatedAt          time.Time `json:"updatedAt"`
	IsRollback         bool      `json:"isRollback"`
	// Capacity is the service's when it began.
	Capacity []CapacityShare `json:"capacityProviderStrategy"`
	// Connection is the service's when it began.
	Connection *Connection `json:"serviceConnectConfiguration"`
	Baking     bool        `json:"baking"` // all of its tasks run, and its alarms are watched a little longer
}

// newDeployment makes a new primary deployment.
func newDeployment(t *account.Tx, s *Service, taskDefinition string) *Deployment {
	for _, d := range s.Deployments {
		d.Status = statusActive
	}
	d := &Deployment{ID: newDeploymentID(t), Status: statusPrimary, TaskDefinition: taskDefinition,
		DesiredCount: s.Settings.DesiredCount, RolloutState: InProgress, CreatedAt: t.Now, UpdatedAt: t.Now,
		Capacity: s.Settings.Capacity, Connection: s.Settings.Connection}
	d.RolloutStateReason = fmt.Sprintf("ECS deployment %s in progress.", d.ID)
	s.Deployments = append([]*Deployment{d}, s.Deployments...)
	s.TaskDefinition = taskDefinition
	return d
}

// beganOf is when the deployment of a task began; zero where it is gone.
func (s *Service) beganOf(taskARN string) (began time.Time) {
	for _, task := range s.Tasks {
		for _, d := range s.Deployments {
			if task.ARN == taskARN && task.StartedBy == d.ID {
				began = d.CreatedAt
			}
		}
	}
	return began
}

// newDeploymentID is ecs-svc/ and 19 digits.
func newDeploymentID(t *account.Tx) string {
	return fmt.Sprintf("ecs-svc/%019d", 1_000_000_000_000_000_000+7_919*t.Next("deployments"))
}

// Rollout states of a deployment.
const (
	InProgress = "IN_PROGRESS"
	Completed  = "COMPLETED"
	Failed     = "FAILED"
)
