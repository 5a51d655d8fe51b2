package stage

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const insights = "\n  slipway:cluster: {containerInsights: enabled}\n"

// byQueue is a sound stage but for what stands in the queue of its service's scaling.
func byQueue(queue string) string { return scaled("{min: 0, max: 4, queue: "+queue+"}") + insights }

// byMetric is a sound stage but for one metric of its service's scaling, bySteps but for its steps.
func byMetric(metric string) string { return scaled("{max: 4, metrics: {age: {" + metric + "}}}") }

const ofQueue = "namespace: AWS/SQS, metric: ApproximateAgeOfOldestMessage, dimensions: {QueueName: jobs}, "

func bySteps(steps string) string {
	return scaled("{max: 4, steps: {busy: {" + ofQueue + steps + "}}}")
}

func TestMistakesInScalingByAQueue(t *testing.T) {
	t.Parallel()
	const queue = "services.web.scaling.queue"
	requireMistakes(t, map[string]mistake{
		"a queue without Container Insights": {
			scaled("{max: 4, queue: {name: jobs, backlog: 10}}"), queue,
			[]string{"needs the number of tasks that the service has, which CloudWatch knows only with Container Insights; " +
				"write slipway:cluster: {containerInsights: enabled}, or scale by steps"}},
		"a queue by its name alone": {
			byQueue("jobs"), queue, []string{`is the text "jobs"; it must be an object`}},
		"a queue without a name": {
			byQueue("{backlog: 10}"), queue + ".name", []string{"is missing; write the name of an SQS queue, as in shop-jobs"}},
		"a queue without a backlog": {
			byQueue("{name: jobs}"), queue + ".backlog",
			[]string{"is missing; write how many messages there should be for each task"}},
		"no backlog": {byQueue("{name: jobs, backlog: 0}"), queue + ".backlog", []string{"allowed: 1 to 100000000"}},
		"half a message": {
			byQueue("{name: jobs, backlog: 0.5}"), queue + ".backlog", []string{"whole number of messages"}},
		"a queue's address": {
			byQueue("{name: 'https://sqs.eu-central-1.amazonaws.com/123456789012/jobs', backlog: 1}"), queue + ".name",
			[]string{`write the name of an SQS queue, as in shop-jobs, or its ARN`}},
		"a topic": {
			byQueue("{name: 'arn:aws:sns:ap-northeast-2:123456789012:jobs', backlog: 1}"), queue + ".name",
			[]string{`or its ARN`}},
		"a queue whose name is too long": {
			byQueue("{name: " + strings.Repeat("j", 81) + ", backlog: 1}"), queue + ".name", []string{"write the name"}},
		"another unit": {
			byQueue("{name: jobs, backlog: 1, latency: 10}"), queue + ".latency", []string{"the keys here are name, backlog"}},
	})
}

func TestMistakesInScalingByMetricsAndSteps(t *testing.T) {
	t.Parallel()
	var many []string
	for from := range 21 {
		many = append(many, fmt.Sprintf("{from: %d, add: 1}", from))
	}
	steps21 := "[" + strings.Join(many, ", ") + "]"
	const metric, steps = "services.web.scaling.metrics.age", "services.web.scaling.steps.busy"
	requireMistakes(t, map[string]mistake{
		"a metric without a namespace": {
			byMetric("metric: x, target: 1"), metric + ".namespace", []string{"is missing; write the metric's namespace"}},
		"a metric without a name": {
			byMetric("namespace: AWS/SQS, target: 1"), metric + ".metric", []string{"is missing; write the metric's name"}},
		"a metric without a target": {
			byMetric("namespace: AWS/SQS, metric: x"), metric + ".target", []string{"is missing; write the value"}},
		"a target of nothing": {
			byMetric("namespace: AWS/SQS, metric: x, target: 0"), metric + ".target",
			[]string{"is 0; write a number that is more than 0"}},
		"a target that is text": {
			byMetric("namespace: AWS/SQS, metric: x, target: '1.5'"), metric + ".target",
			[]string{"it must be a number, without quotes"}},
		"a target that YAML reads as another": {
			byMetric("namespace: AWS/SQS, metric: x, target: 010"), metric + ".target",
			[]string{"is written 010, which YAML reads as 8"}},
		"a namespace with a colon": {
			byMetric("namespace: 'AWS:SQS', metric: x, target: 1"), metric + ".namespace", []string{"without a colon"}},
		"a percentile": {
			byMetric("namespace: AWS/SQS, metric: x, target: 1, statistic: p99"), metric + ".statistic",
			[]string{`is "p99"; allowed: Average, Sum, Minimum, Maximum, SampleCount`}},
		"a dimension without a value": {
			byMetric("namespace: AWS/SQS, metric: x, target: 1, dimensions: {QueueName: ''}"),
			metric + ".dimensions.QueueName", []string{"has 0 characters; a dimension's value has 1 to 1024"}},
		"a metric's name that AWS would not take": {
			scaled("{max: 4, metrics: {a b: {" + ofQueue + "target: 1}}}"), `services.web.scaling.metrics["a b"]`,
			[]string{"cannot name a metric; use up to 64 letters, digits, - and _"}},
		"a metric twice": {
			scaled("{max: 4, metrics: {age: {" + ofQueue + "target: 1}, older: {" + ofQueue + "target: 2}}}"),
			"services.web.scaling.metrics.older",
			[]string{"is the metric of age, and AWS tracks a metric once for each service; remove one of them"}},

		"steps that are none":     {bySteps("adjust: []"), steps + ".adjust", []string{"is missing; write the steps"}},
		"steps that are left out": {bySteps("when: above"), steps + ".adjust", []string{"is missing; write the steps"}},
		"more steps than AWS takes": {bySteps("adjust: " + steps21),
			steps + ".adjust", []string{"has 21 steps, and AWS takes 20; join some"}},
		"a step that changes nothing": {
			bySteps("adjust: [{from: 1}]"), steps + ".adjust[0]", []string{"changes nothing; write add, percent or set"}},
		"a step of nothing": {
			bySteps("adjust: [{from: 1, add: 0}]"), steps + ".adjust[0].add", []string{"is 0, which changes nothing"}},
		"a step of two kinds": {
			bySteps("adjust: [{from: 1, add: 1, set: 2}]"), steps + ".adjust[0]", []string{"has add, set; write one of them"}},
		"a step from nowhere": {
			bySteps("adjust: [{add: 1}]"), steps + ".adjust[0].from", []string{"is missing; write the metric's value"}},
		"steps of two kinds": {
			bySteps("adjust: [{from: 1, add: 1}, {from: 2, percent: 50}]"), steps + ".adjust[1].percent",
			[]string{"is beside add in the first step, and AWS takes one of them for all steps; write add, too"}},
		"steps that fall": {
			bySteps("adjust: [{from: 5, add: 1}, {from: 2, add: 2}]"), steps + ".adjust[1].from",
			[]string{"is 2, after 5", "each with a from that is more than the last"}},
		"steps that rise": {
			bySteps("when: below, adjust: [{from: 2, add: -1}, {from: 5, add: -2}]"), steps + ".adjust[1].from",
			[]string{"is 5, after 2", "less than the last"}},
		"steps from the same value": {
			bySteps("adjust: [{from: 5, add: 1}, {from: 5, add: 2}]"), steps + ".adjust[1].from", []string{"is 5, after 5"}},
		"a side that is none": {
			bySteps("when: over, adjust: [{from: 5, add: 1}]"), steps + ".when", []string{"allowed: above, below"}},
		"a period of a minute and a half": {
			bySteps("period: 90, adjust: [{from: 5, add: 1}]"), steps + ".period", []string{"is 90; write a multiple of 60"}},
		"too many periods": {
			bySteps("periods: 25, adjust: [{from: 5, add: 1}]"), steps + ".periods", []string{"allowed: 1 to 24"}},
		"fewer tasks than none": {
			bySteps("adjust: [{from: 5, set: -1}]"), steps + ".adjust[0].set", []string{"allowed: 0 to 5000"}},
	})
}

func TestWhatScalesAService(t *testing.T) {
	t.Parallel()
	for name, lines := range map[string]string{
		"a queue":            byQueue("{name: jobs, backlog: 1}"),
		"a FIFO queue":       byQueue("{name: jobs.fifo, backlog: 1}"),
		"a queue by its ARN": byQueue("{name: 'arn:aws:sqs:ap-northeast-2:123456789012:jobs', backlog: 1}"),
		"a metric":           byMetric("namespace: Shop, metric: waiting, target: 0.25"),
		"a metric twice, by two statistics": scaled("{max: 4, metrics: {age: {" + ofQueue + "target: 1}, worst: {" + ofQueue +
			"statistic: Maximum, target: 2}}}"),
		"steps":            bySteps("adjust: [{from: 0.5, add: 1}, {from: 1000000, add: 5}]"),
		"steps below zero": bySteps("when: below, adjust: [{from: 0, set: 1}, {from: -5, set: 0}]"),
	} {
		_, err := loadFiles(t, "dev", "", lines)
		require.NoError(t, err, name)
	}
	loaded, err := loadFiles(t, "dev", "", byQueue("{name: 'arn:aws:sqs:ap-northeast-2:123456789012:jobs', backlog: 1}"))
	require.NoError(t, err)
	require.Equal(t, "jobs", loaded.Services["web"].Scaling.Queue.Queue())
}

func TestAQueueOfAnotherStackScalesAService(t *testing.T) {
	t.Parallel()
	file := `
  slipway:outputs: {QUEUE: {stack: network, output: queue}}
  slipway:cluster: {containerInsights: enabled}
  slipway:services:
    web:
      image: web
      scaling:
        max: 4
        queue: {name: {output: QUEUE}, backlog: 1}
        metrics: {age: {namespace: AWS/SQS, metric: age, dimensions: {QueueName: {output: QUEUE}}, target: 1}}
`
	read := func(queue string) (*Stage, error) {
		return loadOutputs(t, "", file, func(string) (map[string]OutputValue, error) {
			return map[string]OutputValue{"queue": {Value: queue}}, nil
		})
	}
	got, err := read("shop-jobs")
	require.NoError(t, err)
	scaling := got.Services["web"].Scaling
	require.Equal(t, "shop-jobs", scaling.Queue.Queue())
	require.Equal(t, map[string]string{"QueueName": "shop-jobs"}, scaling.Metrics["age"].Dimensions)
	_, err = read("https://sqs.eu-central-1.amazonaws.com/123456789012/shop-jobs")
	require.ErrorContains(t, err, "services.web.scaling.queue.name")
	require.ErrorContains(t, err, "write the name of an SQS queue, as in shop-jobs, or its ARN")
	_, err = loadOutputs(t, "", file, nil)
	require.NoError(t, err, "what is not known is no mistake")
}
