// Package deployrole works out what the role needs that deploys a stage: the least IAM policy, and who may assume it.
package deployrole

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/internal/policies"
	"slipway/internal/pulumiconfig"
	"slipway/stage"
)

// purposes are a set of what a role is for.
type purposes int

const (
	update purposes = 1 << iota
	preview
	promote
	read
	promoteTo // what promote asks about the stage that it promotes to
	everybody = update | preview | promote | read
)

// Purposes are what a role can be for, by name.
var Purposes = map[string]purposes{"update": update, "preview": preview, "promote": promote, "read": read}

// Policy is an IAM policy, or the trust policy of a role.
type Policy struct {
	Version   string
	Statement []policies.Statement
	// Notes say what to know of it.
	Notes []string `json:"-"`
}

// For is the least policy for a purpose, of a stage as its file has it, and as promotions to it will. own is nil where
// the file has it only then. One that is too large for a managed policy has patterns instead of names.
func For(purpose string, own *stage.Stage, promoted ...*stage.Stage) (*Policy, error) {
	stages, of := promoted, Purposes[purpose]
	switch {
	case len(promoted) > 0 && of == promote:
		of = promoteTo
	case own != nil:
		stages = append([]*stage.Stage{own}, promoted...)
	}
	exact, err := policyOf(stages, false, of)
	if err != nil || exact.size() <= awslimits.ManagedPolicy {
		return exact, err
	}
	compact, err := policyOf(stages, true, of)
	if err != nil {
		return nil, err
	}
	compact.Statement = withoutRepetition(compact.Statement)
	compact.note("written out it would have %d characters, and IAM takes %d in a managed policy. So each name of a service, "+
		"task or image in it is a *, which is for all whose names begin with %s-, and statements stand together that say "+
		"the same of several AWS services", exact.size(), awslimits.ManagedPolicy, stages[0].Cluster())
	if size := compact.size(); size > awslimits.ManagedPolicy {
		compact.note("it still has %d characters: put it into the role as an inline policy (`aws iam put-role-policy`), of "+
			"which IAM takes %d", size, awslimits.InlinePolicies)
	}
	return compact, nil
}

func policyOf(stages []*stage.Stage, broad bool, purpose purposes) (*Policy, error) {
	policy := &Policy{Version: "2012-10-17"}
	var all []*names
	for _, s := range stages {
		all = append(all, newNames(s, broad))
	}
	n := all[0]
	if n.account == "*" {
		policy.note("%s does not say the account, so the policy is for any: write it as the only one of "+
			"aws:allowedAccountIds", pulumiconfig.FileName(n.Name))
	}
	if n.region == "*" {
		policy.note("%s does not say aws:region, so the policy is for any", pulumiconfig.FileName(n.Name))
	}
	statements, err := statementsOf(all, purpose)
	policy.Statement = statements
	return policy, err
}

// statementsOf has the rows for a purpose, with all that may be done to the same things in one statement.
func statementsOf(all []*names, purpose purposes) (statements []policies.Statement, err error) {
	byScope := map[string]int{}
	for _, row := range table {
		var resources []string
		for _, n := range all {
			resources = append(resources, slices.DeleteFunc(row.on(n),
				func(arn string) bool { return slices.Contains(resources, arn) })...)
		}
		if row.purposes&purpose == 0 || len(resources) == 0 {
			continue
		}
		var when conditions
		if row.when != nil {
			when = row.when(all[0])
		}
		scope, err := json.Marshal([]any{resources, when})
		if err != nil {
			return nil, err
		}
		i, known := byScope[string(scope)]
		if !known {
			i = len(statements)
			byScope[string(scope)] = i
			statements = append(statements, policies.Statement{Effect: "Allow", Resource: resources, Condition: when})
		}
		statements[i].Action = append(statements[i].Action, row.allActions()...)
	}
	for i := range statements {
		slices.Sort(statements[i].Action)
		statements[i].Action = slices.Compact(statements[i].Action)
	}
	return statements, nil
}

// allActions are the row's, each with its service.
func (r row) allActions() (actions []string) {
	service, names, _ := strings.Cut(r.actions, ": ")
	for _, name := range strings.Fields(strings.ReplaceAll(names, ";", " ")) {
		actions = append(actions, service+":"+name)
	}
	return actions
}

func (p *Policy) size() int {
	text, err := json.Marshal(p)
	if err != nil {
		panic(err) // they are texts
	}
	return awslimits.Policy(string(text))
}

func (p *Policy) note(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}

// withoutRepetition has what is said under the same condition of things of several AWS services in one statement: an
// action is of one service, and is never done to another one's things. And whoever may describe several kinds of what
// AWS has no resources for may describe all.
func withoutRepetition(statements []policies.Statement) (fewer []policies.Statement) {
	for _, next := range statements {
		if slices.Equal(next.Resource, []string{"*"}) {
			next.Action = describeAll(next.Action)
		}
		i := slices.IndexFunc(fewer, func(other policies.Statement) bool {
			return reflect.DeepEqual(other.Condition, next.Condition) && !slices.Contains(other.Resource, "*") &&
				!slices.Contains(next.Resource, "*") && !sharesService(other, next)
		})
		if i < 0 {
			fewer = append(fewer, next)
			continue
		}
		fewer[i].Action = slices.Concat(fewer[i].Action, next.Action)
		fewer[i].Resource = slices.Concat(fewer[i].Resource, next.Resource)
	}
	return fewer
}

func sharesService(a, b policies.Statement) bool {
	return slices.ContainsFunc(a.Action, func(one string) bool {
		return slices.ContainsFunc(b.Action, func(other string) bool { return serviceOf(one) == serviceOf(other) })
	})
}

func describeAll(actions []string) (fewer []string) {
	for _, action := range actions {
		all := serviceOf(action) + ":Describe*"
		several := slices.ContainsFunc(actions,
			func(other string) bool { return other != action && awslimits.Match(all, other) })
		if several && awslimits.Match(all, action) {
			action = all
		}
		fewer = append(fewer, action)
	}
	return slices.Compact(fewer)
}

func serviceOf(action string) string {
	service, _, _ := strings.Cut(action, ":")
	return service
}

// PurposeNames are the names of all purposes.
func PurposeNames() []string { return slices.Sorted(maps.Keys(Purposes)) }
