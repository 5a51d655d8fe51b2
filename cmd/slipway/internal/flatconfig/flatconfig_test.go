package flatconfig

import (
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/pulumicli"
)

func plain(text string) pulumicli.ConfigValue { return pulumicli.ConfigValue{Value: &text} }

func encrypted(text string) pulumicli.ConfigValue {
	return pulumicli.ConfigValue{Value: &text, Secret: true}
}

func TestWhatDiffersBetweenTwoConfigurations(t *testing.T) {
	t.Parallel()
	old := Of("shop", map[string]pulumicli.ConfigValue{
		"aws:region":    plain("eu-west-1"),
		"aws:secretKey": encrypted("hunter2"),
		"shop:services": plain(`{"web": {"replicas": 1, "command": ["a"], "environment": {"a.b": "1", "GONE": ""}}}`),
		"shop:secrets": encrypted(`{"KEY": "one", "SAME": "two", "ELSEWHERE": ` +
			`"arn:aws:ssm:eu-west-1:123456789012:parameter/x"}`),
		"shop:environment": plain(`{"STAGE": "dev"}`),
	})
	changed := Of("shop", map[string]pulumicli.ConfigValue{
		"aws:region":    plain("eu-west-1"),
		"aws:secretKey": encrypted("hunter3"),
		"shop:services": plain(`{"web": {"replicas": 2, "command": ["a", "b"], "environment": {"a.b": "2", "NEW": "x"}}}`),
		"shop:secrets": encrypted(`{"KEY": "other", "SAME": "two", "ELSEWHERE": ` +
			`"arn:aws:ssm:eu-west-1:123456789012:parameter/y"}`),
		"shop:environment": plain(`{"STAGE": "dev"}`),
	})
	var said []string
	for _, change := range Changes(old, changed) {
		said = append(said, change.Describe())
	}
	require.Equal(t, []string{
		"aws:secretKey: changed (secret)",
		"secrets.ELSEWHERE: arn:aws:ssm:eu-west-1:123456789012:parameter/x → arn:aws:ssm:eu-west-1:123456789012:parameter/y",
		"secrets.KEY: changed (secret)",
		`services.web.command: ["a"] → ["a","b"]`,
		`services.web.environment.GONE: - ""`,
		"services.web.environment.NEW: + x",
		`services.web.environment["a.b"]: 1 → 2`,
		"services.web.replicas: 1 → 2",
	}, said)
	require.Empty(t, Changes(old, old))
}

func TestASecretThatIsNotDecryptedIsNoDifference(t *testing.T) {
	t.Parallel()
	hiddenOnes := Of("shop", map[string]pulumicli.ConfigValue{"shop:secrets": {Secret: true}})
	decrypted := Of("shop", map[string]pulumicli.ConfigValue{"shop:secrets": encrypted(`{"KEY": "x"}`)})
	require.True(t, hiddenOnes.Hidden())
	require.Empty(t, Changes(hiddenOnes, hiddenOnes))
	require.Empty(t, Changes(hiddenOnes, decrypted))
	require.Empty(t, Changes(decrypted, hiddenOnes))
	require.Equal(t, "secrets: added (secret)", Changes(nil, hiddenOnes)[0].Describe())
}

func TestAnEncryptedARNOfSomethingElseIsASecret(t *testing.T) {
	t.Parallel()
	found := Of("shop",
		map[string]pulumicli.ConfigValue{"shop:secrets": encrypted(`{"ROLE": "arn:aws:iam::123456789012:role/hush"}`)})
	require.NotContains(t, Changes(nil, found)[0].Describe(), "hush")
}
