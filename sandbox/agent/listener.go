package agent

import (
	"context"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"strings"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"slipway/sandbox/account"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/alb"
)

// runListeners makes and starts the containers of listeners, and removes those of others. It returns where each is told
// of settings.
func (a *Agent) runListeners(ctx context.Context, wanted []elb.LiveListener, containers []container.Summary,
	authority alb.Authority) (controlPorts map[string]uint16, err error) {
	image := ""
	if len(wanted) > 0 {
		if image, err = a.programImage(ctx, loadBalancerProgram); err != nil {
			return nil, err
		}
	}
	controlPorts = map[string]uint16{}
	for _, c := range containers {
		arn := c.Labels[listenerLabel]
		if arn == "" {
			continue
		}
		client, control := publishedPorts(c)
		for _, l := range wanted {
			if l.ARN == arn && c.Image == image && c.State == container.StateRunning && int(client) == l.LocalPort() {
				controlPorts[arn] = control
			}
		}
		if controlPorts[arn] == 0 {
			if err := removeContainer(ctx, a.Docker, c.ID); err != nil {
				return nil, err
			}
		}
	}
	for _, l := range wanted {
		if controlPorts[l.ARN] == 0 {
			if controlPorts[l.ARN], err = a.startListener(ctx, image, l, token(authority, l.ARN)); err != nil {
				return nil, err
			}
		}
	}
	return controlPorts, nil
}

// publishedPorts are where a listener's container answers clients, and the agent.
func publishedPorts(c container.Summary) (client, control uint16) {
	for _, p := range c.Ports {
		if p.PrivatePort == alb.ControlPort {
			control = p.PublicPort
		} else {
			client = p.PublicPort
		}
	}
	return client, control
}

// Ports that listeners answer on begin somewhere here: below those that systems give to connections of their own.
const (
	firstPort = 20000
	ports     = 10000
	tries     = 200
)

// startListener makes and starts a listener's container at the port that it had before, or at another one where that is
// somebody else's.
func (a *Agent) startListener(ctx context.Context, image string, l elb.LiveListener, token string) (controlPort uint16,
	err error) {
	hash := fnv.New32a()
	_, _ = fmt.Fprint(hash, a.identity, l.LoadBalancer, l.Settings.Port) // never fails
	candidates := []int{l.LocalPort()}
	for i := range tries {
		candidates = append(candidates, firstPort+(int(hash.Sum32()%ports)+i)%ports)
	}
	for _, port := range candidates {
		if port == 0 || !isFree(port) {
			continue
		}
		id, err := a.createListener(ctx, image, l, token, port)
		if err != nil {
			return 0, err
		}
		_, err = a.Docker.ContainerStart(ctx, id, client.ContainerStartOptions{})
		if isTaken(err) {
			if err := removeContainer(ctx, a.Docker, id); err != nil {
				return 0, err
			}
			continue
		} else if err != nil {
			return 0, err
		}
		// Before anybody is told of it. All listeners of a load balancer share these ports.
		if err := a.Account.KeepLocalPort(l, port); err != nil {
			return 0, err
		}
		l.Settings.LocalPorts[l.Settings.Port] = port
		a.Say(fmt.Sprintf("%s %s:%d answers at 127.0.0.1:%d", l.LoadBalancer, l.Settings.Protocol, l.Settings.Port, port))
		return a.controlPort(ctx, id)
	}
	return 0, fmt.Errorf("no port of 127.0.0.1 is free for the listener %s:%d", l.LoadBalancer, l.Settings.Port)
}

func isFree(port int) bool {
	listener, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port))
	if err != nil {
		return false
	}
	return listener.Close() == nil
}

// isTaken reports whether the engine could not publish a port, as it is somebody else's.
func isTaken(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "port is already allocated") ||
		strings.Contains(err.Error(), "address already in use"))
}

func (a *Agent) createListener(ctx context.Context, image string, l elb.LiveListener, token string, port int) (
	id string, err error) {
	clients, control := tcp(uint16(l.Settings.Port)), tcp(alb.ControlPort)
	local := netip.MustParseAddr("127.0.0.1")
	created, err := a.Docker.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name: fmt.Sprintf("slipway-%s-%d-%.8s-%.6s", l.LoadBalancer, l.Settings.Port, account.AfterSlash(l.ARN), a.identity),
		Config: &container.Config{Image: image, Env: []string{alb.TokenVariable + "=" + token,
			alb.PortVariable + "=" + fmt.Sprint(l.Settings.Port)},
			Labels:       map[string]string{accountLabel: a.identity, listenerLabel: l.ARN},
			ExposedPorts: network.PortSet{clients: {}, control: {}}},
		HostConfig: &container.HostConfig{NetworkMode: network.NetworkBridge, LogConfig: logConfig,
			PortBindings: network.PortMap{clients: {{HostIP: local, HostPort: fmt.Sprint(port)}},
				control: {{HostIP: local}}}}, // at any free one
	})
	return created.ID, err
}

func tcp(port uint16) network.Port {
	found, _ := network.PortFrom(port, network.TCP) // every number is a port
	return found
}

// controlPort is where a listener's container is told of settings.
func (a *Agent) controlPort(ctx context.Context, id string) (uint16, error) {
	inspected, err := a.Docker.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return 0, err
	}
	for _, binding := range inspected.Container.NetworkSettings.Ports[tcp(alb.ControlPort)] {
		return uint16(atoi(binding.HostPort)), nil
	}
	return 0, fmt.Errorf("the container %s of a listener ended at once", inspected.Container.Name)
}
