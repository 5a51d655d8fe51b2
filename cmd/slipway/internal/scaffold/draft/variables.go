package draft

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Variables are a container's, as they are read.
type Variables struct {
	// Where tells where one stands; What is the path of the container there, Key the one in the stage file.
	Where     func(name string) string
	What, Key string
	// Hosts are names that other services have where the variables come from, with what is to be said of each in AWS.
	Hosts map[string]string
	// Into is the container.
	Into Keys
}

// Add takes over a variable: as text, or as the name of a secret where it looks like one.
func (v *Variables) Add(d *Draft, name, value string) {
	where, what := v.Where(name), v.What+".environment."+name
	if IsSecret(name, value) {
		v.AddSecret(d, where, what, name)
		return
	}
	v.Into.Object("environment")[name] = Literal(value)
	d.Take(where, what, "%s.environment.%s", v.Key, name)
	for _, host := range slices.Sorted(maps.Keys(v.Hosts)) {
		if regexp.MustCompile(`(^|[/@,;=])` + regexp.QuoteMeta(host) + `($|[:/,;])`).MatchString(value) {
			d.Note(where, what, "the value names the host %s, %s", host, v.Hosts[host])
		}
	}
}

// Literal is a text as a stage file has it, where ${…} stands for nothing else.
func Literal(text string) string { return strings.ReplaceAll(text, "${", "$${") }

// AddSecret has the container read a secret, whose value the stages are still to get.
func (v *Variables) AddSecret(d *Draft, where, what, name string) {
	for stage := range d.Stages {
		d.NeedSecret(stage, name)
	}
	v.named(name)
	d.Take(where, what, "%s.secrets: [%s], whose value is not written", v.Key, name)
}

func (v *Variables) named(name string) {
	names, _ := v.Into["secrets"].([]string)
	if !slices.Contains(names, name) {
		v.Into["secrets"] = append(names, name)
	}
}

// Secret has a container read a secret.
func (k Keys) Secret(name string) { (&Variables{Into: k}).named(name) }

// Seconds is a time within the limits of a key, and what is to be said where it was outside.
func Seconds(seconds, least, most int) (within int, said string) {
	if within = min(max(seconds, least), most); within != seconds {
		said = fmt.Sprintf(" (%d is outside of what AWS takes)", seconds)
	}
	return within, said
}
