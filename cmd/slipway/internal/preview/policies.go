package preview

import (
	"regexp"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/pulumicli"
)

// What a policy is called in Pulumi ends with a digest of what it permits, so that one with other permissions stands
// beside the earlier one until the update has succeeded.
var digestOfPolicy = regexp.MustCompile(`-[0-9a-f]{8}$`)

// joinPolicies makes one step of a policy that is created and one that is deleted, where the one takes the other's
// place: a replacement, by the name that both begin with.
func joinPolicies(steps []pulumicli.Step) []pulumicli.Step {
	role := func(step pulumicli.Step) string {
		if token, _ := partsOf(step.URN); !strings.HasPrefix(token, "aws:iam/") {
			return ""
		}
		return digestOfPolicy.ReplaceAllString(step.URN, "")
	}
	deleted := map[string]pulumicli.Step{}
	for _, step := range steps {
		if name := role(step); name != "" && step.Op == "delete" {
			deleted[name] = step
		}
	}
	var joined []pulumicli.Step
	replaced := map[string]bool{}
	for _, step := range steps {
		name := role(step)
		if old, is := deleted[name]; is && step.Op == "create" && old.URN != step.URN {
			replaced[old.URN] = true
			step.Op, step.URN, step.OldState = "replace", name, old.OldState
			step.DiffReasons = []string{"policy"}
			if properties(step.NewState, "inputs")["policy"] == nil { // what attaches it
				step.DiffReasons = []string{"policyArn"}
			}
		}
		joined = append(joined, step)
	}
	return slices.DeleteFunc(joined, func(step pulumicli.Step) bool { return step.Op == "delete" && replaced[step.URN] })
}
