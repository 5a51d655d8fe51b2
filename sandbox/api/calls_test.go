package api

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

// Each operation that the APIs have is one action, on something of AWS's that can be named.
func TestTheActionOfEveryOperationIsKnown(t *testing.T) {
	t.Parallel()
	a, err := account.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	var asked []account.Call
	a.SetGuard(func(call account.Call) error {
		asked = append(asked, call)
		return nil
	})
	body := json.RawMessage(`{"repositoryName": "web", "cluster": "shop-dev", "clusters": ["shop-dev"], "tasks": ["1"],
		"services": ["web"], "service": "web", "task": "1", "logGroupName": "/shop/dev/web", "Names": ["a"],
		"SecretId": "s", "CertificateArn": "arn:aws:acm:eu-west-1:123456789012:certificate/1"}`)
	seen := 0
	for operation := range operations {
		service, action, _ := strings.Cut(operation, ".")
		if action == "RunTask" { // asks what its task definition has
			continue
		}
		asked = nil
		require.NoError(t, authorize(a, "eu-west-1", service, action, body), operation)
		require.Len(t, asked, 1, operation)
		require.Equal(t, servicePrefixes[service]+":"+action, asked[0].Action)
		seen++
	}
	for service, actions := range queries {
		for action := range actions {
			asked = nil
			require.NoError(t, authorizeForm(a, "eu-west-1", service, url.Values{"Action": {action}, "RoleName": {"web"},
				"QueueName": {"lost"}}), action)
			if service != "sts" {
				require.Len(t, asked, 1, action)
				require.Equal(t, service+":"+action, asked[0].Action)
			}
			seen++
		}
	}
	require.Greater(t, seen, 40)
	require.Error(t, authorize(a, "eu-west-1", "AmazonUnknown", "DescribeAnything", body))
}
