package aws

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/instances"
	"slipway/sandbox/account/vpc"
)

var instanceProfile = &resourceType{
	kind: iam.InstanceProfile, noun: "IAM Instance Profile", key: "name", autoname: true, nameLimit: 128,
	existing: "EntityAlreadyExists: Instance Profile %s already exists.",
	properties: properties{
		"arn": result, "createDate": result, "uniqueId": result,
		"name":       {replaces: true},
		"namePrefix": {replaces: true, computed: true, unsupported: true, empty: ""},
		"path":       {replaces: true, standard: "/"},
		"role":       {empty: ""},
		"tags":       tags, "tagsAll": tagsAll,
	},
	fill: func(c *call) {
		c.state["arn"] = account.ARN(c.account.ID, "iam", "", "instance-profile"+text(c.state, "path")+c.id)
		c.state["uniqueId"] = "AIPA" + strings.ToUpper(strings.NewReplacer("-", "", "_", "").Replace(c.id))
	},
}

var (
	emptyText = property{empty: ""}
	decided   = property{computed: true, empty: ""}
	refused   = property{unsupported: true}
)

// networkInterface is one of a launch template; of its properties the sandbox has those of an instance's only one.
var networkInterface = properties{
	"associateCarrierIpAddress": {unsupported: true, empty: ""}, "associatePublicIpAddress": emptyText,
	"deleteOnTermination": emptyText, "description": emptyText, "deviceIndex": {empty: 0.0},
	"interfaceType": {unsupported: true, empty: ""}, "ipv4AddressCount": {unsupported: true, empty: 0.0},
	"ipv4Addresses": {unsupported: true, set: true, empty: texts}, "ipv4PrefixCount": {unsupported: true, empty: 0.0},
	"ipv4Prefixes": {unsupported: true, set: true, empty: texts}, "ipv6AddressCount": {unsupported: true, empty: 0.0},
	"ipv6Addresses": {unsupported: true, set: true, empty: texts}, "ipv6PrefixCount": {unsupported: true, empty: 0.0},
	"ipv6Prefixes": {unsupported: true, set: true, empty: texts}, "networkCardIndex": {unsupported: true, empty: 0.0},
	"networkInterfaceId": {unsupported: true, empty: ""}, "primaryIpv6": {unsupported: true, empty: ""},
	"privateIpAddress": {unsupported: true, empty: ""}, "securityGroups": {set: true, empty: texts},
	"subnetId": {unsupported: true, empty: ""},
}

var instanceRequirements = properties{
	"acceleratorCount": refused, "acceleratorManufacturers": refused, "acceleratorNames": refused,
	"acceleratorTotalMemoryMib": refused, "acceleratorTypes": refused,
	"allowedInstanceTypes": {set: true, empty: texts}, "bareMetal": emptyText, "baselineEbsBandwidthMbps": refused,
	"burstablePerformance": emptyText, "cpuManufacturers": {set: true, empty: texts},
	"excludedInstanceTypes": {set: true, empty: texts}, "instanceGenerations": {set: true, empty: texts},
	"localStorage": emptyText, "localStorageTypes": {set: true, empty: texts},
	"maxSpotPriceAsPercentageOfOptimalOnDemandPrice": refused, "memoryGibPerVcpu": refused,
	"memoryMib":            {required: true, fields: properties{"max": optional, "min": {required: true}}},
	"networkBandwidthGbps": refused, "networkInterfaceCount": refused,
	"onDemandMaxPricePercentageOverLowestPrice": optional, "requireHibernateSupport": optional,
	"spotMaxPricePercentageOverLowestPrice": optional, "totalLocalStorageGb": refused,
	"vcpuCount": {required: true, fields: properties{"max": optional, "min": {required: true}}},
}

var launchTemplate = &resourceType{
	kind: instances.LaunchTemplate, noun: "EC2 Launch Template", key: "name", autoname: true, nameLimit: 128,
	properties: properties{
		"arn": result, "latestVersion": result,
		"blockDeviceMappings": {empty: texts, fields: properties{"deviceName": emptyText,
			"ebs": {fields: properties{"deleteOnTermination": emptyText, "encrypted": emptyText,
				"iops": {computed: true, empty: 0.0}, "kmsKeyId": emptyText, "snapshotId": emptyText,
				"throughput": {computed: true, empty: 0.0}, "volumeInitializationRate": {unsupported: true, empty: 0.0},
				"volumeSize": {computed: true, empty: 0.0}, "volumeType": decided}},
			"noDevice": emptyText, "virtualName": emptyText}},
		"capacityReservationSpecification": refused, "cpuOptions": refused,
		"creditSpecification":         {fields: properties{"cpuCredits": emptyText}},
		"defaultVersion":              {computed: true},
		"description":                 emptyText,
		"disableApiStop":              {empty: false},
		"disableApiTermination":       {empty: false},
		"ebsOptimized":                emptyText,
		"elasticGpuSpecifications":    {unsupported: true, empty: texts},
		"elasticInferenceAccelerator": refused, "enclaveOptions": refused, "hibernationOptions": refused,
		"iamInstanceProfile":                {fields: properties{"arn": emptyText, "name": emptyText}},
		"imageId":                           emptyText,
		"instanceInitiatedShutdownBehavior": emptyText,
		"instanceMarketOptions":             refused,
		"instanceRequirements":              {fields: instanceRequirements},
		"instanceType":                      emptyText,
		"kernelId":                          {unsupported: true, empty: ""},
		"keyName":                           {unsupported: true, empty: ""},
		"licenseSpecifications":             {unsupported: true, empty: texts},
		"maintenanceOptions":                refused,
		"metadataOptions": {computed: true, fields: properties{"httpEndpoint": decided, "httpProtocolIpv6": decided,
			"httpPutResponseHopLimit": {computed: true, empty: 0.0}, "httpTokens": decided, "instanceMetadataTags": decided}},
		"monitoring":            {fields: properties{"enabled": optional}},
		"name":                  {replaces: true},
		"namePrefix":            {replaces: true, computed: true, unsupported: true, empty: ""},
		"networkInterfaces":     {empty: texts, fields: networkInterface},
		"placement":             refused,
		"privateDnsNameOptions": refused,
		"ramDiskId":             {unsupported: true, empty: ""},
		"securityGroupNames":    {unsupported: true, set: true, empty: texts},
		"tagSpecifications":     {empty: texts, fields: properties{"resourceType": emptyText, "tags": optional}},
		"tags":                  tags, "tagsAll": tagsAll,
		"updateDefaultVersion": optional,
		"userData":             emptyText,
		"vpcSecurityGroupIds":  {set: true, empty: texts},
	},
	validate: validateLaunchTemplate,
	differ: func(olds, news values, d *difference) {
		if !newTemplateVersion(d.keys) {
			return
		}
		keys := []string{"latestVersion"}
		if isTrue(news, "updateDefaultVersion") && news["defaultVersion"] == nil {
			keys = append(keys, "defaultVersion")
		}
		for _, key := range keys {
			d.add([]any{key}, updated, false)
		}
		d.keys = slices.Sorted(slices.Values(append(d.keys, keys...)))
	},
}

// newTemplateVersion tells whether a change of these properties makes another version.
func newTemplateVersion(changed []string) bool {
	return slices.ContainsFunc(changed, func(key string) bool {
		return !slices.Contains([]string{"defaultVersion", "name", "tags", "tagsAll", "updateDefaultVersion"}, key)
	})
}

func validateLaunchTemplate(path string, inputs values, fail func(string)) {
	c := checker{path, fail}
	for one, other := range map[string]string{"instanceType": "instanceRequirements",
		"updateDefaultVersion": "defaultVersion"} {
		if inputs[one] != nil && inputs[other] != nil {
			c.refuse(one, `"%s": conflicts with %s`, argument(one), argument(other))
		}
	}
	if profile, ok := inputs["iamInstanceProfile"].(values); ok {
		if c.in("iamInstanceProfile").arn(profile, "arn"); profile["arn"] != nil && profile["name"] != nil {
			c.refuse("iamInstanceProfile", `"iam_instance_profile.0.arn": conflicts with iam_instance_profile.0.name`)
		}
	}
	if _, err := base64.StdEncoding.DecodeString(text(inputs, "userData")); err != nil &&
		!isUnknown(inputs["userData"]) {
		c.refuse("userData", "expected user_data to be a base64 string, got %s", text(inputs, "userData"))
	}
	if options, ok := inputs["metadataOptions"].(values); ok {
		c.in("metadataOptions").oneOf(options, "httpTokens", "optional", "required")
		c.in("metadataOptions").between(options, "httpPutResponseHopLimit", 1, 64)
	}
	for i, interfaces := range account.Objects(inputs["networkInterfaces"]) {
		c.in(fmt.Sprintf("networkInterfaces[%d]", i)).oneOf(interfaces, "associatePublicIpAddress", "", "true", "false")
	}
	if len(account.Objects(inputs["networkInterfaces"])) > 0 && inputs["vpcSecurityGroupIds"] != nil {
		// EC2 refuses it when an instance is to start, and the provider says nothing.
		c.refuse("vpcSecurityGroupIds", "Network interfaces and an instance-level security groups may not be specified on "+
			"the same request")
	}
}

func createLaunchTemplate(c *call) (err error) {
	c.state["arn"] = ""
	if c.id, err = instances.CreateLaunchTemplate(c.account, c.state); err != nil {
		return err
	}
	c.state["arn"] = c.arn("ec2", "launch-template/"+c.id)
	return c.account.UpdateObject(instances.LaunchTemplate, c.id, account.Object{"arn": c.state["arn"]})
}

func updateLaunchTemplate(c *call) error {
	changed := slices.DeleteFunc(launchTemplate.properties.names(), func(key string) bool { return !c.changed(key) })
	if isUnknown(c.state["defaultVersion"]) || c.inputs["defaultVersion"] == nil {
		c.state["defaultVersion"] = c.olds["defaultVersion"]
	}
	return instances.UpdateLaunchTemplate(c.account, c.id, c.state, newTemplateVersion(changed),
		isTrue(c.state, "updateDefaultVersion"))
}

func readLaunchTemplate(c *call) (values, error) {
	found, err := c.account.Object(instances.LaunchTemplate, c.id)
	if found != nil {
		found["updateDefaultVersion"] = c.state["updateDefaultVersion"] // which the provider alone knows
	}
	return found, err
}

var (
	launchSpecification = properties{"launchTemplateId": decided, "launchTemplateName": decided,
		"version": {standard: "$Default"}}
	mixedInstances = properties{
		"instancesDistribution": {computed: true, fields: properties{
			"onDemandAllocationStrategy": decided, "onDemandBaseCapacity": {computed: true, empty: 0.0},
			"onDemandPercentageAboveBaseCapacity": {computed: true, empty: 100.0}, "spotAllocationStrategy": decided,
			"spotInstancePools": {computed: true, empty: 0.0}, "spotMaxPrice": emptyText}},
		"launchTemplate": {required: true, fields: properties{
			"launchTemplateSpecification": {required: true, fields: launchSpecification},
			"overrides": {empty: texts, fields: properties{"instanceRequirements": {fields: instanceRequirements},
				"instanceType": emptyText, "launchTemplateSpecification": refused,
				"weightedCapacity": {unsupported: true, empty: ""}}}}},
	}
)

// ordinaryDistribution is how AWS fills a mixed instances policy that says nothing of it.
var ordinaryDistribution = values{"onDemandAllocationStrategy": "prioritized", "onDemandBaseCapacity": 0.0,
	"onDemandPercentageAboveBaseCapacity": 100.0, "spotAllocationStrategy": "lowest-price", "spotInstancePools": 2.0,
	"spotMaxPrice": ""}

var autoScalingGroup = &resourceType{
	kind: instances.Group, noun: "Auto Scaling Group", key: "name", autoname: true, nameLimit: 255,
	properties: properties{
		"arn": result, "predictedCapacity": result, "warmPoolSize": result,
		"availabilityZones":             {computed: true, set: true, unsupported: true, empty: texts},
		"capacityRebalance":             {empty: false},
		"context":                       {unsupported: true, empty: ""},
		"defaultCooldown":               {computed: true, empty: 300.0},
		"defaultInstanceWarmup":         {empty: 0.0},
		"desiredCapacity":               {computed: true},
		"desiredCapacityType":           {unsupported: true, empty: ""},
		"enabledMetrics":                {set: true, empty: texts},
		"forceDelete":                   {standard: false},
		"forceDeleteWarmPool":           {standard: false},
		"healthCheckGracePeriod":        {standard: 300.0},
		"healthCheckType":               {computed: true, empty: "EC2"},
		"ignoreFailedScalingActivities": {standard: false},
		"initialLifecycleHooks":         {replaces: true, set: true, unsupported: true, empty: texts},
		"instanceMaintenancePolicy": {fields: properties{"maxHealthyPercentage": {required: true},
			"minHealthyPercentage": {required: true}}},
		"instanceRefresh": {fields: properties{"preferences": {fields: properties{"alarmSpecification": refused,
			"autoRollback": optional, "checkpointDelay": refused, "checkpointPercentages": refused,
			"instanceWarmup": optional, "maxHealthyPercentage": {standard: 100.0},
			"minHealthyPercentage": {standard: 90.0}, "scaleInProtectedInstances": {standard: "Ignore"},
			"skipMatching": {standard: false}, "standbyInstances": {standard: "Ignore"}}},
			"strategy": {required: true}, "triggers": {set: true, empty: texts}}},
		"launchConfiguration":  {unsupported: true, empty: ""},
		"launchTemplate":       {fields: properties{"id": decided, "name": decided, "version": {standard: "$Default"}}},
		"loadBalancers":        {computed: true, set: true, unsupported: true, empty: texts},
		"maxInstanceLifetime":  {empty: 0.0},
		"maxSize":              {required: true},
		"metricsGranularity":   {standard: "1Minute"},
		"minElbCapacity":       refused,
		"minSize":              {required: true},
		"mixedInstancesPolicy": {computed: true, fields: mixedInstances},
		"name":                 {replaces: true},
		"namePrefix":           {replaces: true, computed: true, unsupported: true, empty: ""},
		"placementGroup":       {unsupported: true, empty: ""},
		"protectFromScaleIn":   {standard: false},
		"serviceLinkedRoleArn": {computed: true, unsupported: true},
		"suspendedProcesses":   {set: true, unsupported: true, empty: texts},
		"tags": {set: true, empty: texts, fields: properties{"key": {required: true}, "propagateAtLaunch": {required: true},
			"value": {required: true}}},
		"targetGroupArns":        {computed: true, set: true, unsupported: true, empty: texts},
		"terminationPolicies":    {set: true, unsupported: true, empty: texts},
		"trafficSources":         {computed: true, set: true, unsupported: true, empty: texts},
		"vpcZoneIdentifiers":     {computed: true, set: true, empty: texts},
		"waitForCapacityTimeout": {standard: "10m"},
		"waitForElbCapacity":     refused,
		"warmPool":               refused,
	},
	validate: validateGroup,
	fill: func(c *call) {
		c.state["arn"] = c.arn("autoscaling", fmt.Sprintf("autoScalingGroup:%s:autoScalingGroupName/%s",
			account.UUID("autoScalingGroup "+c.account.ID+c.id), c.id))
		fillGroup(c)
	},
}

func validateGroup(path string, inputs values, fail func(string)) {
	c := checker{path, fail}
	if _, err := time.ParseDuration(text(inputs, "waitForCapacityTimeout")); err != nil {
		c.refuse("waitForCapacityTimeout", `"wait_for_capacity_timeout" cannot be parsed as a duration: %v`, err)
	}
	if (inputs["launchTemplate"] == nil) == (inputs["mixedInstancesPolicy"] == nil) {
		fail(fmt.Sprintf("only one of `launch_configuration,launch_template,mixed_instances_policy` must be specified. "+
			"Examine values at '%s'.", path))
	}
	template, _ := inputs["launchTemplate"].(values)
	if template["id"] != nil && template["name"] != nil {
		c.refuse("launchTemplate", `"launch_template.0.id": conflicts with launch_template.0.name`)
	}
	c.oneOf(inputs, "healthCheckType", "EC2", "EBS", "ELB", "VPC_LATTICE")
}

// fillGroup adds what AWS makes of what is given.
func fillGroup(c *call) {
	zones := []any{}
	account.Must(c.account.Transact(func(t *account.Tx) error {
		for _, id := range textList(c.state["vpcZoneIdentifiers"]) {
			if subnet := vpc.FindSubnet(t, id); subnet != nil && !slices.Contains(zones, any(c.region+subnet.Zone)) {
				zones = append(zones, c.region+subnet.Zone)
			}
		}
		name := func(id string) any {
			if o := account.Get[account.Object](t, instances.LaunchTemplate, id); o != nil {
				return o.Text("name")
			}
			return ""
		}
		if single, is := c.state["launchTemplate"].(values); is && text(single, "id") != "" {
			single["name"] = name(text(single, "id"))
		}
		mixed, is := c.state["mixedInstancesPolicy"].(values)
		if !is {
			c.state["mixedInstancesPolicy"] = nil
			return nil
		}
		template, _ := mixed["launchTemplate"].(values)
		specified, _ := template["launchTemplateSpecification"].(values)
		if text(specified, "launchTemplateId") != "" {
			specified["launchTemplateName"] = name(text(specified, "launchTemplateId"))
		}
		distribution := values{}
		given, _ := mixed["instancesDistribution"].(values)
		for key, value := range ordinaryDistribution {
			if distribution[key] = value; !isEmpty(given[key]) || key == "onDemandPercentageAboveBaseCapacity" &&
				given[key] != nil {
				distribution[key] = given[key]
			}
		}
		mixed["instancesDistribution"] = distribution
		return nil
	}))
	c.state["availabilityZones"] = sortSet(zones)
	c.state["predictedCapacity"], c.state["warmPoolSize"] = 0.0, 0.0
	c.state["serviceLinkedRoleArn"] = account.ARN(c.account.ID, "iam", "",
		"role/aws-service-role/autoscaling.amazonaws.com/"+iam.AutoScalingLinkedRole)
}

// createGroup tries again for two minutes where EC2 does not know the instance profile yet, as the official provider
// does, and waits for the capacity that is asked for.
func createGroup(c *call) error {
	c.id = text(c.state, "name")
	autoScalingGroup.fill(c)
	if c.inputs["desiredCapacity"] == nil {
		delete(c.state, "desiredCapacity")
	}
	ctx, cancel := context.WithTimeout(c.ctx, 2*time.Minute)
	defer cancel()
	taken := &account.Error{Code: "AlreadyExists", Message: fmt.Sprintf("AutoScalingGroup by this name already exists - A "+
		"group with the name %s already exists", c.id)}
	var err error
	if waited := await(ctx, func() (bool, error) {
		err = c.account.CreateObject(instances.Group, c.id, c.state, taken)
		return err == nil || !strings.Contains(err.Error(), "Invalid IAM Instance Profile"), nil
	}); err == nil {
		err = waited
	}
	if err != nil {
		return err
	}
	least := max(number(c.state, "desiredCapacity"), number(c.state, "minSize"))
	return awaitCapacity(c, least, -1)
}

// awaitCapacity waits until so many instances are in service, and no longer than the program says; most is -1 for any
// number of them.
func awaitCapacity(c *call, least, most int) error {
	limit, err := time.ParseDuration(text(c.state, "waitForCapacityTimeout"))
	if err != nil || limit == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(c.ctx, limit)
	defer cancel()
	since, err := c.account.Now()
	if err != nil {
		return err
	}
	err = await(ctx, func() (bool, error) {
		found, state, err := ecs.FindGroup(c.account, c.id)
		if err != nil || found == nil {
			return false, err
		}
		for _, activity := range state.Activities {
			if activity.StatusCode == "Failed" && !activity.At.Before(since) && !isTrue(c.state,
				"ignoreFailedScalingActivities") {
				return false, fmt.Errorf("waiting for Auto Scaling Group (%s) capacity satisfied: scaling activity (%s): Failed: %s",
					c.id, activity.ID, activity.StatusMessage)
			}
		}
		ready := ecs.ReadyInstances(c.account, c.id)
		return ready >= least && (most < 0 || ready <= most), nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("waiting for Auto Scaling Group (%s) capacity satisfied: timeout while waiting for state to become "+
			"'ok' (last state: 'want at least %d healthy instance(s) in Auto Scaling Group', timeout: %s)", c.id, least, limit)
	}
	return err
}

func readGroup(c *call) (values, error) {
	found, state, err := ecs.FindGroup(c.account, c.id)
	if err != nil || found == nil {
		return nil, err
	}
	found["desiredCapacity"] = float64(state.Desired)
	for _, key := range []string{"forceDelete", "forceDeleteWarmPool", "ignoreFailedScalingActivities", "instanceRefresh",
		"waitForCapacityTimeout"} { // the provider alone knows them
		if found[key] = c.state[key]; len(c.inputs) == 0 {
			found[key] = nil
		}
	}
	return values(found), nil
}

func updateGroup(c *call) error {
	fillGroup(c)
	var desired *int
	if c.changed("desiredCapacity") && c.inputs["desiredCapacity"] != nil {
		n := number(c.state, "desiredCapacity")
		desired = &n
	}
	_, refreshes := c.state["instanceRefresh"].(values)
	refresh := refreshes && slices.ContainsFunc([]string{"launchTemplate", "mixedInstancesPolicy"}, c.changed)
	if err := instances.UpdateGroup(c.account, c.id, c.state, desired, refresh); err != nil {
		return err
	}
	if reflect.DeepEqual(c.olds["minSize"], c.state["minSize"]) && desired == nil {
		return nil
	}
	least := number(c.state, "minSize")
	if desired != nil {
		return awaitCapacity(c, *desired, *desired)
	}
	return awaitCapacity(c, least, -1)
}

// deleteGroup has the group lose its instances first, where the program does not force its end.
func deleteGroup(c *call) error {
	force := isTrue(c.state, "forceDelete")
	if !force {
		if err := instances.DrainGroup(c.account, c.id); err != nil {
			return err
		}
		if err := await(c.ctx, func() (bool, error) {
			return ecs.LiveInstances(c.account, c.id) == 0, nil
		}); err != nil {
			return err
		}
	}
	return c.account.DeleteObject(instances.Group, c.id, force)
}

// What refers to its own type is set here.
func init() {
	launchTemplate.custom = &operations{create: createLaunchTemplate, update: updateLaunchTemplate,
		read: readLaunchTemplate}
	autoScalingGroup.custom = &operations{create: createGroup, read: readGroup, update: updateGroup, delete: deleteGroup}
	launchTemplate.replan = func(olds, news, state values) {
		d := launchTemplate.properties.diff(olds, news)
		launchTemplate.differ(olds, news, &d)
		for _, key := range []string{"defaultVersion", "latestVersion"} {
			if slices.Contains(d.keys, key) {
				state[key] = unknown
			}
		}
	}
	capacityProvider.fill = func(c *call) {
		c.state["arn"] = c.id
		provider, _ := c.state["autoScalingGroupProvider"].(values)
		for key, p := range capacityProvider.properties["autoScalingGroupProvider"].fields {
			if provider[key] == nil && p.fields != nil {
				provider[key] = plainValues(p.fields.outputs(nil, values{}, false))
			}
		}
	}
}

var capacityProvider = &resourceType{
	kind: ecs.CapacityProvider, noun: "ECS Capacity Provider", key: "name", autoname: true, arnID: true,
	existing: "ClientException: The specified capacity provider already exists. To change the configuration of an existing " +
		"capacity provider, update the capacity provider.",
	properties: properties{
		"arn":  result,
		"name": {replaces: true},
		"autoScalingGroupProvider": {required: true, fields: properties{
			"autoScalingGroupArn": {required: true},
			"managedDraining":     {computed: true, empty: "ENABLED"},
			"managedScaling": {computed: true, fields: properties{
				"instanceWarmupPeriod": {computed: true, empty: 300.0}, "maximumScalingStepSize": {computed: true, empty: 10000.0},
				"minimumScalingStepSize": {computed: true, empty: 1.0}, "status": {computed: true, empty: "DISABLED"},
				"targetCapacity": {computed: true, empty: 100.0}}},
			"managedTerminationProtection": {computed: true, empty: "DISABLED"}}},
		"tags": tags, "tagsAll": tagsAll,
	},
	validate: func(path string, inputs values, fail func(string)) {
		provider, _ := inputs["autoScalingGroupProvider"].(values)
		c := checker{path, fail}.in("autoScalingGroupProvider")
		c.arn(provider, "autoScalingGroupArn")
		for _, key := range []string{"managedDraining", "managedTerminationProtection"} {
			c.oneOf(provider, key, "ENABLED", "DISABLED")
		}
		scaling, _ := provider["managedScaling"].(values)
		c = c.in("managedScaling")
		c.oneOf(scaling, "status", "ENABLED", "DISABLED")
		c.between(scaling, "targetCapacity", 1, 100)
		c.between(scaling, "instanceWarmupPeriod", 0, 10000)
		c.between(scaling, "minimumScalingStepSize", 1, 10000)
		c.between(scaling, "maximumScalingStepSize", 1, 10000)
	},
	differ: func(olds, news values, d *difference) {
		const key = "autoScalingGroupProvider"
		d.stables = slices.Sorted(slices.Values(append(d.stables, key)))
		before, _ := olds[key].(values)
		after, _ := news[key].(values)
		if slices.Contains(d.keys, key) && !reflect.DeepEqual(plain(before["autoScalingGroupArn"]),
			plain(after["autoScalingGroupArn"])) {
			d.add([]any{key, "autoScalingGroupArn"}, updated, true)
			d.replaces = append(d.replaces, key)
		}
	},
	identify: func(c *call) (string, error) { return c.arn("ecs", "capacity-provider/"+text(c.state, "name")), nil },
	custom:   &operations{update: refill},
}
