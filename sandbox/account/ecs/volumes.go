package ecs

import (
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

// Volume is one of a task's volumes, which is shared by the containers that mount it: one that starts empty and ends
// with the task, or one in a file system of EFS.
type Volume struct {
	Name string     `json:"name"`
	Host *struct{}  `json:"host,omitempty"` // as ECS has it of a volume that is nothing but a name
	EFS  *EFSVolume `json:"efsVolumeConfiguration,omitempty"`
}

// EFSVolume is a file system of EFS, or a part of one, with the field names of the ECS API.
type EFSVolume struct {
	FileSystem        string            `json:"fileSystemId"`
	Root              string            `json:"rootDirectory,omitempty"`
	TransitEncryption string            `json:"transitEncryption,omitempty"`
	Authorization     *EFSAuthorization `json:"authorizationConfig,omitempty"`
}

// EFSAuthorization is how a task is let in.
type EFSAuthorization struct {
	AccessPoint string `json:"accessPointId,omitempty"`
	IAM         string `json:"iam,omitempty"`
}

// OwnVolume is a volume that starts empty and ends with the task.
func OwnVolume(name string) Volume { return Volume{Name: name, Host: &struct{}{}} }

// check refuses what ECS refuses of a volume in EFS.
func (v Volume) check() error {
	efs := v.EFS
	if efs == nil {
		return nil
	}
	authorization := EFSAuthorization{}
	if efs.Authorization != nil {
		authorization = *efs.Authorization
	}
	enabled := func(text string) (is, valid bool) {
		return text == "ENABLED", text == "ENABLED" || text == "DISABLED" || text == ""
	}
	encrypted, validEncryption := enabled(efs.TransitEncryption)
	iam, validIAM := enabled(authorization.IAM)
	switch {
	case !awslimits.EFSFileSystem.MatchString(efs.FileSystem):
		return account.Refuse("ClientException", "Invalid file system id '%s' of volume '%s'.", efs.FileSystem, v.Name)
	case authorization.AccessPoint != "" && !awslimits.EFSAccessPoint.MatchString(authorization.AccessPoint):
		return account.Refuse("ClientException", "Invalid access point id '%s' of volume '%s'.", authorization.AccessPoint,
			v.Name)
	case !validEncryption || !validIAM:
		return account.Refuse("ClientException", "Volume '%s': use ENABLED or DISABLED.", v.Name)
	case authorization.AccessPoint != "" && efs.Root != "" && efs.Root != "/":
		return account.Refuse("ClientException", "Volume '%s': the root directory must be omitted or set to / when an "+
			"access point is specified.", v.Name)
	case (authorization.AccessPoint != "" || iam) && !encrypted:
		return account.Refuse("ClientException", "Volume '%s': transit encryption must be enabled when an access point or "+
			"IAM authorization is used.", v.Name)
	case efs.Root != "" && !strings.HasPrefix(efs.Root, "/"):
		return account.Refuse("ClientException", "Invalid root directory '%s' of volume '%s'.", efs.Root, v.Name)
	}
	return nil
}
