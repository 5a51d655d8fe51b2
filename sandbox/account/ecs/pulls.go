package ecs

import (
	"encoding/json"
	"slices"

	"slipway/internal/imageref"
	"slipway/sandbox/account"
	"slipway/sandbox/account/secrets"
)

// Images of other registries than ECR are pulled over the network, which no transaction waits for: a recorded task
// stays PENDING until somebody has tried (PendingPulls) and said how that ended (SubmitPull). An engine's agent pulls
// for the tasks that it runs.

// Pull is how the pull of a task's images ended.
type Pull struct {
	Failure string `json:"failure,omitempty"` // as the stopped reason has it
}

// PullLogin is a name and a password for a registry.
type PullLogin struct {
	Username, Password string
}

// PendingPull is a task whose images are to be pulled.
type PendingPull struct {
	TaskARN  string
	Platform string // linux/amd64 or linux/arm64
	Images   []PendingImage
}

// PendingImage is an image to pull.
type PendingImage struct {
	Reference string
	Login     PullLogin // empty where the container has none
}

func inECR(image string) bool {
	_, is := imageref.ParseECR(image)
	return is
}

// pullSecret is the ARN of the secret with which the container's image is pulled, or "".
func (c Container) pullSecret() string {
	secret, _ := account.Member(c["repositoryCredentials"], "credentialsParameter").(string)
	return secret
}

// pullLogin reads the name and the password with which a container's image is pulled.
func (m moment) pullLogin(c Container) (login PullLogin, err error) {
	if c.pullSecret() == "" {
		return login, nil
	}
	text, err := secrets.ReadSecret(m.Tx, c.pullSecret())
	if err != nil {
		return login, err
	}
	return login, json.Unmarshal([]byte(text), &login)
}

// pullLogins are those of a definition's containers.
func (m moment) pullLogins(d *TaskDefinition) map[string]PullLogin {
	logins := map[string]PullLogin{}
	for _, c := range d.Containers {
		if login, err := m.pullLogin(c); err == nil && login != (PullLogin{}) {
			logins[c.Name()] = login
		}
	}
	return logins
}

// awaitsPull tells whether a recorded task waits for images of other registries.
func (m moment) awaitsPull(task *Task, d *TaskDefinition) bool {
	return task.Pull == nil && !task.Admitted &&
		slices.ContainsFunc(d.Containers, func(c Container) bool { return !inECR(c.Image()) })
}

// PendingPulls lists the tasks whose images are to be pulled.
func PendingPulls(a *account.Account) (pending []PendingPull, err error) {
	err = a.Transact(func(t *account.Tx) error {
		tasks, err := allTasks(t, "")
		if err != nil {
			return err
		}
		m := momentAt(t, t.Now)
		for _, task := range tasks {
			d, err := definitionOf(t, task.Task)
			waits := task.LastStatus == taskPending && task.DesiredStatus == taskRunning && !(m.engine && task.OnEngine)
			if err != nil || !waits || !m.awaitsPull(task.Task, d) {
				continue
			}
			pull := PendingPull{TaskARN: task.ARN, Platform: d.Platform()}
			for _, c := range d.Containers {
				if login, err := m.pullLogin(c); err == nil && !inECR(c.Image()) {
					pull.Images = append(pull.Images, PendingImage{c.Image(), login})
				}
			}
			pending = append(pending, pull)
		}
		return nil
	})
	return pending, err
}

// Platform is what the tasks run on, as images call it.
func (d TaskDefinition) Platform() string {
	if d.RuntimePlatform["cpuArchitecture"] == "ARM64" {
		return "linux/arm64"
	}
	return "linux/amd64"
}

// SubmitPull says how the pull of a task's images ended; failure is empty where it has them.
func SubmitPull(a *account.Account, taskARN, failure string) error {
	return a.Transact(func(t *account.Tx) error {
		tasks, err := allTasks(t, "")
		if err != nil {
			return err
		}
		for _, task := range tasks {
			if task.ARN != taskARN || task.Pull != nil {
				continue
			}
			task.Pull = &Pull{failure}
			if task.service != nil {
				account.Put(t, serviceKind, task.service.id(), task.service)
			} else {
				account.Put(t, taskKind, task.ID(), task.Task)
			}
		}
		return nil
	})
}
