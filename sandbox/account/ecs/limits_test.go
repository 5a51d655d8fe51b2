package ecs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/dns"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/logs"
	"slipway/sandbox/account/scaling"
	"slipway/sandbox/account/secrets"
	"slipway/sandbox/account/vpc"
)

func TestIAMRefusesWhatIsBeyondItsQuotas(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	role := func(name string) error { return s.CreateObject(iam.Role, name, account.Object{"name": name}, nil) }
	inline := func(name string, size int) error {
		return s.CreateObject(iam.RolePolicy, "web:"+name, account.Object{"name": name, "role": "web",
			"policy": strings.Repeat("x ", size)}, nil)
	}
	require.NoError(t, role("web"))
	require.ErrorContains(t, role("Web"), "EntityAlreadyExists: Role with name Web already exists.")
	require.ErrorContains(t, role(strings.Repeat("x", 65)), "length less than or equal to 64")
	require.NoError(t, inline("old", 5120))
	require.NoError(t, inline("new", 5120), "white space does not count")
	require.ErrorContains(t, inline("more", 1), "LimitExceeded: Maximum policy size of 10240 bytes exceeded for role web")

	for i := range 11 {
		arn := fmt.Sprintf("arn:aws:iam::%s:policy/p%d", account.DefaultID, i)
		require.NoError(t, s.CreateObject(iam.Policy, arn, account.Object{"arn": arn, "name": fmt.Sprint("p", i),
			"policy": "{}"}, nil))
		err := s.CreateObject(iam.RolePolicyAttachment, "web-"+arn, account.Object{"role": "web", "policyArn": arn}, nil)
		if i < 10 {
			require.NoError(t, err)
			require.ErrorContains(t, s.DeleteObject(iam.Policy, arn, false), "DeleteConflict")
		} else {
			require.ErrorContains(t, err, "LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10")
		}
	}
	require.ErrorContains(t, s.CreateObject(iam.Policy, "p", account.Object{"policy": strings.Repeat("x", 6145)}, nil),
		"Cannot exceed quota for PolicySize: 6144")
}

// AWS refuses these whatever else the account has.
func TestWhatIsCalledAsAWSDoesNotTakeIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	require.NoError(t, s.CreateObject(iam.Role, "web", account.Object{"name": "web"}, nil))
	tags := func(key, value string) account.Object {
		return account.Object{"name": "x", "tagsAll": map[string]any{key: value}}
	}
	many := map[string]any{}
	for i := range 51 {
		many[fmt.Sprint("tag", i)] = "x"
	}
	policy := func(statement string) account.Object {
		return account.Object{"name": "p", "role": "web", "policy": `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", ` +
			statement + `}]}`}
	}
	label := strings.Repeat("a", 64)
	for name, test := range map[string]struct {
		kind string
		o    account.Object
		says string
	}{
		"51 tags":      {logs.LogGroup, account.Object{"name": "x", "tagsAll": many}, "TooManyTagsException"},
		"a long key":   {logs.LogGroup, tags(strings.Repeat("k", 129), ""), "InvalidTagParameterException"},
		"a long value": {logs.LogGroup, tags("k", strings.Repeat("v", 257)), "InvalidTagParameterException"},
		"a key of AWS": {logs.LogGroup, tags("AWS:x", ""), "aws: prefixed"},
		"an odd value": {logs.LogGroup, tags("k", "a&b"), "InvalidTagParameterException"},
		"keys in two cases": {iam.Role, account.Object{"name": "x", "tagsAll": map[string]any{"team": "", "Team": ""}},
			"Tag keys are case insensitive"},
		"a repository": {ecr.Repository, account.Object{"name": "Web"}, "InvalidParameterException"},
		"a long repository": {ecr.Repository, account.Object{"name": strings.Repeat("a", 257)},
			"InvalidParameterException"},
		"a log group": {logs.LogGroup, account.Object{"name": "a b"}, "InvalidParameterException"},
		"a cluster":   {Cluster, account.Object{"name": "a b"}, "InvalidParameterException"},
		"a security group": {vpc.SecurityGroup, account.Object{"name": "가", "vpcId": vpc.DefaultVPC},
			"InvalidParameterValue"},
		"a role's path": {iam.Role, account.Object{"name": "x", "path": "/a"}, "ValidationError"},
		"a long path": {iam.Role, account.Object{"name": "x", "path": "/" + strings.Repeat("a", 511) + "/"},
			"ValidationError"},
		"a policy's path": {iam.Policy, account.Object{"name": "x", "path": "/a!/", "policy": "{}"}, "ValidationError"},
		"a policy's text": {iam.RolePolicy, policy(`"Action": "s3:*", "Resource": "arn:aws:s3:::가"`), "Latin-1"},
		"no action":       {iam.RolePolicy, policy(`"Action": [], "Resource": "*"`), "must contain actions"},
		"no resource":     {iam.RolePolicy, policy(`"Action": "s3:*"`), "must contain resources"},
		"no service":      {iam.RolePolicy, policy(`"Action": "Get", "Resource": "*"`), "prefaced by a vendor"},
		"no ARN":          {iam.RolePolicy, policy(`"Action": "s3:*", "Resource": "x"`), "must be in ARN format"},
		"another partition": {iam.RolePolicy, policy(`"Action": "s3:*", "Resource": "arn:aws-cn:s3:::x"`),
			`Partition "aws-cn" is not valid`},
		"no " +
			"operator": {iam.RolePolicy,
			policy(`"Action": "s3:*", "Resource": "*", "Condition": {"Equals": {"aws:x": "y"}}`),
			"Invalid Condition type : Equals"},
		"codes": {elb.TargetGroup, account.Object{"vpcId": vpc.DefaultVPC,
			"healthCheck": map[string]any{"matcher": "500"}},
			"must be within '200-499'"},
		"a health check path": {elb.TargetGroup, account.Object{"vpcId": vpc.DefaultVPC,
			"healthCheck": map[string]any{"path": "x"}},
			"must begin with a '/'"},
		"a record": {dns.Record, account.Object{"zoneId": dns.HostedZone, "fqdn": label +
			".example.com"}, "label is too long"},
		"a certificate": {dns.Certificate, account.Object{"domainName": label + ".example.com"},
			"no longer than 64 characters"},
		"a certificate's name": {dns.Certificate, account.Object{"domainName": "-a.example.com"},
			"failed to satisfy constraint"},
	} {
		require.ErrorContains(t, s.CreateObject(test.kind, "x", test.o, nil), test.says, name)
	}
	decided := func(func(int) string) account.Object { return nil }
	require.ErrorContains(t, s.PutObject(scaling.MetricAlarm, "x", account.Object{"name": strings.Repeat("a", 256)},
		decided),
		"less than or equal to 255")
	_, err := secrets.CreateSecret(s.Account, "ap-northeast-2", account.Object{"name": "a b"})
	require.ErrorContains(t, err, "failed to satisfy constraint")
}
