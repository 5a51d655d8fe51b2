package agent

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/moby/moby/api/types/container"

	"slipway/sandbox/account/elb"
	"slipway/sandbox/alb"
)

// Each listener of a load balancer is a container of the program loadbalancer, which is told of changes, and answers
// where no agent runs, too.

// settingsTime is how long a listener may take to be told, from when its container was started.
const settingsTime = 5 * time.Second

// listeners are those of the account's load balancers.
type listeners struct {
	agent *Agent
	empty bool // there are none, and the engine has no container of one

	mu   sync.Mutex
	last round
}

// round is a time at which every listener had the account's settings.
type round struct {
	began    time.Time
	underWay map[string]int // requests, by task
}

// run brings the listeners to what the account wants, until ctx ends.
func (ls *listeners) run(ctx context.Context) {
	for problem := ""; ctx.Err() == nil; sleep(ctx, interval) {
		began := time.Now()
		underWay, err := ls.step(ctx)
		if err == nil {
			problem = ""
			ls.mu.Lock()
			ls.last = round{began, underWay}
			ls.mu.Unlock()
		} else if ctx.Err() == nil && err.Error() != problem {
			problem = err.Error()
			ls.agent.Say("the load balancers: " + problem)
		}
	}
}

// since is the last round that has begun after a time.
func (ls *listeners) since(at time.Time) (last round, found bool) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return ls.last, ls.last.began.After(at)
}

// settle waits until all listeners answer, by the settings of now.
func (ls *listeners) settle() {
	ctx, cancel := context.WithTimeout(context.Background(), listenTime)
	defer cancel()
	for begun := time.Now(); ctx.Err() == nil; sleep(ctx, interval/4) {
		wanted, err := ls.agent.Account.Listeners()
		if _, told := ls.since(begun); told || err == nil && len(wanted) == 0 {
			return
		}
	}
}

// step has every listener answer by the account's settings, and returns the requests that are under way.
func (ls *listeners) step(ctx context.Context) (underWay map[string]int, err error) {
	a := ls.agent
	wanted, err := a.Account.Listeners()
	if err != nil || len(wanted) == 0 && ls.empty {
		return nil, err
	}
	// After that: every target has a container by now.
	containers, err := a.containers(ctx)
	if err != nil {
		return nil, err
	}
	var authority alb.Authority
	if len(wanted) > 0 {
		if authority, err = a.Account.Authority(); err != nil {
			return nil, err
		}
	}
	running, err := a.runListeners(ctx, wanted, containers, authority)
	if err != nil {
		return nil, err
	}
	ls.empty = len(wanted) == 0
	underWay = map[string]int{}
	for _, l := range wanted {
		if l.Settings.Protocol == "HTTPS" {
			l.Settings.Authority = authority
			if err := a.writeAuthority(authority); err != nil {
				return nil, err
			}
		}
		locate(l.Settings.TargetGroups, containers)
		counts, err := putSettings(ctx, running[l.ARN], token(authority, l.ARN), l.Settings)
		if err != nil {
			return nil, err
		}
		for task, n := range counts {
			underWay[task] += n
		}
	}
	return underWay, nil
}

// unsettledListeners counts those that have no container yet, and the containers that have no listener any more.
func (a *Agent) unsettledListeners(ctx context.Context) (starting, stopping int, err error) {
	wanted, err := a.Account.Listeners()
	if err != nil {
		return 0, 0, err
	}
	containers, err := a.containers(ctx)
	if err != nil {
		return 0, 0, err
	}
	starting = len(wanted)
	for _, c := range containers {
		arn := c.Labels[listenerLabel]
		switch {
		case slices.ContainsFunc(wanted, func(l elb.LiveListener) bool { return l.ARN == arn }):
			starting--
		case arn != "":
			stopping++
		}
	}
	return starting, stopping, nil
}

// locate gives targets the addresses that their tasks' hosts have on the engine, and leaves out those that have none.
func locate(groups map[string]alb.TargetGroup, containers []container.Summary) {
	addresses := map[string]string{}
	for _, c := range containers {
		if c.Labels[taskLabel] == "" || c.Labels[containerLabel] != "" || c.State != container.StateRunning ||
			c.NetworkSettings == nil {
			continue
		}
		for _, network := range c.NetworkSettings.Networks {
			addresses[c.Labels[taskLabel]] = network.IPAddress.String()
		}
	}
	for arn, group := range groups {
		targets := group.Targets
		group.Targets = nil
		for _, target := range targets {
			if target.Host = addresses[target.Task]; target.Host != "" {
				group.Targets = append(group.Targets, target)
			}
		}
		groups[arn] = group
	}
}

// token is what tells the container of a listener, or the host of a task, that it is the agent who speaks.
func token(authority alb.Authority, arn string) string {
	sum := sha256.Sum256([]byte(authority.Key + arn))
	return hex.EncodeToString(sum[:])
}

// putSettings gives a listener its settings, and returns the requests that are under way at its targets. Its program
// may only just have been started.
func putSettings(ctx context.Context, controlPort uint16, token string, l alb.Listener) (underWay map[string]int,
	err error) {
	ctx, cancel := context.WithTimeout(ctx, settingsTime)
	defer cancel()
	content, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodPut, fmt.Sprintf("http://127.0.0.1:%d/", controlPort),
			bytes.NewReader(content))
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", token)
		response, err := control.Do(request)
		if err != nil && ctx.Err() == nil {
			sleep(ctx, interval/4)
			continue
		} else if err != nil {
			return nil, err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("a listener answers %s to its settings", response.Status)
		}
		return underWay, json.NewDecoder(response.Body).Decode(&underWay)
	}
}

// control reaches listeners on this machine, whatever proxy others go through.
var control = &http.Client{Transport: &http.Transport{}}

// AuthorityFile is the certificate of the authority in the account's directory, for clients of HTTPS listeners.
const AuthorityFile = "ca.pem"

func (a *Agent) writeAuthority(authority alb.Authority) error {
	file := filepath.Join(a.Dir, AuthorityFile)
	if content, err := os.ReadFile(file); err == nil && string(content) == authority.Certificate {
		return nil
	}
	return os.WriteFile(file, []byte(authority.Certificate), 0o644)
}
