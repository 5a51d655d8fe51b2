package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"slipway/stage"
)

// describeSecret describes a secret by its ARN or its name, in a region or, where that is empty, in the stage's own;
// nil where Secrets Manager has none.
func (c *cloud) describeSecret(ctx context.Context, id, region string) (*secretsmanager.DescribeSecretOutput, error) {
	found, err := c.secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id},
		func(o *secretsmanager.Options) { o.Region = cmp.Or(region, o.Region) })
	if isCode(err, "ResourceNotFoundException") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the secret %s from Secrets Manager: %w", id, err)
	}
	return found, nil
}

// secretGone says why a task could not be given the value that a reference to Secrets Manager names; empty where it
// could. Parameters of Systems Manager have no versions to look for.
func (c *cloud) secretGone(ctx context.Context, reference string) (string, error) {
	kept, known := stage.ParseSecretReference(reference)
	if !known || kept.Parameter {
		return "", nil
	}
	arn := kept.ARN
	there := func(o *secretsmanager.Options) { o.Region = kept.Region }
	described, err := c.describeSecret(ctx, arn, kept.Region)
	if err != nil {
		return "", err
	}
	if described == nil {
		return "the secret is gone: create it again, or go back to another update", nil
	}
	if described.DeletedDate != nil {
		return "the secret is to be deleted: `aws secretsmanager restore-secret --secret-id " + arn + "` keeps it", nil
	}
	if kept.Version == "" {
		return "", nil
	}
	pages := secretsmanager.NewListSecretVersionIdsPaginator(c.secrets, &secretsmanager.ListSecretVersionIdsInput{
		SecretId: &arn, IncludeDeprecated: aws.Bool(true),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, there)
		if err != nil {
			return "", fmt.Errorf("reading the versions of the secret %s: %w", arn, err)
		}
		for _, version := range page.Versions {
			if aws.ToString(version.VersionId) == kept.Version {
				return "", nil
			}
		}
	}
	return "AWS no longer has that version of it: without --pin the value in the stage file is used", nil
}
