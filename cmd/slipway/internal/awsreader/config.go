package awsreader

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/awsclient"
	"slipway/internal/pulumiconfig"
)

// configure prepares calls to AWS with the settings that the stage's own provider has, in an account that the stage may
// use.
func configure(ctx context.Context, stack string, config map[string]string) (cfg aws.Config,
	settings awsclient.Settings, account string, err error) {
	settings, err = awsclient.ReadSettings(func(key string) string { return config["aws:"+key] })
	if err != nil {
		return cfg, settings, "", err
	}
	file := pulumiconfig.FileName(stagefile.StageName(stack))
	cfg, err = settings.Load(ctx)
	if err == nil && cfg.Region == "" {
		return cfg, settings, "", fmt.Errorf("aws:region (%s): is missing; write the region of the stage, or set AWS_REGION",
			file)
	}
	if err == nil {
		account, err = settings.Account(ctx, cfg)
	}
	if err != nil {
		return cfg, settings, "", settings.Explain(err, file)
	}
	var allowed []string
	if text := config["aws:allowedAccountIds"]; text != "" {
		if err := json.Unmarshal([]byte(text), &allowed); err != nil {
			return cfg, settings, "", fmt.Errorf("aws:allowedAccountIds (%s): must be a list of account numbers in quotes", file)
		}
		if !slices.Contains(allowed, account) {
			return cfg, settings, "",
				fmt.Errorf("aws:allowedAccountIds (%s): %s, and %s may only use %s; use credentials of that account, or "+
					"correct the list", file, settings.WrongAccount(account, file), stack, strings.Join(allowed, ", "))
		}
	}
	return cfg, settings, account, nil
}
