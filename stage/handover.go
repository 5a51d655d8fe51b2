package stage

import (
	"maps"
	"regexp"
	"slices"

	"slipway/internal/awslimits"
)

// HandedOver is what is known of a hand-over of the team's own program before its resources are there: names.
type HandedOver struct {
	// Variables and Secrets are the names of the variables that a container gets.
	//
	// Example: Variables: []string{"QUEUE_URL"}
	Variables, Secrets []string
	// Actions are what the containers' own code may do, for each of its permissions.
	//
	// Example: Actions: [][]string{{"sqs:SendMessage"}}
	Actions [][]string
	// Network is true where it hands over a network.
	//
	// Example: Network: true
	Network bool
}

// handoverName is what IAM takes as part of a policy's name, and an object of the stage file as a key.
var handoverName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// CheckHandovers checks what the stage's program hands over, by name, against what the stage file uses. Its error is an
// Errors.
func (s *Stage) CheckHandovers(handed map[string]HandedOver) error {
	if s.written == nil { // a stage that was not loaded from a file
		return nil
	}
	again := *s.written() // which has found no mistakes
	c, used := &again, map[string]bool{}
	for name, each := range handed {
		c.checkHandover(name, each)
	}
	c.eachContainer(func(here place, container Container) {
		givenBy := map[string]string{} // variables, by what gives them
		for i, name := range container.Uses {
			used[name] = true
			path := here.at("uses", i)
			each, is := handed[name]
			if !is {
				path.fail("is %q, which the program does not hand over; %s", name, handedOverInWords(handed))
				continue
			}
			if len(each.Variables)+len(each.Secrets)+len(each.Actions) == 0 {
				path.fail("is %q, which hands over a network alone; name it as network.uses", name)
			}
			for _, variable := range slices.Concat(each.Variables, each.Secrets) {
				switch other := givenBy[variable]; {
				case other == name: // which has been told
				case other != "":
					path.fail("is %q, which sets %s, and so does %q; use one of them, or rename the variable in the program",
						name, variable, other)
				case hasKey(container.Environment, variable):
					path.fail("is %q, which sets %s, and so does %s; remove one of them", name, variable,
						here.at("environment").key())
				case hasKey(c.document.Environment, variable):
					path.fail("is %q, which sets %s, and so does environment; remove one of them", name, variable)
				case slices.Contains(container.SecretNames, variable):
					path.fail("is %q, which sets %s, and so does %s; remove one of them", name, variable,
						here.at("secrets").key())
				}
				givenBy[variable] = name
			}
		}
	})
	if name := c.document.Network.Uses; name != "" {
		used[name] = true
		switch each, is := handed[name]; {
		case !is:
			c.at("network", "uses").fail("is %q, which the program does not hand over; %s", name, handedOverInWords(handed))
		case !each.Network:
			c.at("network", "uses").fail("is %q, which hands over no network; give it one in the program, or name another",
				name)
		}
	}
	for name := range handed {
		if !used[name] {
			c.failAt(place{file: c.files[0].name}, "the program hands over %q, which nothing uses; write `uses: [%[1]s]` in a "+
				"service, a task or a container, or `uses: %[1]s` in network where it is one, or remove it from the program", name)
		}
	}
	if len(c.mistakes) > 0 {
		return c.mistakes.sorted()
	}
	return nil
}

// checkHandover checks one by itself. It stands in the program, so no key of the file leads to its mistakes.
func (c *checker) checkHandover(name string, handed HandedOver) {
	program := place{in: c, file: "the program's hand-over " + name}
	if !handoverName.MatchString(name) {
		program.fail("its name has to be 1 to 64 letters, digits, - and _")
	}
	if len(handed.Variables)+len(handed.Secrets)+len(handed.Actions) == 0 && !handed.Network {
		program.fail("is empty; give it variables, secrets, permissions or a network, or remove it")
	}
	for _, variable := range slices.Concat(handed.Variables, handed.Secrets) {
		switch {
		case !awslimits.VariableName.MatchString(variable):
			program.fail("%q is not a name that a variable can have; use letters, digits and punctuation, without spaces "+
				"and =", variable)
		case slices.Contains(setByFargate, variable):
			program.fail("%s is a variable that Fargate sets itself; use another name", variable)
		case slices.Contains(handed.Variables, variable) && slices.Contains(handed.Secrets, variable):
			program.fail("%s is in Environment and in Secrets; remove one of them", variable)
		}
	}
	for _, actions := range handed.Actions {
		if len(actions) == 0 {
			program.fail("a permission has no Actions; write at least one SERVICE:ACTION, as in s3:GetObject")
		}
		for _, action := range actions {
			if !iamAction.MatchString(action) {
				program.fail("the action %q is none; write SERVICE:ACTION, as in s3:GetObject", action)
			}
		}
	}
}

func handedOverInWords(handed map[string]HandedOver) string {
	if len(handed) == 0 {
		return "it hands over nothing: add it to the Handovers of components.Deploy in main.go, or remove it here"
	}
	return "it hands over " + enumerate(slices.Sorted(maps.Keys(handed))) +
		": name one of them, or add it to the Handovers of components.Deploy in main.go"
}

// eachContainer calls do for every container of every service and task, with where it stands.
func (c *checker) eachContainer(do func(here place, container Container)) {
	each := func(here place, definition TaskDefinition) {
		do(here, definition.Container)
		for name, sidecar := range definition.Containers {
			do(here.at("containers", name), sidecar.Container)
		}
	}
	for name, service := range c.document.Services {
		each(c.at("services", name), service.TaskDefinition)
	}
	for name, task := range c.document.Tasks {
		each(c.at("tasks", name), task.TaskDefinition)
	}
}

// checkUses checks the hand-overs that a container names, as far as the file alone says.
func checkUses(here place, names []string) {
	for i, name := range names {
		switch {
		case !handoverName.MatchString(name):
			here.at(i).fail("is %q; write the name of one of the program's hand-overs: 1 to 64 letters, digits, - and _",
				shorten(name))
		case slices.Contains(names[:i], name):
			here.at(i).fail("duplicates %q; remove it", name)
		}
	}
}
