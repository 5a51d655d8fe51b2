package api

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
)

func describeClusters(a *account.Account, region string, p struct{ Clusters, Include []string }) (any, error) {
	if len(p.Clusters) == 0 {
		p.Clusters = []string{"default"}
	}
	arn := func(name string) string { return account.ARN(a.ID, "ecs", region, "cluster/"+lastPart(name)) }
	return collect("clusters", p.Clusters, arn, func(name string) (object, error) {
		o, err := a.Object(ecs.Cluster, lastPart(name))
		if err != nil || o == nil {
			return nil, err
		}
		services, err := ecs.AllServices(a, lastPart(name))
		if err != nil {
			return nil, err
		}
		tasks, err := ecs.Tasks(a, lastPart(name))
		if err != nil {
			return nil, err
		}
		active, in := 0, map[string]int{}
		for _, s := range services {
			if s.Status == "ACTIVE" {
				active++
			}
		}
		for _, task := range tasks {
			in[task.LastStatus]++
		}
		described := object{"clusterArn": o["arn"], "clusterName": o["name"], "status": "ACTIVE",
			"activeServicesCount": active, "runningTasksCount": in["RUNNING"], "pendingTasksCount": in["PENDING"]}
		if slices.Contains(p.Include, "TAGS") {
			tags := []object{}
			for _, each := range tagsOf(o) {
				tags = append(tags, object{"key": each.Key, "value": each.Value})
			}
			described["tags"] = tags
		}
		return described, nil
	})
}

func lastPart(arn string) string { return arn[strings.LastIndex(arn, "/")+1:] }

// count is the number of a service's tasks in a status, of one deployment or of all.
func count(s *ecs.Service, deployment, status string) (n int) {
	for _, task := range s.Tasks {
		if task.LastStatus == status && (deployment == "" || task.StartedBy == deployment) {
			n++
		}
	}
	return n
}

func describeServices(a *account.Account, region string, p struct {
	Cluster  string
	Services []string
	Include  []string
}) (any, error) {
	arn := func(name string) string {
		return account.ARN(a.ID, "ecs", region, "service/"+lastPart(p.Cluster)+"/"+lastPart(name))
	}
	return collect("services", p.Services, arn, func(name string) (object, error) {
		s, err := ecs.FindService(a, p.Cluster, name)
		if account.IsCode(err, "ServiceNotFoundException") {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		described := serviceObject(s)
		if slices.Contains(p.Include, "TAGS") {
			described["tags"] = tagList(s.Settings.Other.Object("tagsAll"))
		}
		return described, nil
	})
}

// listServices lists those of a cluster that are not deleted, ten at a time where it is not told otherwise.
func listServices(a *account.Account, _ string, p struct {
	Cluster, NextToken string
	MaxResults         int
}) (any, error) {
	services, err := ecs.AllServices(a, cmp.Or(p.Cluster, "default"))
	if err != nil {
		return nil, err
	}
	arns := []string{}
	for _, service := range services {
		if service.Status != "INACTIVE" {
			arns = append(arns, service.ARN)
		}
	}
	part, next, err := page(arns, cmp.Or(p.MaxResults, 10), 100, p.NextToken)
	return withNext(object{"serviceArns": part}, next), err
}

// tagList is how ECS says tags, sorted by key.
func tagList(tags map[string]any) []object {
	list := []object{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, object{"key": key, "value": tags[key]})
	}
	return list
}

func serviceObject(s *ecs.Service) object {
	network := object{"awsvpcConfiguration": object{"subnets": s.Settings.Subnets,
		"securityGroups": s.Settings.SecurityGroups,
		"assignPublicIp": map[bool]string{true: "ENABLED", false: "DISABLED"}[s.Settings.AssignPublicIP]}}
	deployments, events := []object{}, []object{}
	for _, d := range s.Deployments {
		described := object{"id": d.ID, "status": d.Status, "taskDefinition": d.TaskDefinition,
			"desiredCount": d.DesiredCount, "pendingCount": count(s, d.ID, "PENDING"), "runningCount": count(s, d.ID, "RUNNING"),
			"failedTasks": d.FailedTasks, "createdAt": account.Seconds(d.CreatedAt), "updatedAt": account.Seconds(d.UpdatedAt),
			"networkConfiguration": network,
			"rolloutState":         d.RolloutState, "rolloutStateReason": d.RolloutStateReason}
		addCapacity(described, d.Capacity, s.Settings.LaunchType)
		if d.Connection != nil {
			described["serviceConnectConfiguration"] = d.Connection
		}
		deployments = append(deployments, described)
	}
	for _, e := range s.Events {
		events = append(events, object{"id": e.ID, "createdAt": account.Seconds(e.CreatedAt), "message": e.Message})
	}
	described := object{"serviceArn": s.ARN, "serviceName": s.Name, "clusterArn": s.ClusterARN, "status": s.Status,
		"taskDefinition": s.TaskDefinition, "desiredCount": s.Settings.DesiredCount,
		"runningCount": count(s, "", "RUNNING"), "pendingCount": count(s, "", "PENDING"),
		"schedulingStrategy":   cmp.Or(s.Settings.Scheduling, "REPLICA"),
		"deploymentController": object{"type": "ECS"}, "networkConfiguration": network,
		"loadBalancers":                 append([]ecs.ServiceLoadBalancer{}, s.Settings.LoadBalancers...),
		"healthCheckGracePeriodSeconds": s.Settings.HealthCheckGracePeriod,
		"deploymentConfiguration": object{"maximumPercent": s.Settings.MaximumPercent,
			"minimumHealthyPercent":    s.Settings.MinimumHealthyPercent,
			"deploymentCircuitBreaker": object{"enable": s.Settings.CircuitBreaker, "rollback": s.Settings.Rollback},
			"alarms":                   s.Settings.Alarms},
		"enableExecuteCommand": s.Settings.Other["enableExecuteCommand"] == true,
		"deployments":          deployments, "events": events, "createdAt": account.Seconds(s.CreatedAt)}
	addCapacity(described, s.Settings.Capacity, s.Settings.LaunchType)
	if constraints := s.Settings.Constraints; len(constraints) > 0 {
		described["placementConstraints"] = constraints
	}
	if len(s.Settings.Subnets) == 0 {
		delete(described, "networkConfiguration")
	}
	return described
}

// addCapacity says what tasks run on: a launch type, or capacity providers.
func addCapacity(described object, capacity []ecs.CapacityShare, launchType string) {
	if len(capacity) > 0 {
		described["capacityProviderStrategy"] = capacity
	} else {
		described["launchType"] = cmp.Or(launchType, awslimits.Fargate)
	}
}

func updateService(a *account.Account, _ string, p struct {
	Cluster, Service, TaskDefinition string
	DesiredCount                     *int
	ForceNewDeployment               bool
	CapacityProviderStrategy         *[]ecs.CapacityShare
	NetworkConfiguration             awsvpc
}) (any, error) {
	s, err := ecs.UpdateService(a, p.Cluster, p.Service, p.TaskDefinition, p.ForceNewDeployment,
		func(settings *ecs.ServiceSettings) {
			if p.DesiredCount != nil {
				settings.DesiredCount = *p.DesiredCount
			}
			if p.CapacityProviderStrategy != nil {
				settings.LaunchType, settings.Capacity = "", *p.CapacityProviderStrategy
			}
			if network := p.NetworkConfiguration.network(); network != nil {
				settings.Subnets, settings.SecurityGroups = network.Subnets, network.SecurityGroups
				settings.AssignPublicIP = network.AssignPublicIP
			}
		})
	if err != nil {
		return nil, err
	}
	return object{"service": serviceObject(s)}, nil
}

func describeTaskDefinition(a *account.Account, _ string, p struct {
	TaskDefinition string
	Include        []string
}) (any, error) {
	answer, err := answerTaskDefinition(ecs.FindTaskDefinition(a, p.TaskDefinition))
	if found, ok := answer.(object); ok && !slices.Contains(p.Include, "TAGS") {
		delete(found, "tags")
	}
	return answer, err
}

func registerTaskDefinition(a *account.Account, region string, p struct {
	Family, CPU, Memory, NetworkMode, ExecutionRoleARN, TaskRoleARN string
	ContainerDefinitions                                            json.RawMessage
	RequiresCompatibilities                                         []string
	RuntimePlatform                                                 map[string]string
	Volumes                                                         []map[string]json.RawMessage
	Tags                                                            []struct{ Key, Value string }
}) (any, error) {
	containers, err := ecs.ParseContainers(string(p.ContainerDefinitions))
	if err != nil {
		return nil, &account.Error{Code: "ClientException", Message: err.Error()}
	}
	tags := map[string]any{}
	for _, tag := range p.Tags {
		tags[tag.Key] = tag.Value
	}
	volumes, err := readVolumes(p.Volumes)
	if err != nil {
		return nil, err
	}
	return answerTaskDefinition(ecs.RegisterTaskDefinition(a, region,
		ecs.TaskDefinition{Family: p.Family, CPU: p.CPU, Memory: p.Memory,
			NetworkMode: p.NetworkMode, ExecutionRoleARN: p.ExecutionRoleARN, TaskRoleARN: p.TaskRoleARN, Containers: containers,
			RequiresCompatibilities: p.RequiresCompatibilities, RuntimePlatform: p.RuntimePlatform, Volumes: volumes,
			Tags: tags}))
}

var knownOfVolumes = []string{"name", "host", "efsVolumeConfiguration"}

// readVolumes takes volumes that are nothing but a name, and those in EFS, and refuses the others by what the sandbox
// does not know of them.
func readVolumes(given []map[string]json.RawMessage) (volumes []ecs.Volume, err error) {
	for _, fields := range given {
		var volume struct {
			Name                   string
			Host                   struct{ SourcePath string }
			EFSVolumeConfiguration *ecs.EFSVolume
		}
		for _, key := range slices.Sorted(maps.Keys(fields)) {
			if value := string(fields[key]); !slices.Contains(knownOfVolumes, key) && value != "null" && value != "false" {
				return nil, unknownParameter("volumes."+key, "RegisterTaskDefinition")
			}
		}
		whole, err := json.Marshal(fields)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(whole, &volume); err != nil {
			return nil, &account.Error{Code: "SerializationException", Message: err.Error()}
		}
		if volume.Host.SourcePath != "" {
			return nil, unknownParameter("volumes.host.sourcePath", "RegisterTaskDefinition")
		}
		if volume.EFSVolumeConfiguration != nil {
			volumes = append(volumes, ecs.Volume{Name: volume.Name, EFS: volume.EFSVolumeConfiguration})
			continue
		}
		volumes = append(volumes, ecs.OwnVolume(volume.Name))
	}
	return volumes, nil
}

func deregisterTaskDefinition(a *account.Account, _ string, p struct{ TaskDefinition string }) (any, error) {
	return answerTaskDefinition(ecs.DeregisterTaskDefinition(a, p.TaskDefinition))
}

func answerTaskDefinition(d *ecs.TaskDefinition, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	described := *d
	described.Tags = nil // they stand beside it
	return object{"taskDefinition": described, "tags": tagList(d.Tags)}, nil
}

// definitions are those of a family (or of every family that starts with a text), ACTIVE unless another status is asked
// for.
func definitions(a *account.Account, status string, match func(family string) bool) ([]*ecs.TaskDefinition, error) {
	all, err := ecs.TaskDefinitions(a)
	return slices.DeleteFunc(all, func(d *ecs.TaskDefinition) bool {
		return !match(d.Family) || (status != "ALL" && d.Status != status)
	}), err
}

func listTaskDefinitions(a *account.Account, _ string, p struct {
	FamilyPrefix, Status, Sort, NextToken string
	MaxResults                            int
}) (any, error) {
	if p.Status == "" {
		p.Status = "ACTIVE"
	}
	// The API calls it a prefix, and takes it as the whole name.
	found, err := definitions(a, p.Status, func(family string) bool {
		return p.FamilyPrefix == "" ||
			family == p.FamilyPrefix
	})
	if err != nil {
		return nil, err
	}
	arns := []string{}
	for _, d := range found {
		arns = append(arns, d.ARN)
	}
	if p.Sort == "DESC" {
		slices.Reverse(arns)
	}
	part, next, err := page(arns, p.MaxResults, 100, p.NextToken)
	return withNext(object{"taskDefinitionArns": part}, next), err
}

func listTaskDefinitionFamilies(a *account.Account, _ string, p struct {
	FamilyPrefix, Status, NextToken string
	MaxResults                      int
}) (any, error) {
	if p.Status == "" {
		p.Status = "ALL"
	}
	found, err := definitions(a, p.Status, func(family string) bool { return strings.HasPrefix(family, p.FamilyPrefix) })
	if err != nil {
		return nil, err
	}
	families := []string{}
	for _, d := range found {
		families = append(families, d.Family)
	}
	part, next, err := page(slices.Compact(families), p.MaxResults, 100, p.NextToken)
	return withNext(object{"families": part}, next), err
}
