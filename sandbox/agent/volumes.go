package agent

import (
	"slices"
	"strings"

	"github.com/moby/moby/client"

	"slipway/sandbox/account/ecs"
)

// volume is what the engine has for a volume of the task: one of its own, or one that is shared by all tasks that see
// the same files of EFS, and which outlives them.
func (t *task) volume(name string) (volume client.VolumeCreateOptions, shared bool) {
	volumes := t.work.Definition.Volumes
	at := slices.IndexFunc(volumes, func(v ecs.Volume) bool { return v.Name == name })
	if at < 0 || volumes[at].EFS == nil {
		return client.VolumeCreateOptions{Name: t.engineName("volume-" + name),
			Labels: map[string]string{accountLabel: t.agent.identity, taskLabel: t.arn}}, false
	}
	efs := volumes[at].EFS
	parts := []string{"slipway", t.agent.identity, efs.FileSystem}
	if efs.Authorization != nil && efs.Authorization.AccessPoint != "" {
		parts = append(parts, efs.Authorization.AccessPoint)
	}
	if root := strings.Trim(efs.Root, "/"); root != "" {
		parts = append(parts, strings.ReplaceAll(root, "/", "."))
	}
	return client.VolumeCreateOptions{Name: strings.Join(parts, "-"),
		Labels: map[string]string{accountLabel: t.agent.identity, filesLabel: efs.FileSystem}}, true
}
