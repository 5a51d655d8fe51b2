package recovery

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	secretstypes "github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	discoverytypes "github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/internal/awsclient"
	"slipway/internal/awslimits"
)

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

func findSecret(ctx context.Context, f *finder, in inputs) (string, error) {
	found, err := f.DescribeSecret(ctx, in.text("name"), "")
	if err != nil || found == nil || found.DeletedDate != nil {
		return "", err
	}
	return aws.ToString(found.ARN), nil
}

// findNamespace looks for one of the stage's own: another of its name belongs to others.
func findNamespace(ctx context.Context, f *finder, in inputs) (string, error) {
	named, err := awsclient.All(ctx, servicediscovery.NewListNamespacesPaginator(f.Discovery,
		&servicediscovery.ListNamespacesInput{Filters: []discoverytypes.NamespaceFilter{{
			Name: discoverytypes.NamespaceFilterNameType, Values: []string{string(discoverytypes.NamespaceTypeHttp)}}}}),
		func(page *servicediscovery.ListNamespacesOutput) (found []discoverytypes.NamespaceSummary) {
			return slices.DeleteFunc(page.Namespaces, func(each discoverytypes.NamespaceSummary) bool {
				return aws.ToString(each.Name) != in.text("name")
			})
		})
	if err != nil {
		return "", err
	}
	for _, namespace := range named {
		answer, err := f.Discovery.ListTagsForResource(ctx,
			&servicediscovery.ListTagsForResourceInput{ResourceARN: namespace.Arn})
		if err != nil {
			return "", err
		}
		tags := tagsOf(answer.Tags, func(tag discoverytypes.Tag) (key, value *string) { return tag.Key, tag.Value })
		if sameOwner(in.tags(), tags) {
			return aws.ToString(namespace.Id), nil
		}
	}
	return "", nil
}

func findSecretVersion(ctx context.Context, f *finder, in inputs) (string, error) {
	arn := in.text("secretId")
	current, err := awsclient.All(ctx, secretsmanager.NewListSecretVersionIdsPaginator(f.Secrets,
		&secretsmanager.ListSecretVersionIdsInput{SecretId: &arn}),
		func(page *secretsmanager.ListSecretVersionIdsOutput) (ids []string) {
			for _, version := range page.Versions {
				if slices.Contains(version.VersionStages, "AWSCURRENT") {
					ids = append(ids, arn+"|"+aws.ToString(version.VersionId))
				}
			}
			return ids
		})
	return firstOf(current, err, "ResourceNotFoundException")
}

// findCertificate looks among the certificates of the domain for one with the stage's tags that the state does not
// have: AWS knows no names for them.
func findCertificate(ctx context.Context, f *finder, in inputs) (string, error) {
	listed, err := awsclient.All(ctx, acm.NewListCertificatesPaginator(f.ACM, &acm.ListCertificatesInput{
		CertificateStatuses: []acmtypes.CertificateStatus{acmtypes.CertificateStatusPendingValidation,
			acmtypes.CertificateStatusIssued},
	}), func(page *acm.ListCertificatesOutput) []acmtypes.CertificateSummary {
		return page.CertificateSummaryList
	})
	if err != nil {
		return "", err
	}
	for _, each := range listed {
		arn := aws.ToString(each.CertificateArn)
		if aws.ToString(each.DomainName) != in.text("domainName") || f.holds("aws:acm/certificate:Certificate", arn) {
			continue
		}
		found, err := f.ACM.ListTagsForCertificate(ctx, &acm.ListTagsForCertificateInput{CertificateArn: &arn})
		if err != nil {
			return "", err
		}
		tags := tagsOf(found.Tags, func(tag acmtypes.Tag) (key, value *string) { return tag.Key, tag.Value })
		if sameOwner(in.tags(), tags) {
			return arn, nil
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
		tags := tagsOf(described.Tags, func(tag ecstypes.Tag) (key, value *string) { return tag.Key, tag.Value })
		if sameOwner(in.tags(), tags) {
			return arn, nil
		}
	}
	return "", nil
}

func listSecrets(ctx context.Context, f *finder, _ inputs, prefix string) ([]candidate, error) {
	return awsclient.All(ctx, secretsmanager.NewListSecretsPaginator(f.Secrets, &secretsmanager.ListSecretsInput{
		Filters: []secretstypes.Filter{{Key: secretstypes.FilterNameStringTypeName, Values: []string{prefix}}},
	}), func(page *secretsmanager.ListSecretsOutput) (found []candidate) {
		for _, each := range page.SecretList {
			tags := tagsOf(each.Tags, func(tag secretstypes.Tag) (key, value *string) { return tag.Key, tag.Value })
			found = append(found, candidate{aws.ToString(each.ARN), aws.ToString(each.Name), tags})
		}
		return found
	})
}

// tagsOf are tags as a state has them.
func tagsOf[Tag any](list []Tag, of func(Tag) (key, value *string)) map[string]any {
	tags := map[string]any{}
	for _, tag := range list {
		key, value := of(tag)
		tags[aws.ToString(key)] = aws.ToString(value)
	}
	return tags
}

// ownerTags tell which project and which stage something belongs to.
var ownerTags = []string{"project", "stage"}

// sameOwner tells whether tags are of the project and the stage that wanted has.
func sameOwner(wanted, tags map[string]any) bool {
	return !slices.ContainsFunc(ownerTags, func(key string) bool { return wanted[key] != tags[key] })
}
