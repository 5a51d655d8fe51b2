package stage

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// checked is a sound stage but for its container's health check.
func checked(check string) string { return oneService("      healthCheck: " + check) }

func TestMistakesInOptions(t *testing.T) {
	t.Parallel()
	requireMistakes(t, map[string]mistake{
		// the container's health check
		"a health check without a command": {
			checked("{interval: 5}"), "services.web.healthCheck.command",
			[]string{`is missing; write ["CMD", "/app", "-healthcheck"], or ["CMD-SHELL"`}},
		"a health check without parts": {
			checked("{command: []}"), "services.web.healthCheck.command", []string{"is missing"}},
		"a health check that is text": {
			checked("{command: /app -healthcheck}"), "services.web.healthCheck.command", []string{"it must be a list"}},
		"a health check that is no object": {
			checked("[CMD, /app]"), "services.web.healthCheck", []string{"is a list; it must be an object"}},
		"a health check by the command alone": {
			checked("{command: [/app, -healthcheck]}"), "services.web.healthCheck.command",
			[]string{`begins with "/app", and not with CMD or CMD-SHELL; write ["CMD", "/app"`}},
		"a health check that begins with a number": {
			checked("{command: [1, /app]}"), "services.web.healthCheck.command[0]", []string{`write "1" in quotes`}},
		"a health check of nothing": {
			checked("{command: [CMD]}"), "services.web.healthCheck.command", []string{"has nothing behind CMD; write"}},
		"a health check of an empty line": {
			checked("{command: [CMD-SHELL, ' ']}"), "services.web.healthCheck.command",
			[]string{"has nothing behind CMD-SHELL"}},
		"a line in parts": {
			checked("{command: [CMD-SHELL, curl, -f, 'http://localhost/']}"), "services.web.healthCheck.command",
			[]string{"has 3 parts behind CMD-SHELL, which takes one line"}},
		"NONE": {
			checked("{command: [NONE]}"), "services.web.healthCheck.command", []string{`begins with "NONE"`}},
		"an interval that is too short": {
			checked("{command: [CMD, /app], interval: 4}"), "services.web.healthCheck.interval",
			[]string{"is 4; allowed: 5 to 300"}},
		"an interval that is too long": {
			checked("{command: [CMD, /app], interval: 301}"), "services.web.healthCheck.interval",
			[]string{"allowed: 5 to 300"}},
		"a timeout that is too short": {
			checked("{command: [CMD, /app], timeout: 1}"), "services.web.healthCheck.timeout",
			[]string{"is 1; allowed: 2 to 60"}},
		"a timeout that is too long": {
			checked("{command: [CMD, /app], timeout: 61}"), "services.web.healthCheck.timeout", []string{"allowed: 2 to 60"}},
		"no retries": {
			checked("{command: [CMD, /app], retries: 0}"), "services.web.healthCheck.retries",
			[]string{"is 0; allowed: 1 to 10"}},
		"too many retries": {
			checked("{command: [CMD, /app], retries: 11}"), "services.web.healthCheck.retries", []string{"allowed: 1 to 10"}},
		"a negative start period": {
			checked("{command: [CMD, /app], startPeriod: -1}"), "services.web.healthCheck.startPeriod",
			[]string{"allowed: 0 to 300"}},
		"a start period that is too long": {
			checked("{command: [CMD, /app], startPeriod: 301}"), "services.web.healthCheck.startPeriod",
			[]string{"is 301; allowed: 0 to 300"}},

		// the rest of a service
		"a stop timeout that is too short": {
			oneService("      stopTimeout: 1"), "services.web.stopTimeout", []string{"is 1; allowed: 2 to 120"}},
		"a stop timeout beyond Fargate's": {
			oneService("      stopTimeout: 121"), "services.web.stopTimeout", []string{"allowed: 2 to 120"}},
		"exec that is a word": {
			oneService("      exec: yes"), "services.web.exec", []string{"must be true or false, without quotes"}},
		"exec that is a number": {
			oneService("      exec: 1"), "services.web.exec", []string{"is the number 1; it must be true or false"}},
		"a retention that CloudWatch lacks": {
			oneService("      logRetention: 31"), "services.web.logRetention",
			[]string{"is 31; allowed: 1, 3, 5, 7, 14, 30, 60, 90"}},
		"a retention for ever": {
			oneService("      logRetention: 0"), "services.web.logRetention", []string{"is 0; allowed: 1, 3, 5"}},
		"a retention in weeks": {
			oneService("      logRetention: 2w"), "services.web.logRetention", []string{"whole number of days"}},

		// roles, cluster and tags
		"an unknown key of the roles": {
			with("  slipway:roles: {boundary: x}"), "roles.boundary", []string{"path, permissionsBoundary"}},
		"a path that does not begin": {
			with("  slipway:roles: {path: slipway/}"), "roles.path",
			[]string{`is "slipway/"; write a path of up to 512 characters that begins and ends with /, as in /slipway/`}},
		"a path that does not end": {
			with("  slipway:roles: {path: /slipway}"), "roles.path", []string{"begins and ends with /"}},
		"an empty path": {
			with("  slipway:roles: {path: ''}"), "roles.path", []string{`is ""`}},
		"a path with a space": {
			with("  slipway:roles: {path: /a b/}"), "roles.path", []string{`is "/a b/"`}},
		"a path that is too long": {
			with("  slipway:roles: {path: /" + strings.Repeat("a", 511) + "/}"), "roles.path",
			[]string{"…", "up to 512 characters"}},
		"a boundary by its name": {
			with("  slipway:roles: {permissionsBoundary: boundary}"), "roles.permissionsBoundary",
			[]string{`is "boundary"; write the ARN of a policy, as in arn:aws:iam::123456789012:policy/boundary`}},
		"a boundary that is a role": {
			with("  slipway:roles: {permissionsBoundary: 'arn:aws:iam::123456789012:role/boundary'}"),
			"roles.permissionsBoundary", []string{"write the ARN of a policy"}},
		"an unknown key of the cluster": {
			with("  slipway:cluster: {insights: enabled}"), "cluster.insights", []string{"containerInsights"}},
		"Container Insights by a boolean": {
			with("  slipway:cluster: {containerInsights: true}"), "cluster.containerInsights",
			[]string{"is the boolean true; it must be text"}},
		"Container Insights of another kind": {
			with("  slipway:cluster: {containerInsights: 'on'}"), "cluster.containerInsights",
			[]string{`is "on"; allowed: disabled, enabled, enhanced`}},
		"tags that are a list": {
			with("  slipway:tags: [team]"), "tags", []string{"it must be an object"}},
		"a tag that is a number": {
			with("  slipway:tags: {cost-center: 42}"), "tags.cost-center", []string{`write "42" in quotes`}},
		"a tag that slipway sets": {
			with("  slipway:tags: {stage: dev}"), "tags.stage", []string{"is a tag that slipway sets itself; use another key"}},
		"a tag that slipway sets on images": {
			with("  slipway:tags: {image: web}"), "tags.image", []string{"slipway sets itself"}},
		"a tag of AWS": {
			with("  slipway:tags: {'aws:team': shop}"), `tags["aws:team"]`,
			[]string{"begins with aws:, which AWS keeps for itself; use another key"}},
		"a tag of AWS in capitals": {
			with("  slipway:tags: {'AWS:team': shop}"), `tags["AWS:team"]`, []string{"which AWS keeps for itself"}},
		"a tag without a key": {
			with("  slipway:tags: {'': shop}"), `tags[""]`,
			[]string{"cannot be the key of a tag; use 1 to 128 letters, digits, spaces and + - = . _ : / @"}},
		"a tag's key that is too long": {
			with("  slipway:tags: {" + strings.Repeat("k", 129) + ": shop}"), "tags." + strings.Repeat("k", 129),
			[]string{"use 1 to 128"}},
		"a tag's key with an odd character": {
			with("  slipway:tags: {'team#1': shop}"), `tags["team#1"]`, []string{"cannot be the key of a tag"}},
		"a tag's value that is too long": {
			with("  slipway:tags: {team: " + strings.Repeat("v", 257) + "}"), "tags.team",
			[]string{"…", "use up to 256 letters"}},
		"a tag's value with an odd character": {
			with("  slipway:tags: {team: 'shop & co'}"), "tags.team",
			[]string{`is "shop & co"; use up to 256 letters, digits, spaces and + - = . _ : / @`}},
		"too many tags": {
			with("  slipway:tags: {" + manyTags(47) + "}"), "tags",
			[]string{"has 47 tags; AWS takes 50, of which 46 are left beside those of slipway"}},
	})
}

func manyTags(count int) string {
	tags := make([]string, count)
	for i := range tags {
		tags[i] = fmt.Sprintf("tag%d: x", i)
	}
	return strings.Join(tags, ", ")
}

func TestMistakesOfOptionsInTheDefaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ defaults, stage, path, file, says string }{
		"a largest count of the defaults, below the stage's smallest": {
			"services: {web: {scaling: {max: 4, cpu: 60}}}", scaled("{min: 5}"), "defaults.services.web.scaling.max",
			"Pulumi.yaml", "is 4, less than min, which is 5"},
		"a largest count of the stage, below the smallest of the defaults": {
			"services: {web: {scaling: {min: 5, cpu: 60}}}", scaled("{max: 4}"), "services.web.scaling.max", "Pulumi.dev.yaml",
			"is 4, less than min, which is 5"},
		"a permission of the defaults": {
			"services: {web: {permissions: [{actions: ['s3:*'], " + uploads + "}]}}", oneService(""),
			"defaults.services.web.permissions[0].actions[0]", "Pulumi.yaml", "allows everything"},
		"a tag of the defaults": {
			"tags: {project: shop}", oneService(""), "defaults.tags.project", "Pulumi.yaml", "slipway sets itself"},
		"too many tags together": {
			"tags: {" + manyTags(46) + "}", with("  slipway:tags: {team: shop}"), "tags", "Pulumi.dev.yaml", "has 47 tags"},
		"a schedule of the defaults": {
			"services: {web: {scaling: {max: 4, schedules: {night: {when: daily, min: 0}}}}}", oneService(""),
			"defaults.services.web.scaling.schedules.night.when", "Pulumi.yaml", `is "daily"`},
		"a share of the defaults with the stage's": {
			"services: {web: {deployment: {minimumHealthy: 100}}}", deployed("{maximum: 100}"),
			"services.web.deployment.maximum", "Pulumi.dev.yaml", "no task could be replaced"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "config: {'slipway:defaults': {value: {"+test.defaults+"}}}", test.stage)
			requireMistake(t, err, test.path, test.file, test.says)
		})
	}
}

func TestGoodOptions(t *testing.T) {
	t.Parallel()
	for name, stage := range map[string]string{
		"scaling by one measure":     scaled("{max: 1, memory: 1}"),
		"scaling from none":          scaled("{min: 0, max: 5000, cpu: 100}"),
		"scaling by schedules alone": scheduled("{when: rate(1 day), min: 0, max: 0}"),
		"scaling at once":            scaled("{max: 4, cpu: 60, scaleInCooldown: 0, scaleOutCooldown: 0}"),
		"scaling by requests": oneService("      port: 80\n      route: {}\n      scaling: {max: 4, " +
			"requests: 1}"),
		"replicas at scaling's ends": oneService("      replicas: 2\n      scaling: {min: 2, max: 2, cpu: 60}"),
		"a schedule once": scheduled("{when: 'at(2026-12-24T18:00:00)', timeZone: Asia/Seoul, min: 4, " +
			"max: 4}"),
		"a schedule of a half-hour zone": scheduled("{when: 'cron(0 22 ? * SUN-THU *)', timeZone: Asia/Kolkata, min: 0}"),
		"the longest schedule's name": scaled("{max: 4, schedules: {" + strings.Repeat("n", 64) +
			": {when: rate(2 hours), min: 0}}}"),
		"room for one more": oneService("      replicas: 2\n      deployment: {minimumHealthy: 100, " +
			"maximum: 150}"),
		"room for one less": oneService("      replicas: 2\n      deployment: {minimumHealthy: 50, " +
			"maximum: 100}"),
		"room for the only one to be gone": deployed("{minimumHealthy: 0, maximum: 100}"),
		"no task and no room": oneService("      replicas: 0\n      deployment: {minimumHealthy: 50, " +
			"maximum: 150}"),
		"ten alarms": deployed("{circuitBreaker: 'off', alarms: [a, b, c, d, e, f, g, h, i, j]}"),
		"no alarms":  deployed("{alarms: []}"),
		"errors of a service with a route": oneService("      port: 80\n      route: {}\n      deployment: {maxErrors: " +
			"1000000}"),
		"a health check by the shell": checked("{command: [CMD-SHELL, 'curl -f http://localhost/ || exit 1'], " +
			"startPeriod: 300}"),
		"a health check longer than its own": checked("{command: [CMD, /app], interval: 5, timeout: 60}"),
		"the longest stop and log":           oneService("      stopTimeout: 120\n      logRetention: 3653\n      exec: false"),
		"the shortest stop and log":          oneService("      stopTimeout: 2\n      logRetention: 1\n      exec: true"),
		"no permissions":                     oneService("      permissions: []"),
		"a group of actions": permitted("{actions: ['s3:Get*', 's3:?etObject', 'execute-api:Invoke'], " +
			uploads + "}"),
		"every bucket's name": permitted("{actions: ['s3:ListAllMyBuckets'], resources: ['*']}"),
		"metrics": permitted("{actions: ['cloudwatch:PutMetricData', 'xray:PutTraceSegments'], " +
			"resources: ['*']}"),
		"what AWS grants for every resource": permitted("{actions: ['states:SendTaskSuccess', 'ses:GetSendQuota', " +
			"'textract:AnalyzeDocument', " +
			"'rekognition:DetectLabels', 'ec2:Describe*', 'sns:Publish', 'ssm:GetCommandInvocation', 'iam:GetAccountSummary', " +
			"'lambda:CreateEventSourceMapping'], resources: ['*']}"),
		"what is not known here": permitted("{actions: ['tomorrow:DoWhatever', 'ec2:EnableFastLaunch', " +
			"'cloudwatch:Put*'], resources: ['*']}"),
		"what has no resources": permitted("{actions: ['sts:GetCallerIdentity', 'ecr:GetAuthorizationToken', " +
			"'logs:GetQueryResults', 'kms:GenerateRandom'], resources: ['*']}"),
		"what describes": permitted("{actions: ['logs:DescribeLogGroups', 'sqs:ListQueues', " +
			"'dynamodb:List*'], resources: ['*']}"),
		"every resource, with conditions": permitted("{actions: ['ec2:TerminateInstances'], resources: ['*'], conditions: " +
			"{StringEquals: {'aws:ResourceTag/team': [shop]}}}"),
		"IAM within a boundary": permitted("{actions: ['iam:Put*', 'sts:AssumeRole'], resources: "+
			"['arn:aws:iam::123456789012:role/*']}") +
			"  slipway:roles: {permissionsBoundary: 'arn:aws:iam::123456789012:policy/boundary'}",
		"roles of a name": permitted("{actions: ['iam:PassRole', 'iam:GetRole', 'sts:AssumeRole'], resources: " +
			"['arn:aws:iam::123456789012:role/deploy', 'arn:aws:iam::*:role/shop-*']}"),
		"what reads IAM": permitted("{actions: ['iam:Get*', 'iam:List*', 'iam:Simulate*'], resources: " +
			"['arn:aws:iam::123456789012:role/*']}"),
		"a boundary of AWS's own": with("  aws:allowedAccountIds: ['123456789012']\n  slipway:roles: {permissionsBoundary: " +
			"'arn:aws:iam::aws:policy/PowerUserAccess'}"),
		"ARNs of other regions, accounts and any partition": permitted("{actions: ['sqs:SendMessage'], resources: "+
			"['arn:aws:sqs:us-east-1:210987654321:x', 'arn:*:s3:::x']}") +
			"  aws:region: ap-northeast-2\n  aws:allowedAccountIds: ['123456789012']",
		"wildcards within ARNs": permitted("{actions: ['sqs:SendMessage'], resources: ['arn:aws:sqs:*:123456789012:shop-*']}"),
		"conditions of many kinds": permitted("{" + readUploads +
			`, conditions: {"ForAnyValue:StringLike": {"aws:TagKeys": ["a*", "b"]}, ` +
			`StringEqualsIfExists: {"s3:ExistingObjectTag/team": []}, NumericLessThan: {"s3:max-keys": ["10"]}, StringEquals: ` +
			`{"aws:PrincipalTag/a.b_c-d": ["${aws:username}"]}}}`),
		"a deep path":      with("  slipway:roles: {path: /a/b/c/}"),
		"the longest path": with("  slipway:roles: {path: /" + strings.Repeat("a", 510) + "/}"),
		"a boundary of AWS's": with("  slipway:roles: {path: /, permissionsBoundary: " +
			"'arn:aws:iam::aws:policy/PowerUserAccess'}"),
		"a boundary with a path":       with("  slipway:roles: {permissionsBoundary: 'arn:aws:iam::123456789012:policy/a/b'}"),
		"a cluster without insights":   with("  slipway:cluster: {containerInsights: disabled}"),
		"as many tags as there may be": with("  slipway:tags: {" + manyTags(46) + "}"),
		"tags of every character": with("  slipway:tags: {'Team +-=._:/@ 팀': 'é +-=._:/@ 1', " +
			strings.Repeat("k", 128) + ": " + strings.Repeat("v", 256) + ", Stages: ''}"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", stage)
			require.NoError(t, err)
		})
	}
}

func TestTagsOfAStageAndItsParts(t *testing.T) {
	t.Parallel()
	got, err := loadFiles(t, "dev", "config: {'slipway:defaults': {value: {tags: {team: shop, tier: '1'}}}}",
		with("  slipway:tags: {tier: '2'}"))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"project": "slipway", "stage": "dev", "team": "shop", "tier": "2"}, got.AllTags())
	require.Equal(t, map[string]string{"project": "slipway", "stage": "dev", "service": "web", "team": "shop",
		"tier": "2"}, got.TagsOf("web"))
	require.Equal(t, map[string]string{"project": "slipway", "stage": "dev", "image": "web", "team": "shop", "tier": "2"},
		got.ImageTags("web"))
	require.Equal(t, map[string]string{"team": "shop", "tier": "2"}, got.Tags, "what is asked for changes nothing")
}
