package scaling

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"time"

	"slipway/sandbox/account"
)

// Decision is what a scaler makes of a service's desired count.
type Decision struct {
	Desired int
	Policy  string
}

// Scaler is what Application Auto Scaling goes by for one service at one time.
type Scaler struct {
	*account.Tx
	Now     time.Time
	Desired int
	// ScaledOut and ScaledIn are when it was last scaled.
	ScaledOut, ScaledIn time.Time
	// Metric is a metric's latest value.
	Metric func(Metric) (number float64, known bool)
}

// Decide is the desired count that the policies of a scalable target ask for: the largest, so that tasks are taken away
// only where no policy needs them.
func (s *Scaler) Decide(resource string) int {
	target := account.Get[account.Object](s.Tx, ScalableTarget, resource)
	if target == nil {
		return s.Desired
	}
	found := -1
	for _, o := range account.List[account.Object](s.Tx, ScalingPolicy) {
		p := decodePolicy(*o)
		if p.ResourceID != resource {
			continue
		}
		wanted, asks := s.wanted(p)
		wanted = min(max(wanted, target.Number("minCapacity", 0)), target.Number("maxCapacity", 0))
		out, in := p.cooldowns()
		if wanted > s.Desired && s.Now.Before(s.ScaledOut.Add(out)) ||
			wanted < s.Desired && (s.Now.Before(s.ScaledIn.Add(in)) || s.Now.Before(s.ScaledOut.Add(in))) {
			wanted = s.Desired
		}
		if asks {
			found = max(found, wanted)
		}
	}
	if found < 0 {
		return s.Desired
	}
	return found
}

func (p policy) cooldowns() (out, in time.Duration) {
	if p.Steps != nil {
		out = time.Duration(p.Steps.Cooldown) * time.Second
		return out, out
	}
	out = time.Duration(p.Tracking.ScaleOutCooldown) * time.Second
	return out, time.Duration(p.Tracking.ScaleInCooldown) * time.Second
}

// wanted is the count that a policy asks for, where it asks for any.
func (s *Scaler) wanted(p policy) (desired int, asks bool) {
	if p.Steps != nil {
		for _, alarm := range account.List[account.Object](s.Tx, MetricAlarm) {
			number, known := s.Metric(Metric{alarm.Text("namespace"), alarm.Text("metricName")})
			if known && slices.Contains(alarm.List("alarmActions"), p.ARN) && goesOff(*alarm, number) {
				threshold, _ := (*alarm)["threshold"].(float64)
				return p.Steps.desired(s.Desired, number-threshold)
			}
		}
		return 0, false
	}
	if p.Tracking.Customized == nil {
		return 0, false
	}
	number, known := p.Tracking.Customized.value(s.Metric)
	switch target := p.Tracking.TargetValue; {
	case !known:
		return 0, false
	case number <= target && number >= 0.9*target || number < target && p.Tracking.DisableScaleIn:
		return s.Desired, true
	case s.Desired == 0 && number > target:
		return 1, true // of no tasks there is no part
	default:
		return int(math.Ceil(float64(s.Desired) * number / target)), true
	}
}

// value is that of the query which returns data.
func (m *customizedMetric) value(metric func(Metric) (float64, bool)) (float64, bool) {
	if len(m.Queries) == 0 {
		return metric(m.Metric)
	}
	var of func(id string) (value, error)
	of = func(id string) (value, error) {
		each := m.Queries[slices.IndexFunc(m.Queries, func(q query) bool { return q.ID == id })]
		if each.Stat != nil {
			number, known := metric(each.Stat.Metric)
			return value{number, known}, nil
		}
		return evaluate(each.Expression, of)
	}
	found, err := of(m.Queries[slices.IndexFunc(m.Queries, func(q query) bool { return q.ReturnData })].ID)
	return found.number, found.known && err == nil
}

func goesOff(alarm account.Object, number float64) bool {
	threshold, _ := alarm["threshold"].(float64)
	switch alarm.Text("comparisonOperator") {
	case "GreaterThanOrEqualToThreshold":
		return number >= threshold
	case "GreaterThanThreshold":
		return number > threshold
	case "LessThanOrEqualToThreshold":
		return number <= threshold
	}
	return number < threshold
}

// desired is what the step makes of a count in which a metric is, so far beyond the threshold.
func (s *steps) desired(desired int, beyond float64) (int, bool) {
	for _, each := range s.Adjustments {
		// Above the threshold the lower bound belongs to the step, below it the upper one.
		inside := beyond >= each.lower() && beyond < each.upper()
		if beyond < 0 || beyond == 0 && each.Upper == "0" {
			inside = beyond > each.lower() && beyond <= each.upper()
		}
		if !inside {
			continue
		}
		switch by := each.Adjustment; s.AdjustmentType {
		case "ExactCapacity":
			return int(by), true
		case "PercentChangeInCapacity":
			change := math.Trunc(float64(desired) * by / 100)
			if least := cmp.Or(s.MinMagnitude, 1); math.Abs(change) < least {
				change = math.Copysign(least, by)
			}
			return desired + int(change), true
		default:
			return desired + int(by), true
		}
	}
	return 0, false
}

func (s step) lower() float64 { return bound(s.Lower, math.Inf(-1)) }
func (s step) upper() float64 { return bound(s.Upper, math.Inf(1)) }

func bound(text string, otherwise float64) float64 {
	if number, err := strconv.ParseFloat(text, 64); err == nil {
		return number
	}
	return otherwise
}
