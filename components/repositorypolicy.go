package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/internal/awslimits"
	"slipway/internal/policies"
)

// readActions are what pulling an image takes, and looking it up before
// (https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policy-examples.html).
var readActions = []string{"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages",
	"ecr:GetDownloadUrlForLayer"}

// newRepositoryPolicy lets the stage's readers pull from a repository. Who of an account may, that account says itself.
func newRepositoryPolicy(ctx *pulumi.Context, name string, repository *ecr.Repository, account *stageAccount,
	readers []string, parent pulumi.ResourceOption) error {
	var statements []statement
	for _, reader := range readers {
		one := statement{Effect: "Allow", Action: readActions}
		if awslimits.OrganizationID.MatchString(reader) {
			one.Principal = map[string]string{"AWS": "*"}
			one.Condition = map[string]map[string][]string{"StringEquals": {"aws:PrincipalOrgID": {reader}}}
		} else {
			one.Principal = map[string]string{"AWS": "arn:" + account.Partition + ":iam::" + reader + ":root"}
		}
		statements = append(statements, one)
	}
	text, err := policies.Text(statements...)
	if err != nil {
		return err
	}
	_, err = ecr.NewRepositoryPolicy(ctx, name, &ecr.RepositoryPolicyArgs{
		Repository: repository.Name, Policy: pulumi.String(text),
	}, parent)
	return err
}
