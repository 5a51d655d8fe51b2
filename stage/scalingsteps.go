package stage

import (
	"maps"
	"slices"

	"slipway/internal/awslimits"
)

// ScalingSteps change the number of tasks by how far a metric is beyond a value.
//
// Rule: [PutMetricAlarm](https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html)
type ScalingSteps struct {
	CloudWatchMetric

	// Period is the time of which each value is the statistic.
	//
	// Allowed: 60 to 3600, a multiple of 60
	// Example: period: 300
	Period int `json:"period" default:"60" min:"60" max:"3600" unit:"seconds"`

	// Periods is how many periods in a row the metric must be beyond the first step's `from`.
	//
	// Example: periods: 15
	Periods int `json:"periods" default:"1" min:"1" max:"24"`

	// When is on which side of `from` the steps are.
	//
	// Example: when: above
	When string `json:"when" default:"above" enum:"above,below"`

	// Adjust are the steps: each holds from its `from` on, as far as that of the next one.
	//
	// Default: none; required
	// Allowed: up to 20; `from` rises from step to step where `when` is `above`, and falls where it is `below`. All have
	// the same of `add`, `percent` and `set`
	// Example: adjust: [{from: 100, add: 1}, {from: 1000, add: 5}]
	// Rule: [Step
	// adjustments](https://docs.aws.amazon.com/autoscaling/application/userguide/step-scaling-policy-overview.html)
	Adjust []ScalingStep `json:"adjust"`
}

// ScalingStep is what becomes of the number of tasks from a certain value of the metric on.
//
// Rule: [StepAdjustment](https://docs.aws.amazon.com/autoscaling/application/APIReference/API_StepAdjustment.html)
type ScalingStep struct {
	// From is the metric's value from which on the step holds, itself included.
	//
	// Default: none; required
	// Example: from: 100
	From float64 `json:"from"`

	// Add is how many tasks are added, or taken away where it is negative.
	//
	// Default: none
	// Allowed: one of `add`, `percent` and `set`; not 0
	// Example: add: -1
	Add int `json:"add" min:"-5000" max:"5000" unit:"tasks"`

	// Percent is what part of the tasks is added, or taken away where it is negative: at least one task.
	//
	// Default: none
	// Allowed: one of `add`, `percent` and `set`; not 0
	// Example: percent: 50
	Percent int `json:"percent" min:"-100" max:"10000" unit:"percent"`

	// Set is the number of tasks, whatever it was.
	//
	// Default: none
	// Allowed: one of `add`, `percent` and `set`
	// Example: set: 0
	Set *int `json:"set" min:"0" max:"5000" unit:"tasks"`
}

// ScaleIn tells whether the steps take tasks away, so that the time between two of them is scaleInCooldown.
//
// Example: true for {when: below, adjust: [{from: 0, set: 0}]}
func (s ScalingSteps) ScaleIn() bool {
	first := s.Adjust[0]
	return first.Add < 0 || first.Percent < 0 || first.Set != nil && s.When == "below"
}

func checkScalingSteps(here place, steps map[string]ScalingSteps) {
	for _, name := range slices.Sorted(maps.Keys(steps)) {
		settings, here := steps[name], here.at(name)
		checkScalingName(here, name, "steps")
		checkMetric(here, settings.CloudWatchMetric)
		if period := here.at("period"); settings.Period%60 != 0 {
			period.fail("is %d; write a multiple of 60", settings.Period)
		}
		adjust := here.at("adjust")
		checkAtLeastOne(adjust, len(settings.Adjust), "the steps, as in [{from: 100, add: 1}]")
		if most := awslimits.StepAdjustments; len(settings.Adjust) > most {
			adjust.fail("has %d steps, and AWS takes %d; join some", len(settings.Adjust), most)
		}
		for i, step := range settings.Adjust {
			checkScalingStep(adjust.at(i), step)
			if i == 0 || here.at("when").bad {
				continue
			}
			first, before := settings.Adjust[0], settings.Adjust[i-1]
			if falls := settings.When == "below"; step.From == before.From || step.From < before.From != falls {
				adjust.at(i, "from").fail("is %v, after %v; write the steps in the order in which the metric meets them, "+
					"each with a from that is %s than the last", step.From, before.From,
					map[bool]string{false: "more", true: "less"}[falls])
			}
			if was, is := first.kind(), step.kind(); was != is && !adjust.at(0).broken() && !adjust.at(i).broken() {
				adjust.at(i, is).fail("is beside %s in the first step, and AWS takes one of them for all steps; "+
					"write %[1]s, too, or make it steps of their own", was)
			}
		}
	}
}

func checkScalingStep(here place, step ScalingStep) {
	if from := here.at("from"); !from.present {
		from.fail("is missing; write the metric's value from which on the step holds")
	}
	var given []string
	for _, kind := range []string{"add", "percent", "set"} {
		if change := here.at(kind); change.present || change.bad {
			given = append(given, kind)
		}
	}
	switch {
	case here.unsure || here.bad:
	case len(given) == 0:
		here.fail("changes nothing; write add, percent or set")
	case len(given) > 1:
		here.fail("has %s; write one of them", enumerate(given))
	case step.Add == 0 && step.Percent == 0 && step.Set == nil:
		here.at(given[0]).fail("is 0, which changes nothing; write another number, or remove the step")
	}
}

// kind is the key by which a step changes the number of tasks.
func (s ScalingStep) kind() string {
	switch {
	case s.Set != nil:
		return "set"
	case s.Percent != 0:
		return "percent"
	}
	return "add"
}
