// Package instances is EC2's instances with EC2 Auto Scaling: launch templates, the groups that keep as many instances
// as are desired of them, and instance types. What runs on instances, it does not know.
package instances

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/vpc"
)

const (
	instanceKind = "instance"              // i-…
	stateKind    = "autoScalingGroupState" // the group's name
)

// How long it takes until an instance runs, and until a launch that has failed is tried again. On AWS both are minutes.
const (
	bootTime  = 1500 * time.Millisecond
	retryTime = 5 * time.Second
)

// Instance is one EC2 instance of a group.
type Instance struct {
	ID             string   `json:"id"`
	Group          string   `json:"group"`
	Type           string   `json:"type"`
	Zone           string   `json:"zone"`
	Subnet         string   `json:"subnet"`
	Template       string   `json:"template"`
	Version        int      `json:"version"`
	Profile        string   `json:"profile"`
	SecurityGroups []string `json:"securityGroups"`
	// Online tells whether the instance reaches AWS.
	Online     bool          `json:"online"`
	Agent      AgentSettings `json:"agent"`
	LaunchedAt time.Time     `json:"launchedAt"`
	ReadyAt    time.Time     `json:"readyAt"`
	Protected  bool          `json:"protected"` // from scale-in
	Outdated   bool          `json:"outdated"`  // an instance refresh is to replace it
	// TerminatingAt is since when it is to go, and Cause why; TerminatedAt when it has gone.
	TerminatingAt *time.Time `json:"terminatingAt"`
	Cause         string     `json:"cause"`
	TerminatedAt  *time.Time `json:"terminatedAt"`
}

// GroupState is what a group is at.
type GroupState struct {
	Known      bool       `json:"known"` // Desired has been decided
	Desired    int        `json:"desired"`
	RetryAt    time.Time  `json:"retryAt"`    // before then nothing is launched
	Activities []Activity `json:"activities"` // newest first, at most 50
}

// Activity is one launch or termination, or an attempt at one.
type Activity struct {
	ID            string    `json:"id"`
	At            time.Time `json:"at"`
	Description   string    `json:"description"`
	Cause         string    `json:"cause"`
	StatusCode    string    `json:"statusCode"` // Successful or Failed
	StatusMessage string    `json:"statusMessage"`
}

// Ready reports whether an instance runs, and is not to go.
func (i *Instance) Ready(at time.Time) bool { return i.TerminatingAt == nil && !i.ReadyAt.After(at) }

// Live are the instances of a group, or of every group where it is "", that have not gone, the oldest first.
func Live(t *account.Tx, group string) (live []*Instance) {
	for _, i := range account.List[Instance](t, instanceKind) {
		if i.TerminatedAt == nil && (group == "" || i.Group == group) {
			live = append(live, i)
		}
	}
	slices.SortFunc(live, func(x, y *Instance) int {
		return cmp.Or(x.LaunchedAt.Compare(y.LaunchedAt), cmp.Compare(x.ID, y.ID))
	})
	return live
}

// Find finds an instance, also one that has gone in the last hour; nil where there is none.
func Find(t *account.Tx, id string) *Instance { return account.Get[Instance](t, instanceKind, id) }

// Protect protects an instance from scale-in, or no longer does.
func Protect(t *account.Tx, i *Instance, protected bool) {
	if i.Protected != protected {
		i.Protected = protected
		account.Put(t, instanceKind, i.ID, i)
	}
}

// EndWhenIdle has an instance go, and its group desire one less, as a scale-in does.
func EndWhenIdle(t *account.Tx, i *Instance, at time.Time, cause string) {
	i.end(t, at, cause)
	state := stateOf(t, i.Group)
	state.Desired--
	account.Put(t, stateKind, i.Group, state)
}

func (i *Instance) end(t *account.Tx, at time.Time, cause string) {
	if i.TerminatingAt == nil {
		i.TerminatingAt, i.Cause = &at, cause
		account.Put(t, instanceKind, i.ID, i)
	}
}

func (i *Instance) terminate(t *account.Tx, at time.Time, cause string) {
	i.end(t, at, cause)
	i.TerminatedAt = &at
	account.Put(t, instanceKind, i.ID, i)
}

func stateOf(t *account.Tx, name string) *GroupState {
	if state := account.Get[GroupState](t, stateKind, name); state != nil {
		return state
	}
	state := &GroupState{}
	if o := account.Get[account.Object](t, Group, name); o != nil {
		state.Desired = max(o.Number("desiredCapacity", 0), o.Number("minSize", 0))
	}
	return state
}

// Advance works out all groups up to a time: instances that are lost, those that go, and those that come. busy tells
// whether something keeps an instance that is to go. The time that is returned is when the next instance is ready, or
// the next launch is tried; it is zero where nothing is to come.
func Advance(t *account.Tx, at time.Time, busy func(*Instance) bool) (changed bool, next time.Time) {
	faults := t.Faults()
	for _, i := range account.List[Instance](t, instanceKind) {
		switch {
		case i.TerminatedAt != nil && at.Sub(*i.TerminatedAt) > time.Hour:
			account.Remove(t, instanceKind, i.ID)
		case i.TerminatedAt != nil:
		case faults[account.LostInstance] != "" && account.Wildcard(faults[account.LostInstance], i.ID):
			i.terminate(t, at, "an EC2 health check indicating it has been terminated or stopped")
			changed = true
		case i.TerminatingAt != nil && !busy(i):
			i.terminate(t, at, i.Cause)
			changed = true
		case i.ReadyAt.After(at):
			next = Earlier(next, i.ReadyAt)
		}
	}
	for _, o := range account.List[account.Object](t, Group) {
		moved, wakes := advanceGroup(t, *o, at)
		changed, next = changed || moved, Earlier(next, wakes)
	}
	return changed, next
}

// Earlier is the earlier of two times, of which a zero one stands for none.
func Earlier(x, y time.Time) time.Time {
	if x.IsZero() || !y.IsZero() && y.Before(x) {
		return y
	}
	return x
}

func advanceGroup(t *account.Tx, o account.Object, at time.Time) (changed bool, next time.Time) {
	name := o.Text("name")
	state := stateOf(t, name)
	var staying []*Instance
	for _, i := range Live(t, name) {
		if i.TerminatingAt == nil {
			staying = append(staying, i)
		}
	}
	if replaced := slices.IndexFunc(staying, func(i *Instance) bool { return i.Outdated }); replaced >= 0 &&
		!slices.ContainsFunc(staying, func(i *Instance) bool { return i.ReadyAt.After(at) }) &&
		len(staying) >= state.Desired {
		staying[replaced].end(t, at, "an instance refresh")
		staying, changed = slices.Delete(staying, replaced, replaced+1), true
	}
	for _, i := range staying[:max(0, len(staying)-state.Desired)] {
		if !i.Protected {
			i.end(t, at, "a difference between desired and actual capacity shrinking the capacity")
			changed = true
		}
	}
	missing := state.Desired - len(staying)
	if missing <= 0 {
		return changed, next
	}
	if state.RetryAt.After(at) {
		return changed, state.RetryAt
	}
	for range missing {
		activity := Activity{ID: t.NewID("activity", 32), At: at, StatusCode: "Successful",
			Cause: fmt.Sprintf("an instance was started in response to a difference between desired and actual capacity, "+
				"increasing the capacity from %d to %d", len(staying), state.Desired)}
		launched, err := launch(t, o, staying, at)
		if err != nil {
			activity.StatusCode, activity.Description = "Failed", "Launching a new EC2 instance"
			activity.StatusMessage = err.Error() + " Launching EC2 instance failed."
			state.RetryAt = at.Add(retryTime)
		} else {
			activity.Description = "Launching a new EC2 instance: " + launched.ID
			staying = append(staying, launched)
			next = Earlier(next, launched.ReadyAt)
		}
		state.Activities = append([]Activity{activity}, state.Activities...)
		state.Activities = state.Activities[:min(len(state.Activities), 50)]
		if err != nil {
			next = Earlier(next, state.RetryAt)
			break
		}
	}
	account.Put(t, stateKind, name, state)
	return true, next
}

// launch makes an instance by the group's preferred offer that there is capacity for, in the zone with the fewest.
func launch(t *account.Tx, o account.Object, there []*Instance, at time.Time) (*Instance, error) {
	offers, err := offersOf(t, o)
	if err != nil {
		return nil, wordsOf(err)
	}
	subnet := emptiest(t, o, there)
	pattern := t.Faults()[account.NoInstances]
	var refusal error
	for _, each := range offers {
		switch {
		case each.image != each.kind.Architecture:
			refusal = cmp.Or(refusal, fmt.Errorf("The architecture '%s' of the specified instance type does not match the "+
				"architecture '%s' of the specified AMI. Specify an instance type and an AMI that have matching architectures, "+
				"and try again. You can use 'describe-instance-types' or 'describe-images' to discover the architecture of the "+
				"instance type or AMI.", each.kind.Architecture, each.image)) //nolint:staticcheck // AWS's own words
			continue
		case pattern != "" && account.Wildcard(pattern, each.kind.Name):
			zone := zoneOf(o, subnet)
			refusal = cmp.Or(refusal, fmt.Errorf("We currently do not have sufficient %s capacity in the Availability Zone you "+
				"requested (%s). Our system will be working on provisioning additional capacity. You can currently get %[1]s "+
				"capacity by not specifying an Availability Zone in your request.", each.kind.Name,
				zone)) //nolint:staticcheck // AWS's own words
			continue
		}
		i := &Instance{ID: "i-" + t.NewID(instanceKind, 17), Group: o.Text("name"), Type: each.kind.Name,
			Zone: zoneOf(o, subnet), Subnet: subnet.ID, Template: each.template, Version: each.version, Profile: each.profile,
			SecurityGroups: each.securityGroups, Online: online(t, subnet, each), Agent: each.agent,
			LaunchedAt: at, ReadyAt: at.Add(bootTime),
			Protected: o["protectFromScaleIn"] == true}
		account.Put(t, instanceKind, i.ID, i)
		return i, nil
	}
	return nil, refusal
}

// online tells whether an instance in a subnet has a way out: by a NAT gateway, or with a public address of its own.
func online(t *account.Tx, subnet *vpc.Subnet, o offer) bool {
	if subnet.NoRoute(t.Faults()) {
		return false
	}
	return !subnet.Public || o.publicIP != "false"
}

// wordsOf is a refusal without its code, as an activity has it.
func wordsOf(err error) error {
	if refusal, is := err.(*account.Error); is { //nolint:errorlint // it is wrapped by nobody
		return fmt.Errorf("%s", refusal.Message)
	}
	return err
}

// emptiest is the group's subnet in which the fewest of its instances are.
func emptiest(t *account.Tx, o account.Object, there []*Instance) (found *vpc.Subnet) {
	fewest := 0
	for _, id := range o.List("vpcZoneIdentifiers") {
		subnet := vpc.FindSubnet(t, id)
		in := 0
		for _, i := range there {
			if i.Subnet == id {
				in++
			}
		}
		if subnet != nil && (found == nil || in < fewest) {
			found, fewest = subnet, in
		}
	}
	return found
}
