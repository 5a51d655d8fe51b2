package stage

import "slices"

// HealthCheck is a command that ECS runs in a container to tell whether it is healthy.
//
// Rule: [ECS HealthCheck](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html)
type HealthCheck struct {
	// Command is what is run: exit status 0 means healthy. It must exist in the image.
	//
	// Default: none; required
	// Allowed: begins with `CMD`, followed by the command and its arguments, or with `CMD-SHELL`, followed by one
	// line for the container's shell
	// Example: command: ["CMD", "/app", "-healthcheck"]
	Command []string `json:"command" braces:"shell"`

	// Interval is the time between two checks.
	//
	// Example: interval: 5
	Interval int `json:"interval" default:"10" min:"5" max:"300" unit:"seconds"`

	// Timeout is how long a check may take.
	//
	// Example: timeout: 3
	Timeout int `json:"timeout" default:"5" min:"2" max:"60" unit:"seconds"`

	// Retries is how many checks in a row fail before the task is replaced.
	//
	// Example: retries: 2
	Retries int `json:"retries" default:"3" min:"1" max:"10" unit:"checks"`

	// StartPeriod is how long failed checks of a container that has just started do not count.
	//
	// Example: startPeriod: 30
	StartPeriod int `json:"startPeriod" default:"0" min:"0" max:"300" unit:"seconds"`
}

func checkHealthCheck(here place, check *HealthCheck) {
	if check == nil || here.bad {
		return
	}
	const form = `write ["CMD", "/app", "-healthcheck"], or ["CMD-SHELL", "curl -f http://localhost/"]`
	command, kinds := here.at("command"), []string{"CMD", "CMD-SHELL"}
	switch {
	case len(check.Command) == 0:
		command.fail("is missing; %s", form)
	case command.at(0).bad:
	case !slices.Contains(kinds, check.Command[0]):
		command.fail("begins with %q, and not with CMD or CMD-SHELL; %s", shorten(check.Command[0]), form)
	case len(check.Command) == 1 || blank(check.Command[1]) && !command.at(1).bad:
		command.fail("has nothing behind %s; %s", check.Command[0], form)
	case check.Command[0] == "CMD-SHELL" && len(check.Command) > 2:
		command.fail("has %d parts behind CMD-SHELL, which takes one line; %s", len(check.Command)-1, form)
	}
}
