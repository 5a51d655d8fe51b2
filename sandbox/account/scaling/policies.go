package scaling

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

// policy is what Application Auto Scaling knows of a policy.
type policy struct {
	Name       string    `json:"name"`
	ARN        string    `json:"arn"`
	ResourceID string    `json:"resourceId"`
	PolicyType string    `json:"policyType"`
	Tracking   *tracking `json:"targetTrackingScalingPolicyConfiguration"`
	Steps      *steps    `json:"stepScalingPolicyConfiguration"`
}

type tracking struct {
	TargetValue      float64           `json:"targetValue"`
	DisableScaleIn   bool              `json:"disableScaleIn"`
	ScaleInCooldown  float64           `json:"scaleInCooldown"`
	ScaleOutCooldown float64           `json:"scaleOutCooldown"`
	Predefined       *predefinedMetric `json:"predefinedMetricSpecification"`
	Customized       *customizedMetric `json:"customizedMetricSpecification"`
}

type predefinedMetric struct {
	Type  string `json:"predefinedMetricType"`
	Label string `json:"resourceLabel"`
}

// customizedMetric is one metric, or queries of which one makes a metric of others.
type customizedMetric struct {
	Metric
	Statistic string  `json:"statistic"`
	Queries   []query `json:"metrics"`
}

// Metric is one of CloudWatch, but for its dimensions, by which the sandbox's metrics do not differ.
type Metric struct {
	Namespace string `json:"namespace"`
	Name      string `json:"metricName"`
}

type query struct {
	ID         string `json:"id"`
	Expression string `json:"expression"`
	Stat       *struct {
		Metric Metric `json:"metric"`
		Stat   string `json:"stat"`
	} `json:"metricStat"`
	ReturnData bool `json:"returnData"`
}

type steps struct {
	AdjustmentType string  `json:"adjustmentType"`
	Cooldown       float64 `json:"cooldown"`
	MinMagnitude   float64 `json:"minAdjustmentMagnitude"`
	Aggregation    string  `json:"metricAggregationType"`
	Adjustments    []step  `json:"stepAdjustments"`
}

// step holds from Lower on, below Upper, both counted from the alarm's threshold; empty where there is no bound.
type step struct {
	Lower      string  `json:"metricIntervalLowerBound"`
	Upper      string  `json:"metricIntervalUpperBound"`
	Adjustment float64 `json:"scalingAdjustment"`
}

func decodePolicy(o account.Object) (p policy) {
	text, err := json.Marshal(o)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		panic(err) // it came from JSON
	}
	return p
}

func invalid(format string, args ...any) error {
	return account.Refuse("ValidationException", format, args...)
}

func (p policy) check(t *account.Tx, o account.Object) error {
	switch {
	case p.PolicyType == "StepScaling" && p.Steps == nil:
		return invalid("Step scaling policy configuration is required for policy type StepScaling")
	case p.PolicyType == "TargetTrackingScaling" && p.Tracking == nil:
		return invalid("Target tracking scaling policy configuration is required for policy type TargetTrackingScaling")
	case p.Steps != nil && p.Tracking != nil:
		return invalid("Only one of the configurations of step scaling and target tracking can be specified")
	case p.Steps != nil:
		return p.Steps.check()
	}
	switch one, other := p.Tracking.Predefined, p.Tracking.Customized; {
	case (one == nil) == (other == nil):
		return invalid("Exactly one of predefined metric specification and customized metric specification must be specified")
	case one != nil:
		return checkMetric(one.Type, one.Label)
	default:
		if err := other.check(); err != nil {
			return err
		}
	}
	specification := account.Member(o["targetTrackingScalingPolicyConfiguration"], "customizedMetricSpecification")
	for _, each := range account.List[account.Object](t, ScalingPolicy) {
		if each.Text("resourceId") == p.ResourceID && each.Text("name") != p.Name && reflect.DeepEqual(specification,
			account.Member((*each)["targetTrackingScalingPolicyConfiguration"], "customizedMetricSpecification")) {
			return invalid("Only one TargetTrackingScaling policy for a given metric specification is allowed.")
		}
	}
	return nil
}

var queryID = regexp.MustCompile(`^[a-z][A-Za-z0-9_]{0,254}$`)

func (m *customizedMetric) check() error {
	single := m.Name != "" && m.Namespace != "" && m.Statistic != ""
	if len(m.Queries) == 0 {
		if !single {
			return invalid("Customized metric specification must have either metrics, or namespace, metric name and statistic")
		}
		return nil
	}
	if m.Name != "" || m.Namespace != "" || m.Statistic != "" {
		return invalid("Customized metric specification cannot have metrics beside namespace, metric name and statistic")
	}
	returned := 0
	var ids []string
	for _, each := range m.Queries {
		switch {
		case !queryID.MatchString(each.ID) || slices.Contains(ids, each.ID):
			return invalid("Invalid metric id: %q", each.ID)
		case (each.Expression == "") == (each.Stat == nil):
			return invalid("Metric %s must have either an expression or a metric stat", each.ID)
		case each.ReturnData:
			returned++
		}
		ids = append(ids, each.ID)
	}
	if returned != 1 {
		return invalid("Exactly one element of the metrics list should return data")
	}
	for _, each := range m.Queries {
		if each.Expression == "" {
			continue
		}
		if _, err := evaluate(each.Expression, func(id string) (value, error) {
			if !slices.Contains(ids, id) {
				return value{}, fmt.Errorf("there is no metric %s", id)
			}
			return value{number: 1, known: true}, nil
		}); err != nil {
			return invalid("Invalid metric expression %s: %s", each.Expression, err)
		}
	}
	return nil
}

func (s *steps) check() error {
	switch {
	case !slices.Contains([]string{"ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity"}, s.AdjustmentType):
		return invalid("Invalid adjustment type: %q", s.AdjustmentType)
	case !slices.Contains([]string{"", "Average", "Minimum", "Maximum"}, s.Aggregation):
		return invalid("Invalid metric aggregation type: %q", s.Aggregation)
	case s.MinMagnitude != 0 && s.AdjustmentType != "PercentChangeInCapacity":
		return invalid("Minimum adjustment magnitude is only valid for PercentChangeInCapacity")
	case len(s.Adjustments) == 0 || len(s.Adjustments) > awslimits.StepAdjustments:
		return invalid("A step scaling policy must have 1 to %d step adjustments", awslimits.StepAdjustments)
	}
	ordered := slices.Clone(s.Adjustments)
	for _, each := range ordered {
		for _, bound := range []string{each.Lower, each.Upper} {
			if _, err := strconv.ParseFloat(bound, 64); err != nil && bound != "" {
				return invalid("A metric interval bound must be a number: %q", bound)
			}
		}
		switch {
		case each.Lower == "" && each.Upper == "":
			return invalid("A step adjustment must have a lower or an upper bound")
		case each.lower() >= each.upper():
			return invalid("The upper bound of a step adjustment must be greater than its lower bound")
		case each.Adjustment < 0 && s.AdjustmentType == "ExactCapacity":
			return invalid("The scaling adjustment of ExactCapacity cannot be negative")
		}
	}
	slices.SortFunc(ordered, func(one, other step) int {
		if one.lower() < other.lower() {
			return -1
		}
		return 1
	})
	for i, each := range ordered[1:] {
		switch before := ordered[i]; {
		case each.lower() < before.upper():
			return invalid("The step adjustment intervals cannot overlap")
		case each.lower() > before.upper():
			return invalid("The step adjustment intervals cannot have a gap between them")
		}
	}
	switch first, last := ordered[0], ordered[len(ordered)-1]; {
	case first.Lower != "" && first.lower() < 0:
		return invalid("There must be a step adjustment without a lower bound where one has a negative lower bound")
	case last.Upper != "" && last.upper() > 0:
		return invalid("There must be a step adjustment without an upper bound where one has a positive upper bound")
	}
	return nil
}
