package ecs

import (
	"slices"
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/instances"
)

// scaleProvider is ECS's managed scaling of one capacity provider: so many instances as have tasks, and as the tasks
// need that wait for one, divided by the target capacity.
// (https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster-auto-scaling.html)
func (f *fleet) scaleProvider(p provider) (changed bool, next time.Time) {
	group, state := instances.FindGroup(f.Tx, p.group)
	if group == nil {
		return false, next
	}
	needed, warming := 0, false
	var idle []*ContainerInstance
	for _, i := range instances.Live(f.Tx, p.group) {
		c := f.find(i.ID)
		switch {
		case i.TerminatingAt != nil:
		case c == nil && f.at.Sub(i.LaunchedAt) < warmupTime:
			warming, next = true, instances.Earlier(next, i.LaunchedAt.Add(warmupTime))
		case c == nil: // it is there, and no task gets onto it
			needed++
		case f.isBusy(c):
			needed++
			f.setIdle(c, nil)
			if p.protects {
				instances.Protect(f.Tx, i, true)
			}
		default:
			if c.IdleSince == nil {
				f.setIdle(c, &f.at)
				next = instances.Earlier(next, f.at.Add(idleTime))
			}
			if p.protects {
				instances.Protect(f.Tx, i, false)
			}
			idle = append(idle, c)
		}
	}
	if !p.scales {
		return false, next
	}
	needed += f.binsFor(p, group)
	wanted := (needed*100 + p.target - 1) / p.target
	least, most := group.Number("minSize", 0), group.Number("maxSize", 0)
	wanted = min(max(wanted, least), most)
	switch {
	case wanted > state.Desired:
		step := min(max(wanted-state.Desired, p.smallestStep), p.largestStep)
		account.Must(instances.SetDesired(f.Tx, p.group, state.Desired+step))
		return true, next
	case warming:
		return false, next
	}
	for _, c := range idle {
		i := instances.Find(f.Tx, c.Instance)
		if state.Desired--; state.Desired < wanted || i.Protected {
			break
		}
		if until := c.IdleSince.Add(idleTime); until.After(f.at) {
			next = instances.Earlier(next, until)
			break
		}
		instances.EndWhenIdle(f.Tx, i, f.at, "a scale-in of the capacity provider "+p.name)
		changed = true
	}
	return changed, next
}

func (f *fleet) setIdle(c *ContainerInstance, since *time.Time) {
	if (c.IdleSince == nil) != (since == nil) {
		c.IdleSince = since
		account.Put(f.Tx, containerInstanceKind, c.Instance, c)
	}
}

// binsFor is how many instances the tasks fill that wait for one of a provider. A task that fits on no instance of it
// is not counted, as more of them would not help.
func (f *fleet) binsFor(p provider, group account.Object) int {
	kind, found := instances.PreferredType(f.Tx, group)
	if !found {
		return 0
	}
	var bins []room
	for _, task := range f.tasks {
		if task.CapacityProvider != p.name || task.LastStatus != taskProvisioning {
			continue
		}
		needs := needsOf(task.definition)
		empty := room{cpu: kind.CPU(), memory: kind.RegisteredMemory(), enis: kind.ENIs - 1}
		if i := slices.IndexFunc(bins, func(r room) bool { return r.lacks(needs) == "" }); i >= 0 {
			bins[i] = bins[i].less(needs)
		} else if empty.lacks(needs) == "" {
			bins = append(bins, empty.less(needs))
		}
	}
	return len(bins)
}
