package recovery

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/internal/awslimits"
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

// derivedIDs are the types whose imports take what the inputs say: two of the same id are one and the same. Whether AWS
// has it, the provider says when it reads it. (https://www.pulumi.com/registry/packages/aws/ has the form of the ids.)
var derivedIDs = map[string]func(in inputs) string{
	"aws:appautoscaling/policy:Policy": joined("/", "serviceNamespace", "resourceId", "scalableDimension",
		"name"),
	scheduledAction: joined("-", "name", "serviceNamespace", "resourceId"),
	"aws:appautoscaling/target:Target": joined("/", "serviceNamespace", "resourceId",
		"scalableDimension"),
	"aws:cloudwatch/logGroup:LogGroup":                  joined("", "name"),
	"aws:cloudwatch/metricAlarm:MetricAlarm":            joined("", "name"),
	"aws:ec2/securityGroupRule:SecurityGroupRule":       securityGroupRuleID,
	"aws:ecr/lifecyclePolicy:LifecyclePolicy":           joined("", "repository"),
	"aws:ecr/repository:Repository":                     joined("", "name"),
	"aws:ecs/cluster:Cluster":                           joined("", "name"),
	"aws:ecs/service:Service":                           serviceID,
	"aws:iam/role:Role":                                 joined("", "name"),
	"aws:iam/rolePolicy:RolePolicy":                     joined(":", "role", "name"),
	"aws:iam/rolePolicyAttachment:RolePolicyAttachment": joined("/", "role", "policyArn"),
	"aws:route53/record:Record":                         recordID,
	"aws:scheduler/schedule:Schedule":                   scheduleID,
}

// askedIDs are the types whose ids AWS makes: each is looked up by what it is known by. The id is empty where AWS has
// none.
var askedIDs = map[string]func(ctx context.Context, f *finder, in inputs) (id string, err error){
	"aws:acm/certificate:Certificate":                findCertificate,
	"aws:ec2/securityGroup:SecurityGroup":            findSecurityGroup,
	"aws:ecs/taskDefinition:TaskDefinition":          findTaskDefinition,
	"aws:iam/policy:Policy":                          findPolicy,
	"aws:lb/listener:Listener":                       findListener,
	"aws:lb/listenerRule:ListenerRule":               findListenerRule,
	"aws:lb/loadBalancer:LoadBalancer":               findNamed("LoadBalancer"),
	"aws:lb/targetGroup:TargetGroup":                 findNamed("TargetGroup"),
	"aws:secretsmanager/secret:Secret":               findSecret,
	"aws:secretsmanager/secretVersion:SecretVersion": findSecretVersion,
}

// scheduledAction is the type that the provider does not import, and reads by its name and its target.
const scheduledAction = "aws:appautoscaling/scheduledAction:ScheduledAction"

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

// findPolicy makes the ARN, which has the account. Whether AWS has it, the provider says.
func findPolicy(_ context.Context, f *finder, in inputs) (string, error) {
	return fmt.Sprintf("arn:%s:iam::%s:policy%s%s", awslimits.Partition(f.Region), f.Account, cmp.Or(in.text("path"), "/"),
		in.text("name")), nil
}

// firstOf is the first of what AWS has, or none where it says so with one of the codes.
func firstOf(found []string, err error, none ...string) (string, error) {
	if awsreader.IsCode(err, none...) || err == nil && len(found) == 0 {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

func findSecurityGroup(ctx context.Context, f *finder, in inputs) (string, error) {
	var answer struct {
		IDs []string `xml:"securityGroupInfo>item>groupId"`
	}
	form := url.Values{"Filter.1.Name": {"group-name"}, "Filter.1.Value.1": {in.text("name")}}
	if vpc := in.text("vpcId"); vpc != "" {
		form.Set("Filter.2.Name", "vpc-id")
		form.Set("Filter.2.Value.1", vpc)
	}
	err := f.Query.Call(ctx, "ec2", "DescribeSecurityGroups", form, &answer)
	return firstOf(answer.IDs, err)
}

func findSecret(ctx context.Context, f *finder, in inputs) (string, error) {
	found, err := f.DescribeSecret(ctx, in.text("name"), "")
	if err != nil || found == nil || found.DeletedDate != nil {
		return "", err
	}
	return aws.ToString(found.ARN), nil
}

func findSecretVersion(ctx context.Context, f *finder, in inputs) (string, error) {
	arn := in.text("secretId")
	pages := secretsmanager.NewListSecretVersionIdsPaginator(f.Secrets,
		&secretsmanager.ListSecretVersionIdsInput{SecretId: &arn})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if awsreader.IsCode(err, "ResourceNotFoundException") {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		for _, version := range page.Versions {
			if slices.Contains(version.VersionStages, "AWSCURRENT") {
				return arn + "|" + aws.ToString(version.VersionId), nil
			}
		}
	}
	return "", nil
}

// findCertificate looks among the certificates of the domain for one with the stage's tags that the state does not
// have: AWS knows no names for them.
func findCertificate(ctx context.Context, f *finder, in inputs) (string, error) {
	pages := acm.NewListCertificatesPaginator(f.ACM, &acm.ListCertificatesInput{
		CertificateStatuses: []acmtypes.CertificateStatus{acmtypes.CertificateStatusPendingValidation,
			acmtypes.CertificateStatusIssued},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", err
		}
		for _, each := range page.CertificateSummaryList {
			arn := aws.ToString(each.CertificateArn)
			if aws.ToString(each.DomainName) != in.text("domainName") || f.holds("aws:acm/certificate:Certificate", arn) {
				continue
			}
			listed, err := f.ACM.ListTagsForCertificate(ctx, &acm.ListTagsForCertificateInput{CertificateArn: &arn})
			if err != nil {
				return "", err
			}
			tags := map[string]any{}
			for _, tag := range listed.Tags {
				tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
			}
			if sameOwner(in.tags(), tags) {
				return arn, nil
			}
		}
	}
	return "", nil
}

// findTaskDefinition looks at the newest revisions of the family. What does not carry the stage's tags, somebody has
// registered by hand.
func findTaskDefinition(ctx context.Context, f *finder, in inputs) (string, error) {
	const newest = 20
	family := in.text("family")
	listed, err := f.ECS.ListTaskDefinitions(ctx, &ecs.ListTaskDefinitionsInput{
		FamilyPrefix: &family, Sort: ecstypes.SortOrderDesc, MaxResults: aws.Int32(newest),
		Status: ecstypes.TaskDefinitionStatusActive,
	})
	if err != nil {
		return "", err
	}
	for _, arn := range listed.TaskDefinitionArns {
		described, err := f.ECS.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{
			TaskDefinition: &arn, Include: []ecstypes.TaskDefinitionField{ecstypes.TaskDefinitionFieldTags},
		})
		if err != nil {
			return "", err
		}
		tags := map[string]any{}
		for _, tag := range described.Tags {
			tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
		}
		if sameOwner(in.tags(), tags) {
			return arn, nil
		}
	}
	return "", nil
}

// ownerTags tell which project and which stage something belongs to.
var ownerTags = []string{"project", "stage"}

// sameOwner tells whether tags are of the project and the stage that wanted has.
func sameOwner(wanted, tags map[string]any) bool {
	for _, key := range ownerTags {
		if wanted[key] != tags[key] {
			return false
		}
	}
	return true
}
