package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/peer"

	"slipway/sandbox/account"
)

// settings are those of one provider: a stage has one, and a team's own resources may have another, of another region.
type settings struct {
	account     *account.Account // as who the provider is sees it
	region      string
	defaultTags values
}

// connection is what a call came by. The engine names no provider in the calls for resources, and has a connection for
// each.
func connection(ctx context.Context) string {
	if from, is := peer.FromContext(ctx); is {
		return from.Addr.String()
	}
	return ""
}

// settingsOf are those of the provider that a call is for.
func (s *server) settingsOf(ctx context.Context) *settings {
	if configured, is := s.settings.Load(connection(ctx)); is {
		return configured.(*settings)
	}
	return &settings{account: s.account, defaultTags: values{}}
}

// configKeys are the provider settings that the sandbox understands or may leave alone.
var configKeys = []string{"region", "allowedAccountIds", "forbiddenAccountIds", "defaultTags", "profile", "accessKey",
	"secretKey",
	"token", "assumeRole", "endpoints", "maxRetries", "retryMode", "sharedConfigFiles",
	"sharedCredentialsFiles",
	"skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation", "skipRequestingAccountId", "version"}

func (s *server) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	config := req.GetNews().AsMap()
	var failures []*pulumirpc.CheckFailure
	for _, key := range slices.Sorted(maps.Keys(config)) {
		if !slices.Contains(configKeys, key) && !strings.HasPrefix(key, "__") {
			failures = append(failures, &pulumirpc.CheckFailure{Reason: fmt.Sprintf(
				"could not validate provider configuration: Invalid or unknown key. Check `pulumi config get aws:%s`.", key)})
		}
	}
	return &pulumirpc.CheckResponse{Inputs: req.GetNews(), Failures: failures}, nil
}

// Configure refuses what the official provider refuses: no region, credentials that nobody has, a role that does not
// trust them, or an account that the stage does not allow.
func (s *server) Configure(ctx context.Context, req *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	config := plainValues(req.GetArgs().AsMap())
	caller, region, err := s.identify(ctx, config)
	if err != nil {
		return nil, err
	}
	if region == "" {
		return nil, fmt.Errorf("missing region information\n" +
			"Make sure you have set your AWS region, e.g. `pulumi config set aws:region us-west-2`.")
	}
	allowed, forbidden := textList(decoded(config["allowedAccountIds"])), textList(decoded(config["forbiddenAccountIds"]))
	in := s.account.As(caller)
	if len(allowed) > 0 && !slices.Contains(allowed, in.ID) || slices.Contains(forbidden, in.ID) {
		return nil, fmt.Errorf("AWS account ID not allowed: %s", in.ID)
	}
	configured := &settings{account: in, region: region, defaultTags: values{}}
	if defaults, ok := decoded(config["defaultTags"]).(values); ok {
		if tags, ok := defaults["tags"].(values); ok {
			configured.defaultTags = tags
		}
	}
	s.settings.Store(connection(ctx), configured)
	return &pulumirpc.ConfigureResponse{AcceptSecrets: true, SupportsPreview: true, AcceptResources: true}, nil
}

// decoded is a provider setting that is not a string, which the engine sends as JSON in a string.
func decoded(v any) any {
	var inner any
	if s, ok := v.(string); ok && json.Unmarshal([]byte(s), &inner) == nil {
		return inner
	}
	return v
}
