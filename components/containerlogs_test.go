package components

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var withRouter = map[string]string{
	"secrets": `{"API_KEY": "hunter2", "TOKEN": "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:splunk-a1b2c3"}`,
	"services": `{"web": {"image": "web",
		"logs": {"driver": "awsfirelens", "options": {"Name": "datadog", "Host": "example.com"}, "secrets": {"apikey": "API_KEY"}},
		"containers": {
			"router": {"image": "web", "firelens": {"configFile": "/extra.conf", "ecsLogMetadata": false}},
			"agent": {"image": "web", "logs": {"driver": "splunk", "options": {"splunk-url": "https://s"}, "secrets": {"splunk-token": "TOKEN"}}},
			"plain": {"image": "web", "logs": {"options": {"mode": "non-blocking"}}}}}}`,
}

func TestWhereTheOutputOfContainersGoes(t *testing.T) {
	t.Parallel()
	containers := containersOf(t, withRouter)
	awslogs := func(name string, more map[string]any) map[string]any {
		options := map[string]any{"awslogs-group": "/shop/dev/web", "awslogs-region": "ap-northeast-2",
			"awslogs-stream-prefix": name}
		for option, value := range more {
			options[option] = value
		}
		return map[string]any{"logDriver": "awslogs", "options": options}
	}
	require.Equal(t, map[string]any{"logDriver": "awsfirelens",
		"options": map[string]any{"Host": "example.com", "Name": "datadog"},
		"secretOptions": []any{map[string]any{"name": "apikey",
			"valueFrom": "arn:shop-dev-web:API_KEY::versionId:shop-dev-web"}}}, containers["web"]["logConfiguration"])
	require.Equal(t, map[string]any{"logDriver": "splunk", "options": map[string]any{"splunk-url": "https://s"},
		"secretOptions": []any{map[string]any{"name": "splunk-token",
			"valueFrom": "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:splunk-a1b2c3"}}},
		containers["agent"]["logConfiguration"])
	require.Equal(t, awslogs("router", nil), containers["router"]["logConfiguration"])
	require.Equal(t, awslogs("plain", map[string]any{"mode": "non-blocking"}), containers["plain"]["logConfiguration"])
	require.Equal(t, map[string]any{"type": "fluentbit", "options": map[string]any{"config-file-type": "file",
		"config-file-value": "/extra.conf", "enable-ecs-log-metadata": "false"}},
		containers["router"]["firelensConfiguration"])
	require.Equal(t, "0", containers["router"]["user"], "as ECS writes it")
	require.NotContains(t, containers["plain"], "user")
}

func TestTheExecutionRoleReadsTheSecretsOfLogs(t *testing.T) {
	t.Parallel()
	recorded := declareStage(t, withRouter, nil)
	reached := map[string][]string{}
	for _, statement := range statements(t, recorded, "web-execution") {
		reached[statement.Sid] = statement.Resource
	}
	require.Equal(t, []string{"arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:splunk-a1b2c3",
		"arn:shop-dev-web"}, reached["Secrets"])
	secret := recorded.named(t, "aws:secretsmanager/secretVersion:SecretVersion", "shop-dev-web").Inputs["secretString"]
	require.JSONEq(t, `{"API_KEY": "hunter2"}`, plain(secret).StringValue())
}
