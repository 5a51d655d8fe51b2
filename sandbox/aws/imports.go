package aws

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account/vpc"
)

// importer turns the id that an import gives into the id and the state that reading starts from, as the official
// provider's does. It refuses what that one refuses.
type importer func(c *call) error

// importers are those of the types whose import takes another id than the resource has, or of another form than any
// text. The types that are in unimportable have none.
var importers = map[string]importer{
	"aws:acm/certificate:Certificate":             asARN("acm", "certificate/"),
	"aws:appautoscaling/policy:Policy":            importScalingPolicy,
	"aws:appautoscaling/target:Target":            importScalableTarget,
	"aws:ec2/launchTemplate:LaunchTemplate":       importLaunchTemplate,
	"aws:ec2/securityGroup:SecurityGroup":         importSecurityGroup,
	"aws:ec2/securityGroupRule:SecurityGroupRule": importSecurityGroupRule,
	"aws:ecs/capacityProvider:CapacityProvider":   importCapacityProvider,
	"aws:ecs/cluster:Cluster":                     importCluster,
	"aws:ecs/service:Service":                     importService,
	"aws:ecs/taskDefinition:TaskDefinition":       importTaskDefinition,
	"aws:iam/policy:Policy":                       importPolicy,
	"aws:iam/rolePolicy:RolePolicy": inParts(":", 2,
		"role_policy id must be of the form <role name>:<policy name>"),
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": importRolePolicyAttachment,
	"aws:lb/listener:Listener":                          asARN("elasticloadbalancing", "listener/"),
	"aws:lb/listenerRule:ListenerRule":                  asARN("elasticloadbalancing", "listener-rule/"),
	"aws:lb/loadBalancer:LoadBalancer":                  asARN("elasticloadbalancing", "loadbalancer/"),
	"aws:lb/targetGroup:TargetGroup":                    asARN("elasticloadbalancing", "targetgroup/"),
	"aws:route53/record:Record":                         importRecord,
	"aws:scheduler/schedule:Schedule":                   inParts("/", 2, "expected an id of the form group_name/name"),
	"aws:secretsmanager/secret:Secret":                  asARN("secretsmanager", "secret:"),
	"aws:secretsmanager/secretVersion:SecretVersion": inParts("|", 2,
		"unexpected format of ID, expected SecretID|VersionID"),
	"aws:wafv2/webAclAssociation:WebAclAssociation": importWebACLAssociation,
}

// unimportable are the types whose official resource cannot be imported.
var unimportable = []string{"aws:acm/certificateValidation:CertificateValidation",
	"aws:appautoscaling/scheduledAction:ScheduledAction"}

// unread are the properties that only the provider knows, and that an import therefore does not find.
var unread = []string{"allowOverwrite", "forceDelete", "forceDetachPolicies", "forceNewDeployment",
	"forceOverwriteReplicaSecret",
	"forceDeleteWarmPool", "ignoreFailedScalingActivities", "recoveryWindowInDays", "revokeRulesOnDelete",
	"skipDestroy", "updateDefaultVersion", "waitForCapacityTimeout", "waitForSteadyState"}

// importID prepares a read that begins with an id and nothing else.
func (c *call) importID(token string) error {
	if slices.Contains(unimportable, token) {
		return fmt.Errorf("resource %s doesn't support import", token)
	}
	if convert := importers[token]; convert != nil {
		return convert(c)
	}
	return nil
}

func wrongID(c *call, expected string) error {
	return fmt.Errorf("unexpected format of ID (%q), %s", c.id, expected)
}

func asARN(service, resource string) importer {
	return func(c *call) error {
		if !strings.HasPrefix(c.id, "arn:") || !strings.HasPrefix(c.id, c.arn(service, resource)) {
			return fmt.Errorf("ValidationError: '%s' is not a valid ARN of a %s", c.id, c.kind.noun)
		}
		return nil
	}
}

func inParts(separator string, parts int, expected string) importer {
	return func(c *call) error {
		found := strings.Split(c.id, separator)
		if len(found) != parts || slices.Contains(found, "") {
			return wrongID(c, expected)
		}
		return nil
	}
}

func importCluster(c *call) error {
	c.id = c.arn("ecs", "cluster/"+c.id)
	return nil
}

// importService takes CLUSTER/NAME; reading does the rest.
func importService(c *call) error {
	return inParts("/", 2, "expecting 'cluster-name/service-name'")(c)
}

func importTaskDefinition(c *call) error {
	familyRevision, isARN := strings.CutPrefix(c.id, c.arn("ecs", "task-definition/"))
	if !isARN || strings.Count(familyRevision, ":") != 1 {
		return fmt.Errorf("Expected ID in format of arn:PARTITION:ecs:REGION:ACCOUNTID:"+ //nolint:staticcheck // its words
			"task-definition/FAMILY:REVISION and provided: %s", c.id)
	}
	c.state["arn"] = c.id
	return nil
}

func importScalableTarget(c *call) error {
	parts := strings.Split(c.id, "/")
	if len(parts) < 3 || slices.Contains(parts, "") {
		return wrongID(c, "expected <service-namespace>/<resource-id>/<scalable-dimension>")
	}
	c.id = strings.Join(parts[1:len(parts)-1], "/")
	return nil
}

func importScalingPolicy(c *call) error {
	parts := strings.Split(c.id, "/")
	if len(parts) < 4 || slices.Contains(parts, "") {
		return wrongID(c, "expected <service-namespace>/<resource-id>/<scalable-dimension>/<policy-name>")
	}
	c.id = parts[len(parts)-1]
	c.state["name"], c.state["resourceId"] = c.id, strings.Join(parts[1:len(parts)-2], "/")
	return nil
}

func importSecurityGroup(c *call) error {
	if !strings.HasPrefix(c.id, "sg-") {
		return fmt.Errorf("InvalidGroupId.Malformed: Invalid id: \"%s\" (expecting \"sg-...\")", c.id)
	}
	return nil
}

// importCapacityProvider takes a name, as the official provider does, and makes the ARN of it.
func importCapacityProvider(c *call) error {
	if strings.ContainsAny(c.id, " :/") {
		return fmt.Errorf("ValidationError: '%s' is not a valid name of an ECS Capacity Provider", c.id)
	}
	c.id = c.arn("ecs", "capacity-provider/"+c.id)
	return nil
}

func importLaunchTemplate(c *call) error {
	if !strings.HasPrefix(c.id, "lt-") {
		return fmt.Errorf("InvalidLaunchTemplateId.Malformed: The specified launch template ID, %s, is not valid.", //nolint:staticcheck // its words
			c.id)
	}
	return nil
}

// importPolicy takes an ARN, which has no region. That of another account's policy reads nothing.
func importPolicy(c *call) error {
	if !awslimits.PolicyARN.MatchString(c.id) {
		return fmt.Errorf("ValidationError: ARN %s is not valid.", c.id) //nolint:staticcheck // AWS's own words
	}
	return nil
}

// importRolePolicyAttachment takes ROLE/ARN, in which the ARN has slashes, too.
func importRolePolicyAttachment(c *call) error {
	role, arn, _ := strings.Cut(c.id, "/")
	if role == "" || !awslimits.PolicyARN.MatchString(arn) {
		return wrongID(c, "expected <role-name>/<policy_arn>")
	}
	c.id = role + "-" + arn
	return nil
}

func importRecord(c *call) error {
	zone, rest, _ := strings.Cut(c.id, "_")
	if i := strings.LastIndex(rest, "_"); zone == "" || i < 1 || i == len(rest)-1 {
		return wrongID(c, "expected ZONEID_RECORDNAME_TYPE or ZONEID_RECORDNAME_TYPE_SET-IDENTIFIER (e.g. "+
			"Z4KAPRWWNC7JR_dev.example.com_NS_dev)")
	}
	return nil
}

// importSecurityGroupRule finds the rule with exactly the sources that the id names.
func importSecurityGroupRule(c *call) error {
	const format = "expected SECURITYGROUPID_TYPE_PROTOCOL_FROMPORT_TOPORT_SOURCE[_SOURCE]*"
	parts := strings.Split(c.id, "_")
	if len(parts) < 6 || !strings.HasPrefix(parts[0], "sg-") || parts[1] != "ingress" && parts[1] != "egress" ||
		slices.ContainsFunc(parts[5:], func(source string) bool {
			return source != "self" &&
				!strings.ContainsAny(source, ".:-")
		}) {
		return wrongID(c, format)
	}
	rules, err := c.account.Objects(vpc.SecurityGroupRule)
	given := slices.Sorted(slices.Values(parts[5:]))
	c.id = "sgrule-0" // gone, unless it is found
	for _, rule := range rules {
		if opening(rule) == strings.Join(parts[:5], "_") && slices.Equal(slices.Sorted(slices.Values(sources(rule))), given) {
			c.id = "sgrule-" + strings.TrimPrefix(text(rule, "securityGroupRuleId"), "sgr-")
		}
	}
	return err
}

// Types are the resource types that the sandbox has, by their tokens.
func Types() []string { return slices.Sorted(maps.Keys(types)) }

// Kind is the kind of the account's objects that a resource type is kept as; empty for those that are more than an
// object.
func Kind(token string) string { return types[token].kind }
