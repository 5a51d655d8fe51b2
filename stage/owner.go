package stage

import (
	"cmp"
	"fmt"
	"strings"
)

// MayMeet tells whether another stage may have a service or a task of the same family: where project, stage and name
// hold no hyphen, none has.
//
// Example: MayMeet("web") is false in shop-dev; MayMeet("eu-web") is true, as dev-eu may have web
func (s *Stage) MayMeet(name string) bool { return strings.Count(s.Family(name), "-") > 2 }

// CheckOwner says that another stage has made the roles of a service or a task, by the tags of one of them. Roles
// without these tags are nobody's. Whoever prints it says where the service or the task stands.
//
// Example: CheckOwner("eu-web", {project: shop, stage: dev-eu, service: web}) is an error in the stage dev
func (s *Stage) CheckOwner(name string, tags map[string]string) error {
	project, stage := tags["project"], tags["stage"]
	if project == "" || stage == "" || project == s.Project && stage == s.Name {
		return nil
	}
	owner := cmp.Or(tags["service"], tags["task"], "another workload")
	return fmt.Errorf("would have the family and roles %s, which those of %s in the stage %s (project %s) have already; "+
		"use another name here or there", s.Family(name), owner, stage, project)
}
