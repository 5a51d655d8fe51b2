package policies

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/stage"
)

// mostManaged is how many managed policies a role gets: those of changed permissions stand beside the earlier ones
// until the update has succeeded.
const mostManaged = awslimits.ManagedPolicies / 2

// OwnSecretLike is an ARN as long as that of the secret that holds the encrypted values of a service or a task: its
// name ends in seven characters of the engine's and six of AWS's.
func OwnSecretLike(s *stage.Stage, name string, arn func(service, resource string) string) string {
	for _, secret := range s.TaskDefinition(name).AllSecrets() {
		if secret.ARN == "" {
			return arn("secretsmanager", "secret:"+s.Family(name)+"-0000000-AAAAAA")
		}
	}
	return ""
}

// Split are the texts of the policies that hold statements: one for a role's inline policy, or managed ones where
// that would have more than half of what inline policies may have together. The other half is for the policy that the
// next update makes before this one goes. Its error says that a role cannot have so many.
func Split(statements []Statement) (texts []string, managed bool, err error) {
	whole, err := Text(statements...)
	if err != nil || awslimits.Policy(whole) <= awslimits.InlinePolicies/2 {
		return []string{whole}, false, err
	}
	var part []Statement
	for _, statement := range statements {
		for _, piece := range statement.pieces() {
			grown := withPiece(part, piece)
			switch {
			case policySize(grown) <= awslimits.ManagedPolicy:
				part = grown
			case policySize([]Statement{piece}) > awslimits.ManagedPolicy:
				return nil, true, fmt.Errorf("have a statement of %d characters, and IAM takes %d in a policy; write several "+
					"with fewer actions and conditions",
					policySize([]Statement{piece}), awslimits.ManagedPolicy)
			default:
				text, err := Text(part...)
				if err != nil {
					return nil, true, err
				}
				texts, part = append(texts, text), []Statement{piece}
			}
		}
	}
	last, err := Text(part...)
	if texts = append(texts, last); err == nil && len(texts) > mostManaged {
		err = fmt.Errorf("need %d characters of IAM policies, and slipway gives a role %d policies of %d; name fewer, or "+
			"several by one ARN with *", awslimits.Policy(whole), mostManaged, awslimits.ManagedPolicy)
	}
	return texts, true, err
}

// ManagedRole is a role whose permissions are too long for an inline policy.
type ManagedRole struct {
	// Name of the role.
	Name string
	// inline is what the name of its inline policy would begin with, where the key that makes it long.
	inline, where string
}

// ManagedRoles are the roles of a service or a task that get managed policies.
func ManagedRoles(s *stage.Stage, name string, arn func(service, resource string) string) (found []ManagedRole) {
	execution := Execution(s, name, arn, OwnSecretLike(s, name, arn))
	if _, managed, err := Split(execution); err == nil && managed {
		found = append(found, ManagedRole{s.ExecutionRole(name), "execution-", s.WhereDefined(name, "secrets")})
	}
	if _, managed, err := Split(Task(s, name, arn)); err == nil && managed {
		found = append(found, ManagedRole{s.TaskRole(name), "task-", s.WhereDefined(name, "permissions")})
	}
	return found
}

// Change says that the role, which has these inline policies, is about to get managed ones in their place: whoever
// updates the stage needs more permissions for those. It is empty where the role has them already.
func (m ManagedRole) Change(inline []string) string {
	if !slices.ContainsFunc(inline, func(name string) bool { return strings.HasPrefix(name, m.inline) }) {
		return ""
	}
	return fmt.Sprintf("%s: the permissions of the role %s are too long for its inline policy, so the next update makes "+
		"managed policies of them; its credentials need iam:CreatePolicy, DeletePolicy, GetPolicy, GetPolicyVersion, "+
		"ListPolicyVersions, TagPolicy, AttachRolePolicy, DetachRolePolicy and ListAttachedRolePolicies for that", m.where,
		m.Name)
}

// policySize counts the characters of a policy of these statements.
func policySize(statements []Statement) int {
	text, err := Text(statements...)
	if err != nil {
		panic(err) // they are texts
	}
	return awslimits.Policy(text)
}

// pieces are a statement for each of its resources.
func (s Statement) pieces() (pieces []Statement) {
	for _, resource := range s.Resource {
		piece := s
		piece.Resource = []string{resource}
		pieces = append(pieces, piece)
	}
	return pieces
}

// withPiece adds a piece: its resource to the last statement, where that is another piece of the same one.
func withPiece(statements []Statement, piece Statement) []Statement {
	if count := len(statements); count > 0 {
		last := statements[count-1]
		alike := last
		alike.Resource = piece.Resource
		if reflect.DeepEqual(alike, piece) {
			last.Resource = slices.Concat(last.Resource, piece.Resource)
			return append(slices.Clone(statements[:count-1]), last)
		}
	}
	return append(slices.Clone(statements), piece)
}
