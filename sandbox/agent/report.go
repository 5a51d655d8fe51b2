package agent

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"slipway/sandbox/account/ecs"
)

// report tells the account how the task does, where that has changed.
func (t *task) report(o *observation) error {
	states := t.states(o)
	r := ecs.TaskStateChange{Targets: map[string]string{}}
	if t.failure != nil {
		r.StopCode, r.StoppedReason = "TaskFailedToStart", t.failure.reason
	}
	for _, d := range t.definitions {
		r.Containers = append(r.Containers, states[d.Name])
	}
	for arn, c := range t.checks {
		if reason, decided := c.found(); decided {
			r.Targets[arn] = reason
		}
	}
	content, err := json.Marshal(r)
	if err != nil || string(content) == t.reported {
		return err
	}
	if err := t.agent.Account.SubmitTaskStateChange(t.arn, r); err != nil {
		return err
	}
	t.reported, t.lastStates = string(content), states
	t.say(states)
	return nil
}

// say tells of a task that has come to run, or ended.
func (t *task) say(states map[string]ecs.ContainerState) {
	count := map[string]int{}
	var addresses, ends []string
	for _, d := range t.definitions {
		s := states[d.Name]
		count[s.LastStatus]++
		for _, p := range s.Ports {
			addresses = append(addresses, fmt.Sprintf("%s at %s:%d", d.Name, p.HostIP, p.HostPort))
		}
		end := d.Name
		if s.ExitCode != nil {
			end += " exit code " + strconv.Itoa(*s.ExitCode)
		}
		if s.Reason != "" {
			end += " " + s.Reason
		}
		if end != d.Name {
			ends = append(ends, end)
		}
	}
	what := fmt.Sprintf("%s:%d task %s", t.work.Definition.Family, t.work.Definition.Revision, t.id())
	switch {
	case count[stopped] == len(t.definitions) && !t.saidStopped:
		t.saidStopped = true
		reason := t.work.Task.StoppedReason
		if t.failure != nil {
			reason, ends = t.failure.reason, nil
		}
		t.agent.Say(strings.Join(slices.DeleteFunc([]string{what + " stopped", reason, strings.Join(ends, ", ")},
			func(s string) bool { return s == "" }), ": "))
	case count[pending] == 0 && count[running] > 0 && !t.saidRunning && !t.saidStopped:
		t.saidRunning = true
		t.agent.Say(strings.Join(append([]string{what + " runs"}, addresses...), ", "))
	}
}

func atoi(text string) int {
	n, _ := strconv.Atoi(text) // the engine's own number
	return n
}
