package stage

import (
	"maps"
	"path"
	"slices"

	"slipway/internal/awslimits"
)

// Volume says what a volume of the task is that its containers mount.
type Volume struct {
	// EFS has the volume's files in a file system of Amazon EFS, where they stay when the task ends, and which all tasks
	// share. They are encrypted on their way, and the task role is let in to them: to read, and where a container mounts
	// the volume without `readOnly`, to write.
	//
	// Default: none; required
	// Example: efs: {id: fs-0123456789abcdef0, accessPoint: fsap-0123456789abcdef0}
	// Rule: [EFS volumes](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/efs-volumes.html)
	EFS *EFS `json:"efs"`
}

// EFS is a file system of Amazon EFS, or a part of one.
type EFS struct {
	// ID is the file system's. It has a mount target in each availability zone of the tasks' subnets, whose security
	// groups let the tasks in, at port 2049.
	//
	// Default: none; required
	// Allowed: the id of a file system of the stage's account and region
	// Example: id: fs-0123456789abcdef0
	// Rule: [EFSVolumeConfiguration](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_EFSVolumeConfiguration.html)
	ID string `json:"id"`

	// AccessPoint decides which directory the tasks see, and as whom they read and write.
	//
	// Default: none; as the containers' users, and root is nobody there
	// Allowed: the id of an access point of the file system
	// Example: accessPoint: fsap-0123456789abcdef0
	// Rule: [EFS access points](https://docs.aws.amazon.com/efs/latest/ug/efs-access-points.html)
	AccessPoint string `json:"accessPoint"`

	// Root is the directory of the file system that the tasks see. It is there already.
	//
	// Allowed: an absolute path, in its shortest form; not with `accessPoint`, which has its own
	// Example: root: /uploads
	// Rule: [EFSVolumeConfiguration](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_EFSVolumeConfiguration.html)
	Root string `json:"root" default:"/"`
}

// WritesTo tells whether any container of a task may write to a volume.
//
// Example: WritesTo("data") is false where all mounts of data have readOnly
func (d TaskDefinition) WritesTo(volume string) bool {
	for _, container := range d.AllContainers("") {
		if mount, mounted := container.Mounts[volume]; mounted && !mount.ReadOnly {
			return true
		}
	}
	return false
}

// checkVolumes checks what the volumes of a task are.
func checkVolumes(here place, definition TaskDefinition) {
	mounted := definition.MountedVolumes()
	for _, name := range slices.Sorted(maps.Keys(definition.Volumes)) {
		at, volume := here.at(name), definition.Volumes[name]
		if at.bad {
			continue
		}
		if !slices.Contains(mounted, name) {
			at.fail("is mounted by no container; write mounts: {%s: {path: /var/data}} in one, or remove it", name)
		}
		switch efs := at.at("efs"); {
		case efs.bad:
		case volume.EFS == nil:
			efs.fail("is missing; write efs: {id: fs-…}, or remove %s from volumes: a volume that is only mounted is the "+
				"task's own, and empty at first", name)
		default:
			checkEFS(efs, *volume.EFS)
		}
	}
}

func checkEFS(here place, efs EFS) {
	id, accessPoint, root := here.at("id"), here.at("accessPoint"), here.at("root")
	switch {
	case id.bad:
	case efs.ID == "":
		id.fail("is missing; write the id of a file system of Amazon EFS, as in fs-0123456789abcdef0")
	case !awslimits.EFSFileSystem.MatchString(efs.ID):
		id.fail("is %q; write the id of a file system of Amazon EFS, as in fs-0123456789abcdef0", shorten(efs.ID))
	}
	if !accessPoint.bad && efs.AccessPoint != "" && !awslimits.EFSAccessPoint.MatchString(efs.AccessPoint) {
		accessPoint.fail("is %q; write the id of an access point, as in fsap-0123456789abcdef0", shorten(efs.AccessPoint))
	}
	switch {
	case root.bad:
	case !path.IsAbs(efs.Root):
		root.fail("is %q; write an absolute path, as in /uploads", shorten(efs.Root))
	case path.Clean(efs.Root) != efs.Root:
		root.fail("is %q; write it as %s", shorten(efs.Root), path.Clean(efs.Root))
	case efs.Root != "/" && efs.AccessPoint != "":
		root.fail("is %s, and the access point has a root of its own; remove root, or accessPoint", efs.Root)
	}
}
