package stage

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Output is a value that another Pulumi stack exports.
//
// Rule: [Pulumi stack outputs](https://www.pulumi.com/docs/iac/concepts/stacks/#outputs)
type Output struct {
	// Stack is the other stack: its project, and its stage where that is called otherwise than this one.
	//
	// Default: none; required
	// Allowed: `PROJECT`, `PROJECT/STAGE` or `ORGANIZATION/PROJECT/STAGE`. Without them, the stage has the name of this
	// one, and the organization is that of this stack (`organization` where Pulumi keeps its state in a bucket or a
	// directory)
	// Example: stack: network
	Stack string `json:"stack"`

	// Output is the name of the value among the stack's outputs.
	//
	// Default: none; required
	// Allowed: an output that is text or, in place of a list, a list of texts, and not empty
	// Example: output: databaseHost
	Output string `json:"output"`
}

// OutputValue is what another stack exports under a name.
type OutputValue struct {
	// Value is as JSON has it: text, a number, true or false, a list, an object.
	//
	// Example: Value: "db.example.com"
	Value any
	// Secret says that the stack marks it as a secret, or something in it.
	//
	// Example: Secret: true
	Secret bool
}

// ReadOutputs reads what another stack exports, by name: PROJECT/STAGE of this stack's organization, or
// ORGANIZATION/PROJECT/STAGE. Its errors say what is wrong, and what to do.
//
// Example: components.RunPreflight gives the stage one that asks Pulumi; a test gives it one that has the values.
type ReadOutputs func(stack string) (map[string]OutputValue, error)

// localOrganization begins the names of all stacks where Pulumi keeps their state in a bucket or a directory.
const localOrganization = "organization/"

// stackName is a project, alone or with a stage, and with an organization before it.
var stackName = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+){0,2}$`)

// stackOf is PROJECT/STAGE of the stack of an output, or ORGANIZATION/PROJECT/STAGE where it says that.
func (c *checker) stackOf(o Output) string {
	if strings.Contains(o.Stack, "/") {
		return o.Stack
	}
	return o.Stack + "/" + c.in.Stage
}

// source names an output in messages and in the labels of revisions.
func (c *checker) source(o Output) string {
	return fmt.Sprintf("output %s of %s", o.Output, c.stackOf(o))
}

// checkOutputs checks what is declared, by what of it is used.
func (c *checker) checkOutputs(declared map[string]Output, used map[string]bool) {
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		here, output, before := c.at("outputs", name), declared[name], len(c.mistakes)
		stack := here.at("stack")
		switch {
		case !stack.present:
			stack.fail("is missing; write the project whose stack exports the value, as in network")
		case !stackName.MatchString(output.Stack):
			stack.fail("is %q; write PROJECT, PROJECT/STAGE or ORGANIZATION/PROJECT/STAGE", shorten(output.Stack))
		case strings.TrimPrefix(c.stackOf(output), localOrganization) == c.in.Project+"/"+c.in.Stage:
			stack.fail("is this stage itself; write the project of another stack")
		}
		if output.Output == "" {
			here.at("output").fail("is missing; write the name that the value has among the stack's outputs")
		}
		if len(c.mistakes) > before {
			here.node.spoil() // so that nobody asks for it
		}
		// What all stages share, one of them may have otherwise.
		if !used[name] && !here.inherited() && c.in.Root != "" && !c.incomplete {
			here.fail("is used by nothing; write {output: %s} in place of a value, or remove it", name)
		}
	}
}
