package recovery

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"strings"

	"slipway/cmd/slipway/internal/awsreader"
)

// finder finds what a cut-off operation may have created.
type finder struct {
	*awsreader.Client
	// holds tells whether the state has a resource of this type and id already.
	holds func(token, id string) bool
}

// inputs are those that the provider has checked, and completed with a name where the program gives none.
type inputs map[string]any

func (in inputs) text(key string) string {
	if in[key] == nil {
		return ""
	}
	return fmt.Sprint(in[key])
}

func (in inputs) list(key string) (texts []string) {
	list, _ := in[key].([]any)
	for _, each := range list {
		texts = append(texts, fmt.Sprint(each))
	}
	return texts
}

// tags are those that tell whose a resource is.
func (in inputs) tags() map[string]any { tags, _ := in["tags"].(map[string]any); return tags }

// kind is how the resources of a type are found in AWS.
type kind struct {
	// id is what an import takes, where the inputs say it: two of the same id are one and the same. Whether AWS has it,
	// the provider says when it reads it. (https://www.pulumi.com/registry/packages/aws/ has the form of the ids.)
	id func(in inputs) string
	// find looks up an id that AWS makes, by what the resource is known by; it is empty where AWS has none.
	find func(ctx context.Context, f *finder, in inputs) (id string, err error)
	// list is for a type whose names Pulumi makes up in a stage: what AWS has of it, with names that begin with prefix, or
	// all that there is.
	list func(ctx context.Context, f *finder, in inputs, prefix string) ([]candidate, error)
	// needs is the input that must be known before it can be looked for, where that is not in its id.
	needs string
	// owner is the input that names whose a resource without tags is: what that names must be in the state first, as what
	// another's role has is another's, too.
	owner string
}

var kinds = map[string]kind{
	"aws:acm/certificate:Certificate": {find: findCertificate},
	"aws:appautoscaling/policy:Policy": {list: listScalingPolicies, owner: "resourceId",
		id: joined("/", "serviceNamespace", "resourceId", "scalableDimension", "name")},
	scheduledAction: {id: joined("-", "name", "serviceNamespace", "resourceId"),
		list: listScheduledActions, owner: "resourceId"},
	"aws:appautoscaling/target:Target": {
		id: joined("/", "serviceNamespace", "resourceId", "scalableDimension")},
	"aws:cloudwatch/logGroup:LogGroup":                          {id: joined("", "name")},
	"aws:cloudwatch/metricAlarm:MetricAlarm":                    {id: joined("", "name")},
	"aws:ec2/securityGroup:SecurityGroup":                       {find: findSecurityGroup, list: listSecurityGroups},
	"aws:ec2/securityGroupRule:SecurityGroupRule":               {id: securityGroupRuleID},
	"aws:ecr/lifecyclePolicy:LifecyclePolicy":                   {id: joined("", "repository"), owner: "repository"},
	"aws:ecr/repositoryPolicy:RepositoryPolicy":                 {id: joined("", "repository"), owner: "repository"},
	"aws:ecr/repository:Repository":                             {id: joined("", "name")},
	"aws:ecs/cluster:Cluster":                                   {id: joined("", "name")},
	"aws:ecs/service:Service":                                   {id: serviceID},
	"aws:ecs/clusterCapacityProviders:ClusterCapacityProviders": {id: joined("", "clusterName"), owner: "clusterName"},
	"aws:ecs/capacityProvider:CapacityProvider":                 {id: joined("", "name")},
	"aws:autoscaling/group:Group":                               {id: joined("", "name")},
	"aws:ec2/launchTemplate:LaunchTemplate":                     {find: findLaunchTemplate},
	"aws:iam/instanceProfile:InstanceProfile":                   {id: joined("", "name")},
	taskDefinition:                  {find: findTaskDefinition},
	"aws:iam/policy:Policy":         {find: findPolicy, needs: "name"},
	"aws:iam/role:Role":             {id: joined("", "name")},
	"aws:iam/rolePolicy:RolePolicy": {id: joined(":", "role", "name"), owner: "role"},
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
		id: joined("/", "role", "policyArn"), owner: "role"},
	"aws:lb/listener:Listener":                         {find: findListener, needs: "loadBalancerArn"},
	"aws:lb/listenerRule:ListenerRule":                 {find: findListenerRule, needs: "listenerArn"},
	"aws:lb/loadBalancer:LoadBalancer":                 {find: findNamed("LoadBalancer"), list: listNamed("LoadBalancer")},
	"aws:lb/targetGroup:TargetGroup":                   {find: findNamed("TargetGroup"), list: listNamed("TargetGroup")},
	"aws:route53/record:Record":                        {id: recordID, needs: "aliases"},
	"aws:servicediscovery/httpNamespace:HttpNamespace": {find: findNamespace},
	"aws:scheduler/schedule:Schedule":                  {id: scheduleID},
	"aws:secretsmanager/secret:Secret":                 {find: findSecret, list: listSecrets},
	"aws:secretsmanager/secretVersion:SecretVersion":   {find: findSecretVersion, needs: "secretId"},
	"aws:wafv2/webAclAssociation:WebAclAssociation": {
		id: joined(",", "webAclArn", "resourceArn"), owner: "resourceArn"},
}

// scheduledAction is the type that the provider does not import, and reads by its name and its target.
const scheduledAction = "aws:appautoscaling/scheduledAction:ScheduledAction"

// taskDefinition is the type whose revisions outlive a stage.
const taskDefinition = "aws:ecs/taskDefinition:TaskDefinition"

// validation is the type that is nothing in AWS: the provider waits. It does not import it.
const validation = "aws:acm/certificateValidation:CertificateValidation"

func joined(separator string, keys ...string) func(inputs) string {
	return func(in inputs) string {
		parts := make([]string, len(keys))
		for i, key := range keys {
			parts[i] = in.text(key)
		}
		return strings.Join(parts, separator)
	}
}

func serviceID(in inputs) string { return path.Base(in.text("cluster")) + "/" + in.text("name") }

func scheduleID(in inputs) string {
	const standard = "default" // AWS's own group
	return cmp.Or(in.text("groupName"), standard) + "/" + in.text("name")
}

func recordID(in inputs) string {
	name := strings.ToLower(strings.TrimSuffix(in.text("name"), "."))
	return in.text("zoneId") + "_" + name + "_" + in.text("type")
}

func securityGroupRuleID(in inputs) string {
	parts := []string{in.text("securityGroupId"), in.text("type"), in.text("protocol"), in.text("fromPort"),
		in.text("toPort")}
	if in.text("self") == "true" {
		parts = append(parts, "self")
	}
	for _, key := range []string{"cidrBlocks", "ipv6CidrBlocks", "prefixListIds"} {
		parts = append(parts, in.list(key)...)
	}
	if group := in.text("sourceSecurityGroupId"); group != "" {
		parts = append(parts, group)
	}
	return strings.Join(parts, "_")
}
