package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// throughRouter is a sound stage but for what stands in the logs of its main container, and in its log router.
func throughRouter(logs, router string) string {
	return beside("{router: {image: web, "+router+"}}", "logs: "+logs)
}

func TestMistakesInLogs(t *testing.T) {
	t.Parallel()
	const own, router = "services.web.logs", "services.web.containers.router"
	logged := func(logs string) string { return oneService("      logs: " + logs) }
	requireMistakes(t, map[string]mistake{
		"a driver that Fargate lacks": {logged("{driver: json-file}"), own + ".driver",
			[]string{`is "json-file"; allowed: awslogs, awsfirelens, splunk`}},
		"a driver alone": {logged("awslogs"), own, []string{"it must be an object"}},
		"the log group": {logged("{options: {awslogs-group: mine}}"), own + ".options.awslogs-group",
			[]string{"is what slipway sets itself, as each service and task has a log group of its own; remove it"}},
		"the region": {logged("{options: {awslogs-region: us-east-1}}"), own + ".options.awslogs-region",
			[]string{"the log group is in the stage's region"}},
		"the prefix of streams": {logged("{options: {awslogs-stream-prefix: ecs}}"), own + ".options.awslogs-stream-prefix",
			[]string{"`slipway logs` tells containers apart by it"}},
		"a group that ECS makes": {logged("{options: {awslogs-create-group: 'true'}}"),
			own + ".options.awslogs-create-group", []string{"is what slipway sets itself"}},
		"an option of another driver": {logged("{options: {tag: web}}"), own + ".options.tag",
			[]string{"is no option of awslogs; allowed: awslogs-datetime-format, awslogs-multiline-pattern, max-buffer-size, mode"}},
		"a mode that there is not": {logged("{options: {mode: async}}"), own + ".options.mode",
			[]string{`is "async"; allowed: blocking, non-blocking`}},
		"a buffer in words": {logged("{options: {mode: non-blocking, max-buffer-size: 25MB}}"),
			own + ".options.max-buffer-size", []string{`is "25MB"; write a size as in 25m`}},
		"a buffer that nothing fills": {logged("{options: {mode: blocking, max-buffer-size: 25m}}"),
			own + ".options.max-buffer-size", []string{"is for logs.options.mode: non-blocking"}},
		"two beginnings of a line": {
			logged("{options: {awslogs-datetime-format: '%Y', awslogs-multiline-pattern: '^INFO'}}"),
			own + ".options.awslogs-multiline-pattern", []string{"cannot be combined with awslogs-datetime-format"}},
		"a secret of the log group": {logged("{secrets: {mode: DATABASE_URL}}"), own + ".secrets.mode",
			[]string{"is an option of awslogs, which takes none that is secret"}},
		"Splunk nowhere": {logged("{driver: splunk, secrets: {splunk-token: DATABASE_URL}}"), own + ".options",
			[]string{"has no splunk-url; write where Splunk takes events"}},
		"Splunk without a token": {logged("{driver: splunk, options: {splunk-url: 'https://splunk.example.com'}}"),
			own + ".secrets", []string{"has no splunk-token; write the name of the secret that holds it"}},
		"a token in plain": {logged("{driver: splunk, options: {splunk-url: 'https://splunk.example.com', splunk-token: x}}"),
			own + ".options.splunk-token", []string{"is a secret; write the name of the one that holds it in logs.secrets"}},
		"a secret that is not declared": {throughRouter("{driver: awsfirelens, secrets: {apikey: hunter2}}", "firelens: {}"),
			own + ".secrets.apikey", []string{"is not the name of a secret; declare it in secrets", "DATABASE_URL"}},
		"an option twice": {
			throughRouter("{driver: awsfirelens, options: {apikey: x}, secrets: {apikey: DATABASE_URL}}", "firelens: {}"),
			own + ".secrets.apikey", []string{"is in services.web.logs.options, too; remove one of them"}},
		"no router": {logged("{driver: awsfirelens}"), own + ".driver",
			[]string{"is awsfirelens, and no container of the task is its log router; write firelens: {} at one of " +
				"services.web.containers that runs Fluent Bit"}},
		"two routers": {
			beside("{a: {image: web, firelens: {}}, b: {image: web, firelens: {}}}", "logs: {driver: awsfirelens}"),
			"services.web.containers.b.firelens", []string{"makes b a second log router beside a, and a task has one"}},
		"a router of nobody": {beside("{router: {image: web, firelens: {}}}"), router + ".firelens",
			[]string{"makes router a log router that nobody's output goes to; write logs: {driver: awsfirelens}"}},
		"a router of its own": {throughRouter("{driver: awsfirelens}", "firelens: {}, logs: {driver: awsfirelens}"),
			router + ".logs.driver", []string{"is awsfirelens, in the log router itself; remove it"}},
		"a router of somebody": {throughRouter("{driver: awsfirelens}", "firelens: {}, user: '1000'"), router + ".user",
			[]string{`is "1000", and ECS runs a log router as root only; remove it`}},
		"a file that is relative": {throughRouter("{driver: awsfirelens}", "firelens: {configFile: extra.conf}"),
			router + ".firelens.configFile", []string{`is "extra.conf"; write an absolute path`}},
		"a file in S3": {throughRouter("{driver: awsfirelens}", "firelens: {configFile: 'arn:aws:s3:::b/extra.conf'}"),
			router + ".firelens.configFile", []string{"write an absolute path"}},
		"another router": {throughRouter("{driver: awsfirelens}", "firelens: {type: vector}"), router + ".firelens.type",
			[]string{`is "vector"; allowed: fluentbit, fluentd`}},
		"a router that waits": {throughRouter("{driver: awsfirelens}", "firelens: {}, dependsOn: {web: START}"),
			router + ".dependsOn.web", []string{"waits for web, which ECS starts after its log router; remove it"}},
		"a main container that routes": {oneService("      firelens: {}"), "services.web.firelens",
			[]string{`did you mean "containers.<name>.firelens"?`}},
	})
}

func TestGoodLogs(t *testing.T) {
	t.Parallel()
	got, err := loadFiles(t, "dev", "", throughRouter("{driver: awsfirelens, options: {Name: datadog}, secrets: {apikey: "+
		"DATABASE_URL}}", "firelens: {type: fluentd, configFile: /fluentd/extra.conf}, user: '0', logs: {options: "+
		"{mode: non-blocking, max-buffer-size: 25m}}"))
	require.NoError(t, err)
	web := got.Services["web"].TaskDefinition
	require.Equal(t, &FireLens{Type: "fluentd", ConfigFile: "/fluentd/extra.conf", ECSLogMetadata: true},
		web.Containers["router"].FireLens)
	require.Equal(t, "arn:aws:ssm:ap-northeast-2:123456789012:parameter/dev/database-url", web.Logs.Secrets["apikey"].ARN)
	require.Equal(t, map[string]Secret{"DATABASE_URL": web.Logs.Secrets["apikey"]}, web.AllSecrets())
	require.Equal(t, "the output of the container web goes to awsfirelens, not to CloudWatch Logs", web.LogsElsewhere("web"))
	for name, logs := range map[string]string{
		"lines of several":  "{options: {awslogs-multiline-pattern: '^INFO'}}",
		"nothing":           "{}",
		"Splunk with a tag": "{driver: splunk, options: {splunk-url: 'https://s', tag: web}, secrets: {splunk-token: DATABASE_URL}}",
	} {
		_, err := loadFiles(t, "dev", "", oneService("      logs: "+logs))
		require.NoError(t, err, name)
	}
}
