package api

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
	accountsts "slipway/sandbox/account/sts"
)

const other = "222222222222"

// signedWith are settings whose requests are signed with other keys.
func (s *stage) signedWith(key, token string) aws.Config {
	config := s.config.Copy()
	config.Credentials = credentials.NewStaticCredentialsProvider(key, "sandbox", token)
	return config
}

func (s *stage) callerOf(config aws.Config) (arn string, err error) {
	identity, err := sts.NewFromConfig(config).GetCallerIdentity(s.t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return *identity.Account + " " + *identity.Arn, nil
}

func TestKeysSayWhichAccountARequestReaches(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	assumed, err := sts.NewFromConfig(s.config).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + other + ":role/team/deploy"), RoleSessionName: aws.String("ci")})
	require.NoError(t, err)
	inSession := s.signedWith(*assumed.Credentials.AccessKeyId, *assumed.Credentials.SessionToken)
	for want, config := range map[string]aws.Config{
		"123456789012 arn:aws:iam::123456789012:user/sandbox":           s.config,
		"222222222222 arn:aws:iam::222222222222:user/sandbox":           s.signedWith(accountsts.PlainKey(other), ""),
		"222222222222 arn:aws:sts::222222222222:assumed-role/deploy/ci": inSession,
	} {
		caller, err := s.callerOf(config)
		require.NoError(t, err)
		require.Equal(t, want, caller)
	}

	clusters := func(config aws.Config) int {
		found, err := ecs.NewFromConfig(config).DescribeClusters(t.Context(),
			&ecs.DescribeClustersInput{Clusters: []string{"shop-dev"}})
		require.NoError(t, err)
		return len(found.Clusters)
	}
	require.Equal(t, []int{1, 0}, []int{clusters(s.config), clusters(inSession)}, "what one account has, no other sees")

	s.Account.SetClock(func() time.Time { return time.Now().Add(2 * time.Hour) })
	_, err = s.callerOf(inSession)
	require.ErrorContains(t, err, "ExpiredToken")
}

func TestAnotherAccountReadsARepositoryThatLetsIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	reads := ecr.NewFromConfig(s.signedWith(accountsts.PlainKey(other), ""))
	describe := func() error {
		_, err := reads.DescribeImages(t.Context(), &ecr.DescribeImagesInput{RegistryId: aws.String(account.DefaultID),
			RepositoryName: aws.String("web")})
		return err
	}
	require.ErrorContains(t, describe(), "AccessDeniedException: User: arn:aws:iam::"+other+":user/sandbox is not authorized "+
		"to perform: ecr:DescribeImages on resource: arn:aws:ecr:"+testRegion+":123456789012:repository/web because no "+
		"resource-based policy allows the ecr:DescribeImages action")
	owns := ecr.NewFromConfig(s.config)
	_, err := owns.GetRepositoryPolicy(t.Context(), &ecr.GetRepositoryPolicyInput{RepositoryName: aws.String("web")})
	require.ErrorContains(t, err, "RepositoryPolicyNotFoundException")
	policy := `{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:Describe*", "Condition": ` +
		`{"StringEquals": {"aws:PrincipalOrgID": "` + iam.OrganizationID + `"}}}]}`
	_, err = owns.SetRepositoryPolicy(t.Context(), &ecr.SetRepositoryPolicyInput{RepositoryName: aws.String("web"),
		PolicyText: &policy})
	require.NoError(t, err)
	found, err := owns.GetRepositoryPolicy(t.Context(), &ecr.GetRepositoryPolicyInput{RepositoryName: aws.String("web")})
	require.NoError(t, err)
	require.Equal(t, policy, *found.PolicyText)
	require.NoError(t, describe())
}

func TestKeysOfNobodyAreRefused(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, config := range []aws.Config{s.signedWith("AKIAIOSFODNN7EXAMPLE", ""),
		s.signedWith("ASIA"+other+"0000", "token"), s.signedWith(accountsts.PlainKey(other), "token")} {
		_, err := s.callerOf(config)
		require.ErrorContains(t, err, "InvalidClientTokenId: The security token included in the request is invalid.")
		_, err = ecs.NewFromConfig(config).ListTasks(t.Context(), &ecs.ListTasksInput{})
		require.ErrorContains(t, err, "UnrecognizedClientException")
	}
}

func TestARoleIsAssumedByThoseWhomItTrusts(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	const role = "arn:aws:iam::" + other + ":role/deploy"
	trusts := func(statement string) {
		require.NoError(t, s.Account.In(other).DeleteObject(iam.Role, "deploy", true))
		require.NoError(t, s.Account.In(other).CreateObject(iam.Role, "deploy", account.Object{"arn": role,
			"assumeRolePolicy": `{"Statement": [` + statement + `]}`}, nil))
	}
	assume := func(change func(*sts.AssumeRoleInput)) error {
		input := &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("ci")}
		if change != nil {
			change(input)
		}
		_, err := sts.NewFromConfig(s.config).AssumeRole(t.Context(), input)
		return err
	}
	const denied = "AccessDenied: User: arn:aws:iam::" + account.DefaultID + ":user/sandbox is not authorized to perform: " +
		"sts:AssumeRole on resource: " + role
	require.NoError(t, assume(nil), "a role that its account does not have")
	trusts(`{"Effect": "Allow", "Principal": {"AWS": "333333333333"}, "Action": "sts:AssumeRole"}`)
	require.ErrorContains(t, assume(nil), denied)
	trusts(`{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::` + account.DefaultID + `:root"}, "Action": "sts:AssumeRole",
		"Condition": {"StringEquals": {"sts:ExternalId": "shop"}}}`)
	require.ErrorContains(t, assume(nil), denied)
	require.NoError(t, assume(func(i *sts.AssumeRoleInput) { i.ExternalId = aws.String("shop") }))
	for refusal, change := range map[string]func(*sts.AssumeRoleInput){
		"ValidationError: arn:aws:iam::1:role/deploy is invalid": func(i *sts.AssumeRoleInput) {
			i.RoleArn = aws.String("arn:aws:iam::1:role/deploy")
		},
		"at 'roleSessionName' failed": func(i *sts.AssumeRoleInput) { i.RoleSessionName = aws.String("me and you") },
		"at 'durationSeconds' failed": func(i *sts.AssumeRoleInput) { i.DurationSeconds = aws.Int32(60) },
		"exceeds the MaxSessionDuration": func(i *sts.AssumeRoleInput) {
			i.DurationSeconds, i.ExternalId = aws.Int32(7200), aws.String("shop")
		},
		"no parameter Policy of": func(i *sts.AssumeRoleInput) { i.Policy = aws.String("{}") },
	} {
		require.ErrorContains(t, assume(change), refusal)
	}
}

func TestATokenIsWorthARoleThatTheAccountDoesNotHave(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	unsigned := s.config.Copy()
	unsigned.Credentials = aws.AnonymousCredentials{}
	assume := func(token string) (*sts.AssumeRoleWithWebIdentityOutput, error) {
		return sts.NewFromConfig(unsigned).AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
			RoleArn:         aws.String("arn:aws:iam::" + other + ":role/deploy"),
			RoleSessionName: aws.String("job"), WebIdentityToken: &token})
	}
	assumed, err := assume("eyJhbGciOi")
	require.NoError(t, err)
	caller, err := s.callerOf(s.signedWith(*assumed.Credentials.AccessKeyId, *assumed.Credentials.SessionToken))
	require.NoError(t, err)
	require.Equal(t, "222222222222 arn:aws:sts::222222222222:assumed-role/deploy/job", caller)

	require.NoError(t, s.In(other).CreateObject(iam.Role, "deploy", account.Object{"name": "deploy",
		"assumeRolePolicy": `{"Statement": []}`}, nil))
	_, err = assume("eyJhbGciOi")
	require.ErrorContains(t, err, "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity")
}
