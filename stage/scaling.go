package stage

import (
	"regexp"
)

// Scaling lets Application Auto Scaling decide a service's desired count.
type Scaling struct {
	// Min is the smallest desired count. From 0 tasks only `schedules`, `queue`, and `metrics` and `steps` (with `add` or
	// `set`) of what is measured without tasks, too, bring a service back: `cpu`, `memory` and `requests` have nothing to
	// measure there.
	//
	// Example: min: 2
	// Rule: [RegisterScalableTarget](https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html)
	Min int `json:"min" default:"1" min:"0" max:"5000" unit:"tasks"`

	// Max is the largest desired count.
	//
	// Default: none; required
	// Allowed: not less than `min`
	// Example: max: 10
	// Rule: [RegisterScalableTarget](https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html)
	Max int `json:"max" min:"1" max:"5000" unit:"tasks"`

	// CPU is the average use of the tasks' CPU that is aimed at.
	//
	// Default: none; CPU does not scale the service
	// Example: cpu: 60
	// Rule: [Target tracking](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html)
	CPU int `json:"cpu" min:"1" max:"100" unit:"percent"`

	// Memory is the average use of the tasks' memory that is aimed at.
	//
	// Default: none; memory does not scale the service
	// Example: memory: 70
	// Rule: [Target tracking](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html)
	Memory int `json:"memory" min:"1" max:"100" unit:"percent"`

	// Requests is how many requests the load balancer should send to each task in a minute.
	//
	// Default: none; requests do not scale the service
	// Allowed: only for a service with a `route`
	// Example: requests: 1000
	// Rule: [Target tracking](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-autoscaling-targettracking.html)
	Requests int `json:"requests" min:"1" max:"100000000" unit:"requests a minute"`

	// Queue is an SQS queue of which each task has its share, for workers: from no task to `max` and, once nothing waits
	// and nothing is worked on, down to `min` after about 15 minutes. Not for a queue that is worked off by others, too.
	// A queue that nobody has used for six hours says nothing to CloudWatch for up to 15 minutes; where the first message
	// cannot wait so long, have a `min` of 1. It costs the metrics of `cluster.containerInsights`, and those that AWS's
	// two alarms read: 3 of each, at about 0.10 $ a month for one.
	//
	// Default: none; no queue scales the service
	// Allowed: only with `cluster.containerInsights`
	// Example: queue: {name: shop-jobs, backlog: 100}
	// Rule: [Scaling by a queue](https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking-metric-math.html)
	Queue *ScalingQueue `json:"queue"`

	// Metrics are further metrics of CloudWatch to keep near a value, by name. AWS makes two alarms for each, at about
	// 0.10 $ a month for one; a metric of your own costs about 0.30 $ a month besides. Not for a metric that does not
	// fall when there are more tasks, such as the length of a queue: take `queue`, or `steps`. To give a metric another
	// name here, remove it in an update first: AWS takes each once, and the new one comes before the old one goes.
	//
	// Default: none; no other metric scales the service
	// Allowed: names of letters, digits, `-` and `_`; each metric once
	// Example: metrics: {age: {namespace: AWS/SQS, metric: ApproximateAgeOfOldestMessage, target: 60}}
	// Rule: [Target
	// tracking](https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-target-tracking.html)
	Metrics map[string]TrackedMetric `json:"metrics"`

	// Steps change the number of tasks by how far a metric is beyond a value, by name. Up and down are steps of their
	// own, and need a distance between them. Each is an alarm, at about 0.10 $ a month. Not where `cpu`, `queue` or
	// `metrics` say what is meant: they find the number of tasks by themselves.
	//
	// Default: none; no steps scale the service
	// Allowed: names of letters, digits, `-` and `_`
	// Example: steps: {busy: {namespace: Shop, metric: waiting, adjust: [{from: 1, add: 1}, {from: 1000, add: 5}]}}
	// Rule: [Step
	// scaling](https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-step-scaling-policies.html)
	Steps map[string]ScalingSteps `json:"steps"`

	// ScaleInCooldown is the time between two steps down.
	//
	// Example: scaleInCooldown: 600
	// Rule: [Cooldowns](https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html)
	ScaleInCooldown int `json:"scaleInCooldown" default:"300" min:"0" max:"86400" unit:"seconds"`

	// ScaleOutCooldown is the time between two steps up.
	//
	// Example: scaleOutCooldown: 30
	// Rule: [Cooldowns](https://docs.aws.amazon.com/autoscaling/application/userguide/target-tracking-scaling-policy-overview.html)
	ScaleOutCooldown int `json:"scaleOutCooldown" default:"60" min:"0" max:"86400" unit:"seconds"`

	// Schedules change `min` and `max` at certain times, by name. A refresh (`pulumi up --refresh`) sets them back to
	// those above, until the next of these times.
	//
	// Allowed: names of letters, digits, `-` and `_`
	// Example: schedules: {night: {when: "cron(0 22 * * ? *)", min: 0, max: 1}}
	// Rule: [Scheduled scaling](https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scheduled-scaling.html)
	Schedules map[string]Schedule `json:"schedules"`
}

// Schedule sets a service's smallest and largest desired count from a certain time on.
type Schedule struct {
	// When is the time, or the times.
	//
	// Default: none; required
	// Allowed: `at(2026-12-24T18:00:00)`; `rate(1 day)`, in minutes, hours or days; `cron(MINUTE HOUR DAY-OF-MONTH
	// MONTH DAY-OF-WEEK YEAR)`, of which one of the two days is `?`
	// Example: when: "cron(0 6 ? * MON-FRI *)"
	// Rule: [Schedule expressions](https://docs.aws.amazon.com/autoscaling/application/userguide/scheduled-scaling-using-cron-expressions.html)
	When string `json:"when"`

	// TimeZone is that of `at` and `cron`.
	//
	// Allowed: a name of the IANA time zone database
	// Example: timeZone: Asia/Seoul
	// Rule: [PutScheduledAction](https://docs.aws.amazon.com/autoscaling/application/APIReference/API_PutScheduledAction.html)
	TimeZone string `json:"timeZone" default:"UTC"`

	// Min is the smallest desired count from then on.
	//
	// Default: none; as it was
	// Allowed: at least one of `min` and `max` is given
	// Example: min: 0
	// Rule: [ScalableTargetAction](https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ScalableTargetAction.html)
	Min *int `json:"min" min:"0" max:"5000" unit:"tasks"`

	// Max is the largest desired count from then on.
	//
	// Default: none; as it was
	// Allowed: not less than `min`; without one, not less than that of `scaling`
	// Example: max: 2
	// Rule: [ScalableTargetAction](https://docs.aws.amazon.com/autoscaling/application/APIReference/API_ScalableTargetAction.html)
	Max *int `json:"max" min:"0" max:"5000" unit:"tasks"`
}

var scalingName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (c *checker) checkScaling(name string, service Service) {
	scaling := service.Scaling
	of := c.at("services", name)
	here, replicas := of.at("scaling"), of.at("replicas")
	if scaling == nil || here.bad {
		return
	}
	most, requests := here.at("max"), here.at("requests")
	known := most.present && !most.bad && !here.at("min").bad
	switch {
	case !most.present:
		most.fail("is missing; write the largest number of tasks that the service may have")
	case known && scaling.Max < scaling.Min:
		most.fail("is %d, less than min, which is %d; raise max, or lower min", scaling.Max, scaling.Min)
		known = false
	}
	if !here.at("cpu").present && !here.at("memory").present && !requests.present && !here.at("queue").present &&
		len(scaling.Metrics) == 0 && len(scaling.Steps) == 0 && len(scaling.Schedules) == 0 && !here.unsure {
		here.fail("has nothing to scale by; write cpu, memory, requests, queue, metrics, steps or schedules, or remove " +
			"scaling")
	}
	if requests.present && service.Route == nil && !of.at("route").bad {
		requests.fail("counts what the load balancer sends, and the service has no route; write route, or remove requests")
	}
	if known && replicas.present && !replicas.bad && !replicas.inherited() &&
		(service.Replicas < scaling.Min || service.Replicas > scaling.Max) {
		replicas.fail("is %d, and scaling keeps the service between %d and %d; write a count in between for the "+
			"service to start with, or remove replicas", service.Replicas, scaling.Min, scaling.Max)
	}
	c.checkScalingQueue(here.at("queue"), scaling.Queue)
	checkTrackedMetrics(here.at("metrics"), scaling.Metrics)
	checkScalingSteps(here.at("steps"), scaling.Steps)
	limits := *scaling
	if here.at("min").bad {
		limits.Min = 0
	}
	for schedule, settings := range scaling.Schedules {
		checkSchedule(here.at("schedules", schedule), schedule, settings, limits)
	}
}

func checkSchedule(here place, name string, schedule Schedule, scaling Scaling) {
	if !scalingName.MatchString(name) {
		here.fail("cannot name a schedule; use up to 64 letters, digits, - and _")
	}
	checkWhen(here, schedule.When, schedule.TimeZone)
	switch {
	case here.unsure:
	case schedule.Min == nil && schedule.Max == nil:
		here.fail("changes nothing; write min or max")
	case schedule.Min != nil && schedule.Max != nil && *schedule.Max < *schedule.Min && !here.at("min").bad:
		here.at("max").fail("is %d, less than min, which is %d; raise max, or lower min", *schedule.Max, *schedule.Min)
	case schedule.Min != nil && schedule.Max == nil && *schedule.Min > scaling.Max:
		here.at("min").fail("is %d, more than scaling.max, which is %d; write max, too", *schedule.Min, scaling.Max)
	case schedule.Max != nil && schedule.Min == nil && *schedule.Max < scaling.Min:
		here.at("max").fail("is %d, less than scaling.min, which is %d; write min, too", *schedule.Max, scaling.Min)
	}
}

// StartReplicas is the desired count that a service is created with: from then on it belongs to the scaler, where
// there is one. Of a daemon it is 0: ECS counts its instances.
//
// Example: StartReplicas() is 2 where the service has replicas: 2
func (s Service) StartReplicas() int {
	if s.Daemon {
		return 0
	}
	if s.Scaling == nil {
		return s.Replicas
	}
	return min(max(s.Replicas, s.Scaling.Min), s.Scaling.Max)
}

// FixedReplicas is the desired count that the service keeps; nil where a scaler decides it.
//
// Example: FixedReplicas() points to 2 where the service has replicas: 2 and no scaling
func (s Service) FixedReplicas() *int {
	if s.Scaling != nil || s.Daemon {
		return nil
	}
	return &s.Replicas
}
