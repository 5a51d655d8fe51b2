package stage

import (
	"maps"
	"slices"
	"strings"

	"slipway/internal/awslimits"
)

// checkHeaders checks the headers that a route asks of requests.
func checkHeaders(here place, headers map[string][]string) {
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		at, values, folded := here.at(name), headers[name], strings.ToLower(name)
		switch {
		case at.bad:
			continue
		case !awslimits.HeaderName.MatchString(name):
			at.fail("is no name of a header that a rule of a load balancer takes; write 1 to 40 letters, digits and -, as in " +
				"X-Origin-Secret")
		case folded == "host":
			at.fail("is the host, which is a condition of its own; write hosts, and remove it here")
		case seen[folded] != "":
			at.fail("duplicates %s, as upper and lower case are the same in a header's name; write its values in one list", seen[folded])
		case len(values) == 0 || len(values) > awslimits.RuleHeaderValues:
			at.fail("has %d values; allowed: 1 to %d, of which a request must have one", len(values),
				awslimits.RuleHeaderValues)
		}
		seen[folded] = name
		for i, value := range values {
			switch one := at.at(i); {
			case len(value) > awslimits.RuleValue || !awslimits.HeaderPattern.MatchString(value):
				one.fail("is no value that a rule of a load balancer takes; write 1 to %d characters of ASCII",
					awslimits.RuleValue)
			case slices.ContainsFunc(values[:i], func(other string) bool { return strings.EqualFold(other, value) }):
				one.fail("duplicates an earlier value, as upper and lower case are the same; remove it")
			}
		}
	}
}
