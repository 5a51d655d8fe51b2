// Package awsclient makes the AWS SDK reach what the stage's AWS provider reaches: the same account, region and
// endpoints.
package awsclient

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
)

// Settings are the settings of the AWS provider that decide which account a call reaches. A call of the AWS SDK must
// use them all: an answer from another account would be a lie.
type Settings struct {
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

	attemptLimit time.Duration // zero for AttemptLimit
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

// ReadSettings reads the aws:* keys of the stage that the provider reads too. get returns the text or JSON of one,
// named without its namespace, empty for none.
func ReadSettings(get func(key string) string) (Settings, error) {
	settings := Settings{
		Region:    get("region"),
		Profile:   get("profile"),
		AccessKey: get("accessKey"),
		SecretKey: get("secretKey"),
		Token:     get("token"),
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
		raw := get(key)
		if raw == "" {
			continue
		}
		if err := json.Unmarshal([]byte(raw), into); err != nil {
			return settings, fmt.Errorf("aws:%s: cannot be read: write it as the AWS provider documents it", key)
		}
	}
	settings.Endpoints = map[string]string{}
	for _, endpoint := range endpoints {
		maps.Copy(settings.Endpoints, endpoint)
	}
	return settings, nil
}

// Load prepares the AWS SDK. An empty region is the environment's or the profile's own.
func (s Settings) Load(ctx context.Context) (awssdk.Config, error) {
	options := []func(*awsconfig.LoadOptions) error{
		awsconfig.WithRetryer(newRetryer),
		awsconfig.WithLogger(logging.Nop{}), // whatever matters is in an error
		// Those that ask for credentials, too.
		awsconfig.WithHTTPClient(awshttp.NewBuildableClient().WithTimeout(cmp.Or(s.attemptLimit, AttemptLimit))),
		awsconfig.WithAPIOptions([]func(*middleware.Stack) error{limitCall}),
	}
	if s.Region != "" {
		options = append(options, awsconfig.WithRegion(s.Region))
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
				for _, key := range slices.Sorted(maps.Keys(role.Tags)) {
					o.Tags = append(o.Tags, ststypes.Tag{Key: &key, Value: awssdk.String(role.Tags[key])})
				}
				o.TransitiveTagKeys = role.TransitiveTagKeys
			}))
	}
	return cfg, nil
}

// newRetryer is that of one client. A rollout is read for minutes, by each service of the stage: it gives way when AWS
// asks for it.
func newRetryer() awssdk.Retryer {
	return retry.NewAdaptiveMode(func(o *retry.AdaptiveModeOptions) {
		o.StandardOptions = append(o.StandardOptions, func(o *retry.StandardOptions) {
			o.MaxAttempts = 10
			o.Retryables = append(o.Retryables, retry.IsErrorRetryableFunc(unreadable))
		})
	})
}

// limitCall gives each call CallLimit.
func limitCall(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("CallLimit", func(
		ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
	) (middleware.InitializeOutput, middleware.Metadata, error) {
		ctx, cancel := context.WithTimeout(ctx, CallLimit)
		defer cancel()
		return next.HandleInitialize(ctx, in)
	}), middleware.Before)
}

// unreadable has an answer read again that was cut off, or is no answer of AWS. Whatever this project calls may be sent
// twice.
func unreadable(err error) awssdk.Ternary {
	if errors.As(err, new(*smithy.DeserializationError)) {
		return awssdk.TrueTernary
	}
	return awssdk.UnknownTernary
}

// Account asks which account the calls of cfg reach.
func (s Settings) Account(ctx context.Context, cfg awssdk.Config) (string, error) {
	client := s.stsClient(cfg)
	for attempt := 1; ; attempt++ {
		identity, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return "", err
		}
		// What is not STS's answer, the SDK reads as one that says nothing.
		if account := awssdk.ToString(identity.Account); account != "" {
			return account, nil
		}
		if attempt == accountAttempts {
			return "", errors.New("operation error STS: GetCallerIdentity: the answer names no account, as one that was cut " +
				"off or is a proxy's")
		}
	}
}

// accountAttempts is how often the account is asked for that no answer names.
const accountAttempts = 3

// Endpoint is where the provider's settings say that a service is; otherwise where the SDK's own say.
func (s Settings) Endpoint(service string, otherwise *string) *string {
	if url := s.Endpoints[service]; url != "" {
		return &url
	}
	return otherwise
}

func (s Settings) stsClient(cfg awssdk.Config) *sts.Client {
	return sts.NewFromConfig(cfg, func(o *sts.Options) {
		o.BaseEndpoint = s.Endpoint("sts", o.BaseEndpoint)
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
