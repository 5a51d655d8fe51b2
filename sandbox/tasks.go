package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/moby/moby/client"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/agent"
	"slipway/sandbox/api"
	"slipway/sandbox/docker"
	"slipway/sandbox/registry"
)

// tasks runs those of an account. Where no engine does, agent and engine are nil, and their images are only pulled.
type tasks struct {
	agent  *agent.Agent
	engine *client.Client
	pulls  *pulls
}

// startTasks has the Docker engine run the account's tasks, where one answers, and tells say of them.
func startTasks(dir string, a *account.Account, say func(string)) (*tasks, error) {
	engine, err := docker.TaskEngine(context.Background())
	if err != nil {
		return nil, err
	}
	if engine == nil {
		if err := ecs.SetAgentConnected(a, false); err != nil {
			return nil, err
		}
		return &tasks{pulls: startPulls(a)}, nil
	}
	programs, err := containerPrograms()
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	if err := ecs.SetAgentConnected(a, true); err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	images := registry.New(filepath.Join(dir, "registry"), a)
	running, err := agent.Start(agent.Settings{Dir: dir, Account: ecs.Agent{Account: a}, Registry: images,
		API: api.New(a, images), Docker: engine, Programs: programs, Say: say})
	if err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	return &tasks{agent: running, engine: engine}, nil
}

// containerPrograms is the directory of the programs that hold a task's network, and answer as load balancers. `make
// build` puts them beside the sandbox.
func containerPrograms() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(self)
	for _, name := range []string{"taskhost", "loadbalancer"} {
		file := filepath.Join(dir, name)
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%s is missing, which tasks need to run: run `make build`, or set SANDBOX_DOCKER=build to "+
				"have them only recorded", file)
		} else if err != nil {
			return "", err
		}
	}
	return dir, nil
}

// settle waits a little for what a command has started or stopped.
func (t *tasks) settle() {
	if t.agent != nil {
		t.agent.Settle()
	}
}

// end leaves the containers to run by themselves.
func (t *tasks) end() {
	if t.agent == nil {
		t.pulls.end()
		return
	}
	t.agent.End()
	_ = t.engine.Close() // its connections
}

// removalTime is how long the Docker engine may take to remove what an account has.
const removalTime = 2 * time.Minute

// removeFromEngine removes the account's containers, volumes and images, where an engine answers.
func removeFromEngine(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "account.db")); err != nil {
		return nil // which never had any
	}
	ctx, cancel := context.WithTimeout(context.Background(), removalTime)
	defer cancel()
	engine, err := docker.Engine(ctx)
	if engine == nil {
		return err
	}
	defer engine.Close()
	return withAccount(dir, func(a *account.Account) error {
		identity, err := a.Identity()
		if err != nil {
			return err
		}
		if err := agent.Remove(ctx, engine, identity); err != nil {
			return fmt.Errorf("removing the account's containers, or SANDBOX_DOCKER=off leaves them: %w", err)
		}
		return nil
	})
}
