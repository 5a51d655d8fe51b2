package components

import (
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/internal/policies"
	"slipway/stage"
)

const instancesType = "slipway:components:Instances"

// instances is a group of EC2 instances of a stage's cluster, which ECS starts and ends.
type instances struct {
	pulumi.ResourceState

	provider *ecs.CapacityProvider
	// security lets in what daemons listen for that have the network of their instances.
	security *securityGroup
}

// Types of EC2 and of EC2 Auto Scaling are registered by their tokens, as those of network.go.
type launchTemplate struct {
	pulumi.CustomResourceState

	LatestVersion pulumi.IntOutput `pulumi:"latestVersion"`
}

type autoScalingGroup struct {
	pulumi.CustomResourceState

	Arn pulumi.StringOutput `pulumi:"arn"`
}

// newInstances declares a group of instances, each thing after what it needs. The cluster is there before its instances
// look for it, and is deleted after them.
func newInstances(ctx *pulumi.Context, name string, preflight *Preflight, cluster *ecs.Cluster,
	parent pulumi.Resource) (*instances, error) {
	settings, group := preflight.Stage, &instances{}
	if err := ctx.RegisterComponentResource(instancesType, name, group, pulumi.Parent(parent)); err != nil {
		return nil, err
	}
	below, inAWS := pulumi.Parent(group), settings.CapacityProvider(name)
	tags := settings.AllTags()
	profile, attached, err := newInstanceProfile(ctx, name, preflight, below)
	if err != nil {
		return nil, err
	}
	group.security, err = newSecurityGroup(ctx, name, "instances of "+inAWS, preflight.Network, tags, everywhere, below)
	if err != nil {
		return nil, err
	}
	hooks, err := renewHook(ctx, settings, name, group)
	if err != nil {
		return nil, err
	}
	template := &launchTemplate{}
	err = ctx.RegisterResource("aws:ec2/launchTemplate:LaunchTemplate", name,
		launchTemplateProperties(name, preflight, profile, group.security), template, below, awsPackageVersion, hooks)
	if err != nil {
		return nil, err
	}
	scaling := &autoScalingGroup{}
	err = ctx.RegisterResource("aws:autoscaling/group:Group", name,
		autoScalingProperties(name, preflight, template), scaling, below, awsPackageVersion,
		pulumi.DependsOn(append(attached, cluster)), pulumi.IgnoreChanges([]string{"desiredCapacity"})) // which ECS decides
	if err != nil {
		return nil, err
	}
	group.provider, err = ecs.NewCapacityProvider(ctx, name, &ecs.CapacityProviderArgs{
		Name: pulumi.String(inAWS),
		AutoScalingGroupProvider: &ecs.CapacityProviderAutoScalingGroupProviderArgs{
			AutoScalingGroupArn:          scaling.Arn,
			ManagedDraining:              pulumi.String("ENABLED"),
			ManagedTerminationProtection: pulumi.String("ENABLED"),
			ManagedScaling: &ecs.CapacityProviderAutoScalingGroupProviderManagedScalingArgs{
				Status: pulumi.String("ENABLED"), TargetCapacity: pulumi.Int(100),
			},
		},
		Tags: pulumi.ToStringMap(tags),
	}, below)
	if err != nil {
		return nil, err
	}
	return group, ctx.RegisterResourceOutputs(group, pulumi.Map{"capacityProvider": group.provider.Name})
}

// renewHook says what becomes of the instances that run when those that start from now on are others.
func renewHook(ctx *pulumi.Context, settings *stage.Stage, name string, group pulumi.Resource) (pulumi.ResourceOption,
	error) {
	hook, err := ctx.RegisterResourceHook("instances."+name+" template", func(*pulumi.ResourceHookArgs) error {
		return ctx.Log.Info(fmt.Sprintf("%s: instances that start from now on are so; those that run stay as they are. "+
			"docs/operations.md says how to have them replaced (… run on EC2 instances?)", settings.Where("instances", name)),
			&pulumi.LogArgs{Resource: group})
	}, nil)
	if err != nil {
		return nil, err
	}
	return pulumi.ResourceHooks(&pulumi.ResourceHookBinding{AfterUpdate: []*pulumi.ResourceHook{hook}}), nil
}

// newInstanceProfile declares the role of a group's instances: what ECS's agent on them needs.
func newInstanceProfile(ctx *pulumi.Context, name string, preflight *Preflight, parent pulumi.ResourceOption) (
	profile *iam.InstanceProfile, attached []pulumi.Resource, err error) {
	settings, tags := preflight.Stage, pulumi.ToStringMap(preflight.Stage.AllTags())
	trust, err := policies.Text(statement{Effect: "Allow", Principal: map[string]string{"Service": "ec2.amazonaws.com"},
		Action: []string{"sts:AssumeRole"}})
	if err != nil {
		return nil, nil, err
	}
	role, err := iam.NewRole(ctx, name, &iam.RoleArgs{
		Name:                pulumi.String(settings.InstancesRole(name)),
		Path:                pulumi.String(settings.Roles.Path),
		PermissionsBoundary: optionalString(settings.Roles.PermissionsBoundary),
		AssumeRolePolicy:    pulumi.String(trust),
		Tags:                tags,
	}, parent)
	if err != nil {
		return nil, nil, err
	}
	agent, err := iam.NewRolePolicyAttachment(ctx, name, &iam.RolePolicyAttachmentArgs{
		Role: role.Name, PolicyArn: pulumi.String(policies.InstancesPolicy(preflight.account.Partition)),
	}, parent)
	if err != nil {
		return nil, nil, err
	}
	profile, err = iam.NewInstanceProfile(ctx, name, &iam.InstanceProfileArgs{
		Name: pulumi.String(settings.InstancesRole(name)),
		Path: pulumi.String(settings.Roles.Path),
		Role: role.Name,
		Tags: tags,
	}, parent)
	return profile, []pulumi.Resource{agent}, err
}

// launchTemplateProperties are what instances start from. The image is Amazon's newest for ECS when one starts.
func launchTemplateProperties(name string, preflight *Preflight, profile *iam.InstanceProfile,
	security *securityGroup) pulumi.Map {
	settings := preflight.Stage
	group, tags := settings.Instances[name], pulumi.ToStringMap(settings.AllTags())
	architecture := ""
	if group.Platform() == "linux/arm64" {
		architecture = "/arm64"
	}
	properties := pulumi.Map{
		"name": pulumi.String(settings.CapacityProvider(name)),
		"imageId": pulumi.String("resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023" + architecture +
			"/recommended/image_id"),
		"iamInstanceProfile": pulumi.Map{"arn": profile.Arn},
		// One hop keeps containers with a network of their own from the instance's role.
		"metadataOptions": pulumi.Map{"httpTokens": pulumi.String("required"), "httpPutResponseHopLimit": pulumi.Int(1)},
		"blockDeviceMappings": pulumi.Array{pulumi.Map{"deviceName": pulumi.String("/dev/xvda"), "ebs": pulumi.Map{
			"volumeSize": pulumi.Int(group.VolumeSize), "volumeType": pulumi.String("gp3"), "encrypted": pulumi.String("true"),
			"deleteOnTermination": pulumi.String("true"),
		}}},
		"networkInterfaces": pulumi.Array{pulumi.Map{
			"associatePublicIpAddress": pulumi.String(fmt.Sprint(preflight.Network.AssignPublicIP)),
			"deleteOnTermination":      pulumi.String("true"),
			"securityGroups":           pulumi.StringArray{security.ID().ToStringOutput()},
		}},
		"tagSpecifications": pulumi.Array{
			pulumi.Map{"resourceType": pulumi.String("instance"), "tags": tags},
			pulumi.Map{"resourceType": pulumi.String("volume"), "tags": tags},
		},
		"updateDefaultVersion": pulumi.Bool(true),
		"userData":             pulumi.String(userData(settings.Cluster(), name)),
		"tags":                 tags,
	}
	if len(group.Types) == 1 {
		properties["instanceType"] = pulumi.String(group.Types[0])
	}
	return properties
}

// userData tells ECS's agent whose an instance is. Tasks get their permissions from ECS, and not from the instance.
func userData(cluster, group string) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Join([]string{
		"#!/bin/bash",
		"cat <<'EOF' >> /etc/ecs/ecs.config",
		"ECS_CLUSTER=" + cluster,
		fmt.Sprintf(`ECS_INSTANCE_ATTRIBUTES={"%s":"%s"}`, stage.InstancesAttribute, group),
		"ECS_AWSVPC_BLOCK_IMDS=true",
		"ECS_ENABLE_CONTAINER_METADATA=true", // has the instance's address, where a daemon of its network listens
		`ECS_AVAILABLE_LOGGING_DRIVERS=["awslogs","awsfirelens","fluentd","json-file","splunk"]`,
		"EOF",
		"",
	}, "\n")))
}

// autoScalingProperties are how many instances there are, and of which template. Those that run keep the template that
// they have started with.
func autoScalingProperties(name string, preflight *Preflight, template *launchTemplate) pulumi.Map {
	settings := preflight.Stage
	group := settings.Instances[name]
	tags := pulumi.Array{pulumi.Map{"key": pulumi.String("AmazonECSManaged"), // which ECS adds
		"value": pulumi.String("true"), "propagateAtLaunch": pulumi.Bool(true)}}
	all := settings.AllTags()
	for _, key := range sortedKeys(all) {
		tags = append(tags, pulumi.Map{"key": pulumi.String(key), "value": pulumi.String(all[key]),
			"propagateAtLaunch": pulumi.Bool(false)}) // the template has them for the instances
	}
	version := template.LatestVersion.ApplyT(func(version int) string { return fmt.Sprint(version) })
	properties := pulumi.Map{
		"name":               pulumi.String(settings.CapacityProvider(name)),
		"minSize":            pulumi.Int(group.Min),
		"maxSize":            pulumi.Int(group.Max),
		"vpcZoneIdentifiers": preflight.Network.subnets(),
		// so that ECS can protect those that have tasks
		"protectFromScaleIn": pulumi.Bool(true),
		"forceDelete":        pulumi.Bool(true),
		// ECS counts instances to the capacity provider that come after it, and one takes longer to boot than that
		// to be made.
		"waitForCapacityTimeout": pulumi.String("0"),
		"tags":                   tags,
	}
	if len(group.Types) == 1 {
		properties["launchTemplate"] = pulumi.Map{"id": template.ID(), "version": version}
		return properties
	}
	overrides := pulumi.Array{}
	for _, instanceType := range group.Types {
		overrides = append(overrides, pulumi.Map{"instanceType": pulumi.String(instanceType)})
	}
	properties["mixedInstancesPolicy"] = pulumi.Map{"launchTemplate": pulumi.Map{
		"launchTemplateSpecification": pulumi.Map{"launchTemplateId": template.ID(), "version": version},
		"overrides":                   overrides,
	}}
	return properties
}
