package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// result is what a command left behind.
type result struct {
	testing.TB
	command string
	output  string // standard output and standard error, as a terminal shows them
	stdout  string
	status  int
	took    time.Duration
	memory  int64 // KiB of the largest process
}

// update is an update of a stage with the calls that the engine made to the providers.
type update struct {
	*result
	calls []call
}

// call is a call of the engine to a provider.
type call struct {
	Method  string
	Request struct {
		URN     string `json:"urn"`
		Preview bool   `json:"preview"`
	}
}

// changed lists the types that providers created, updated or deleted, as "Create aws:ecs/service:Service", each once.
func (u *update) changed() []string {
	var changes []string
	seen := map[string]bool{}
	for _, c := range u.calls {
		method, isProvider := strings.CutPrefix(c.Method, "/pulumirpc.ResourceProvider/")
		if !isProvider || c.Request.Preview || (method != "Create" && method != "Update" && method != "Delete") {
			continue
		}
		change := method + " " + typeOf(c.Request.URN)
		if !seen[change] {
			seen[change] = true
			changes = append(changes, change)
		}
	}
	return changes
}

// typeOf is the type of the resource that a URN names.
func typeOf(urn string) string {
	parts := strings.Split(urn, "::")
	if len(parts) < 4 {
		return urn
	}
	types := strings.Split(parts[2], "$")
	return types[len(types)-1]
}

// builtNothing asserts that no image was built or pushed.
func (u *update) builtNothing() {
	u.Helper()
	for _, change := range u.changed() {
		require.NotContains(u, change, "docker:")
	}
}
