package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/scaling"
)

const (
	byQueue  = "queue: {name: shop-jobs, backlog: 100}"
	ofJobs   = "{namespace: AWS/SQS, metric: ApproximateNumberOfMessagesVisible, dimensions: {QueueName: shop-jobs}, "
	bySteps  = "steps: {busy: " + ofJobs + "adjust: [{from: 1, add: 1}, {from: 1000001, add: 5}]}}"
	byMetric = "metrics: {age: {namespace: Shop, metric: age, statistic: Maximum, target: 0.5}}"
)

// A service comes to scale by a queue, a metric and steps, and each of them goes again.
func TestScalingByAQueueMetricsAndStepsComesAndGoes(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.stageKeys("slipway:cluster: {containerInsights: enabled}")
	p.serviceKeys("scaling: {min: 0, max: 9, scaleInCooldown: 600, " + byQueue + ", " + byMetric + ", " + bySteps + "}")
	p.inAnAccount()
	p.limitTo("dev", "update")
	p.up("dev").builtNothing()
	policies := map[string]account.Object{}
	for _, policy := range p.aws.objects(scaling.ScalingPolicy) {
		name := policy.Text("name")
		policies[name[:len(name)-8]] = policy
	}
	require.Len(t, policies, 3)
	queue := policies["web-queue"].Object("targetTrackingScalingPolicyConfiguration")
	require.InDelta(t, 100, queue["targetValue"], 0)
	require.Len(t, account.Objects(account.Object(queue).Object("customizedMetricSpecification")["metrics"]), 5)
	metric := policies["web-metrics.age"].Object("targetTrackingScalingPolicyConfiguration")
	require.InDelta(t, 0.5, metric["targetValue"], 0)
	require.Equal(t, "Shop", metric.Object("customizedMetricSpecification").Text("namespace"))
	steps := policies["web-steps.busy"].Object("stepScalingPolicyConfiguration")
	require.Equal(t, []map[string]any{
		{"metricIntervalLowerBound": "0", "metricIntervalUpperBound": "1e+06", "scalingAdjustment": 1.0},
		{"metricIntervalLowerBound": "1e+06", "metricIntervalUpperBound": "", "scalingAdjustment": 5.0},
	}, account.Objects(steps["stepAdjustments"]))
	alarm := p.aws.object(scaling.MetricAlarm)
	require.Equal(t, "slipway-dev-web.busy", alarm.Text("name"))
	require.Equal(t, []string{policies["web-steps.busy"].Text("arn")}, alarm.List("alarmActions"))
	require.Empty(t, p.up("dev", "--expect-no-changes").changed())
	p.settled("dev")
	requireProblems(p, "dev", []string{"queue", "services.web.scaling.queue.name (Pulumi.dev.yaml): there is no queue " +
		"shop-jobs", "aws sqs create-queue"})

	// AWS takes a metric once, and the new name comes before the old one goes.
	p.replace("Pulumi.dev.yaml", "{age: {namespace", "{old: {namespace")
	require.Contains(t, p.tryUp("dev").output, "Only one TargetTrackingScaling policy for a given metric specification")
	p.replace("Pulumi.dev.yaml", "{old: {namespace", "{age: {namespace")
	p.settled("dev")

	p.replace("Pulumi.dev.yaml", "backlog: 100", "backlog: 50")
	p.replace("Pulumi.dev.yaml", "from: 1000001", "from: 501")
	for _, change := range p.up("dev").changed() {
		require.Equal(t, "Update aws:appautoscaling/policy:Policy", change)
	}
	p.settled("dev")

	p.withoutOptions()
	p.stageKeys("slipway:cluster: {containerInsights: enabled}")
	p.serviceKeys("scaling: {min: 0, max: 9, " + byQueue + "}")
	p.up("dev")
	require.Len(t, p.aws.objects(scaling.ScalingPolicy), 1)
	require.Empty(t, p.aws.objects(scaling.MetricAlarm))
	p.settled("dev")
	p.withoutOptions()
	p.up("dev", "--refresh")
	require.Empty(t, p.aws.objects(scaling.ScalableTarget))
	require.Empty(t, p.aws.objects(scaling.ScalingPolicy))
	p.settled("dev")
}

func TestScalingThatCannotWorkIsRefused(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.serviceKeys("scaling: {min: 0, max: 9, " + byQueue + ", steps: {busy: " + ofJobs +
		"adjust: [{from: 5, add: 1}, {from: 1, add: 2}]}}}")
	requireRefused(p, "services.web.scaling.queue (Pulumi.dev.yaml): needs the number of tasks that the service has",
		"slipway:cluster: {containerInsights: enabled}",
		"services.web.scaling.steps.busy.adjust[1].from (Pulumi.dev.yaml): is 1, after 5")
}

// inQueue is what CloudWatch has of a queue, and how far the account's clock is put forward, past the cooldowns.
func (p *project) inQueue(waiting, working int, clock time.Duration) {
	p.Helper()
	p.aws.setFaults(map[string]string{account.Clock: clock.String(), account.Metric: fmt.Sprintf(
		"ApproximateNumberOfMessagesVisible=%d,ApproximateNumberOfMessagesNotVisible=%d", waiting, working)})
}

// requireTasks waits until the service has come to so many tasks.
func requireTasks(p *project, count int) {
	p.Helper()
	require.Eventually(p, func() bool {
		service, err := ecs.FindService(p.aws.open(), "slipway-dev", "web")
		running := 0
		for _, task := range service.Tasks {
			if task.LastStatus == "RUNNING" && task.DesiredStatus == "RUNNING" {
				running++
			}
		}
		return err == nil && service.Settings.DesiredCount == count && running == count
	}, 20*time.Second, 300*time.Millisecond)
}

// A worker goes down to no task when its queue is empty, and comes up again with the first message.
func TestAWorkerFollowsItsQueueDownToNothingAndUpAgain(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.stageKeys("slipway:cluster: {containerInsights: enabled}")
	p.serviceKeys("scaling: {min: 0, max: 4, " + byQueue + "}")
	p.up("dev")
	requireTasks(p, 1)
	p.inQueue(250, 0, time.Minute)
	requireTasks(p, 3)
	p.inQueue(0, 3, 10*time.Minute)
	requireTasks(p, 1) // which works on the last of them
	p.inQueue(0, 0, 20*time.Minute)
	requireTasks(p, 0)
	require.Empty(t, p.up("dev", "--refresh", "--expect-no-changes").changed(), "no update wakes it")
	requireTasks(p, 0)
	p.inQueue(1, 0, 30*time.Minute)
	requireTasks(p, 1)
	p.inQueue(100000, 0, 40*time.Minute)
	requireTasks(p, 4)
}
