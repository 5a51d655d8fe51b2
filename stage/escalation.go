package stage

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"slipway/internal/awslimits"
)

// escalation is what lets code that may do it to any resource of its kind become an administrator: it changes what
// somebody may do, becomes somebody else, or has code run as somebody else
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html,
// https://docs.aws.amazon.com/prescriptive-guidance/latest/patterns/prevent-privilege-escalation.html).
type escalation struct {
	service, actions string
	kinds            string // of resources, as their ARNs begin
}

var escalations = []escalation{
	{"iam", `AttachRolePolicy CreateRole DeleteRolePermissionsBoundary DeleteRolePolicy DetachRolePolicy PassRole
		PutRolePermissionsBoundary PutRolePolicy UpdateAssumeRolePolicy`, "role/"},
	{"iam", `AttachUserPolicy CreateAccessKey CreateLoginProfile CreateServiceSpecificCredential CreateUser
		DeactivateMFADevice DeleteUserPermissionsBoundary DeleteUserPolicy DetachUserPolicy EnableMFADevice
		PutUserPermissionsBoundary PutUserPolicy ResetServiceSpecificCredential ResyncMFADevice UpdateAccessKey
		UpdateLoginProfile UploadSSHPublicKey UploadSigningCertificate`, "user/"},
	{"iam", "AddUserToGroup AttachGroupPolicy DeleteGroupPolicy DetachGroupPolicy PutGroupPolicy", "group/"},
	{"iam", "CreatePolicy CreatePolicyVersion SetDefaultPolicyVersion", "policy/"},
	{"iam", "AddRoleToInstanceProfile CreateInstanceProfile", "instance-profile/"},
	{"iam", `AddClientIDToOpenIDConnectProvider CreateOpenIDConnectProvider
		UpdateOpenIDConnectProviderThumbprint`, "oidc-provider/"},
	{"iam", "CreateSAMLProvider UpdateSAMLProvider", "saml-provider/"},
	{"sts", "AssumeRole", "role/"},
	{"lambda", "UpdateFunctionCode UpdateFunctionConfiguration", "function:"},
	{"cloudformation", "CreateChangeSet CreateStack UpdateStack", "stack/"},
	{"sso", `AttachManagedPolicyToPermissionSet AttachCustomerManagedPolicyReferenceToPermissionSet
		CreateAccountAssignment PutInlinePolicyToPermissionSet`, "permissionSet/ instance/ account/"},
	{"identitystore", "CreateGroupMembership", "group/ identitystore/ membership/"},
}

// arnServices are the services in ARNs that are called otherwise in actions.
var arnServices = map[string]string{"sts": "iam"}

// anyName is what no resource is called, so that a pattern that it matches matches every name.
const anyName = "x7q0k2v9w4"

// escalating is the action of AWS by which code that may do what an action's pattern says to a resource could make
// itself an administrator; empty where it could not. own is the name of its role, with the path before it, which must
// not change itself.
func escalating(action, resource, own string) string {
	service, verb, _ := strings.Cut(action, ":")
	for _, way := range escalations {
		if !strings.EqualFold(way.service, service) {
			continue
		}
		for _, concrete := range strings.Fields(way.actions) {
			if !matchesIgnoringCase(verb, concrete) {
				continue
			}
			if way.reaches(resource) || way.changes(concrete) && reachesResource(resource, "iam", "role"+own) {
				return way.service + ":" + concrete
			}
		}
	}
	return ""
}

// changes tells whether an action changes a role, whose code then has what it has given itself.
func (e escalation) changes(action string) bool {
	return e.service == "iam" && e.kinds == "role/" && action != "PassRole"
}

// reaches tells whether a pattern stands for every resource of one of the kinds.
func (e escalation) reaches(resource string) bool {
	return slices.ContainsFunc(strings.Fields(e.kinds), func(kind string) bool {
		return reachesResource(resource, e.service, kind+anyName) ||
			reachesResource(resource, e.service, kind+anyName+"/"+anyName)
	})
}

// reachesResource tells whether a pattern matches a resource of a service, in the pattern's own partition, region and
// account.
func reachesResource(pattern, service, name string) bool {
	if pattern == "*" {
		return true
	}
	parsed, err := arn.Parse(pattern)
	if err != nil {
		return false
	}
	if other, is := arnServices[service]; is {
		service = other
	}
	return awslimits.Match(parsed.Service, service) && awslimits.Match(parsed.Resource, name)
}

func matchesIgnoringCase(pattern, text string) bool {
	return awslimits.Match(strings.ToLower(pattern), strings.ToLower(text))
}
