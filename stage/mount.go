package stage

import (
	"maps"
	"path"
	"slices"

	"slipway/internal/awslimits"
)

// Mount is a volume of the task in one of its containers.
type Mount struct {
	// Path is where the container sees the volume.
	//
	// Default: none; required
	// Allowed: an absolute path, in its shortest form, and not `/`
	// Example: path: /var/data
	// Rule: [ECS MountPoint](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_MountPoint.html)
	Path string `json:"path"`

	// ReadOnly keeps the container from writing to the volume.
	//
	// Example: readOnly: true
	// Rule: [ECS MountPoint](https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_MountPoint.html)
	ReadOnly bool `json:"readOnly" default:"false"`
}

func checkMounts(here place, mounts map[string]Mount) {
	seen := map[string]string{} // volumes by path
	for _, volume := range slices.Sorted(maps.Keys(mounts)) {
		if !awslimits.ECSName.MatchString(volume) {
			here.at(volume).fail("cannot name a volume in ECS; use up to 255 letters, digits, - and _")
		}
		where, to := here.at(volume, "path"), mounts[volume].Path
		switch {
		case where.bad:
			continue
		case !where.present:
			where.fail("is missing; write where the container sees the volume, as in /var/data")
		case !path.IsAbs(to):
			where.fail("is %q; write an absolute path, as in /var/data", to)
		case path.Clean(to) != to:
			where.fail("is %q; write it as %s", to, path.Clean(to))
		case to == "/":
			where.fail("is /, the whole of the container's files; write a directory below it, as in /var/data")
		case seen[to] != "":
			where.fail("is %s, where the container sees the volume %s already; write another path", to, seen[to])
		}
		seen[to] = volume
	}
}
