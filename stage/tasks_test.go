package stage

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// withTask is a sound stage but for what stands in its task.
func withTask(keys string) string { return with("  slipway:tasks: {migrate: {" + keys + "}}") }

// onSchedule is a sound stage but for its task's schedule.
func onSchedule(schedule string) string { return withTask("image: web, schedule: " + schedule) }

func TestMistakesInTasks(t *testing.T) {
	t.Parallel()
	const queue = "arn:aws:sqs:ap-northeast-2:123456789012:"
	const here = "\n  aws:region: ap-northeast-2\n  aws:allowedAccountIds: ['123456789012']"
	for name, test := range map[string]struct {
		stage, path string
		says        []string
	}{
		"tasks that are a list": {
			with("  slipway:tasks: [migrate]"), "tasks", []string{"is a list; it must be an object"}},
		"an unknown key of a task": {
			withTask("image: web, replicas: 2"), "tasks.migrate.replicas", []string{"there is no such key", "schedule, before"}},
		"a task without an image": {
			withTask("command: [a]"), "tasks.migrate.image", []string{"is missing; name one of the declared images: web"}},
		"a task's image that is not declared": {
			withTask("image: wbe"), "tasks.migrate.image", []string{`names "wbe", which is not declared`}},
		"a service's name": {
			with("  slipway:tasks: {web: {image: web}}"), "tasks.web",
			[]string{"is the name of a service, too; use another one"}},
		"a task's name that ECS refuses": {
			with("  slipway:tasks: {my.job: {image: web}}"), `tasks["my.job"]`,
			[]string{"cannot name a service or a task in ECS"}},
		"a task's name that is too long for its roles": {
			with("  slipway:tasks: {" + strings.Repeat("j", 43) + ": {image: web}}"), "tasks." + strings.Repeat("j", 43),
			[]string{"65 characters long, and IAM takes 64"}},
		"a task's size that Fargate lacks": {
			withTask("image: web, cpu: 300"), "tasks.migrate.cpu", []string{"300 CPU units are not a size of Fargate"}},
		"a task whose name differs from a service's in its case": {
			with("  slipway:tasks: {WEB: {image: web}}"), "tasks.WEB",
			[]string{"differs from services.web in upper and lower case only"}},
		"tasks whose names differ in their case": {
			with("  slipway:tasks: {migrate: {image: web}, Migrate: {image: web}}"), "tasks.migrate",
			[]string{"differs from tasks.Migrate in upper and lower case only"}},
		"a task's variable with a space": {
			withTask("image: web, environment: {a b: x}"), `tasks.migrate.environment["a b"]`, []string{"without spaces and ="}},
		"a task's secret that is not declared": {
			withTask("image: web, secrets: [TOKEN]"), "tasks.migrate.secrets[0]", []string{"is not the name of a secret"}},
		"a task's secret that is a variable, too": {
			withTask("image: web, secrets: [DATABASE_URL], environment: {DATABASE_URL: x}"), "tasks.migrate.secrets[0]",
			[]string{"is a variable in tasks.migrate.environment too"}},
		"a task's permission for everything": {
			withTask("image: web, permissions: [{actions: ['*'], " + uploads + "}]"), "tasks.migrate.permissions[0].actions[0]",
			[]string{"allows everything"}},
		"a container of a task": {
			withTask("image: web, containers: {proxy: {image: wbe}}"), "tasks.migrate.containers.proxy.image",
			[]string{`names "wbe"`}},
		"a container of a task with its name": {
			withTask("image: web, containers: {migrate: {image: web}}"), "tasks.migrate.containers.migrate",
			[]string{"is the name of the main container, whose keys stand in tasks.migrate"}},
		"a circle in a task": {
			withTask("image: web, dependsOn: {a: START}, containers: {a: {image: web, dependsOn: {migrate: START}}}"),
			"tasks.migrate.containers.a.dependsOn.migrate",
			[]string{"a → migrate → a"}},

		// before
		"before a service that is not there": {
			withTask("image: web, before: [api]"), "tasks.migrate.before[0]",
			[]string{`names "api", which is no service; declare services.api, or name one of: web`}},
		"before another task": {
			withTask("image: web, before: [migrate]"), "tasks.migrate.before[0]", []string{"which is no service"}},
		"before a service twice": {
			withTask("image: web, before: [web, web]"), "tasks.migrate.before[1]", []string{"duplicates web; remove it"}},
		"before that is text": {
			withTask("image: web, before: web"), "tasks.migrate.before", []string{"it must be a list"}},

		// schedules
		"a schedule without a time": {
			onSchedule("{retries: 1}"), "tasks.migrate.schedule.when", []string{"is missing; write when"}},
		"a schedule of the usual cron": {
			onSchedule("{when: '0 22 * * *'}"), "tasks.migrate.schedule.when",
			[]string{`is "0 22 * * *"; write "at(2026-12-24T18:00:00)", "rate(1 day)" or "cron(`}},
		"a schedule of both days": {
			onSchedule("{when: 'cron(0 6 1 * MON *)'}"), "tasks.migrate.schedule.when",
			[]string{"write ? for the day of the month or for the day of the week"}},
		"a rate in seconds": {
			onSchedule("{when: rate(30 seconds)}"), "tasks.migrate.schedule.when",
			[]string{"write a number and minutes, hours or days"}},
		"a rate longer than AWS's numbers": {
			onSchedule("{when: rate(99999999999999999999 days)}"), "tasks.migrate.schedule.when",
			[]string{"from 1 to 2147483647"}},
		"a day that is none": {
			onSchedule("{when: 'at(2026-02-30T00:00:00)'}"), "tasks.migrate.schedule.when", []string{"write a date and time"}},
		"a time with its zone": {
			onSchedule("{when: 'at(2026-12-24T18:00:00Z)'}"), "tasks.migrate.schedule.when", []string{"write a date and time"}},
		"a time zone that is none": {
			onSchedule("{when: rate(1 day), timeZone: Seoul}"), "tasks.migrate.schedule.timeZone", []string{"as in Asia/Seoul"}},
		"too many retries": {
			onSchedule("{when: rate(1 day), retries: 186}"), "tasks.migrate.schedule.retries",
			[]string{"is 186; allowed: 0 to 185"}},
		"an age of seconds": {
			onSchedule("{when: rate(1 day), maxAge: 59}"), "tasks.migrate.schedule.maxAge",
			[]string{"is 59; allowed: 60 to 86400"}},
		"a schedule that is text": {
			onSchedule("rate(1 day)"), "tasks.migrate.schedule", []string{"it must be an object"}},
		"enabled in words": {
			onSchedule("{when: rate(1 day), enabled: 'yes'}"), "tasks.migrate.schedule.enabled",
			[]string{"must be true or false"}},
		"a queue by its name": {
			onSchedule("{when: rate(1 day), deadLetterQueue: failed}"), "tasks.migrate.schedule.deadLetterQueue",
			[]string{`is "failed"; write the ARN of an SQS queue, as in arn:aws:sqs:`}},
		"a topic": {
			onSchedule("{when: rate(1 day), deadLetterQueue: '" + strings.Replace(queue, "sqs", "sns", 1) + "failed'}"),
			"tasks.migrate.schedule.deadLetterQueue", []string{"write the ARN of an SQS queue"}},
		"an ordered queue": {
			onSchedule("{when: rate(1 day), deadLetterQueue: '" + queue + "failed.fifo'}"),
			"tasks.migrate.schedule.deadLetterQueue",
			[]string{`names the queue "failed.fifo"; EventBridge Scheduler takes standard queues`}},
		"a queue of another region": {
			onSchedule("{when: rate(1 day), deadLetterQueue: '"+strings.Replace(queue, "ap-northeast-2", "us-east-1",
				1)+"failed'}") + here, "tasks.migrate.schedule.deadLetterQueue",
			[]string{"is in region us-east-1, and the stage runs in ap-northeast-2 (aws:region)"}},
		"a queue of another account": {
			onSchedule("{when: rate(1 day), deadLetterQueue: '"+strings.Replace(queue, "123456789012", "210987654321",
				1)+"failed'}") + here, "tasks.migrate.schedule.deadLetterQueue",
			[]string{"is in account 210987654321, and the stage may use 123456789012 (aws:allowedAccountIds)"}},

		// tags
		"a tag that slipway sets on tasks": {
			with("  slipway:tags: {task: shop}"), "tags.task", []string{"is a tag that slipway sets itself"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", test.stage)
			requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says...)
		})
	}
}

func TestGoodTasks(t *testing.T) {
	t.Parallel()
	for name, stage := range map[string]string{
		"by hand":                     withTask("image: web"),
		"before no service":           withTask("image: web, before: []"),
		"before one, and on schedule": withTask("image: web, before: [web], schedule: {when: rate(2 hours)}"),
		"once":                        onSchedule("{when: 'at(2026-12-24T18:00:00)', timeZone: Asia/Kolkata}"),
		"without another try":         onSchedule("{when: 'cron(0 6 ? * MON-FRI *)', retries: 0, maxAge: 60, enabled: false}"),
		"with a queue": onSchedule("{when: rate(1 day), deadLetterQueue: " +
			"'arn:aws:sqs:ap-northeast-2:123456789012:failed'}"),
		"with a secret and containers": withTask("image: web, secrets: [DATABASE_URL], dependsOn: {a: SUCCESS}, " +
			"containers: {a: {image: 'busybox:1@" + digest + "', essential: false}}"),
		"tasks alone": "config: {'slipway:images': {web: {ref: '" + pinned +
			"'}}, 'slipway:tasks': {job: {image: web}}}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", stage)
			require.NoError(t, err)
		})
	}
}

func TestServicesAndTasksAreFoundByTheirNames(t *testing.T) {
	t.Parallel()
	got, err := loadFiles(t, "dev", "config: {'slipway:defaults': {value: {tasks: {migrate: {image: web}}}}}",
		with("  slipway:tasks: {migrate: {cpu: 512, memory: 1024}}"))
	require.NoError(t, err)
	require.Equal(t, []string{"migrate", "web"}, got.TaskDefinitions())
	require.Equal(t, 512, got.TaskDefinition("migrate").CPU)
	require.Equal(t, 256, got.TaskDefinition("web").CPU)
	require.Equal(t, []string{"tasks.migrate", "services.web"}, []string{got.Key("migrate"), got.Key("web")})
	require.Equal(t, "tasks.migrate.cpu (Pulumi.dev.yaml)", got.WhereDefined("migrate", "cpu"))
	require.Equal(t, "defaults.tasks.migrate.image (Pulumi.yaml)", got.WhereDefined("migrate", "image"))
	require.Equal(t, "services.web.image (Pulumi.dev.yaml)", got.WhereDefined("web", "image"))
	require.Equal(t, map[string]string{"project": "slipway", "stage": "dev", "task": "migrate"}, got.TagsOf("migrate"))
	require.Equal(t, map[string]string{"project": "slipway", "stage": "dev", "service": "web"}, got.TagsOf("web"))
}
