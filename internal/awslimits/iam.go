package awslimits

import (
	"slices"
	"strings"
	"unicode"
)

// Identity and Access Management (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html). Names
// are unique whatever their case.
const (
	// RoleName is the longest name of a role, in characters.
	RoleName = 64
	// IAMPath is the longest path of a role or a policy, in characters.
	IAMPath = 512
	// InlinePolicies is what all inline policies of a role may have together, in characters that are no white space.
	InlinePolicies = 10240
	// ManagedPolicy is what a managed policy may have, in characters that are no white space.
	ManagedPolicy = 6144
	// ManagedPolicies is how many managed policies a role may have where AWS has raised nothing.
	ManagedPolicies = 10
)

// IAMName is that of a role or a policy (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html).
var IAMName = pattern(`^[\w+=,.@-]{1,128}$`)

// AccountID is the number of an account, OrganizationID the id of an organisation
// (https://docs.aws.amazon.com/organizations/latest/APIReference/API_Organization.html).
var (
	AccountID      = pattern(`^[0-9]{12}$`)
	OrganizationID = pattern(`^o-[a-z0-9]{10,32}$`)
)

// RolePath is that of a role (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html), PolicyPath that
// of a managed policy, which takes less (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html).
var (
	RolePath   = pattern(`^/([\x21-\x7E]+/)?$`)
	PolicyPath = pattern(`^(/[A-Za-z0-9.,+@=_-]+)*/$`)
)

// PolicyText is what a policy may hold (https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html).
var PolicyText = pattern(`^[\t\n\r\x20-\x{FF}]*$`)

// PolicyARN is that of a managed policy: one of an account, or one of AWS's own.
var PolicyARN = pattern(`^arn:[^:]+:iam::(aws|\d{12}):policy/[\x21-\x7E]+$`)

// Policy counts the characters of a policy as IAM does.
func Policy(text string) int {
	count := 0
	for _, r := range text {
		if !unicode.IsSpace(r) {
			count++
		}
	}
	return count
}

// conditionOperators are those of IAM's policies
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).
var conditionOperators = strings.Fields(`StringEquals StringNotEquals StringEqualsIgnoreCase StringNotEqualsIgnoreCase
	StringLike StringNotLike NumericEquals NumericNotEquals NumericLessThan NumericLessThanEquals NumericGreaterThan
	NumericGreaterThanEquals DateEquals DateNotEquals DateLessThan DateLessThanEquals DateGreaterThan
	DateGreaterThanEquals Bool BinaryEquals IpAddress NotIpAddress ArnEquals ArnNotEquals ArnLike ArnNotLike Null`)

// ConditionOperator tells whether IAM has an operator. All but Null may end with IfExists, and all may begin with what
// says how a key of several values is compared.
func ConditionOperator(text string) bool {
	if compared, of, is := strings.Cut(text, ":"); is && (compared == "ForAllValues" || compared == "ForAnyValue") {
		text = of
	}
	operator := strings.TrimSuffix(text, "IfExists")
	return slices.Contains(conditionOperators, operator) && (operator == text || operator != "Null")
}
