package ecs

import (
	"maps"
	"slices"
	"strings"
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/instances"
)

const containerInstanceKind = "containerInstance" // the EC2 instance's id

// ContainerInstance is an EC2 instance that is registered in a cluster.
type ContainerInstance struct {
	ARN        string `json:"arn"`
	Instance   string `json:"instance"` // i-…
	ClusterARN string `json:"clusterArn"`
	Status     string `json:"status"` // ACTIVE or DRAINING
	// CapacityProvider is that of the instance's group; "" where it has none.
	CapacityProvider string            `json:"capacityProvider"`
	Type             string            `json:"type"`
	Attributes       map[string]string `json:"attributes"`
	CPU              int               `json:"cpu"`
	Memory           int               `json:"memory"` // MiB
	ENIs             int               `json:"enis"`   // that are left for tasks
	RegisteredAt     time.Time         `json:"registeredAt"`
	IdleSince        *time.Time        `json:"idleSince"` // nil while tasks of services that are no daemons are on it
}

// ID is the last part of its ARN.
func (c *ContainerInstance) ID() string { return account.AfterSlash(c.ARN) }

func (c *ContainerInstance) cluster() string {
	parts := strings.Split(c.ARN, "/")
	return parts[len(parts)-2]
}

// How long managed scaling waits until it takes an instance away that no task is on, and until it counts one for
// nothing that has not registered; and how long a task waits for an instance. On AWS each is minutes.
const (
	idleTime      = 3 * time.Second
	warmupTime    = 2 * time.Second
	provisionTime = 10 * time.Second
)

// agentActions are what the agent of an instance calls before it gets any task.
var agentActions = []string{"ecs:DiscoverPollEndpoint", "ecs:RegisterContainerInstance", "ecs:Poll",
	"ecs:SubmitTaskStateChange"}

// newContainerInstance registers an instance in the cluster that its agent is told of; nil where that cannot be.
func newContainerInstance(t *account.Tx, i *instances.Instance, at time.Time) *ContainerInstance {
	cluster := account.Get[account.Object](t, Cluster, i.Agent.Cluster)
	profile := iam.FindInstanceProfile(t, i.Profile)
	role := profile.Text("role")
	if cluster == nil || !i.Online || i.Agent.Broken || !iam.TrustedByInstances(t, role) {
		return nil
	}
	m := moment{Tx: t, at: at}
	arn := strings.Replace(cluster.Text("arn"), ":cluster/", ":container-instance/", 1)
	for _, action := range agentActions {
		resource := cluster.Text("arn")
		switch action {
		case "ecs:DiscoverPollEndpoint":
			resource = "*"
		case "ecs:Poll":
			resource = arn + "/*"
		}
		if !m.allowed(role, action, resource) {
			return nil
		}
	}
	kind, _ := instances.FindType(i.Type)
	c := &ContainerInstance{ARN: arn + "/" + t.NewID(containerInstanceKind, 32), Instance: i.ID,
		ClusterARN: cluster.Text("arn"), Status: statusActive, Type: i.Type, CPU: kind.CPU(),
		Memory: kind.RegisteredMemory() - i.Agent.ReservedMemory, ENIs: kind.ENIs - 1, RegisteredAt: at, IdleSince: &at}
	c.Attributes = map[string]string{"ecs.ami-id": "ami-0", "ecs.availability-zone": i.Zone, "ecs.instance-type": i.Type,
		"ecs.os-type": "linux", "ecs.os-family": "LINUX", "ecs.subnet-id": i.Subnet,
		"ecs.cpu-architecture": map[string]string{instances.ARM64: "arm64", instances.X86: "x86_64"}[kind.Architecture]}
	maps.Copy(c.Attributes, i.Agent.Attributes)
	for _, each := range providersOf(t, c.cluster()) {
		if each.group == i.Group {
			c.CapacityProvider = each.name
		}
	}
	return c
}

// fleet is an account's container instances, with what is on them at one moment.
type fleet struct {
	*account.Tx
	at        time.Time
	instances []*ContainerInstance // in the order in which they came
	tasks     []fleetTask          // that have not stopped, and are to run on instances
	services  []*Service
}

// fleetTask is a task that is on an instance, or waits for one.
type fleetTask struct {
	*Task
	definition *TaskDefinition
	daemon     bool
}

// fleetAt is the fleet, with a service as it is just worked out; nil where there is none. It is nil where the
// account has no instances.
func fleetAt(t *account.Tx, at time.Time, current *Service) *fleet {
	f := &fleet{Tx: t, at: at, instances: account.List[ContainerInstance](t, containerInstanceKind)}
	if len(f.instances) == 0 && len(account.List[account.Object](t, instances.Group)) == 0 {
		return nil
	}
	slices.SortStableFunc(f.instances, func(x, y *ContainerInstance) int { return x.RegisteredAt.Compare(y.RegisteredAt) })
	add := func(task *Task, daemon bool) {
		if task.LastStatus == taskStopped || !task.onInstance() {
			return
		}
		if d, err := definitionOf(t, task); err == nil {
			f.tasks = append(f.tasks, fleetTask{task, d, daemon})
		}
	}
	for _, s := range account.List[Service](t, serviceKind) {
		if current != nil && s.id() == current.id() {
			s = current
		}
		f.services = append(f.services, s)
		for _, task := range s.Tasks {
			add(task, s.Settings.daemon())
		}
	}
	for _, task := range account.List[Task](t, taskKind) {
		add(task, false)
	}
	return f
}

// on are the tasks on an instance.
func (f *fleet) on(c *ContainerInstance) (tasks []fleetTask) {
	for _, task := range f.tasks {
		if task.ContainerInstance == c.ARN {
			tasks = append(tasks, task)
		}
	}
	return tasks
}

// isBusy tells whether tasks are on an instance that keep it from being taken away: daemons do not.
func (f *fleet) isBusy(c *ContainerInstance) bool {
	return slices.ContainsFunc(f.on(c), func(task fleetTask) bool { return !task.daemon })
}

// find is the container instance with this ARN, id or EC2 id; nil where there is none.
func (f *fleet) find(reference string) *ContainerInstance {
	i := slices.IndexFunc(f.instances, func(c *ContainerInstance) bool {
		return reference != "" && (c.ARN == reference || c.Instance == reference || c.ID() == reference)
	})
	if i < 0 {
		return nil
	}
	return f.instances[i]
}

// advance works out instances and managed scaling up to the fleet's time: whether anything has changed, and when
// the next change comes by itself; zero where none does.
func (f *fleet) advance() (changed bool, next time.Time) {
	for _, o := range account.List[account.Object](f.Tx, CapacityProvider) {
		one := providerOf(*o)
		scaled, wakes := f.scaleProvider(one)
		changed, next = changed || scaled, instances.Earlier(next, wakes)
	}
	moved, wakes := instances.Advance(f.Tx, f.at, f.keeps)
	changed, next = changed || moved, instances.Earlier(next, wakes)
	if f.register() {
		changed = true
	}
	return changed, next
}

// keeps drains an instance that is to go, and tells whether it still has tasks.
func (f *fleet) keeps(i *instances.Instance) bool {
	c := f.find(i.ID)
	if c == nil {
		return false
	}
	of := findProvider(f.Tx, c.CapacityProvider)
	if of == nil || !of.drains {
		return false
	}
	f.setStatus(c, statusDraining)
	return len(f.on(c)) > 0
}

func (f *fleet) setStatus(c *ContainerInstance, status string) {
	if c.Status != status {
		c.Status = status
		account.Put(f.Tx, containerInstanceKind, c.Instance, c)
	}
}

// register takes up the instances that have come, and forgets those that have gone.
func (f *fleet) register() (changed bool) {
	f.instances = slices.DeleteFunc(f.instances, func(c *ContainerInstance) bool {
		i := instances.Find(f.Tx, c.Instance)
		if i != nil && i.TerminatedAt == nil {
			return false
		}
		account.Remove(f.Tx, containerInstanceKind, c.Instance)
		changed = true
		return true
	})
	for _, i := range instances.Live(f.Tx, "") {
		if !i.Ready(f.at) || f.find(i.ID) != nil {
			continue
		}
		if c := newContainerInstance(f.Tx, i, f.at); c != nil {
			account.Put(f.Tx, containerInstanceKind, c.Instance, c)
			f.instances, changed = append(f.instances, c), true
		}
	}
	return changed
}

// advanceInstances works out services and instances up to now.
func advanceInstances(t *account.Tx) *fleet {
	for _, s := range account.List[Service](t, serviceKind) {
		advance(t, s)
	}
	standaloneTasks(t)
	f := fleetAt(t, t.Now, nil)
	if f != nil {
		f.advance()
	}
	return f
}

// ContainerInstances are the instances of a cluster, the oldest first.
func ContainerInstances(a *account.Account, cluster string) (found []*ContainerInstance, err error) {
	err = a.Transact(func(t *account.Tx) error {
		arn, err := clusterARN(t, cluster)
		if err != nil {
			return err
		}
		if f := advanceInstances(t); f != nil {
			found = slices.DeleteFunc(f.instances, func(c *ContainerInstance) bool { return c.ClusterARN != arn })
		}
		return nil
	})
	return found, err
}
