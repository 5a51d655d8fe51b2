package agent

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// metadataVariable is where the program taskhost finds the documents that it answers with, by their paths.
const metadataVariable = "SLIPWAY_TASK_METADATA"

// A task's host is a container that holds the network of the task: the others join it, and its ports are theirs. So
// they reach each other at 127.0.0.1, as in the network mode awsvpc, and may come and go.

// Programs that containers of the sandbox's own run.
const (
	taskHostProgram     = "taskhost"
	loadBalancerProgram = "loadbalancer"
)

// programImage makes sure that the engine has the image of a program.
func (a *Agent) programImage(ctx context.Context, name string) (reference string, err error) {
	program, err := os.ReadFile(filepath.Join(a.Programs, name))
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(program)
	reference = fmt.Sprintf("%s%s:%x", imagePrefix(a.identity), name, hash[:6])
	a.loading.Lock()
	defer a.loading.Unlock()
	if _, err := a.Docker.ImageInspect(ctx, reference); !isGone(err) {
		return reference, err
	}
	return reference, importProgram(ctx, a.Docker, reference, program, accountLabel+"="+a.identity)
}

// importProgram makes an image of one static program, which is its entry point.
func importProgram(ctx context.Context, docker *client.Client, reference string, program []byte, label string) error {
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	if err := w.WriteHeader(&tar.Header{Name: "program", Mode: 0o755, Size: int64(len(program))}); err != nil {
		return err
	}
	if _, err := w.Write(program); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	result, err := docker.ImageImport(ctx, client.ImageImportSource{Source: &archive, SourceName: "-"}, reference,
		client.ImageImportOptions{Changes: []string{`ENTRYPOINT ["/program"]`, "LABEL " + label}})
	if err != nil {
		return err
	}
	defer result.Close()
	_, err = io.Copy(io.Discard, result)
	return err
}

// startHost makes the task's host, and starts it.
func (t *task) startHost(ctx context.Context, o *observation) error {
	answering := ctx
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	if o.host == nil {
		image, err := t.agent.programImage(ctx, taskHostProgram)
		if err != nil {
			return err
		}
		metadata, err := json.Marshal(t.metadata())
		if err != nil {
			return err
		}
		authority, err := t.agent.Account.Authority()
		if err != nil {
			return err
		}
		config := &container.Config{Image: image, Env: []string{metadataVariable + "=" + string(metadata),
			agentToken + "=" + token(authority, t.arn)},
			Labels: map[string]string{accountLabel: t.agent.identity, taskLabel: t.arn}, ExposedPorts: network.PortSet{}}
		host := &container.HostConfig{NetworkMode: network.NetworkBridge, PortBindings: network.PortMap{},
			LogConfig: logConfig, Sysctls: map[string]string{}}
		publish := func(port network.Port) {
			config.ExposedPorts[port] = struct{}{}
			host.PortBindings[port] = []network.PortBinding{{HostIP: netip.MustParseAddr("127.0.0.1")}} // any free one
		}
		publish(tcp(agentPort))
		for _, d := range t.definitions {
			maps.Copy(host.Sysctls, d.sysctls(true))
			for _, m := range d.PortMappings {
				if port, ok := network.PortFrom(m.ContainerPort, network.IPProtocol(m.Protocol)); ok {
					publish(port)
				}
			}
		}
		if _, err := t.agent.Docker.ContainerCreate(ctx, client.ContainerCreateOptions{
			Config: config, HostConfig: host, Name: t.engineName(taskHostProgram)}); err != nil {
			return err
		}
		if err := t.observe(ctx, o); err != nil {
			return err
		}
	}
	if !o.host.State.Running {
		if _, err := t.agent.Docker.ContainerStart(ctx, o.host.ID, client.ContainerStartOptions{}); err != nil {
			return err
		}
	}
	if err := t.observe(ctx, o); err != nil || o.host == nil {
		return err
	}
	if err := t.hostListens(ctx, o.host.ID); err != nil {
		return err
	}
	if err := t.answer(answering, o); err != nil {
		return err
	}
	t.awaitNames(ctx)
	return nil
}

// hostListens waits until the host answers at the metadata endpoint, which it says on its standard output: a container
// may ask as soon as it runs. (Of a host that is started again, what it said at first counts: the engine dates a start
// after the first lines.)
func (t *task) hostListens(ctx context.Context, id string) error {
	output, err := t.agent.Docker.ContainerLogs(ctx, id, client.ContainerLogsOptions{ShowStdout: true, Follow: true})
	if err != nil {
		return err
	}
	defer output.Close()
	if _, err := output.Read(make([]byte, 1)); err != nil {
		return fmt.Errorf("waiting for the host of the task %s: %w", t.id(), err)
	}
	return nil
}
