package api

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/secrets"
	accountsts "slipway/sandbox/account/sts"
)

func TestATaskMayDoWhatItsRoleMay(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	arns := map[string]string{}
	for _, name := range []string{"own", "other"} {
		arn, err := secrets.CreateSecret(s.Account, "eu-central-1", account.Object{"name": name})
		require.NoError(t, err)
		_, err = secrets.PutSecretValue(s.Account, arn, "value of "+name, "")
		require.NoError(t, err)
		arns[name] = arn
	}
	const boundary = "arn:aws:iam::123456789012:policy/boundary"
	require.NoError(t, s.CreateObject(iam.Policy, boundary, account.Object{"arn": boundary, "name": "boundary",
		"policy": `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`}, nil))
	require.NoError(t, s.CreateObject(iam.Role, "task", account.Object{"name": "task", "permissionsBoundary": boundary,
		"assumeRolePolicy": `{"Principal":{"Service":"ecs-tasks.amazonaws.com"}}`}, nil))
	require.NoError(t, s.CreateObject(iam.RolePolicy, "task:own", account.Object{"role": "task",
		"policy": `{"Statement": [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "` +
			arns["own"] + `"}]}`}, nil))
	// What the command that runs the account may do is another matter.
	s.SetGuard(func(account.Call) error { return errors.New("the command may do nothing") })

	made, err := accountsts.TaskSession(s.Account, "task", "1a2b")
	require.NoError(t, err)
	config := s.signedWith(made.AccessKeyID, made.SessionToken)
	caller, err := s.callerOf(config)
	require.NoError(t, err)
	require.Equal(t, "123456789012 arn:aws:sts::123456789012:assumed-role/task/1a2b", caller)
	read := func(name string) (string, error) {
		value, err := secretsmanager.NewFromConfig(config).GetSecretValue(t.Context(),
			&secretsmanager.GetSecretValueInput{SecretId: aws.String(arns[name])})
		if err != nil {
			return "", err
		}
		return *value.SecretString, nil
	}
	value, err := read("own")
	require.NoError(t, err)
	require.Equal(t, "value of own", value)
	_, err = read("other")
	require.ErrorContains(t, err, "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/task/1a2b is not "+
		"authorized to perform: secretsmanager:GetSecretValue on resource: "+arns["other"]+" because no identity-based policy "+
		"allows the secretsmanager:GetSecretValue action")

	require.NoError(t, s.UpdateObject(iam.Policy, boundary, account.Object{
		"policy": `{"Statement": {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}}`}))
	_, err = read("own")
	require.ErrorContains(t, err, "because no permissions boundary allows the secretsmanager:GetSecretValue action")
}
