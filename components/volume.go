package components

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

// volumes are those that containers mount: empty ones, which the task has for itself while it is there, and those that
// are in EFS.
func volumes(settings stage.TaskDefinition) ecs.TaskDefinitionVolumeArrayInput {
	var volumes ecs.TaskDefinitionVolumeArray
	for _, name := range settings.MountedVolumes() {
		volume := ecs.TaskDefinitionVolumeArgs{Name: pulumi.String(name)}
		if efs := settings.Volumes[name].EFS; efs != nil {
			volume.EfsVolumeConfiguration = efsVolume(*efs)
		}
		volumes = append(volumes, volume)
	}
	if len(volumes) == 0 {
		return nil
	}
	return volumes
}

// efsVolume is encrypted on its way, and let in by the task role.
func efsVolume(efs stage.EFS) ecs.TaskDefinitionVolumeEfsVolumeConfigurationArgs {
	return ecs.TaskDefinitionVolumeEfsVolumeConfigurationArgs{
		FileSystemId:      pulumi.String(efs.ID),
		RootDirectory:     pulumi.String(efs.Root),
		TransitEncryption: pulumi.String("ENABLED"),
		AuthorizationConfig: ecs.TaskDefinitionVolumeEfsVolumeConfigurationAuthorizationConfigArgs{
			AccessPointId: optionalString(efs.AccessPoint),
			Iam:           pulumi.String("ENABLED"),
		},
	}
}
