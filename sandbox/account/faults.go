package account

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Faults that can be set on an account, each a key and a value.
const (
	// FailingTasks is a pattern (* and ?) of `family:revision` or of a container's image reference: new tasks that
	// match it exit soon after they start.
	FailingTasks = "failing-tasks"
	// FailingReason is what such a container says; none by default.
	FailingReason = "failing-reason"
	// FailingExitCode is the exit code of such a container; 1 by default.
	FailingExitCode = "failing-exit-code"
	// UnhealthyTasks is a pattern (* and ?) of `family:revision`: new tasks that match it and have a health check of their
	// own fail it.
	UnhealthyTasks = "unhealthy-tasks"
	// Alarm is a pattern (* and ?) of a CloudWatch alarm's name: it goes into ALARM during every deployment.
	Alarm = "alarm"
	// UnhealthyTargets is a pattern of `family:revision`: new tasks that match it run, but fail the health checks of
	// their target groups.
	UnhealthyTargets = "unhealthy-targets"
	// Metric is what CloudWatch has of metrics, by their names: NAME=VALUE, several with commas between them. Services
	// scale by them.
	Metric = "metric"
	// NoRoute is a pattern (* and ?) of a subnet's id: its route table leads nowhere outside of the VPC, and a task that
	// may be placed in it does not start.
	NoRoute = "no-route"
	// LostInstance is a pattern (* and ?) of an EC2 instance's id: the instance is gone, as one whose hardware fails.
	LostInstance = "lost-instance"
	// NoInstances is a pattern (* and ?) of an instance type: EC2 has no capacity for it.
	NoInstances = "no-instances"
	// IAMDelay is the age (a duration such as 5s) below which tasks cannot assume a role yet.
	IAMDelay = "iam-delay"
	// FreshAccount is how long after its creation (a duration) ECS cannot assume its own role in the account, which has no
	// service-linked role until a call needs one.
	FreshAccount = "fresh-account"
	// SlowPush is how long a push takes (a duration).
	SlowPush = "slow-push"
	// DieAfterPush is "1" where the next process that has recorded a push is to die right after it.
	DieAfterPush = "die-after-push"
	// SlowRollout is how long each step of a rollout takes (a duration); 200ms by default.
	SlowRollout = "slow-rollout"
	// APIFault is how calls of the AWS SDK go wrong: ACTION=KIND or ACTION=KIND:COUNT, several with commas between them. A
	// KIND is one of APIFaultKinds; with a COUNT, only so many calls do.
	APIFault = "api-fault"
	// Clock is how far the account's clock is put forward (a duration), or back where it begins with -.
	Clock = "clock"
)

func checkFault(key, value string) error {
	switch key {
	case FailingTasks, FailingReason, UnhealthyTasks, UnhealthyTargets, Alarm, NoRoute, LostInstance, NoInstances,
		DieAfterPush:
		return nil
	case FailingExitCode:
		if _, err := strconv.Atoi(value); err != nil {
			return fmt.Errorf("fault %s=%s: want a number", key, value)
		}
		return nil
	case DieAfterCreate, DieAfterUpdate, DieAfterDelete:
		if !resourceTypes.MatchString(value) {
			return fmt.Errorf("fault %s=%s: want a resource type such as aws:iam/role:Role or iam/role", key, value)
		}
		return nil
	case APIFault:
		_, err := parseAPIFaults(value)
		return err
	case Clock:
		if d, err := time.ParseDuration(value); err != nil || d == 0 {
			return fmt.Errorf("fault %s=%s: want a duration such as 2m or -2m", key, value)
		}
		return nil
	case Metric:
		_, err := Metrics(value)
		return err
	case IAMDelay, FreshAccount, SlowPush, SlowRollout:
		if d, err := time.ParseDuration(value); err != nil || d <= 0 {
			return fmt.Errorf("fault %s=%s: want a duration such as 5s", key, value)
		}
		return nil
	}
	return fmt.Errorf("there is no fault %q: use %s", key, strings.Join([]string{FailingTasks, FailingReason,
		FailingExitCode, UnhealthyTasks, UnhealthyTargets, Alarm, Metric, NoRoute, LostInstance, NoInstances, IAMDelay,
		FreshAccount, SlowPush,
		DieAfterPush, DieAfterCreate, DieAfterUpdate, DieAfterDelete, SlowRollout, APIFault, Clock}, ", "))
}

var resourceTypes = regexp.MustCompile(`^(aws:)?[a-z0-9]+/[A-Za-z]+(:[A-Za-z]+)?(,(aws:)?[a-z0-9]+/[A-Za-z]+(:[A-Za-z]+)?)*$`)

const faultKind = "faults"

// Faults are the faults that are set.
func (t *Tx) Faults() map[string]string {
	if faults := Get[map[string]string](t.Shared(), faultKind, ""); faults != nil {
		return *faults
	}
	return map[string]string{}
}

// Faults returns the faults that are set.
func (a *Account) Faults() (faults map[string]string, err error) {
	err = a.Transact(func(t *Tx) error {
		faults = t.Faults()
		return nil
	})
	return faults, err
}

// SetFaults replaces all faults; none are set where the map is empty.
func (a *Account) SetFaults(faults map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(faults)) {
		if err := checkFault(key, faults[key]); err != nil {
			return err
		}
	}
	return a.Transact(func(t *Tx) error {
		Put(t.Shared(), faultKind, "", faults)
		return nil
	})
}

// FaultDuration is a fault that checkFault has accepted, or the default.
func FaultDuration(faults map[string]string, key string, otherwise time.Duration) time.Duration {
	if d, err := time.ParseDuration(faults[key]); err == nil {
		return d
	}
	return otherwise
}

// Metrics are the values of the fault Metric, by name.
func Metrics(fault string) (map[string]float64, error) {
	metrics := map[string]float64{}
	for each := range strings.SplitSeq(fault, ",") {
		name, text, _ := strings.Cut(each, "=")
		number, err := strconv.ParseFloat(text, 64)
		if fault != "" && (err != nil || name == "") {
			return nil, fmt.Errorf("fault %s=%s: want NAME=VALUE such as ApproximateNumberOfMessagesVisible=250", Metric, fault)
		}
		metrics[name] = number
	}
	return metrics, nil
}

// Wildcard reports whether text matches a pattern in which * stands for any text and ? for any character, as in
// IAM policies.
func Wildcard(pattern, text string) bool {
	expression := regexp.QuoteMeta(pattern)
	expression = strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(expression)
	matched, err := regexp.MatchString("^(?s:"+expression+")$", text)
	return err == nil && matched
}
