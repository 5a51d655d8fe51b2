package awsreader

import (
	"cmp"
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// DescribeSecret describes a secret by its ARN or its name, in a region or, where that is empty, in the stage's own;
// nil where Secrets Manager has none.
func (c *Client) DescribeSecret(ctx context.Context, id, region string) (*secretsmanager.DescribeSecretOutput, error) {
	found, err := c.Secrets.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id},
		func(o *secretsmanager.Options) { o.Region = cmp.Or(region, o.Region) })
	if IsCode(err, "ResourceNotFoundException") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the secret %s from Secrets Manager: %w", id, err)
	}
	return found, nil
}
