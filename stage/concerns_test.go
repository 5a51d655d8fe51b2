package stage

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// ofDev is a stage as one is written: what all stages share stands in the defaults, further services come before web,
// and lines are indented as keys of web, or of the stage.
func ofDev(services string, ofWeb, ofStage []string) (projectYAML, stageYAML string) {
	return "config: {'slipway:defaults': {value: {services: {web: {image: web, port: 8080, cpu: 256, memory: 512}}}}}",
		"config:\n  aws:region: ap-northeast-2\n  slipway:environment: {STAGE: dev}\n" +
			"  slipway:images: {web: {build: {context: app}}}\n  slipway:services:\n" + services + "    web:\n      " +
			strings.Join(append([]string{`environment: {GREETING: "hello"}`, "replicas: 1"}, ofWeb...), "\n      ") + "\n  " +
			strings.Join(ofStage, "\n  ") + "\n"
}

// No check keeps another one from being made: whoever corrects a stage file sees all mistakes of a concern at once.
func TestTheMistakesOfAConcernAreSaidTogether(t *testing.T) {
	t.Parallel()
	const parameter = "arn:aws:ssm:ap-northeast-2:123456789012:parameter/token"
	large := strings.Repeat("hunter2-", 5000)
	for name, test := range map[string]struct {
		services       string
		ofWeb, ofStage []string
		says           []string // keys, with what is said of some
		within         string   // that these keys are below
		keys           []string
	}{
		"routes and load balancers": {
			ofWeb: []string{"route:", "  hosts: [Shop, \"a b\"]", "  paths: [api, api]", "  priority: 50001",
				"  protocol: tcp", "  gracePeriod: -1", "  deregistrationDelay: 3601", "  stickiness: 604801",
				"  healthCheck: {path: health, codes: \"99\", interval: 4, timeout: 121, healthyThreshold: 1, " +
					"unhealthyThreshold: 11}"},
			ofStage: []string{"slipway:loadBalancer:", "  port: 70000", "  zone: Example", "  certificate: cert",
				"  tlsPolicy: ELBSecurityPolicy-2016-08", "  internal: \"yes\"", "  subnets: [one]", "  allowFrom: [10.0.0.1]",
				"  idleTimeout: 0", "  deletionProtection: 1", "  accessLogs: {prefix: /dev/}"},
			says: []string{"loadBalancer.port (Pulumi.dev.yaml): is 70000", "loadBalancer.internal (Pulumi.dev.yaml)",
				"loadBalancer.idleTimeout (Pulumi.dev.yaml): is 0; allowed: 1 to 4000", "loadBalancer.zone (Pulumi.dev.yaml)",
				"loadBalancer.certificate (Pulumi.dev.yaml)", "loadBalancer.tlsPolicy (Pulumi.dev.yaml)",
				"loadBalancer.subnets (Pulumi.dev.yaml): has 1 subnets", "loadBalancer.subnets[0] (Pulumi.dev.yaml)",
				"loadBalancer.allowFrom[0] (Pulumi.dev.yaml)", "loadBalancer.deletionProtection (Pulumi.dev.yaml)",
				"loadBalancer.accessLogs.bucket (Pulumi.dev.yaml): is missing",
				"loadBalancer.accessLogs.prefix (Pulumi.dev.yaml)"},
			within: "services.web.route.", keys: []string{"hosts[0]", "hosts[1]", "paths[0]", "paths[1]", "priority", "protocol",
				"gracePeriod", "deregistrationDelay", "stickiness", "healthCheck.path", "healthCheck.codes", "healthCheck.interval",
				"healthCheck.timeout", "healthCheck.healthyThreshold", "healthCheck.unhealthyThreshold"}},
		"scaling beyond its limits": {
			services: "    a: {image: web, scaling: {min: 5001, max: 5001, cpu: 101, memory: 101, requests: 100000001, " +
				"scaleInCooldown: 86401, scaleOutCooldown: 86401}}\n" +
				"    b: {image: web, scaling: {min: 3, max: 2, requests: 10}}\n    c: {image: web, scaling: {}}\n" +
				"    d: {image: web, replicas: 7, scaling: {max: 6, cpu: 60}}\n" +
				"    e: {image: web, scaling: {min: one, max: \"2\", cpu: 0.5, schedules: []}}\n",
			says: []string{"services.b.scaling.max (Pulumi.dev.yaml): is 2, less than min, which is 3",
				"services.b.scaling.requests (Pulumi.dev.yaml): counts what the load balancer sends",
				"services.c.scaling.max (Pulumi.dev.yaml): is missing",
				"services.c.scaling (Pulumi.dev.yaml): has nothing to scale by", "services.d.replicas (Pulumi.dev.yaml): is 7",
				"services.e.scaling.min (Pulumi.dev.yaml)", "services.e.scaling.max (Pulumi.dev.yaml)",
				"services.e.scaling.cpu (Pulumi.dev.yaml)", "services.e.scaling.schedules (Pulumi.dev.yaml)"},
			within: "services.a.scaling.", keys: []string{"min", "max", "cpu", "memory", "requests", "scaleInCooldown",
				"scaleOutCooldown"}},
		"scaling below its limits, and schedules": {
			ofWeb: []string{"scaling:", "  min: -1", "  max: 0", "  cpu: 0", "  memory: 0", "  requests: 0",
				"  scaleInCooldown: -1", "  scaleOutCooldown: -1", "  schedules:",
				"    \"a b\": {when: \"cron(0 6 * * * *)\", timeZone: Seoul, min: 3, max: 2}",
				"    none: {when: \"rate(0 hours)\", timeZone: \"\"}", "    some: {min: -1, max: 5001}",
				"    other: {when: \"at(2036-12-24)\", min: 5001, max: -1}"},
			says: []string{`services.web.scaling.schedules["a b"] (Pulumi.dev.yaml): cannot name a schedule`,
				`services.web.scaling.schedules["a b"].max (Pulumi.dev.yaml): is 2, less than min`,
				"services.web.scaling.schedules.none (Pulumi.dev.yaml): changes nothing",
				"services.web.scaling.schedules.some.when (Pulumi.dev.yaml): is missing"},
			within: "services.web.scaling.", keys: []string{"min", "max", "cpu", "memory", "requests", "scaleInCooldown",
				"scaleOutCooldown", `schedules["a b"].when`, `schedules["a b"].timeZone`, "schedules.none.when",
				"schedules.none.timeZone", "schedules.some.min", "schedules.some.max", "schedules.other.when",
				"schedules.other.min", "schedules.other.max"}},
		"secrets": {
			services: "    worker: {image: web, secrets: [LARGE, LARGER]}\n",
			ofWeb:    []string{"secrets: [TOKEN, TOKEN, NOBODY, GREETING, STAGE]"},
			ofStage: []string{"slipway:secrets:", "  TOKEN: " + parameter, "  GREETING: " + parameter, "  STAGE: " + parameter,
				"  \"a b\": " + parameter, "  AWS_EXECUTION_ENV: " + parameter, "  BUCKET: arn:aws:s3:::hunter2",
				"  WITHOUT_SUFFIX: arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:hunter2",
				"  LARGE: {secure: " + large + "}", "  LARGER: {secure: " + large + "}"},
			says: []string{`services.web.secrets[1] (Pulumi.dev.yaml): duplicates "TOKEN"`,
				`services.web.secrets[2] (Pulumi.dev.yaml): is not the name of a secret`,
				"services.worker.secrets (Pulumi.dev.yaml): has encrypted values of 80"},
			keys: []string{"services.web.secrets[3]", "services.web.secrets[4]", `secrets["a b"]`, "secrets.AWS_EXECUTION_ENV",
				"secrets.BUCKET", "secrets.WITHOUT_SUFFIX"}},
		"permissions, roles and tags": {
			ofWeb: []string{"permissions:",
				"  - {actions: [\"*\", \"s3:*\", GetObject, \"s3:GetObject\"], resources: [\"*\", shop-uploads]}",
				"  - {actions: [], conditions: {stringEquals: {\"aws:TagKeys\": [a]}, \"String Equals\": {team: [shop]}}}",
				"  - {resources: [\"arn:aws:s3:::x\", 7], conditions: {StringEquals: shop}}"},
			ofStage: []string{"slipway:roles: {path: slipway, permissionsBoundary: boundary}",
				"slipway:tags: {service: a, \"aws:x\": b, \"a#b\": c, d: \"e;f\", g: 8}"},
			says: []string{"roles.path (Pulumi.dev.yaml)", "roles.permissionsBoundary (Pulumi.dev.yaml)",
				"tags.service (Pulumi.dev.yaml): is a tag that slipway sets itself", "tags.d (Pulumi.dev.yaml)",
				"tags.g (Pulumi.dev.yaml)", `begins with aws:`, "cannot be the key of a tag"},
			within: "services.web.permissions", keys: []string{"[0].actions[0]", "[0].actions[1]", "[0].actions[2]",
				"[0].resources[0]", "[0].resources[1]", "[1].actions", "[1].resources", "[1].conditions.stringEquals",
				"[2].actions", "[2].resources[1]", "[2].conditions.StringEquals"}},
		"permissions, roles and tags of other types": {
			ofWeb: []string{"permissions: all"},
			ofStage: []string{"slipway:roles: {path: \"/a b/\", permissionsBoundary: \"arn:aws:iam::123456789012:role/b\"}",
				"slipway:tags: [shop]"},
			keys: []string{"services.web.permissions", "roles.path", "roles.permissionsBoundary", "tags"}},
		"permissions that make an administrator": {
			ofWeb: []string{"permissions:", `  - {actions: ["iam:PassRole"], resources: ["*"]}`,
				`  - {actions: ["iam:Put*"], resources: ["arn:aws:iam::123456789012:role/*"]}`,
				`  - {actions: ["sts:AssumeRole"], resources: ["arn:aws:iam::*:role/*"]}`},
			says: []string{"services.web.permissions[0].actions[0] (Pulumi.dev.yaml): is iam:PassRole",
				"services.web.permissions[1].actions[0] (Pulumi.dev.yaml): is iam:Put*, and iam:PutRolePermissionsBoundary",
				"services.web.permissions[2].actions[0] (Pulumi.dev.yaml): is sts:AssumeRole", "roles.permissionsBoundary"}},
		"containers and tasks": {
			ofWeb: []string{"dependsOn: {prepare: SUCCESS, nobody: START}", "mounts: {data: {path: data}}", "containers:",
				"  prepare: {image: web, dependsOn: {agent: HEALTHY}}", "  agent: {image: nginx, cpu: 300}"},
			ofStage: []string{"slipway:tasks: {migrate: {image: web, before: [api], schedule: {when: daily}}}"},
			says: []string{
				"services.web.dependsOn.prepare (Pulumi.dev.yaml): waits for the end of prepare, which is essential",
				"services.web.dependsOn.nobody (Pulumi.dev.yaml): names no container of the task",
				"services.web.mounts.data.path (Pulumi.dev.yaml): is \"data\"; write an absolute path",
				"services.web.containers.prepare.dependsOn.agent (Pulumi.dev.yaml): waits until agent is healthy, which has no " +
					"healthCheck",
				"services.web.containers.agent.image (Pulumi.dev.yaml): names \"nginx\", which is not declared",
				"services.web.containers (Pulumi.dev.yaml): have 332 CPU units together, and the task has 256",
				"tasks.migrate.before[0] (Pulumi.dev.yaml): names \"api\", which is no service",
				"tasks.migrate.schedule.when (Pulumi.dev.yaml): is \"daily\""}},
		"deployments": {
			services: "    a: {image: web, deployment: {minimumHealthy: -1, maximum: 99, circuitBreaker: \"on\", " +
				"alarms: [\" \", x, x], maxErrors: 0}}\n" +
				"    b: {image: web, deployment: {minimumHealthy: 101, maximum: 201, circuitBreaker: false, " +
				"alarms: [a, b, c, d, e, f, g, h, i, j, k], maxErrors: 1000001}}\n" +
				"    c: {image: web, deployment: {minimumHealthy: 100, maximum: 100}}\n" +
				"    d: {image: web, deployment: {minimumHealthy: 75, maximum: 150}}\n" +
				"    e: {image: web, deployment: {minimumHealthy: \"50\", maximum: most, alarms: shop-latency, maxErrors: 5, " +
				"rollback: true}}\n",
			says: []string{"services.a.deployment.minimumHealthy (Pulumi.dev.yaml): is -1; allowed: 0 to 100",
				"services.b.deployment.maximum (Pulumi.dev.yaml): is 201; allowed: 100 to 200",
				"services.a.deployment.circuitBreaker (Pulumi.dev.yaml)",
				"services.b.deployment.circuitBreaker (Pulumi.dev.yaml)", "services.a.deployment.alarms[0] (Pulumi.dev.yaml)",
				"services.a.deployment.alarms[2] (Pulumi.dev.yaml): duplicates x",
				"services.b.deployment.alarms (Pulumi.dev.yaml): has 11 alarms; allowed: up to 10",
				"services.c.deployment.maximum (Pulumi.dev.yaml): is 100 with a minimumHealthy of 100",
				"services.d.deployment.maximum (Pulumi.dev.yaml): is 150 with a minimumHealthy of 75, which with 1 replicas",
				"services.e.deployment.alarms (Pulumi.dev.yaml)",
				"services.e.deployment.maxErrors (Pulumi.dev.yaml): counts the service's 5xx responses",
				"services.e.deployment.rollback (Pulumi.dev.yaml)",
				"services.a.deployment.maximum", "services.a.deployment.maxErrors", "services.b.deployment.minimumHealthy",
				"services.b.deployment.maxErrors", "services.e.deployment.minimumHealthy", "services.e.deployment.maximum"}},
		"how a container is kept": {
			services: "    a: {image: web, logRetention: 0, stopTimeout: 121, exec: 1, healthCheck: {command: [CMD], " +
				"interval: 301, timeout: 61, retries: 11, startPeriod: 301}}\n" +
				"    b: {image: web, logRetention: forever, stopTimeout: 2.5, healthCheck: {interval: 10}}\n" +
				"    c: {image: web, healthCheck: {command: [CMD-SHELL, curl, localhost]}}\n" +
				"    d: {image: web, healthCheck: curl localhost}\n",
			ofWeb: []string{"logRetention: 31", "stopTimeout: 1", "exec: \"true\"",
				"healthCheck: {command: [/app], interval: 4, timeout: 1, retries: 0, startPeriod: -1}"},
			ofStage: []string{"slipway:cluster: {containerInsights: true}"},
			says: []string{"services.b.healthCheck.command (Pulumi.dev.yaml): is missing",
				"services.c.healthCheck.command (Pulumi.dev.yaml): has 2 parts behind CMD-SHELL"},
			within: "", keys: []string{"services.d.healthCheck", "cluster.containerInsights", "services.b.logRetention",
				"services.b.stopTimeout", "services.a.logRetention", "services.a.stopTimeout", "services.a.exec",
				"services.a.healthCheck.command", "services.a.healthCheck.interval", "services.a.healthCheck.timeout",
				"services.a.healthCheck.retries", "services.a.healthCheck.startPeriod", "services.web.logRetention",
				"services.web.stopTimeout", "services.web.exec", "services.web.healthCheck.command",
				"services.web.healthCheck.interval", "services.web.healthCheck.timeout", "services.web.healthCheck.retries",
				"services.web.healthCheck.startPeriod"}},
		"a service": {
			ofWeb: []string{"memory: 300", "port: 70000", "image: nginx", "replica: 1"},
			says: []string{"services.web.port (Pulumi.dev.yaml)", "services.web.image (Pulumi.dev.yaml)",
				"services.web.replica (Pulumi.dev.yaml)", "300 MiB does not go with cpu 256; allowed: 512"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			projectYAML, stageYAML := ofDev(test.services, test.ofWeb, test.ofStage)
			_, err := loadFiles(t, "dev", projectYAML, stageYAML)
			require.Error(t, err)
			for _, says := range test.says {
				require.ErrorContains(t, err, says)
			}
			for _, key := range test.keys {
				require.ErrorContains(t, err, fmt.Sprintf("%s%s (Pulumi.dev.yaml)", test.within, key))
			}
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}
