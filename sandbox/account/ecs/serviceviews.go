package ecs

import (
	"fmt"
	"slices"

	"slipway/sandbox/account"
)

// ServiceView is what a service serves at this moment: the revision of its running tasks, which during a rollout or
// after a failed one is not the one that it was asked for.
type ServiceView struct {
	Cluster     string            `json:"cluster"`
	Service     string            `json:"service"`
	Family      string            `json:"family"`
	Revision    int               `json:"revision"`
	Desired     int               `json:"desired"`
	Running     int               `json:"running"` // tasks of that revision
	Image       string            `json:"image"`
	Environment map[string]string `json:"environment"`
}

// ServiceViews shows every service that is not INACTIVE.
func ServiceViews(a *account.Account) ([]ServiceView, error) {
	views := []ServiceView{}
	err := a.Transact(func(t *account.Tx) error {
		for _, s := range account.List[Service](t, serviceKind) {
			advance(t, s)
			if s.Status == statusInactive {
				continue
			}
			serving, running := s.serving()
			d, err := findTaskDefinition(t, serving)
			if err != nil {
				return fmt.Errorf("service %s: %w", s.Name, err)
			}
			main := d.Containers[0]
			for _, c := range d.Containers {
				if c.Name() == s.Name {
					main = c
				}
			}
			views = append(views, ServiceView{Cluster: s.cluster(), Service: s.Name, Family: d.Family,
				Revision: d.Revision, Desired: s.Settings.DesiredCount, Running: running, Image: main.Image(),
				Environment: main.Environment()})
		}
		return nil
	})
	return views, err
}

// serving is the task definition that most running tasks have, the newest where none runs.
func (s *Service) serving() (taskDefinition string, running int) {
	count := map[string]int{}
	taskDefinition = s.TaskDefinition
	for _, task := range s.Tasks {
		if task.healthy() {
			count[task.TaskDefinition]++
		}
	}
	most := 0
	for _, d := range slices.Backward(s.Deployments) {
		if n := count[d.TaskDefinition]; n > 0 && n >= most {
			taskDefinition, most = d.TaskDefinition, n
		}
	}
	for _, task := range s.Tasks {
		if task.LastStatus == taskRunning && task.TaskDefinition == taskDefinition {
			running++ // as ECS counts, also while their health is not known yet
		}
	}
	return taskDefinition, running
}
