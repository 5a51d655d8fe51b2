package components

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

// Account is where the stage lives, as the AWS provider sees it.
type Account struct {
	// ID is the 12 digits of the AWS account.
	ID string
	// Region is the provider's region, for instance ap-northeast-2.
	Region string
	// Partition is aws, aws-cn or aws-us-gov: the second part of every ARN.
	Partition string

	settings providerSettings
}

// LookupAccount asks the AWS provider which account and region it works in, so that every later
// check and every ARN follows the provider's own settings.
func LookupAccount(ctx *pulumi.Context) (*Account, error) {
	caller, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{})
	if err != nil {
		return nil, fmt.Errorf("asking AWS which account the credentials belong to; sign in (`aws sso login`), "+
			"or name others with aws:profile or the AWS_* variables: %w", err)
	}
	region, err := aws.GetRegion(ctx, &aws.GetRegionArgs{})
	if err != nil {
		return nil, fmt.Errorf("asking the AWS provider for its region: %w", err)
	}
	partition, err := aws.GetPartition(ctx, &aws.GetPartitionArgs{})
	if err != nil {
		return nil, fmt.Errorf("asking the AWS provider for its partition: %w", err)
	}
	settings, err := readProviderSettings(config.New(ctx, "aws"))
	if err != nil {
		return nil, err
	}
	settings.Region = region.Name
	return &Account{ID: caller.AccountId, Region: region.Name, Partition: partition.Partition, settings: settings}, nil
}

// ARN builds the name of a resource of this account and region.
func (a *Account) ARN(service, resource string) string {
	return fmt.Sprintf("arn:%s:%s:%s:%s:%s", a.Partition, service, a.Region, a.ID, resource)
}

// serviceARN is the ARN of an ECS service of this account and region.
func (a *Account) serviceARN(cluster, service string) string {
	return a.ARN("ecs", "service/"+cluster+"/"+service)
}

// providerSettings are the settings of the AWS provider that decide which account a call reaches.
// Reading a rollout must use them all: an answer from another account would be a lie.
type providerSettings struct {
	Region                 string
	Profile                string
	AccessKey              string
	SecretKey              string
	Token                  string
	SharedConfigFiles      []string
	SharedCredentialsFiles []string
	UseFIPSEndpoint        bool
	UseDualstackEndpoint   bool
	AssumeRole             *assumedRole
	AssumeWebIdentity      *webIdentity
	Endpoints              map[string]string
}

// roleSession is what aws:assumeRole and aws:assumeRoleWithWebIdentity have in common.
type roleSession struct {
	RoleArn     string   `json:"roleArn"`
	SessionName string   `json:"sessionName"`
	Duration    string   `json:"duration"`
	Policy      string   `json:"policy"`
	PolicyArns  []string `json:"policyArns"`
}

type assumedRole struct {
	roleSession
	ExternalID        string            `json:"externalId"`
	SourceIdentity    string            `json:"sourceIdentity"`
	Tags              map[string]string `json:"tags"`
	TransitiveTagKeys []string          `json:"transitiveTagKeys"`
}

type webIdentity struct {
	roleSession
	WebIdentityToken     string `json:"webIdentityToken"`
	WebIdentityTokenFile string `json:"webIdentityTokenFile"`
}

// readProviderSettings reads the aws:* keys of the stage that the provider reads too.
func readProviderSettings(aws *config.Config) (providerSettings, error) {
	settings := providerSettings{
		Profile:   aws.Get("profile"),
		AccessKey: aws.Get("accessKey"),
		SecretKey: aws.Get("secretKey"),
		Token:     aws.Get("token"),
	}
	var endpoints []map[string]string
	for key, into := range map[string]any{
		"sharedConfigFiles":         &settings.SharedConfigFiles,
		"sharedCredentialsFiles":    &settings.SharedCredentialsFiles,
		"useFipsEndpoint":           &settings.UseFIPSEndpoint,
		"useDualstackEndpoint":      &settings.UseDualstackEndpoint,
		"assumeRole":                &settings.AssumeRole,
		"assumeRoleWithWebIdentity": &settings.AssumeWebIdentity,
		"endpoints":                 &endpoints,
	} {
		raw := aws.Get(key)
		if raw == "" {
			continue
		}
		if err := json.Unmarshal([]byte(raw), into); err != nil {
			return settings, fmt.Errorf("aws:%s: cannot be read: write it as the AWS provider documents it", key)
		}
	}
	settings.Endpoints = map[string]string{}
	for _, endpoint := range endpoints {
		for service, url := range endpoint {
			settings.Endpoints[service] = url
		}
	}
	return settings, nil
}

// ecsClient returns an ECS client with the provider's settings, after making sure that its calls
// reach the provider's account.
func (a *Account) ecsClient(ctx context.Context) (*ecssdk.Client, error) {
	cfg, err := a.settings.load(ctx)
	if err != nil {
		return nil, fmt.Errorf("preparing to read the rollout from ECS: %w", err)
	}
	identity, err := a.settings.stsClient(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, fmt.Errorf("preparing to read the rollout from ECS: %w", err)
	}
	if got := awssdk.ToString(identity.Account); got != a.ID {
		return nil, fmt.Errorf("the credentials for reading the rollout belong to account %s, those of the AWS provider to %s: "+
			"give both the same, with aws:profile or the AWS_* variables", got, a.ID)
	}
	return ecssdk.NewFromConfig(cfg, func(o *ecssdk.Options) {
		if url := a.settings.Endpoints["ecs"]; url != "" {
			o.BaseEndpoint = &url
		}
	}), nil
}

func (s providerSettings) load(ctx context.Context) (awssdk.Config, error) {
	options := []func(*awsconfig.LoadOptions) error{
		awsconfig.WithRegion(s.Region),
		// A rollout is read for minutes, by each service of the stage: give way when AWS asks for it.
		awsconfig.WithRetryMode(awssdk.RetryModeAdaptive),
		awsconfig.WithRetryMaxAttempts(10),
	}
	if s.Profile != "" {
		options = append(options, awsconfig.WithSharedConfigProfile(s.Profile))
	}
	if s.AccessKey != "" {
		options = append(options, awsconfig.WithCredentialsProvider(
			credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, s.Token)))
	}
	if len(s.SharedConfigFiles) > 0 {
		options = append(options, awsconfig.WithSharedConfigFiles(s.SharedConfigFiles))
	}
	if len(s.SharedCredentialsFiles) > 0 {
		options = append(options, awsconfig.WithSharedCredentialsFiles(s.SharedCredentialsFiles))
	}
	if s.UseFIPSEndpoint {
		options = append(options, awsconfig.WithUseFIPSEndpoint(awssdk.FIPSEndpointStateEnabled))
	}
	if s.UseDualstackEndpoint {
		options = append(options, awsconfig.WithUseDualStackEndpoint(awssdk.DualStackEndpointStateEnabled))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return cfg, err
	}
	if role := s.AssumeWebIdentity; role != nil {
		duration, err := parseDuration("aws:assumeRoleWithWebIdentity", role.Duration)
		if err != nil {
			return cfg, err
		}
		cfg.Credentials = awssdk.NewCredentialsCache(stscreds.NewWebIdentityRoleProvider(s.stsClient(cfg), role.RoleArn, role,
			func(o *stscreds.WebIdentityRoleOptions) {
				o.RoleSessionName = role.SessionName
				o.Duration = duration
				o.Policy = nonEmpty(role.Policy)
				o.PolicyARNs = role.policies()
			}))
	}
	if role := s.AssumeRole; role != nil {
		duration, err := parseDuration("aws:assumeRole", role.Duration)
		if err != nil {
			return cfg, err
		}
		cfg.Credentials = awssdk.NewCredentialsCache(stscreds.NewAssumeRoleProvider(s.stsClient(cfg), role.RoleArn,
			func(o *stscreds.AssumeRoleOptions) {
				o.RoleSessionName = role.SessionName
				o.Duration = duration
				o.Policy = nonEmpty(role.Policy)
				o.PolicyARNs = role.policies()
				o.ExternalID = nonEmpty(role.ExternalID)
				o.SourceIdentity = nonEmpty(role.SourceIdentity)
				for _, key := range sortedKeys(role.Tags) {
					o.Tags = append(o.Tags, ststypes.Tag{Key: &key, Value: awssdk.String(role.Tags[key])})
				}
				o.TransitiveTagKeys = role.TransitiveTagKeys
			}))
	}
	return cfg, nil
}

func (s providerSettings) stsClient(cfg awssdk.Config) *sts.Client {
	return sts.NewFromConfig(cfg, func(o *sts.Options) {
		if url := s.Endpoints["sts"]; url != "" {
			o.BaseEndpoint = &url
		}
	})
}

func (r roleSession) policies() []ststypes.PolicyDescriptorType {
	var policies []ststypes.PolicyDescriptorType
	for _, arn := range r.PolicyArns {
		policies = append(policies, ststypes.PolicyDescriptorType{Arn: &arn})
	}
	return policies
}

// GetIdentityToken makes a webIdentity the source of its own token, from the configuration or from a file.
func (w *webIdentity) GetIdentityToken() ([]byte, error) {
	if w.WebIdentityToken != "" {
		return []byte(w.WebIdentityToken), nil
	}
	return os.ReadFile(w.WebIdentityTokenFile)
}

// parseDuration reads the duration of a key as the provider does; none means STS's own default.
func parseDuration(key, text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	duration, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%s.duration: %q is not a duration: write one such as 1h", key, text)
	}
	return duration, nil
}

func nonEmpty(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
