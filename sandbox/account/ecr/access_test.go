package ecr

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

const (
	owner  = "111111111111"
	reader = "222222222222"
)

// Each policy is that of a repository of one account, and a session of another account's role pulls from it.
func TestARepositoryOfAnotherAccountTakesWhatItsPolicyAllows(t *testing.T) {
	t.Parallel()
	const pull = `"Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]`
	const denied = "AccessDeniedException: User: arn:aws:sts::222222222222:assumed-role/deploy/me is not authorized to " +
		"perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-central-1:111111111111:repository/web "
	const noPolicy = denied + "because no resource-based policy allows the ecr:BatchGetImage action"
	for sentence, c := range map[string]struct{ statements, refusal string }{
		"no policy":                  {"", noPolicy},
		"the account by its number":  {`{"Effect": "Allow", "Principal": {"AWS": "222222222222"}, ` + pull + `}`, ""},
		"the account by its root":    {`{"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::222222222222:root"]}, ` + pull + `}`, ""},
		"the role":                   {`{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:role/deploy"}, ` + pull + `}`, ""},
		"another role":               {`{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:role/other"}, ` + pull + `}`, noPolicy},
		"another account":            {`{"Effect": "Allow", "Principal": {"AWS": "333333333333"}, ` + pull + `}`, noPolicy},
		"a service":                  {`{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, ` + pull + `}`, noPolicy},
		"everybody":                  {`{"Effect": "Allow", "Principal": "*", ` + pull + `}`, ""},
		"everybody, another action":  {`{"Effect": "Allow", "Principal": "*", "Action": "ecr:PutImage"}`, noPolicy},
		"the accounts' organisation": {`{"Effect": "Allow", "Principal": "*", ` + pull + `, "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-sandbox12345"}}}`, ""},
		"another organisation":       {`{"Effect": "Allow", "Principal": "*", ` + pull + `, "Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-other"]}}}`, noPolicy},
		"a key that is not known":    {`{"Effect": "Allow", "Principal": "*", ` + pull + `, "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}`, noPolicy},
		"a condition that cannot be evaluated": {`{"Effect": "Allow", "Principal": "*", ` + pull +
			`, "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}`, "The sandbox does not evaluate the operator IpAddress"},
		"a denial beside it": {`{"Effect": "Allow", "Principal": "*", ` + pull + `}, {"Effect": "Deny", "Principal": {"AWS": "222222222222"}, ` +
			pull + `}`, denied + "with an explicit deny in a resource-based policy"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			a := repositoryIn(t, owner)
			if c.statements != "" {
				require.NoError(t, PutRepositoryPolicy(a, "web", policyOf(c.statements),
					account.Object{"policy": policyOf(c.statements)}))
			}
			caller := a.As(account.Session(reader, "deploy", "me"))
			err := Access(caller.In(owner), "web", PullActions...)
			if c.refusal == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.refusal)
			}
			require.NoError(t, Access(a, "web", PullActions...), "the account itself")
			require.ErrorContains(t, Access(caller.In(owner), "other", PullActions...),
				"because no resource-based policy allows the ecr:BatchGetImage action")
		})
	}
}

func TestPoliciesThatARepositoryDoesNotTake(t *testing.T) {
	t.Parallel()
	a := repositoryIn(t, owner)
	for _, policy := range []string{"", "{", policyOf(""), policyOf(`{"Effect": "Allow", "Action": "ecr:*"}`),
		policyOf(`{"Effect": "Allow", "Principal": "222222222222", "Action": "ecr:*"}`)} {
		require.ErrorContains(t, PutRepositoryPolicy(a, "web", policy, account.Object{}),
			"Invalid repository policy provided")
	}
	require.ErrorContains(t, PutRepositoryPolicy(a, "other", policyOf(""), account.Object{}),
		"does not exist in the registry")
}

func TestThePasswordOfATokenNamesItsHolder(t *testing.T) {
	t.Parallel()
	for _, caller := range []account.Caller{account.User(owner), account.Session(reader, "deploy", "me")} {
		holder, known := Holder(Password(caller))
		require.True(t, known)
		require.Equal(t, caller.ARN, holder.ARN)
	}
	for _, password := range []string{"", "hunter2", "-auth-token", "arn:aws:iam::1:user/x-auth-token"} {
		_, known := Holder(password)
		require.False(t, known, password)
	}
}

// repositoryIn is an account with a repository web.
func repositoryIn(t *testing.T, id string) *account.Account {
	a, err := account.Open(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, a.Close()) })
	a = a.As(account.User(id))
	require.NoError(t, a.CreateObject(Repository, "web", account.Object{"name": "web",
		"arn": account.ARN(id, "ecr", "eu-central-1", "repository/web")}, nil))
	return a
}

func policyOf(statements string) string {
	return strings.ReplaceAll(`{"Version": "2012-10-17", "Statement": [STATEMENTS]}`, "STATEMENTS", statements)
}
