package stage

import (
	"strings"
	"testing"
)

// deployed is a sound stage but for what stands in its service's deployment.
func deployed(deployment string) string { return oneService("      deployment: " + deployment) }

func TestMistakesInDeployments(t *testing.T) {
	t.Parallel()
	requireMistakes(t, map[string]mistake{
		"a deployment that is text": {
			deployed("stop"), "services.web.deployment", []string{"it must be an object"}},
		"an unknown key of a deployment": {
			deployed("{minimum: 50}"), "services.web.deployment.minimum", []string{"maximum", "minimumHealthy"}},
		"more healthy than all": {
			deployed("{minimumHealthy: 101}"), "services.web.deployment.minimumHealthy", []string{"is 101; allowed: 0 to 100"}},
		"more healthy than all, of the maximum": {
			deployed("{minimumHealthy: 150, maximum: 100}"), "services.web.deployment.minimumHealthy",
			[]string{"is 150; allowed: 0 to 100"}},
		"a share with its unit": {
			deployed("{minimumHealthy: 50%}"), "services.web.deployment.minimumHealthy", []string{"whole number of percent"}},
		"a maximum below the desired count": {
			deployed("{maximum: 99}"), "services.web.deployment.maximum", []string{"is 99; allowed: 100 to 200"}},
		"a maximum beyond AWS's": {
			deployed("{maximum: 201}"), "services.web.deployment.maximum", []string{"allowed: 100 to 200"}},
		"all healthy and none more": {
			deployed("{minimumHealthy: 100, maximum: 100}"), "services.web.deployment.maximum",
			[]string{"is 100 with a minimumHealthy of 100, so no task could be replaced; raise maximum, or lower minimumHealthy"}},
		"all healthy by default and none more": {
			deployed("{maximum: 100}"), "services.web.deployment.maximum", []string{"is 100 with a minimumHealthy of 100"}},
		"no room for two tasks": {
			oneService("      replicas: 2\n      deployment: {minimumHealthy: 100, maximum: 125}"),
			"services.web.deployment.maximum",
			[]string{"is 125 with a minimumHealthy of 100, which with 2 replicas leaves no room to replace a task; raise " +
				"maximum, or lower minimumHealthy"}},
		"no room for one task by rounding": {
			deployed("{minimumHealthy: 50, maximum: 150}"), "services.web.deployment.maximum",
			[]string{"which with 1 replicas leaves no room to replace a task"}},
		"no room for the fewest tasks": {
			oneService("      scaling: {min: 3, max: 9, cpu: 60}\n      deployment: {minimumHealthy: 90, maximum: 110}"),
			"services.web.deployment.maximum", []string{"which with 3 replicas leaves no room"}},
		"no room for the first task after none": {
			oneService("      scaling: {min: 0, max: 9, cpu: 60}\n      deployment: {minimumHealthy: 50, maximum: 150}"),
			"services.web.deployment.maximum", []string{"which with 1 replicas leaves no room"}},
		"a circuit breaker that is a boolean": {
			deployed("{circuitBreaker: true}"), "services.web.deployment.circuitBreaker",
			[]string{"is the boolean true; it must be text"}},
		"a circuit breaker of another kind": {
			deployed("{circuitBreaker: rollBack}"), "services.web.deployment.circuitBreaker",
			[]string{`is "rollBack"; allowed: rollback, stop, off`}},
		"eleven alarms": {
			deployed("{alarms: [a, b, c, d, e, f, g, h, i, j, k]}"), "services.web.deployment.alarms",
			[]string{"has 11 alarms; allowed: up to 10"}},
		"an alarm without a name": {
			deployed("{alarms: [a, ' ']}"), "services.web.deployment.alarms[1]",
			[]string{"is not the name of an alarm; write 1 to 255 characters"}},
		"an alarm's name that is too long": {
			deployed("{alarms: [" + strings.Repeat("a", 256) + "]}"), "services.web.deployment.alarms[0]",
			[]string{"write 1 to 255 characters"}},
		"an alarm twice": {
			deployed("{alarms: [latency, latency]}"), "services.web.deployment.alarms[1]",
			[]string{"duplicates latency; remove it"}},
		"errors without a route": {
			deployed("{maxErrors: 5}"), "services.web.deployment.maxErrors",
			[]string{"counts the service's 5xx responses at the load balancer, and the service has no route; write route, or " +
				"remove maxErrors"}},
		"no errors": {
			oneService("      port: 80\n      route: {}\n      deployment: {maxErrors: 0}"), "services.web.deployment.maxErrors",
			[]string{"is 0; allowed: 1 to 1000000, or remove it"}},
	})
}
