package ecs

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/secrets"
)

// secret is one with a value, which the execution role may read.
func (s *stage) secret(value string) (arn, version string) {
	s.t.Helper()
	arn, err := secrets.CreateSecret(s.Account, testRegion, account.Object{"name": "shop/dev/web"})
	require.NoError(s.t, err)
	v, err := secrets.PutSecretValue(s.Account, arn, value, "")
	require.NoError(s.t, err)
	s.object(iam.RolePolicy, "web-execution:secrets", account.Object{"role": "web-execution",
		"policy": `{"Statement": [{"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "` + arn +
			`"}]}`})
	return arn, v.VersionID
}

func TestTaskReadsItsSecretsWhenItStarts(t *testing.T) {
	t.Parallel()
	const asm = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval " +
		"failed: unable " +
		"to retrieve secret from asm: service call has been retried 1 time(s): "
	for name, c := range map[string]struct {
		value, suffix string
		parameter     string // instead of the secret
		after         func(s *stage, arn string)
		want          string
	}{
		"the whole value": {value: "hello", want: ""},
		"a key of it":     {value: `{"KEY":"1"}`, suffix: ":KEY::", want: ""},
		"a key that is not there": {value: `{"KEY":"1"}`, suffix: ":OTHER::",
			want: asm + "retrieved secret from Secrets Manager did not contain json key OTHER"},
		"a value that has no keys": {value: "hello", suffix: ":KEY::",
			want: asm + "invalid character 'h' looking for beginning of value"},
		"a version that is not there": {value: "hello", suffix: ":::gone",
			want: asm + "failed to fetch secret %s from secrets manager: " +
				"ResourceNotFoundException: Secrets Manager can't find the specified secret value for VersionId: gone"},
		"a label that is not there": {value: "hello", suffix: "::AWSPREVIOUS:",
			want: asm + "failed to fetch secret %s from secrets manager: " +
				"ResourceNotFoundException: Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS"},
		"a secret that is about to go": {value: "hello", after: func(s *stage,
			arn string) {
			require.NoError(s.t, secrets.DeleteSecret(s.Account, arn, 7))
		},
			want: asm + "failed to fetch secret %s from secrets manager: InvalidRequestException: You can't perform this " +
				"operation on the " +
				"secret because it was marked for deletion."},
		"a secret that is gone": {value: "hello", after: func(s *stage,
			arn string) {
			require.NoError(s.t, secrets.DeleteSecret(s.Account, arn, 0))
		},
			want: asm + "failed to fetch secret %s from secrets manager: ResourceNotFoundException: Secrets Manager can't " +
				"find the specified secret."},
		"a secret that never was": {value: "hello", suffix: "X", want: asm + "failed to fetch secret %s from secrets " +
			"manager: ResourceNotFoundException: Secrets Manager can't find the specified secret."},
		"a parameter that never was": {value: "hello", parameter: "arn:aws:ssm:eu-central-1:123456789012:parameter/token",
			want: strings.Replace(asm, "secret from asm", "secrets from ssm", 1) +
				"invalid ssm parameters: arn:aws:ssm:eu-central-1:123456789012:parameter/token"},
		"a parameter of the same region by its name": {value: "hello", parameter: "/token",
			want: strings.Replace(asm, "secret from asm", "secrets from ssm", 1) +
				"invalid ssm parameters: arn:aws:ssm:" + testRegion + ":123456789012:parameter/token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			arn, _ := s.secret(c.value)
			s.object(iam.RolePolicy, "web-execution:all", account.Object{"role": "web-execution",
				"policy": `{"Statement": {"Effect": "Allow", "Action": ["secretsmanager:*", "ssm:*"], "Resource": "*"}}`})
			if c.after != nil {
				c.after(s, arn)
			}
			s.create(s.register(func(_ *TaskDefinition, container Container) {
				container["secrets"] = []any{map[string]any{"name": "KEY",
					"valueFrom": cmp.Or(c.parameter, arn+c.suffix)}}
			}), 1)
			task := s.after(2).Tasks[0]
			if c.want == "" {
				require.Equal(t, "RUNNING", task.LastStatus)
				return
			}
			want := c.want
			if strings.Contains(want, "%s") {
				whole, _, _, _ := secrets.ParseSecretReference(arn + c.suffix)
				want = fmt.Sprintf(want, whole)
			}
			require.Equal(t, want, task.StoppedReason)
		})
	}
}
