package aws

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// checker words refusals of a resource's inputs as the Terraform provider does.
type checker struct {
	path string
	fail func(string)
}

func (c checker) refuse(key, format string, args ...any) {
	c.fail(fmt.Sprintf(format, args...) + fmt.Sprintf(". Examine values at '%s.%s'.", c.path, key))
}

func (c checker) in(key string) checker { return checker{c.path + "." + key, c.fail} }

// between wants a number, where it is given and known, in a range.
func (c checker) between(inputs values, key string, low, high float64) {
	if n, ok := inputs[key].(float64); ok && (n < low || n > high) {
		c.refuse(key, "expected %s to be in the range (%v - %v), got %v", argument(key), low, high, n)
	}
}

// oneOf wants a text, where it is given and known, to be one of these.
func (c checker) oneOf(inputs values, key string, allowed ...string) {
	if text, ok := inputs[key].(string); ok && !isUnknown(text) && !slices.Contains(allowed, text) {
		c.refuse(key, "expected %s to be one of %q, got %s", argument(key), allowed, text)
	}
}

var anyARN = regexp.MustCompile(`^arn:[a-z0-9-]+:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:.+$`)

// arn wants a text, where it is given and known, to be an ARN.
func (c checker) arn(inputs values, key string) {
	if text, ok := inputs[key].(string); ok && !isUnknown(text) && !anyARN.MatchString(text) {
		c.refuse(key, `"%s" (%s) is an invalid ARN: arn: invalid prefix`, argument(key), text)
	}
}

var notInELBName = regexp.MustCompile(`[^0-9A-Za-z-]`)

// elbName wants a name that Elastic Load Balancing takes.
func (c checker) elbName(inputs values) {
	switch name := text(inputs, "name"); {
	case isUnknown(name):
	case notInELBName.MatchString(name):
		c.refuse("name", `only alphanumeric characters and hyphens allowed in "name": %q`, name)
	case len(name) > 32:
		c.refuse("name", `"name" cannot be longer than 32 characters: %q`, name)
	case strings.HasPrefix(name, "-"):
		c.refuse("name", `"name" cannot begin with a hyphen: %q`, name)
	case strings.HasSuffix(name, "-"):
		c.refuse("name", `"name" cannot end with a hyphen: %q`, name)
	case strings.HasPrefix(name, "internal-"):
		c.refuse("name", `"name" cannot begin with "internal-": %q`, name)
	}
}
