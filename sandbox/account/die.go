package account

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// timeToDie is how long a process that is to die goes on for: what it has under way beside is done in the account, too,
// and not answered, as on AWS, where a kill cuts off several things at once.
const timeToDie = 500 * time.Millisecond

// dying is set once this process is to die: nothing is answered any more.
var dying atomic.Bool

// DieIfAsked kills this process and all that it has started, as a kill -9 would, while a fault is set to a value that
// matches. The fault is unset first, so that it acts once. In a process that is to die it does not return.
func (a *Account) DieIfAsked(fault string, matches func(value string) bool) error {
	asked := false
	err := a.Transact(func(t *Tx) error {
		faults := t.Faults()
		if value := faults[fault]; value == "" || !matches(value) {
			return nil
		}
		asked = true
		dying.Store(true) // before another operation finds that the fault is unset
		delete(faults, fault)
		Put(t.Shared(), faultKind, "", faults)
		return nil
	})
	if !asked && dying.Load() {
		select {}
	}
	if err != nil || !asked {
		return err
	}
	time.Sleep(timeToDie)
	// The command first: Pulumi must not see this process end, or it would record a failure.
	for _, pid := range descendants(os.Getpid()) {
		if process, err := os.FindProcess(pid); err == nil {
			_ = process.Kill() // it may have ended
		}
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		return err
	}
	if err := self.Kill(); err != nil {
		return err
	}
	select {} // nothing more may happen in this process
}

// descendants are the processes that a process has started, and those that they have; none where nobody can tell.
func descendants(pid int) []int {
	output, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		return nil
	}
	children := map[int][]int{}
	for line := range strings.Lines(string(output)) {
		var child, parent int
		if _, err := fmt.Sscan(line, &child, &parent); err == nil {
			children[parent] = append(children[parent], child)
		}
	}
	found := children[pid]
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i]]...)
	}
	return found
}

// DieAfterCreate, DieAfterUpdate and DieAfterDelete are a resource type (aws:iam/role:Role, or iam/role), or several
// with commas between them: the next process whose provider has done that to one of them in the account is to die
// before Pulumi hears of it.
const (
	DieAfterCreate = "die-after-create"
	DieAfterUpdate = "die-after-update"
	DieAfterDelete = "die-after-delete"
)

// NamesType tells whether the value of such a fault names a resource type by its token.
func NamesType(value, token string) bool {
	_, short, _ := strings.Cut(token, ":")
	short, _, _ = strings.Cut(short, ":")
	return slices.ContainsFunc(strings.Split(value, ","), func(one string) bool { return one == token || one == short })
}
