package agent

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/moby/moby/api/types/container"
)

// namesPath is where a task's host asks the agent which names the task's containers can call: the addresses that each
// has on the engine.
const namesPath = "/agent/names"

// knownPath is where it says that they are known to the containers.
const knownPath = "/agent/names/known"

// namesTime is how long a task's containers may wait until its host knows the names that they can call.
const namesTime = 5 * time.Second

// awaitNames waits until the containers know the names: one may call at once.
func (t *task) awaitNames(ctx context.Context) {
	select {
	case <-t.named:
	case <-time.After(namesTime):
	case <-ctx.Done():
	}
}

func (t *task) answerNames(w http.ResponseWriter, r *http.Request) {
	addresses, err := t.agent.addresses(r.Context(), t.arn)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(addresses) // who asked may have gone
}

// addresses are those of the names that a task's containers can call.
func (a *Agent) addresses(ctx context.Context, taskARN string) (addresses map[string][]string, err error) {
	names, err := a.Account.Names(taskARN)
	addresses = map[string][]string{}
	if err != nil || len(names) == 0 {
		return addresses, err
	}
	containers, err := a.containers(ctx)
	if err != nil {
		return nil, err
	}
	of := map[string]string{}
	for _, c := range containers {
		if c.Labels[containerLabel] != "" || c.State != container.StateRunning || c.NetworkSettings == nil {
			continue
		}
		for _, network := range c.NetworkSettings.Networks {
			of[c.Labels[taskLabel]+c.Labels[listenerLabel]] = network.IPAddress.String()
		}
	}
	for name, arns := range names {
		for _, arn := range arns {
			if address := of[arn]; address != "" {
				addresses[name] = append(addresses[name], address)
			}
		}
	}
	return addresses, nil
}
