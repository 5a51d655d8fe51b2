package api

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
)

func listTasks(a *account.Account, _ string, p struct {
	Cluster, ServiceName, Family, DesiredStatus, StartedBy, NextToken string
	MaxResults                                                        int
}) (any, error) {
	if p.StartedBy != "" && p.ServiceName+p.Family+p.DesiredStatus != "" {
		return nil, &account.Error{Code: "InvalidParameterException", Message: "startedBy must be the only filter."}
	}
	tasks, err := ecs.Tasks(a, cmp.Or(p.Cluster, "default"))
	if err != nil {
		return nil, err
	}
	p.DesiredStatus = cmp.Or(p.DesiredStatus, "RUNNING")
	arns := []string{}
	for _, task := range tasks {
		if task.DesiredStatus == p.DesiredStatus && (p.ServiceName == "" ||
			task.Group == "service:"+lastPart(p.ServiceName)) &&
			(p.Family == "" || task.Family() == p.Family) && (p.StartedBy == "" || task.StartedBy == p.StartedBy) {
			arns = append(arns, task.ARN)
		}
	}
	part, next, err := page(arns, p.MaxResults, 100, p.NextToken)
	return withNext(object{"taskArns": part}, next), err
}

func describeTasks(a *account.Account, _ string, p struct {
	Cluster        string
	Tasks, Include []string
}) (any, error) {
	if len(p.Tasks) == 0 {
		return nil, &account.Error{Code: "InvalidParameterException", Message: "Tasks cannot be empty."}
	}
	if len(p.Tasks) > 100 {
		return nil, &account.Error{Code: "InvalidParameterException", Message: "Tasks cannot have more than 100 elements."}
	}
	tasks, err := ecs.Tasks(a, cmp.Or(p.Cluster, "default"))
	if err != nil {
		return nil, err
	}
	arn := func(name string) string { return name }
	return collect("tasks", p.Tasks, arn, func(name string) (object, error) {
		i := slices.IndexFunc(tasks, func(t *ecs.Task) bool { return t.ID() == name || t.ARN == name })
		if i < 0 {
			return nil, nil
		}
		return taskObject(a, tasks[i], slices.Contains(p.Include, "TAGS"))
	})
}

func taskObject(a *account.Account, task *ecs.Task, tagged bool) (object, error) {
	d, err := ecs.FindTaskDefinition(a, task.TaskDefinition)
	if err != nil {
		return nil, err
	}
	var run ecs.TaskRun
	if task.Run != nil {
		run = *task.Run
	}
	containers, overrides := []object{}, []ecs.ContainerOverride{}
	states := task.ContainerStates(d)
	for i, c := range d.Containers {
		containers = append(containers, containerObject(task, c.Image(), states[i]))
		override := ecs.ContainerOverride{Name: c.Name()}
		for _, given := range run.Overrides.Containers {
			if given.Name == c.Name() {
				override = given
			}
		}
		overrides = append(overrides, override)
	}
	run.Overrides.Containers = overrides
	described := object{"taskArn": task.ARN, "taskDefinitionArn": task.TaskDefinition, "clusterArn": task.ClusterARN(),
		"group":      task.Group,
		"launchType": awslimits.Fargate, "lastStatus": task.LastStatus, "desiredStatus": task.DesiredStatus,
		"cpu": cmp.Or(run.Overrides.CPU, d.CPU), "memory": cmp.Or(run.Overrides.Memory, d.Memory),
		"createdAt": account.Seconds(task.CreatedAt), "containers": containers, "overrides": run.Overrides}
	if task.EC2 {
		described["launchType"] = awslimits.EC2
	}
	if task.ContainerInstance != "" {
		described["containerInstanceArn"] = task.ContainerInstance
	}
	if task.CapacityProvider != "" {
		described["capacityProviderName"] = task.CapacityProvider
	}
	if task.StartedBy != "" {
		described["startedBy"] = task.StartedBy
	}
	if task.Health != "" {
		described["healthStatus"] = task.Health
	}
	if task.StopCode != "" {
		described["stopCode"], described["stoppedReason"] = task.StopCode, task.StoppedReason
	}
	for key, at := range map[string]*time.Time{"startedAt": task.StartedAt, "stoppedAt": task.StoppedAt} {
		if at != nil {
			described[key] = account.Seconds(*at)
		}
	}
	if tagged {
		tags := []object{}
		for _, key := range slices.Sorted(maps.Keys(run.Tags)) {
			tags = append(tags, object{"key": key, "value": run.Tags[key]})
		}
		described["tags"] = tags
	}
	return described, nil
}

func containerObject(task *ecs.Task, image string, state ecs.ContainerState) object {
	described := object{"name": state.Name, "image": image, "lastStatus": state.LastStatus, "taskArn": task.ARN}
	for key, value := range map[string]string{"runtimeId": state.RuntimeID, "imageDigest": state.ImageDigest,
		"healthStatus": state.Health,
		"reason":       state.Reason} {
		if value != "" {
			described[key] = value
		}
	}
	if state.ExitCode != nil {
		described["exitCode"] = *state.ExitCode
	}
	return described
}

// awsvpc is a network configuration as the ECS API has it.
type awsvpc struct {
	AwsvpcConfiguration *struct {
		Subnets, SecurityGroups []string
		AssignPublicIP          string
	}
}

// network is what it says; nil where it says nothing.
func (v awsvpc) network() *ecs.Network {
	given := v.AwsvpcConfiguration
	if given == nil {
		return nil
	}
	return &ecs.Network{Subnets: given.Subnets, SecurityGroups: given.SecurityGroups,
		AssignPublicIP: given.AssignPublicIP == "ENABLED"}
}

type runTaskParameters struct {
	Cluster, TaskDefinition, LaunchType, PlatformVersion string
	Count                                                *int
	StartedBy, Group, PropagateTags                      string
	NetworkConfiguration                                 awsvpc
	Overrides                                            json.RawMessage
	Tags                                                 []struct{ Key, Value string }
	EnableECSManagedTags, EnableExecuteCommand           bool
	ClientToken                                          string
	// What the sandbox does not know.
	CapacityProviderStrategy, PlacementConstraints, PlacementStrategy, VolumeConfigurations []any
	ReferenceID                                                                             string
}

func runTask(a *account.Account, _ string, p runTaskParameters) (any, error) {
	for parameter, given := range map[string]bool{"capacityProviderStrategy": len(p.CapacityProviderStrategy) > 0,
		"placementConstraints": len(p.PlacementConstraints) > 0, "placementStrategy": len(p.PlacementStrategy) > 0,
		"volumeConfigurations": len(p.VolumeConfigurations) > 0, "referenceId": p.ReferenceID != ""} {
		if given {
			return nil, unknownParameter(parameter, "RunTask")
		}
	}
	request := ecs.RunTaskRequest{Cluster: p.Cluster, TaskDefinition: p.TaskDefinition, Count: 1,
		LaunchType: p.LaunchType,
		StartedBy:  p.StartedBy, Group: p.Group, PropagateTags: p.PropagateTags, ManagedTags: p.EnableECSManagedTags,
		ClientToken: p.ClientToken,
		Tags:        map[string]string{}}
	if p.Count != nil {
		request.Count = *p.Count
	}
	request.Network = p.NetworkConfiguration.network()
	for _, tag := range p.Tags {
		request.Tags[tag.Key] = tag.Value
	}
	if err := readOverrides(p.Overrides, &request.Overrides); err != nil {
		return nil, err
	}
	started, err := ecs.RunTask(a, request)
	if err != nil {
		return nil, err
	}
	tasks := []object{}
	for _, task := range started {
		described, err := taskObject(a, task, true)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, described)
	}
	return object{"tasks": tasks, "failures": []object{}}, nil
}

func unknownParameter(parameter, operation string) error {
	return &account.Error{Code: "InvalidParameterException", Message: "The sandbox has no parameter " + parameter +
		" of " + operation + "."}
}

// readOverrides reads what RunTask overrides, and refuses what the sandbox does not know of it.
func readOverrides(given json.RawMessage, overrides *ecs.Overrides) error {
	if len(given) == 0 {
		return nil
	}
	var fields struct {
		ContainerOverrides []map[string]json.RawMessage
	}
	var all map[string]json.RawMessage
	for _, into := range []any{&fields, &all, overrides} {
		if err := json.Unmarshal(given, into); err != nil {
			return &account.Error{Code: "SerializationException", Message: err.Error()}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !slices.Contains([]string{"containerOverrides", "cpu", "memory", "taskRoleArn", "executionRoleArn"}, key) {
			return unknownParameter("overrides."+key, "RunTask")
		}
	}
	for _, container := range fields.ContainerOverrides {
		for _, key := range slices.Sorted(maps.Keys(container)) {
			if !slices.Contains([]string{"name", "command", "environment", "cpu", "memory", "memoryReservation"}, key) {
				return unknownParameter("overrides.containerOverrides."+key, "RunTask")
			}
		}
	}
	return nil
}

func stopTask(a *account.Account, _ string, p struct{ Cluster, Task, Reason string }) (any, error) {
	task, err := ecs.StopTask(a, cmp.Or(p.Cluster, "default"), p.Task, p.Reason)
	if err != nil {
		return nil, err
	}
	described, err := taskObject(a, task, false)
	return object{"task": described}, err
}
