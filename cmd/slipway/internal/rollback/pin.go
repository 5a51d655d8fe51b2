package rollback

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/cmd/slipway/internal/timeline"
	"slipway/internal/policies"
	"slipway/internal/pulumiconfig"
	"slipway/stage"
)

// A rollback with --pin writes the revisions themselves into the stage file. Only services have them.

// checkRevisions refuses to pin a revision that has something else than what the stage file of its update asked for, or
// of which that is not known. A revision that the update was pinned to itself is what it asked for.
func (r *Plan) checkRevisions() error {
	asked, err := r.target.Asked(r.stage.Project.Name, r.stage.Name())
	if err != nil {
		return exit.Refuse("what update %d asked for is not known, nor whether its revisions have that (%s): go "+
			"back without --pin, or "+
			"write the revisions that you mean into the stage file", r.To, strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	var refused []error
	for _, name := range slices.Sorted(maps.Keys(r.Services)) {
		then := r.Services[name].Then
		if then.Pinned || then.InECS == nil {
			continue
		}
		if differs := timeline.Mismatches(asked, name, then.InECS); len(differs) > 0 {
			refused = append(refused, fmt.Errorf("services.%s: revision %d has not what update %d asked for (%s): go back "+
				"without --pin, or write revision: %[2]d into the stage file to run it all the same", name, then.Revision, r.To,
				strings.Join(differs, "; ")))
		}
	}
	if len(refused) > 0 {
		return exit.Found(errors.Join(refused...))
	}
	return nil
}

// checkPorts refuses to pin a revision that has not the port that the service has now, or not the name by which others
// call it.
func (r *Plan) checkPorts(now flatconfig.Config) error {
	var refused []error
	for _, name := range slices.Sorted(maps.Keys(r.Services)) {
		then, called := r.Services[name].Then, now.Declares(pulumiconfig.Path("services", name, "name"))
		port, _ := strconv.Atoi(now.Declares(pulumiconfig.Path("services", name, "port")))
		switch {
		case then.InECS == nil:
		case called == "" && port != 0 && !then.InECS.ListensOn(name, port):
			refused = append(refused, fmt.Errorf("services.%s: revision %d does not listen on port %d, at which the service is "+
				"reached now: go back without --pin", name, then.Revision, port))
		case called != "" && !then.InECS.HasPort(port, called):
			refused = append(refused, fmt.Errorf("services.%s: revision %d has no port %d named %s, by which others call the "+
				"service now: go back without --pin", name, then.Revision, port, called))
		}
	}
	if len(refused) > 0 {
		return exit.Found(errors.Join(refused...))
	}
	return nil
}

// checkMounts refuses to pin a revision that mounts of EFS what the task role is not let in to by the file as it is.
func (r *Plan) checkMounts(now *stage.Stage) error {
	var refused []error
	for _, name := range slices.Sorted(maps.Keys(r.Services)) {
		then := r.Services[name].Then
		if then.InECS == nil || now.Services[name].Revision != then.Revision {
			continue
		}
		for _, mount := range then.InECS.EFSMounts() {
			mistake := policies.MountMistake(now.TaskDefinition(name), mount.EFS, mount.Writes, name)
			if mistake != "" {
				refused = append(refused, fmt.Errorf("services.%s: revision %d %s, or go back without --pin", name,
					then.Revision, mistake))
				break
			}
		}
	}
	if len(refused) > 0 {
		return exit.Found(errors.Join(refused...))
	}
	return nil
}

// leaveTasks drops the tasks, which cannot be pinned, and says so of those that would have changed.
func (r *Plan) leaveTasks() {
	for _, name := range slices.Sorted(maps.Keys(r.Tasks)) {
		if task := r.Tasks[name]; task.Now != nil && task.Now.Revision != task.Then.Revision {
			r.note("tasks.%s stays on revision %d, and does not go back to %d: only services are pinned", name,
				task.Now.Revision, task.Then.Revision)
		}
	}
	clear(r.Tasks)
}

// leaveOut drops the services that the stage file no longer declares: there is nowhere to write their revisions.
func (r *Plan) leaveOut(declared []string) {
	for _, name := range slices.Sorted(maps.Keys(r.Services)) {
		if !slices.Contains(declared, name) {
			r.note("services.%s is no longer in the stage file, and does not come back with --pin", name)
			delete(r.Services, name)
		}
	}
}

// pin names that update's revisions in the stage file, whose configuration is given.
func (r *Plan) pin(now flatconfig.Config) error {
	if err := errors.Join(r.checkRevisions(), r.checkPorts(now)); err != nil {
		return err
	}
	// Where the file has changed since the last update, a service that runs the revision already would get another one.
	edited := len(flatconfig.Changes(r.last.Settings, now)) > 0
	services := r.stage.Project.Namespace(r.now.Written) + ":services"
	var settings []stagefile.Value
	for _, name := range slices.Sorted(maps.Keys(r.Services)) {
		service := r.Services[name]
		runs := service.Now != nil && service.Now.Revision == service.Then.Revision
		if runs && !edited && now.Pinned(name) == 0 {
			continue
		}
		settings = append(settings, stagefile.Value{Value: service.Then.Revision,
			Path: []string{"config", services, name, "revision"}})
	}
	for _, name := range now.Declared(timeline.ServiceKind) {
		if _, had := r.Services[name]; !had {
			r.note("services.%s was not there in update %d, and is as the stage file has it now", name, r.To)
		}
	}
	if len(settings) == 0 {
		return nil
	}
	next, err := r.now.Edit(func(text []byte) ([]byte, error) { return stagefile.SetValues(text, settings) })
	if err != nil {
		return fmt.Errorf("%s: %w", r.File, err)
	}
	r.next = &next
	return nil
}
