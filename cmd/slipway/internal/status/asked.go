package status

import (
	"strings"

	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/stage"
)

// askedImage is what the stage file has a service or a task run.
type askedImage struct {
	// Image is the key under images; Ref what that pins, empty where it is built.
	Image string `json:"image"`
	Ref   string `json:"ref,omitempty"`
}

type askedService struct {
	askedImage
	// Revision that the service is pinned to; 0 for the newest.
	Revision int `json:"revision,omitempty"`
	// Replicas to start with; Scaled says that a scaler decides the count. A Daemon has one on each instance.
	Replicas int  `json:"replicas"`
	Scaled   bool `json:"scaled,omitempty"`
	Daemon   bool `json:"daemon,omitempty"`
}

type askedTask struct {
	askedImage
	// Schedule is the expression, in TimeZone; both are empty for none.
	Schedule string `json:"schedule,omitempty"`
	TimeZone string `json:"timeZone,omitempty"`
	// Before names the services whose deployments wait for the task.
	Before []string `json:"before,omitempty"`

	enabled bool
}

func imageAsked(settings *stage.Stage, name string) askedImage {
	asked := askedImage{Image: name}
	if ref := settings.Images[name].Ref; ref != nil {
		asked.Ref = ref.String()
	}
	return asked
}

// askedBy reads what the stage file asks for, and tells whether that has changed since the last update.
func (s *Stage) askedBy(loaded *snapshot.Stage, hasFile bool) (undeployed bool) {
	last := loaded.Last
	if !hasFile {
		s.differ("there is no Pulumi.%s.yaml, though there is a stack: bring the file back, or remove the stage (`pulumi "+
			"destroy --stack %s`)", loaded.Name(), s.Stage)
		if last != nil { // how AWS was asked then
			for key, value := range last.Config {
				if _, is := loaded.Config[key]; !is && strings.HasPrefix(key, "aws:") && value.Value != nil {
					loaded.Config[key] = *value.Value
				}
			}
		}
		return false
	}
	s.askedFor(loaded.Declared())
	return last != nil && last.Kind == "update" &&
		s.undeployed(loaded.Flat(), flatconfig.Of(loaded.Project.Name, last.Config))
}

// askedFor has what a stage file asks for, or says why that cannot be deployed.
func (s *Stage) askedFor(settings *stage.Stage, mistakes error) {
	if mistakes != nil { // what was deployed and what runs is known all the same
		s.differ("Pulumi.%s.yaml cannot be deployed as it is: %s", stagefile.StageName(s.Stage),
			strings.ReplaceAll(mistakes.Error(), "\n", "; "))
		return
	}
	s.asked(settings)
	s.askedTasks(settings)
}

func (s *Stage) asked(settings *stage.Stage) {
	for name, service := range settings.Services {
		s.service(name).Asked = &askedService{imageAsked(settings, service.Image), service.Revision, service.StartReplicas(),
			service.Scaling != nil, service.Daemon}
	}
}

// undeployed tells which keys the stage file has changed since the last update, and whether there are any.
func (s *Stage) undeployed(now, before flatconfig.Config) bool {
	s.SecretsCompared = !now.Hidden() && !before.Hidden()
	var changed, removed []string
	for _, change := range flatconfig.Changes(before, now) {
		if change.What == "removed" {
			removed = append(removed, change.Key)
		} else {
			changed = append(changed, change.Key)
		}
	}
	if len(changed) > 0 {
		s.differ("not deployed yet: %s", strings.Join(changed, ", "))
	}
	if len(removed) > 0 {
		s.differ("removed since the last update, which still had: %s", strings.Join(removed, ", "))
	}
	return len(changed)+len(removed) > 0
}

func (s *Stage) askedTasks(settings *stage.Stage) {
	for name, task := range settings.Tasks {
		asked := &askedTask{askedImage: imageAsked(settings, task.Image), Before: task.Before}
		if task.Schedule != nil {
			asked.Schedule, asked.TimeZone, asked.enabled = task.Schedule.When, task.Schedule.TimeZone, task.Schedule.Enabled
		}
		s.task(name).Asked = asked
	}
}
