package aws

import (
	"context"
	"fmt"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"slipway/sandbox/account"
)

// Identify tells who the provider is by the settings that it was given, and its region.
type Identify func(ctx context.Context, settings map[string]any) (caller account.Caller, region string, err error)

// OwnUser is for a provider that is the account's own user, whatever its settings say of credentials.
func OwnUser(a *account.Account) Identify {
	return func(_ context.Context, settings map[string]any) (account.Caller, string, error) {
		return a.Caller, text(settings, "region"), nil
	}
}

// AskSTS finds it out as the official provider does: by the settings, or else by the variables and files of the AWS
// SDK, which it asks STS with. No region is no error here.
func AskSTS(ctx context.Context, settings map[string]any) (caller account.Caller, region string, err error) {
	var options []func(*config.LoadOptions) error
	if given := text(settings, "region"); given != "" {
		options = append(options, config.WithRegion(given))
	}
	if given := text(settings, "profile"); given != "" {
		options = append(options, config.WithSharedConfigProfile(given))
	}
	if key := text(settings, "accessKey"); key != "" {
		options = append(options, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(key,
			text(settings, "secretKey"), text(settings, "token"))))
	}
	if files := textList(decoded(settings["sharedConfigFiles"])); len(files) > 0 {
		options = append(options, config.WithSharedConfigFiles(files))
	}
	if files := textList(decoded(settings["sharedCredentialsFiles"])); len(files) > 0 {
		options = append(options, config.WithSharedCredentialsFiles(files))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return caller, "", fmt.Errorf("loading configuration: %w", err)
	}
	if cfg.Region == "" {
		return caller, "", nil
	}
	if role, given := decoded(settings["assumeRole"]).(values); given {
		cfg.Credentials = awssdk.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg),
			text(role, "roleArn"), func(o *stscreds.AssumeRoleOptions) {
				o.RoleSessionName = text(role, "sessionName")
				if id := text(role, "externalId"); id != "" {
					o.ExternalID = &id
				}
			}))
		if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
			return caller, "", fmt.Errorf("Cannot assume IAM Role. IAM Role (%s) cannot be assumed.\n\n"+
				"There are a number of possible causes of this - the most common are:\n"+
				"  * The credentials used in order to assume the role are invalid\n"+
				"  * The credentials do not have appropriate permission to assume the role\n"+
				"  * The role ARN is not valid\n\nError: %w", text(role, "roleArn"), err)
		}
	}
	identity, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return caller, "", fmt.Errorf("validating provider credentials: retrieving caller identity from STS: %w", err)
	}
	return account.Caller{ARN: awssdk.ToString(identity.Arn), ID: awssdk.ToString(identity.UserId)}, cfg.Region, nil
}
