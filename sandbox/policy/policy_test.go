package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

func TestAPolicyDecidesAsIAMDoes(t *testing.T) {
	t.Parallel()
	p, err := Parse([]byte(`{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": ["ecs:Describe*", "ecs:CreateService"],
			"Resource": "arn:aws:ecs:*:123456789012:service/shop-dev/*"},
		{"Effect": "Deny", "Action": "ecs:*", "Resource": "arn:aws:ecs:*:123456789012:service/shop-dev/secret"},
		{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*",
			"Condition": {"StringEquals": {"iam:PassedToService": ["ecs-tasks.amazonaws.com"]}}},
		{"Effect": "Allow", "Action": "route53:ChangeResourceRecordSets", "Resource": "*", "Condition":
			{"ForAllValues:StringLike": {"route53:ChangeResourceRecordSetsNormalizedRecordNames": ["*.example.com"]}}},
		{"Effect": "Allow", "Action": "ecs:ListTasks", "Resource": "*",
			"Condition": {"ArnEquals": {"ecs:cluster": "arn:aws:ecs:*:123456789012:cluster/shop-dev"}}}]}`))
	require.NoError(t, err)
	const noPolicy = "because no identity-based policy allows the "
	const services = "arn:aws:ecs:eu-west-1:123456789012:service/"
	for name, test := range map[string]struct {
		call   account.Call
		denied string
	}{
		"an allowed one":       {account.Call{Action: "ecs:CreateService", Resource: services + "shop-dev/web"}, ""},
		"a pattern of actions": {account.Call{Action: "ecs:DescribeServices", Resource: services + "shop-dev/web"}, ""},
		"in any case":          {account.Call{Action: "ecs:createService", Resource: services + "shop-dev/web"}, ""},
		"another cluster": {account.Call{Action: "ecs:CreateService", Resource: services + "shop/web"},
			noPolicy + "ecs:CreateService action"},
		"another action": {account.Call{Action: "ecs:DeleteService", Resource: services + "shop-dev/web"},
			noPolicy + "ecs:DeleteService action"},
		"a denied one": {account.Call{Action: "ecs:CreateService", Resource: services + "shop-dev/secret"},
			"with an explicit deny in an identity-based policy"},
		"a condition that holds": {passing("ecs-tasks.amazonaws.com"), ""},
		"one that does not":      {passing("ec2.amazonaws.com"), "perform: iam:PassRole"},
		"one without a value":    {account.Call{Action: "iam:PassRole", Resource: "*"}, "perform: iam:PassRole"},
		"all values": {account.Call{Action: "route53:ChangeResourceRecordSets", Resource: "*", Context: map[string][]string{
			"route53:ChangeResourceRecordSetsNormalizedRecordNames": {"a.example.com", "example.org"}}},
			"ChangeResourceRecordSets"},
		"an ARN": {account.Call{Action: "ecs:ListTasks", Resource: "*", Context: map[string][]string{
			"ecs:cluster": {"arn:aws:ecs:eu-west-1:123456789012:cluster/shop-dev"}}}, ""},
	} {
		err := p.decide(test.call)
		if test.denied == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorContains(t, err, test.denied, name)
		require.ErrorContains(t, err, "User:  is not authorized to perform: "+test.call.Action+" on resource: "+
			test.call.Resource, name)
	}
	for action, code := range map[string]string{"ecs:X": "AccessDeniedException", "iam:X": "AccessDenied",
		"ec2:X": "UnauthorizedOperation", "elasticloadbalancing:X": "AccessDenied"} {
		require.True(t, account.IsCode(p.decide(account.Call{Action: action, Resource: "r"}), code), action)
	}
}

func passing(service string) account.Call {
	return account.Call{Action: "iam:PassRole", Resource: "arn:aws:iam::123456789012:role/x",
		Context: map[string][]string{"iam:PassedToService": {service}}}
}

// What the sandbox does not know it would decide otherwise than AWS.
func TestAPolicyOfWhichSomethingIsNotKnownIsRefused(t *testing.T) {
	t.Parallel()
	const condition = `"*", "Condition": `
	const statement = `{"Statement": [{"Effect": "Allow", "Action": "a:b", "Resource": "*"}]}`
	_, err := Parse([]byte(statement))
	require.NoError(t, err)
	for wrong, says := range map[string]string{
		strings.Replace(statement, `"Action"`, `"NotAction"`, 1):                                           "NotAction",
		strings.Replace(statement, `"Allow"`, `"Perhaps"`, 1):                                              "Effect",
		strings.Replace(statement, `"*"`, condition+`{"NumericEquals": {"aws:MultiFactorAuthAge": 1}}`, 1): "",
		strings.Replace(statement, `"*"`, condition+`{"IpAddress": {"aws:SourceIp": "1.2.3.4"}}`, 1):       "IpAddress",
		`[]`: "cannot read the policy",
	} {
		_, err := Parse([]byte(wrong))
		require.ErrorContains(t, err, says, wrong)
	}
	p, err := Parse([]byte(strings.Replace(statement, `"*"`, condition+`{"StringEquals": {"aws:SourceVpc": "v"}}`, 1)))
	require.NoError(t, err)
	err = p.decide(account.Call{Action: "a:b", Resource: "r"})
	require.ErrorContains(t, err, "does not know the condition key aws:SourceVpc")
}

func TestAGuardNotesEachCallOnce(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "calls")
	guard, err := Guard("", file)
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, guard(account.Call{Action: "ecs:ListTasks", Resource: "*"}))
	}
	noted, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "ecs:ListTasks *\n", string(noted))
	_, err = Guard(file, "")
	require.ErrorContains(t, err, "cannot read the policy")
}
