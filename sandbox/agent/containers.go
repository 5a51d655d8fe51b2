package agent

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
)

// logConfig has the engine keep output with exact times, whatever its own default, and not without end.
var logConfig = container.LogConfig{Type: "json-file", Config: map[string]string{"max-size": "50m", "max-file": "2"}}

// engineName is legible, and only this account's: ids of tasks repeat between accounts.
func (t *task) engineName(containerName string) string {
	start := func(text string, length int) string { return text[:min(len(text), length)] }
	return fmt.Sprintf("slipway-%s-%d-%s-%s-%s", t.work.Definition.Family, t.work.Definition.Revision, containerName,
		start(t.id(), 8), start(t.agent.identity, 6))
}

// create makes a container of the task. It shares the host's network.
func (t *task) create(ctx context.Context, d definition, hostID string) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	labels := t.ecsLabels(d)
	labels[accountLabel], labels[taskLabel], labels[containerLabel] = t.agent.identity, t.arn, d.Name
	config := &container.Config{Image: t.images[d.Name].reference, Env: t.environment(d), User: d.User,
		WorkingDir: d.WorkingDirectory, Labels: labels, Healthcheck: d.healthcheck()}
	if len(d.EntryPoint) > 0 {
		config.Entrypoint = d.EntryPoint
	}
	if len(d.Command) > 0 {
		config.Cmd = d.Command
	}
	mounts, err := t.mounts(ctx, d)
	if err != nil {
		return err
	}
	host := &container.HostConfig{NetworkMode: container.NetworkMode("container:" + hostID), LogConfig: logConfig,
		ReadonlyRootfs: d.ReadonlyRootFilesystem, Mounts: mounts, Resources: t.resources(d),
		CapAdd: d.LinuxParameters.Capabilities.Add, CapDrop: d.LinuxParameters.Capabilities.Drop,
		Sysctls: d.sysctls(false)}
	if t.work.Definition.PIDMode == "task" {
		host.PidMode = container.PidMode("container:" + hostID)
	}
	if d.LinuxParameters.InitProcessEnabled {
		host.Init = &d.LinuxParameters.InitProcessEnabled
	}
	_, err = t.agent.Docker.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: config, HostConfig: host, Name: t.engineName(d.Name)})
	return err
}

// environment is what the container definition sets, and what Fargate adds.
func (t *task) environment(d definition) (variables []string) {
	id := t.metadataID(d.Name)
	set := map[string]string{
		"AWS_EXECUTION_ENV":             "AWS_ECS_FARGATE",
		"ECS_AGENT_URI":                 metadataAddress + "/api/" + id,
		"ECS_CONTAINER_METADATA_URI":    metadataAddress + "/v3/" + id,
		"ECS_CONTAINER_METADATA_URI_V4": metadataAddress + "/v4/" + id,
	}
	maps.Copy(set, t.credentialVariables())
	for _, v := range d.Environment {
		set[v.Name] = v.Value
	}
	maps.Copy(set, t.work.Secrets[d.Name])
	for _, name := range slices.Sorted(maps.Keys(set)) {
		variables = append(variables, name+"="+set[name])
	}
	return variables
}

// healthcheck is the definition's own. ECS does not look at the one that an image has.
func (d definition) healthcheck() *container.HealthConfig {
	if !d.health() {
		return &container.HealthConfig{Test: []string{"NONE"}}
	}
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	check := d.HealthCheck
	return &container.HealthConfig{Test: check.Command, Interval: seconds(check.Interval), Timeout: seconds(check.Timeout),
		Retries: check.Retries, StartPeriod: seconds(check.StartPeriod)}
}

const (
	mib       = 1 << 20
	cpuUnits  = 1024   // of one vCPU
	cpuPeriod = 100000 // microseconds
)

// resources are the limits of a container. An engine has none for a group of containers, so each may use what the task
// has.
func (t *task) resources(d definition) container.Resources {
	r := container.Resources{CPUShares: max(d.CPU, 2), MemoryReservation: d.MemoryReservation * mib,
		Memory: d.Memory * mib}
	if cpu, err := strconv.ParseInt(t.work.Definition.CPU, 10, 64); err == nil && cpu > 0 {
		// Not as a number of CPUs, which an engine refuses where it has fewer.
		r.CPUPeriod, r.CPUQuota = cpuPeriod, cpu*cpuPeriod/cpuUnits
	}
	if memory, err := strconv.ParseInt(t.work.Definition.Memory, 10, 64); err == nil && r.Memory == 0 {
		r.Memory = memory * mib
	}
	r.MemorySwap = r.Memory // Fargate has no swap
	for _, u := range d.Ulimits {
		r.Ulimits = append(r.Ulimits, &container.Ulimit{Name: u.Name, Soft: u.SoftLimit, Hard: u.HardLimit})
	}
	return r
}

// mounts are the task's volumes that a container sees, which are made here.
func (t *task) mounts(ctx context.Context, d definition) (mounts []mount.Mount, err error) {
	points := slices.Clone(d.MountPoints)
	for _, from := range d.VolumesFrom {
		for _, other := range t.definitions {
			for _, point := range other.MountPoints {
				if other.Name == from.SourceContainer {
					point.ReadOnly = point.ReadOnly || from.ReadOnly
					points = append(points, point)
				}
			}
		}
	}
	for _, point := range points {
		volume, shared := t.volume(point.SourceVolume)
		// To make one that is there is to find it.
		if _, err := t.agent.Docker.VolumeCreate(ctx, volume); err != nil {
			return nil, err
		}
		// ECS fills a volume only from an image that says VOLUME at this very path; an engine would from any.
		_, filled := t.images[d.Name].volumes[point.ContainerPath]
		mounts = append(mounts, mount.Mount{Type: mount.TypeVolume, Source: volume.Name, Target: point.ContainerPath,
			ReadOnly:      point.ReadOnly,
			VolumeOptions: &mount.VolumeOptions{NoCopy: !filled || shared}})
	}
	return mounts, nil
}

// stopContainer has a container end, with SIGTERM and after its stopTimeout with SIGKILL.
func (t *task) stopContainer(ctx context.Context, d definition, id string) error {
	timeout := 30
	if d.StopTimeout != nil {
		timeout = *d.StopTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, callTime+time.Duration(timeout)*time.Second)
	defer cancel()
	// ECS sends SIGTERM, unless the image names another signal: as the engine does.
	_, err := t.agent.Docker.ContainerStop(ctx, id, client.ContainerStopOptions{Timeout: &timeout})
	if isGone(err) {
		return nil
	}
	return err
}

// daemonError words an error as the ECS agent does, which gets it from the engine's API.
func daemonError(kind string, err error) string {
	text := err.Error()
	if !strings.HasPrefix(text, "Error response from daemon: ") {
		text = "Error response from daemon: " + text
	}
	return kind + ": " + text
}
