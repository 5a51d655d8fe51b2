package stage

import (
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"slipway/internal/awslimits"
)

// Permission is one statement of what the containers' own code may do.
type Permission struct {
	// Actions are those of an AWS service. Name them, or a group of them (`s3:Get*`).
	//
	// Default: none; required
	// Allowed: `SERVICE:ACTION`, at least one; no service's every action (`s3:*`). Those with which the code could make
	// itself an administrator (such as `iam:PassRole`, `iam:Put*` or `sts:AssumeRole` on every role) only with
	// `roles.permissionsBoundary`
	// Example: actions: ["s3:GetObject"]
	// Rule: [IAM Action](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html)
	Actions []string `json:"actions"`

	// Resources are what the actions may be done to.
	//
	// Default: none; required
	// Allowed: ARNs, in which `*` stands for any text, at least one. `*` alone only for actions that AWS does not
	// narrow to resources (such as `cloudwatch:PutMetricData` or `s3:ListAllMyBuckets`), as far as they are known here,
	// or with `conditions`
	// Example: resources: ["arn:aws:s3:::shop-uploads/*"]
	// Rule: [IAM
	// Resource](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html), [actions
	// and resources of each
	// service](https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html)
	Resources []string `json:"resources" outputs:"text" braces:"policy"`

	// Conditions limit when the statement holds: values by condition key, by operator.
	//
	// Example: conditions: {StringEquals: {"aws:ResourceTag/team": ["shop"]}}
	// Rule: [IAM Condition](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html)
	Conditions map[string]map[string][]string `json:"conditions" outputs:"text" braces:"policy"`
}

var (
	iamAction = regexp.MustCompile(`^[a-z0-9-]+:[A-Za-z0-9*?]+$`)
	iamKey    = regexp.MustCompile(`^[A-Za-z0-9-]+:[A-Za-z0-9:/._${}*-]+$`)
)

const policyCharacters = "IAM takes only the characters of Latin-1 in a policy; write a pattern with * or ? in " +
	"their place"

// checkPermissions checks the permissions of the service or task called name.
func (c *checker) checkPermissions(here place, name string, permissions []Permission) {
	for i, permission := range permissions {
		here := here.at(i)
		checkAtLeastOne(here.at("actions"), len(permission.Actions), "at least one SERVICE:ACTION, as in s3:GetObject")
		checkAtLeastOne(here.at("resources"), len(permission.Resources), "the ARNs of what the actions may be done to")
		for j, action := range permission.Actions {
			switch _, verb, isPair := strings.Cut(action, ":"); {
			case action == "*" || isPair && verb != "" && strings.Trim(verb, "*?") == "":
				here.at("actions", j).fail("is %q, which allows everything; name the actions that are needed", action)
			case !iamAction.MatchString(action):
				here.at("actions", j).fail("is %q; write SERVICE:ACTION, as in s3:GetObject", action)
			case c.checkEscalation(here.at("actions", j), name, action, permission.Resources):
			case slices.Contains(permission.Resources, "*") && len(permission.Conditions) == 0 && narrowable(action):
				here.at("resources", slices.Index(permission.Resources, "*")).fail(
					`is "*", and %s can be narrowed to resources; name their ARNs, or narrow it with conditions`, action)
			}
		}
		for j, resource := range permission.Resources {
			switch parsed, err := arn.Parse(resource); {
			case resource == "*":
			case !awslimits.PolicyText.MatchString(resource):
				here.at("resources", j).fail("is %q, and %s", shorten(resource), policyCharacters)
			case err != nil:
				here.at("resources", j).fail("is %q; write an ARN, as in arn:aws:s3:::shop-uploads/*", shorten(resource))
			case strings.Trim(parsed.Service, "*?") == "":
				here.at("resources", j).fail("is %q, which is everything of every AWS service; name the service, "+
					"as in arn:aws:s3:::shop-uploads/*", shorten(resource))
			default: // of any region and account, which may let the task in
				here.at("resources", j).failIf(c.foreignPartition(parsed))
			}
		}
		for operator, conditions := range permission.Conditions {
			if !awslimits.ConditionOperator(operator) {
				here.at("conditions", operator).fail("is no operator of IAM; write one such as StringEquals")
				continue
			}
			for conditionKey, values := range conditions {
				condition := here.at("conditions", operator, conditionKey)
				if !iamKey.MatchString(conditionKey) {
					condition.fail("is no condition key of IAM; write one such as aws:SourceVpc")
				}
				for j, value := range values {
					if !awslimits.PolicyText.MatchString(value) {
						condition.at(j).fail("is %q, and %s", shorten(value), policyCharacters)
					}
				}
			}
		}
	}
}

// checkEscalation refuses an action by which the containers' code could make itself an administrator, unless a
// boundary limits what it can be allowed. It tells whether it has.
func (c *checker) checkEscalation(here place, name, action string, resources []string) (refused bool) {
	if boundary := c.at("roles", "permissionsBoundary"); boundary.present || boundary.bad {
		return false
	}
	own := c.document.Roles.Path + c.names().TaskRole(name)
	for _, resource := range resources {
		if by := escalating(action, resource, own); by != "" {
			here.fail("is %s, and %s on %s lets the containers' own code make itself an administrator; name the resources "+
				"that it needs, or set roles.permissionsBoundary, which limits what it can be allowed", action, by,
				shorten(resource))
			return true
		}
	}
	return false
}

// checkAtLeastOne refuses a required list that is missing or empty.
func checkAtLeastOne(here place, length int, what string) {
	if length == 0 && !here.bad {
		here.fail("is missing; write %s", what)
	}
}
