package aws

import (
	"fmt"
	"slices"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
)

var cluster = &resourceType{
	kind: ecs.Cluster, noun: "ECS Cluster", key: "name", autoname: true,
	arnID: true,
	properties: properties{
		"arn":                    result,
		"configuration":          {unsupported: true},
		"name":                   {replaces: true},
		"serviceConnectDefaults": {unsupported: true},
		"settings": {computed: true, set: true, empty: []any{values{"name": "containerInsights", "value": "disabled"}},
			fields: properties{"name": {required: true}, "value": {required: true}}},
		"tags": tags, "tagsAll": tagsAll,
	},
	validate: func(path string, inputs values, fail func(string)) {
		settings, _ := inputs["settings"].([]any)
		for i, setting := range settings {
			for key, allowed := range map[string][]string{"name": {"containerInsights"},
				"value": {"enhanced", "enabled", "disabled"}} {
				object, _ := setting.(values)
				if value := text(object, key); value != unknown && !slices.Contains(allowed, value) {
					fail(fmt.Sprintf("expected setting.%d.%s to be one of %q, got %s. Examine values at '%s.settings[%d].%s'.",
						i, key, allowed, value, path, i, key))
				}
			}
		}
	},
	identify: func(c *call) (string, error) { return c.arn("ecs", "cluster/"+text(c.state, "name")), nil },
	fill:     func(c *call) { c.state["arn"] = c.id },
}

var clusterCapacityProviders = &resourceType{
	kind: ecs.ClusterCapacityProviders, noun: "ECS Cluster Capacity Providers", key: "clusterName",
	properties: properties{
		"capacityProviders": {set: true, empty: texts},
		"clusterName":       given,
		"defaultCapacityProviderStrategies": {set: true, empty: texts, fields: properties{
			"base": {standard: 0.0}, "capacityProvider": {required: true}, "weight": {empty: 0.0}}},
	},
}

var taskDefinition = &resourceType{
	noun: "ECS Task Definition", key: "family",
	properties: properties{
		"arn": result, "arnWithoutRevision": result, "revision": result,
		"containerDefinitions":    {required: true, replaces: true, same: ecs.SameContainers},
		"cpu":                     {replaces: true},
		"ephemeralStorage":        {replaces: true, fields: properties{"sizeInGib": {required: true}}},
		"executionRoleArn":        {replaces: true, empty: ""},
		"family":                  given,
		"inferenceAccelerators":   {replaces: true, unsupported: true, empty: texts},
		"ipcMode":                 {replaces: true, empty: ""},
		"memory":                  {replaces: true},
		"networkMode":             {replaces: true, computed: true, empty: ""},
		"pidMode":                 {replaces: true, empty: ""},
		"placementConstraints":    {replaces: true, unsupported: true, empty: texts},
		"proxyConfiguration":      {replaces: true, unsupported: true},
		"requiresCompatibilities": {replaces: true, set: true, empty: texts},
		"runtimePlatform": {replaces: true, fields: properties{"cpuArchitecture": optional,
			"operatingSystemFamily": optional}},
		"skipDestroy": {standard: false},
		"tags":        tags, "tagsAll": tagsAll,
		"taskRoleArn": {replaces: true, empty: ""},
		"trackLatest": {standard: false},
		// The sandbox has volumes that are nothing but a name, and those in EFS.
		"volumes": {replaces: true, set: true, empty: texts, fields: properties{
			"configureAtLaunch":                       {unsupported: true, kept: true, empty: false},
			"dockerVolumeConfiguration":               {unsupported: true},
			"efsVolumeConfiguration":                  {fields: efsVolume},
			"fsxWindowsFileServerVolumeConfiguration": {unsupported: true},
			"hostPath": {unsupported: true, empty: "", planned: true},
			"name":     {required: true},
		}},
	},
	warn: missingSecrets,
	custom: &operations{create: registerTaskDefinition, read: readTaskDefinition, update: updateTaskDefinition,
		delete: deregisterTaskDefinition},
}

func registerTaskDefinition(c *call) error {
	containers, err := ecs.ParseContainers(text(c.state, "containerDefinitions"))
	if err != nil {
		return fmt.Errorf("ECS Task Definition container_definitions is invalid: %w", err)
	}
	platform := map[string]string{}
	if given, ok := c.state["runtimePlatform"].(values); ok {
		for key, value := range given {
			platform[key] = fmt.Sprint(value)
		}
	}
	d := ecs.TaskDefinition{Family: text(c.state, "family"), Containers: containers, CPU: text(c.state, "cpu"),
		Memory: text(c.state, "memory"), ExecutionRoleARN: text(c.state, "executionRoleArn"),
		TaskRoleARN: text(c.state, "taskRoleArn"),
		NetworkMode: text(c.state, "networkMode"), RequiresCompatibilities: textList(c.state["requiresCompatibilities"]),
		RuntimePlatform: platform, PIDMode: text(c.state, "pidMode"), IPCMode: text(c.state, "ipcMode")}
	if storage, ok := c.state["ephemeralStorage"].(values); ok {
		d.EphemeralStorage = map[string]int{"sizeInGiB": number(storage, "sizeInGib")}
	}
	volumes, _ := c.state["volumes"].([]any)
	for _, volume := range volumes {
		if given, ok := volume.(values); ok {
			d.Volumes = append(d.Volumes, newVolume(given))
		}
	}
	d.Tags, _ = c.state["tagsAll"].(values)
	registered, err := ecs.RegisterTaskDefinition(c.account, c.region, d)
	if err != nil {
		return err
	}
	c.id = registered.Family
	c.state["arn"] = registered.ARN
	return nil
}

// readTaskDefinition reads the revision that the state names; an import names one by its ARN.
func readTaskDefinition(c *call) (values, error) {
	reference := text(c.state, "arn")
	if reference == "" {
		reference = c.id
	}
	d, err := ecs.FindTaskDefinition(c.account, reference)
	if account.IsCode(err, "ClientException") {
		return nil, nil
	}
	if err != nil || d.Status != "ACTIVE" {
		return nil, err
	}
	c.id = d.Family
	state := taskDefinitionValues(d)
	state["skipDestroy"], state["trackLatest"] = c.state["skipDestroy"], c.state["trackLatest"]
	// Equal tags are kept as the program wrote them: the account holds only all of them together.
	state["tags"], state["tagsAll"] = c.state["tags"], values{}
	if d.Tags != nil {
		state["tagsAll"] = d.Tags
	}
	if len(c.inputs) == 0 { // an import
		state["tags"] = state["tagsAll"]
	}
	return state, nil
}

func taskDefinitionValues(d *ecs.TaskDefinition) values {
	compatibilities := []any{}
	for _, c := range d.RequiresCompatibilities {
		compatibilities = append(compatibilities, c)
	}
	volumes := []any{}
	for _, v := range d.Volumes {
		volumes = append(volumes, values{"configureAtLaunch": false, "dockerVolumeConfiguration": nil,
			"efsVolumeConfiguration":                  efsVolumeValues(v.EFS),
			"fsxWindowsFileServerVolumeConfiguration": nil, "hostPath": "", "name": v.Name})
	}
	state := values{
		"arn": d.ARN, "arnWithoutRevision": strings.TrimSuffix(d.ARN, fmt.Sprintf(":%d", d.Revision)),
		"containerDefinitions": ecs.ContainersJSON(d.Containers), "cpu": d.CPU, "executionRoleArn": d.ExecutionRoleARN,
		"family": d.Family, "inferenceAccelerators": texts, "ipcMode": d.IPCMode, "memory": d.Memory,
		"networkMode":          d.NetworkMode,
		"pidMode":              d.PIDMode,
		"placementConstraints": texts, "requiresCompatibilities": compatibilities, "revision": float64(d.Revision),
		"taskRoleArn": d.TaskRoleARN, "volumes": sortSet(volumes),
	}
	if len(d.RuntimePlatform) > 0 {
		platform := values{}
		for key, value := range d.RuntimePlatform {
			platform[key] = value
		}
		state["runtimePlatform"] = platform
	}
	if size := d.EphemeralStorage["sizeInGiB"]; size > 0 {
		state["ephemeralStorage"] = values{"sizeInGib": float64(size)}
	}
	return state
}

// updateTaskDefinition changes what is not part of a revision: its tags, and whether it outlives the resource.
func updateTaskDefinition(c *call) error {
	all, _ := c.state["tagsAll"].(values)
	return ecs.TagTaskDefinition(c.account, text(c.state, "arn"), all)
}

func deregisterTaskDefinition(c *call) error {
	if isTrue(c.state, "skipDestroy") {
		return nil
	}
	_, err := ecs.DeregisterTaskDefinition(c.account, text(c.state, "arn"))
	if account.IsCode(err, "ClientException") {
		return nil
	}
	return err
}

func getTaskDefinition(a *account.Account, _ string, args values) (values, error) {
	reference := text(args, "taskDefinition")
	d, err := ecs.FindTaskDefinition(a, reference)
	if err != nil {
		return nil, fmt.Errorf("reading ECS Task Definition (%s): %w", reference, err)
	}
	found := taskDefinitionValues(d)
	for one, list := range map[string]string{"ephemeralStorage": "ephemeralStorages",
		"runtimePlatform": "runtimePlatforms"} {
		if found[list] = texts; found[one] != nil {
			found[list] = []any{found[one]}
		}
		delete(found, one)
	}
	found["volumes"] = listedVolumes(d.Volumes)
	found["id"], found["status"], found["taskDefinition"] = d.ARN, d.Status, reference
	found["enableFaultInjection"], found["proxyConfigurations"] = false, texts
	return found, nil
}
