package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func plain(text string) configValue { return configValue{Value: &text} }

func encrypted(text string) configValue { return configValue{Value: &text, Secret: true} }

func TestWhatDiffersBetweenTwoConfigurations(t *testing.T) {
	t.Parallel()
	old := leaves("shop", map[string]configValue{
		"aws:region":       plain("eu-west-1"),
		"aws:secretKey":    encrypted("hunter2"),
		"shop:services":    plain(`{"web": {"replicas": 1, "command": ["a"], "environment": {"a.b": "1", "GONE": ""}}}`),
		"shop:secrets":     encrypted(`{"KEY": "one", "SAME": "two", "ELSEWHERE": "arn:aws:ssm:x"}`),
		"shop:environment": plain(`{"STAGE": "dev"}`),
	})
	changed := leaves("shop", map[string]configValue{
		"aws:region":       plain("eu-west-1"),
		"aws:secretKey":    encrypted("hunter3"),
		"shop:services":    plain(`{"web": {"replicas": 2, "command": ["a", "b"], "environment": {"a.b": "2", "NEW": "x"}}}`),
		"shop:secrets":     encrypted(`{"KEY": "other", "SAME": "two", "ELSEWHERE": "arn:aws:ssm:y"}`),
		"shop:environment": plain(`{"STAGE": "dev"}`),
	})
	var said []string
	for _, change := range keyChanges(old, changed) {
		said = append(said, change.describe())
	}
	require.Equal(t, []string{
		"aws:secretKey: changed (secret)",
		"secrets.ELSEWHERE: arn:aws:ssm:x → arn:aws:ssm:y",
		"secrets.KEY: changed (secret)",
		`services.web.command: ["a"] → ["a","b"]`,
		`services.web.environment."a.b": 1 → 2`,
		`services.web.environment.GONE: - ""`,
		"services.web.environment.NEW: + x",
		"services.web.replicas: 1 → 2",
	}, said)
	require.Empty(t, keyChanges(old, old))
}

func TestASecretThatIsNotDecryptedIsNoDifference(t *testing.T) {
	t.Parallel()
	hidden := leaves("shop", map[string]configValue{"shop:secrets": {Secret: true}})
	require.Empty(t, keyChanges(hidden, hidden))
	require.Equal(t, "secrets: changed (secret)", keyChanges(hidden, leaves("shop", map[string]configValue{"shop:secrets": encrypted("x")}))[0].describe())
}
