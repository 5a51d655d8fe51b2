package aws

import "slipway/sandbox/account/ecs"

// efsVolume is a volume in EFS.
var efsVolume = properties{
	"authorizationConfig": {fields: properties{"accessPointId": {empty: ""}, "iam": {empty: ""}}},
	"fileSystemId":        {required: true},
	"rootDirectory":       {standard: "/"},
	"transitEncryption":   {empty: ""},
	// The sandbox has no ports of its own for it.
	"transitEncryptionPort": {standard: 0.0},
}

func newVolume(given values) ecs.Volume {
	efs, is := given["efsVolumeConfiguration"].(values)
	if !is {
		return ecs.OwnVolume(text(given, "name"))
	}
	volume := &ecs.EFSVolume{FileSystem: text(efs, "fileSystemId"), Root: text(efs, "rootDirectory"),
		TransitEncryption: text(efs, "transitEncryption")}
	if authorization, is := efs["authorizationConfig"].(values); is {
		volume.Authorization = &ecs.EFSAuthorization{AccessPoint: text(authorization, "accessPointId"),
			IAM: text(authorization, "iam")}
	}
	return ecs.Volume{Name: text(given, "name"), EFS: volume}
}

// efsVolumeValues are a volume's in EFS; nil for any other.
func efsVolumeValues(efs *ecs.EFSVolume) any {
	if efs == nil {
		return nil
	}
	volume := values{"fileSystemId": efs.FileSystem, "rootDirectory": efs.Root,
		"transitEncryption": efs.TransitEncryption, "transitEncryptionPort": 0.0, "authorizationConfig": nil}
	if authorization := efs.Authorization; authorization != nil {
		volume["authorizationConfig"] = values{"accessPointId": authorization.AccessPoint, "iam": authorization.IAM}
	}
	return volume
}

// listedVolumes are those of a task definition as the function that reads one has them: with lists in place of what is
// there once or not at all.
func listedVolumes(volumes []ecs.Volume) []any {
	listed := []any{}
	for _, volume := range volumes {
		in := []any{}
		if efs, is := efsVolumeValues(volume.EFS).(values); is {
			authorization := []any{}
			if efs["authorizationConfig"] != nil {
				authorization = append(authorization, efs["authorizationConfig"])
			}
			delete(efs, "authorizationConfig")
			efs["authorizationConfigs"] = authorization
			in = append(in, efs)
		}
		listed = append(listed, values{"configureAtLaunch": false, "dockerVolumeConfigurations": texts,
			"efsVolumeConfigurations": in, "fsxWindowsFileServerVolumeConfigurations": texts, "hostPath": "",
			"name": volume.Name})
	}
	return listed
}
