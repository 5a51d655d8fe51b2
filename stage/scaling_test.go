package stage

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// scaled is a sound stage but for what stands in its service's scaling.
func scaled(scaling string) string { return oneService("      scaling: " + scaling) }

// scheduled is a sound stage but for one schedule of its service's scaling.
func scheduled(schedule string) string {
	return scaled("{max: 4, schedules: {night: " + schedule + "}}")
}

func TestMistakesInScaling(t *testing.T) {
	t.Parallel()
	requireMistakes(t, map[string]mistake{
		"scaling that is a number": {
			scaled("4"), "services.web.scaling", []string{"is the number 4; it must be an object"}},
		"an unknown key of scaling": {
			scaled("{max: 4, cpus: 60, memory: 70}"), "services.web.scaling.cpus", []string{`did you mean "cpu"?`}},
		"scaling without a largest count": {
			scaled("{cpu: 60}"), "services.web.scaling.max",
			[]string{"is missing; write the largest number of tasks that the service may have"}},
		"scaling without a largest count, with replicas": {
			oneService("      replicas: 2\n      scaling: {cpu: 60}"), "services.web.scaling.max", []string{"is missing"}},
		"a largest count below the smallest": {
			scaled("{min: 5, max: 4, cpu: 60}"), "services.web.scaling.max",
			[]string{"is 4, less than min, which is 5; raise max, or lower min"}},
		"a largest count below the smallest, with replicas": {
			oneService("      replicas: 9\n      scaling: {min: 5, max: 4, cpu: 60}"), "services.web.scaling.max",
			[]string{"is 4, less than min, which is 5"}},
		"a largest count of nothing": {
			scaled("{min: 0, max: 0, cpu: 60}"), "services.web.scaling.max", []string{"is 0; allowed: 1 to 5000, or remove it"}},
		"a largest count that is text, with replicas": {
			oneService("      replicas: 2\n      scaling: {max: '4', cpu: 60}"), "services.web.scaling.max",
			[]string{"must be a whole number of tasks, without quotes"}},
		"a largest count beyond ECS's": {
			scaled("{max: 5001, cpu: 60}"), "services.web.scaling.max", []string{"is 5001; allowed: 1 to 5000"}},
		"a negative smallest count": {
			scaled("{min: -1, max: 4, cpu: 60}"), "services.web.scaling.min", []string{"is -1; allowed: 0 to 5000"}},
		"a smallest count beyond ECS's": {
			scaled("{min: 6000, max: 5000, cpu: 60}"), "services.web.scaling.min", []string{"is 6000; allowed: 0 to 5000"}},
		"nothing to scale by": {
			scaled("{max: 4}"), "services.web.scaling",
			[]string{"has nothing to scale by; write cpu, memory, requests, queue, metrics, steps or schedules, or remove " +
				"scaling"}},
		"no schedules to scale by": {
			scaled("{max: 4, schedules: {}}"), "services.web.scaling", []string{"has nothing to scale by"}},
		"no CPU to scale by": {
			scaled("{max: 4, cpu: 0}"), "services.web.scaling.cpu", []string{"is 0; allowed: 1 to 100, or remove it"}},
		"more CPU than there is": {
			scaled("{max: 4, cpu: 101}"), "services.web.scaling.cpu", []string{"is 101; allowed: 1 to 100"}},
		"CPU with its unit": {
			scaled("{max: 4, cpu: 60%}"), "services.web.scaling.cpu",
			[]string{`is the text "60%"; it must be a whole number of percent`}},
		"no memory to scale by": {
			scaled("{max: 4, memory: 0}"), "services.web.scaling.memory", []string{"allowed: 1 to 100"}},
		"half a percent of memory": {
			scaled("{max: 4, memory: 70.5}"), "services.web.scaling.memory", []string{"whole number of percent"}},
		"requests without a route": {
			scaled("{max: 4, requests: 1000}"), "services.web.scaling.requests",
			[]string{"counts what the load balancer sends, and the service has no route; write route, or remove requests"}},
		"no requests": {
			oneService("      port: 80\n      route: {}\n      scaling: {max: 4, requests: 0}"), "services.web.scaling.requests",
			[]string{"is 0; allowed: 1 to 100000000"}},
		"a negative cooldown": {
			scaled("{max: 4, cpu: 60, scaleInCooldown: -1}"), "services.web.scaling.scaleInCooldown",
			[]string{"allowed: 0 to 86400"}},
		"a cooldown of more than a day": {
			scaled("{max: 4, cpu: 60, scaleInCooldown: 86401}"), "services.web.scaling.scaleInCooldown",
			[]string{"is 86401; allowed: 0 to 86400"}},
		"a cooldown out that is text": {
			scaled("{max: 4, cpu: 60, scaleOutCooldown: 1m}"), "services.web.scaling.scaleOutCooldown",
			[]string{"whole number of seconds"}},
		"a cooldown out of more than a day": {
			scaled("{max: 4, cpu: 60, scaleOutCooldown: 86401}"), "services.web.scaling.scaleOutCooldown",
			[]string{"allowed: 0 to 86400"}},
		"replicas below scaling": {
			oneService("      replicas: 1\n      scaling: {min: 2, max: 4, cpu: 60}"), "services.web.replicas",
			[]string{"is 1, and scaling keeps the service between 2 and 4; write a count in between for the service to start " +
				"with, or remove replicas"}},
		"replicas beyond scaling": {
			oneService("      replicas: 5\n      scaling: {min: 2, max: 4, cpu: 60}"), "services.web.replicas",
			[]string{"is 5, and scaling keeps the service between 2 and 4"}},

		// schedules
		"schedules that are a list": {
			scaled("{max: 4, cpu: 60, schedules: [night]}"), "services.web.scaling.schedules",
			[]string{"is a list; it must be an object"}},
		"an unknown key of a schedule": {
			scheduled("{cron: '0 22 * * ? *', when: rate(1 day), min: 0}"), "services.web.scaling.schedules.night.cron",
			[]string{`did you mean "when"? The keys here are when, timeZone, min, max`}},
		"a schedule without a time": {
			scheduled("{min: 0}"), "services.web.scaling.schedules.night.when",
			[]string{`is missing; write when, as in "cron(0 6 ? * MON-FRI *)"`}},
		"a schedule of the usual cron": {
			scheduled("{when: '0 22 * * *', min: 0}"), "services.web.scaling.schedules.night.when",
			[]string{`is "0 22 * * *"; write "at(2026-12-24T18:00:00)", "rate(1 day)" or "cron(0 6 ? * MON-FRI *)"`}},
		"a schedule of five fields": {
			scheduled("{when: 'cron(0 22 * * ?)', min: 0}"), "services.web.scaling.schedules.night.when",
			[]string{"write six fields: cron(MINUTE HOUR DAY-OF-MONTH"}},
		"a schedule at an hour that no day has": {
			scheduled("{when: 'cron(0 24 * * ? *)', min: 0}"), "services.web.scaling.schedules.night.when",
			[]string{"its HOUR takes 0 to 23"}},
		"a schedule that is a time": {
			scheduled("{when: 2026-12-24 18:00:00, min: 0}"), "services.web.scaling.schedules.night.when",
			[]string{"is a date; write it as text"}},
		"a schedule that changes nothing": {
			scheduled("{when: rate(1 day)}"), "services.web.scaling.schedules.night",
			[]string{"changes nothing; write min or max"}},
		"a schedule whose largest count is below its smallest": {
			scheduled("{when: rate(1 day), min: 3, max: 2}"), "services.web.scaling.schedules.night.max",
			[]string{"is 2, less than min, which is 3"}},
		"a schedule whose largest count is below the smallest of scaling": {
			scaled("{min: 2, max: 4, schedules: {night: {when: rate(1 day), max: 1}}}"),
			"services.web.scaling.schedules.night.max",
			[]string{"is 1, less than scaling.min, which is 2; write min, too"}},
		"a schedule with a smallest count beyond ECS's": {
			scheduled("{when: rate(1 day), min: 5001, max: 2}"), "services.web.scaling.schedules.night.min",
			[]string{"is 5001; allowed: 0 to 5000, or remove it"}},
		"a schedule with a smallest count that is text": {
			scheduled("{when: rate(1 day), min: none}"), "services.web.scaling.schedules.night.min", []string{"whole number"}},
		"a schedule with a largest count beyond ECS's": {
			scheduled("{when: rate(1 day), max: 5001}"), "services.web.scaling.schedules.night.max",
			[]string{"allowed: 0 to 5000"}},
		"a schedule with a negative largest count": {
			scheduled("{when: rate(1 day), max: -1}"), "services.web.scaling.schedules.night.max",
			[]string{"allowed: 0 to 5000"}},
		"a time zone that is none": {
			scheduled("{when: rate(1 day), min: 0, timeZone: Seoul}"), "services.web.scaling.schedules.night.timeZone",
			[]string{`is "Seoul"; write the name of a time zone, as in Asia/Seoul`}},
		"a time zone by its offset": {
			scheduled("{when: rate(1 day), min: 0, timeZone: '+09:00'}"), "services.web.scaling.schedules.night.timeZone",
			[]string{"as in Asia/Seoul"}},
		"the time zone of the machine": {
			scheduled("{when: rate(1 day), min: 0, timeZone: Local}"), "services.web.scaling.schedules.night.timeZone",
			[]string{`is "Local"`}},
		"an empty time zone": {
			scheduled("{when: rate(1 day), min: 0, timeZone: ''}"), "services.web.scaling.schedules.night.timeZone",
			[]string{`is ""`}},
		"a schedule's name with a space": {
			scaled("{max: 4, schedules: {by night: {when: rate(1 day), min: 0}}}"), `services.web.scaling.schedules["by night"]`,
			[]string{"cannot name a schedule; use up to 64 letters, digits, - and _"}},
		"a schedule's name that is too long": {
			scaled("{max: 4, schedules: {" + strings.Repeat("n", 65) + ": {when: rate(1 day), min: 0}}}"),
			"services.web.scaling.schedules." + strings.Repeat("n", 65),
			[]string{"up to 64"}},
	})
}

func TestTheCountThatAServiceStartsWith(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		lines string
		want  int
	}{
		{"      replicas: 3", 3},
		{"      replicas: 0", 0},
		{"      scaling: {min: 2, max: 4, cpu: 60}", 2},
		{"      scaling: {min: 0, max: 4, cpu: 60}", 1},
		{"      replicas: 3\n      scaling: {min: 2, max: 4, cpu: 60}", 3},
	} {
		got, err := loadFiles(t, "dev", "", oneService(test.lines))
		require.NoError(t, err)
		require.Equal(t, test.want, got.Services["web"].StartReplicas(), test.lines)
	}
	// The replicas of all stages are not those of a stage that scales.
	got, err := loadFiles(t, "dev", "config: {'slipway:defaults': {value: {services: {web: {replicas: 9}}}}}",
		scaled("{min: 2, max: 4, cpu: 60}"))
	require.NoError(t, err)
	require.Equal(t, 4, got.Services["web"].StartReplicas())
}
