package aws

import (
	"cmp"
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
)

// serviceLinkedRole is what ECS itself uses for services of tasks that have a network of their own.
const serviceLinkedRole = "/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS"

var service = &resourceType{
	noun: "ECS Service", key: "name", autoname: true,
	properties: properties{
		"alarms": {fields: properties{"alarmNames": {required: true, set: true}, "enable": {required: true},
			"rollback": {required: true}}},
		"capacityProviderStrategies": {set: true, empty: texts, fields: properties{"base": optional,
			"capacityProvider": {required: true}, "weight": optional}},
		"cluster": {replaces: true, computed: true},
		"deploymentCircuitBreaker": {kept: true, empty: values{"enable": false, "rollback": false},
			fields: properties{"enable": {required: true}, "rollback": {required: true}}},
		"deploymentController": {kept: true, empty: values{"type": "ECS"},
			fields: properties{"type": {standard: "ECS"}}},
		"deploymentMaximumPercent":        {standard: 200.0},
		"deploymentMinimumHealthyPercent": {standard: 100.0},
		"desiredCount":                    {empty: 0.0},
		"enableEcsManagedTags":            {standard: false},
		"enableExecuteCommand":            {standard: false},
		"forceNewDeployment":              optional,
		"healthCheckGracePeriodSeconds":   {empty: 0.0},
		"iamRole":                         {replaces: true, computed: true, unsupported: true, empty: serviceLinkedRole},
		"launchType":                      {replaces: true, computed: true},
		"loadBalancers": {set: true, empty: texts, fields: properties{"containerName": {required: true},
			"containerPort": {required: true}, "elbName": {empty: ""}, "targetGroupArn": {empty: ""}}},
		"name": {replaces: true},
		"networkConfiguration": {fields: properties{"assignPublicIp": {standard: false},
			"securityGroups": {set: true, empty: texts},
			"subnets":        {required: true, set: true}}},
		"orderedPlacementStrategies": {unsupported: true, empty: texts},
		"placementConstraints": {set: true, empty: texts,
			fields: properties{"expression": optional, "type": {required: true}}},
		"platformVersion":    {computed: true, empty: "LATEST"},
		"propagateTags":      {kept: true, empty: "NONE"},
		"schedulingStrategy": {replaces: true, standard: "REPLICA"},
		"serviceConnectConfiguration": {fields: properties{
			"enabled": {required: true}, "logConfiguration": {unsupported: true}, "namespace": {computed: true, empty: ""},
			"services": {empty: texts, fields: properties{
				"clientAlias": {empty: texts, fields: properties{"dnsName": {computed: true, empty: ""},
					"port": {required: true}}},
				"discoveryName": {computed: true, empty: ""}, "ingressPortOverride": {unsupported: true, empty: 0.0},
				"portName": {required: true}, "timeout": {unsupported: true}, "tls": {unsupported: true}}}}},
		"serviceRegistries": {unsupported: true},
		"tags":              tags, "tagsAll": tagsAll,
		"taskDefinition":     optional,
		"triggers":           {computed: true, empty: values{}},
		"waitForSteadyState": optional,
	},
	validate: func(path string, inputs values, fail func(string)) {
		checker{path, fail}.oneOf(inputs, "launchType", "EC2", "EXTERNAL", awslimits.Fargate)
		checker{path, fail}.oneOf(inputs, "schedulingStrategy", "REPLICA", "DAEMON")
	},
	differ: differInCapacity,
	custom: &operations{create: createService, read: readService, update: updateService, delete: deleteService},
}

func serviceSettings(c *call) ecs.ServiceSettings {
	network, _ := c.state["networkConfiguration"].(values)
	breaker, _ := c.state["deploymentCircuitBreaker"].(values)
	alarms, _ := c.state["alarms"].(values)
	return ecs.ServiceSettings{
		DesiredCount:          number(c.state, "desiredCount"),
		MinimumHealthyPercent: number(c.state, "deploymentMinimumHealthyPercent"),
		MaximumPercent:        number(c.state, "deploymentMaximumPercent"),
		CircuitBreaker:        isTrue(breaker, "enable"),
		Rollback:              isTrue(breaker, "rollback"),
		Subnets:               textList(network["subnets"]),
		SecurityGroups:        textList(network["securityGroups"]),
		AssignPublicIP:        isTrue(network, "assignPublicIp"),
		Alarms: ecs.Alarms{Names: textList(alarms["alarmNames"]), Enable: isTrue(alarms, "enable"),
			Rollback: isTrue(alarms, "rollback")},
		Other: c.state,

		LoadBalancers:          serviceLoadBalancers(c.state["loadBalancers"]),
		HealthCheckGracePeriod: number(c.state, "healthCheckGracePeriodSeconds"),

		LaunchType: text(c.state, "launchType"), Capacity: capacityShares(c.state["capacityProviderStrategies"]),
		Connection:  connectionOf(c.state["serviceConnectConfiguration"]),
		Scheduling:  strings.TrimPrefix(text(c.state, "schedulingStrategy"), "REPLICA"),
		Constraints: placementConstraints(c.state["placementConstraints"]),
	}
}

// connectionOf is what a program says of Service Connect; nil where it says nothing.
func connectionOf(given any) *ecs.Connection {
	config, ok := given.(values)
	if !ok {
		return nil
	}
	connection := &ecs.Connection{Enabled: isTrue(config, "enabled"), Namespace: text(config, "namespace")}
	for _, each := range account.Objects(config["services"]) {
		service := ecs.ConnectService{PortName: text(each, "portName"), DiscoveryName: text(each, "discoveryName")}
		for _, alias := range account.Objects(each["clientAlias"]) {
			service.ClientAliases = append(service.ClientAliases,
				ecs.ClientAlias{Port: number(alias, "port"), DNSName: text(alias, "dnsName")})
		}
		connection.Services = append(connection.Services, service)
	}
	return connection
}

func placementConstraints(given any) (found []ecs.PlacementConstraint) {
	for _, each := range account.Objects(given) {
		found = append(found, ecs.PlacementConstraint{Type: text(each, "type"), Expression: text(each, "expression")})
	}
	return found
}

func capacityShares(given any) (found []ecs.CapacityShare) {
	list, _ := given.([]any)
	for _, element := range list {
		if share, ok := element.(values); ok {
			found = append(found, ecs.CapacityShare{CapacityProvider: text(share, "capacityProvider"),
				Weight: number(share, "weight"), Base: number(share, "base")})
		}
	}
	return found
}

// differInCapacity replaces a service whose capacity changes, but where a deployment is forced and it has one before
// and after: as the provider does, which says so of a property that programs do not see.
func differInCapacity(olds, news values, d *difference) {
	const key, hidden = "capacityProviderStrategies", "__meta"
	before, after := capacityShares(olds[key]), capacityShares(news[key])
	forced := isTrue(news, "forceNewDeployment") && len(before) > 0 && len(after) > 0
	if !slices.Contains(d.keys, key) || forced || slices.Contains(d.replaces, "launchType") {
		return
	}
	d.keys, d.replaces = append([]string{hidden}, d.keys...), append([]string{hidden}, d.replaces...)
	d.add(resource.PropertyPath{hidden}, updated, true)
}

func serviceLoadBalancers(given any) (found []ecs.ServiceLoadBalancer) {
	list, _ := given.([]any)
	for _, element := range list {
		if lb, ok := element.(values); ok {
			found = append(found, ecs.ServiceLoadBalancer{TargetGroupARN: text(lb, "targetGroupArn"),
				ContainerName: text(lb, "containerName"), ContainerPort: number(lb, "containerPort")})
		}
	}
	return found
}

// checkAlarms refuses what the AWS SDK refuses before it asks ECS: the provider makes no list of an empty set.
func checkAlarms(c *call) error {
	if alarms, given := c.state["alarms"].(values); given && len(textList(alarms["alarmNames"])) == 0 {
		return fmt.Errorf("operation error ECS, 1 validation error(s) found.\n- missing required field, " +
			"DeploymentConfiguration.Alarms.AlarmNames")
	}
	return nil
}

func createService(c *call) error {
	if err := checkAlarms(c); err != nil {
		return err
	}
	s, err := createWithLinkedRole(c)
	if err != nil {
		return err
	}
	c.id = s.ARN
	return waitForSteadyState(c)
}

// createWithLinkedRole tries again where ECS cannot assume its own role yet, for four minutes, as the official provider
// does.
func createWithLinkedRole(c *call) (s *ecs.Service, err error) {
	ctx, cancel := context.WithTimeout(c.ctx, 4*time.Minute)
	defer cancel()
	if waited := await(ctx, func() (bool, error) {
		s, err = ecs.CreateService(c.account, text(c.state, "cluster"), text(c.state, "name"), text(c.state,
			"taskDefinition"),
			serviceSettings(c))
		return err == nil || !strings.Contains(err.Error(), "Unable to assume the service linked role"), nil
	}); waited != nil && err == nil {
		err = waited
	}
	return s, err
}

// updateService sends the desired count only where the program has changed it, so that one that a scaler has set stays.
// Alarms that the program no longer gives are not sent either, and so ECS keeps them.
func updateService(c *call) error {
	if err := checkAlarms(c); err != nil {
		return err
	}
	_, err := ecs.UpdateService(c.account, "", c.id, text(c.state, "taskDefinition"), isTrue(c.state,
		"forceNewDeployment"),
		func(s *ecs.ServiceSettings) {
			before := *s
			*s = serviceSettings(c)
			if reflect.DeepEqual(capacityShares(c.olds["capacityProviderStrategies"]),
				capacityShares(c.state["capacityProviderStrategies"])) {
				s.LaunchType, s.Capacity = before.LaunchType, before.Capacity
			}
			if number(c.olds, "desiredCount") == number(c.state, "desiredCount") {
				s.DesiredCount = before.DesiredCount
			}
			if s.Connection == nil { // ECS keeps what is left out
				s.Connection = before.Connection
			}
			if c.state["alarms"] == nil {
				s.Alarms, s.Other["alarms"] = before.Alarms, before.Other["alarms"]
			}
		})
	if err != nil {
		return err
	}
	return waitForSteadyState(c)
}

// waitForSteadyState waits until one deployment is left and all of its tasks run. A rollback counts, as it does for
// the official provider.
func waitForSteadyState(c *call) error {
	if !isTrue(c.state, "waitForSteadyState") {
		return nil
	}
	return await(c.ctx, func() (bool, error) {
		s, err := ecs.FindService(c.account, "", c.id)
		return err == nil && len(s.Deployments) == 1 && s.Deployments[0].RolloutState == ecs.Completed, err
	})
}

// readService reads by ARN, or by CLUSTER/NAME as an import gives it.
func readService(c *call) (values, error) {
	cluster, name, both := strings.Cut(c.id, "/")
	if !both || strings.HasPrefix(c.id, "arn:") {
		cluster, name = "", c.id
	}
	s, err := ecs.FindService(c.account, cluster, name)
	if account.IsCode(err, "ServiceNotFoundException") || account.IsCode(err, "ClusterNotFoundException") {
		return nil, nil
	}
	if err != nil || s.Status == "INACTIVE" {
		return nil, err
	}
	c.id = s.ARN
	state := values(s.Settings.Other)
	if given := text(state, "cluster"); given == "" || strings.HasPrefix(given, "arn:") {
		state["cluster"] = s.ClusterARN // else its name, as the program gave it
	}
	state["taskDefinition"] = s.TaskDefinition
	state["desiredCount"] = float64(s.Settings.DesiredCount)
	state["launchType"] = s.Settings.LaunchType
	if len(s.Settings.Capacity) == 0 {
		state["launchType"] = cmp.Or(s.Settings.LaunchType, awslimits.Fargate)
	}
	shares := []any{}
	for _, share := range s.Settings.Capacity {
		shares = append(shares, values{"capacityProvider": share.CapacityProvider, "weight": float64(share.Weight),
			"base": float64(share.Base)})
	}
	state["capacityProviderStrategies"] = sortSet(shares)
	return state, nil
}

func deleteService(c *call) error {
	if err := ecs.DeleteService(c.account, "", c.id); err != nil {
		return err
	}
	return await(c.ctx, func() (bool, error) {
		found, err := readService(c)
		return found == nil, err
	})
}
