package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVolumesInEFS(t *testing.T) {
	t.Parallel()
	service := func(keys string) string {
		return "config:\n  slipway:images: {web: {build: {context: app}}}\n  slipway:services: {web: {image: web, " + keys + "}}\n"
	}
	const mounted = "mounts: {data: {path: /data}}, "
	got, err := loadFiles(t, "dev", "", service(mounted+"volumes: {data: {efs: {id: fs-01234567, accessPoint: fsap-01234567}}}, "+
		"containers: {backup: {image: web, mounts: {data: {path: /data, readOnly: true}, own: {path: /own, readOnly: true}}}}"))
	require.NoError(t, err)
	web := got.Services["web"]
	require.Equal(t, &EFS{ID: "fs-01234567", AccessPoint: "fsap-01234567", Root: "/"}, web.Volumes["data"].EFS)
	require.Equal(t, []string{"data", "own"}, web.MountedVolumes())
	require.Equal(t, []bool{true, false}, []bool{web.WritesTo("data"), web.WritesTo("own")})

	for name, test := range map[string]struct{ keys, path, says string }{
		"not mounted": {"volumes: {data: {efs: {id: fs-01234567}}}", "services.web.volumes.data",
			"is mounted by no container; write mounts: {data: {path: /var/data}} in one"},
		"nothing said": {mounted + "volumes: {data: {}}", "services.web.volumes.data.efs",
			"is missing; write efs: {id: fs-…}, or remove data from volumes"},
		"no id": {mounted + "volumes: {data: {efs: {root: /a}}}", "services.web.volumes.data.efs.id",
			"is missing; write the id of a file system"},
		"no file system's id": {mounted + "volumes: {data: {efs: {id: fs-xyz}}}", "services.web.volumes.data.efs.id",
			`is "fs-xyz"; write the id of a file system of Amazon EFS`},
		"no access point's id": {mounted + "volumes: {data: {efs: {id: fs-01234567, accessPoint: fs-01234567}}}",
			"services.web.volumes.data.efs.accessPoint", `is "fs-01234567"; write the id of an access point`},
		"a root that is relative": {mounted + "volumes: {data: {efs: {id: fs-01234567, root: a}}}",
			"services.web.volumes.data.efs.root", `is "a"; write an absolute path, as in /uploads`},
		"a root in a longer form": {mounted + "volumes: {data: {efs: {id: fs-01234567, root: /a/}}}",
			"services.web.volumes.data.efs.root", `is "/a/"; write it as /a`},
		"a root within an access point": {mounted + "volumes: {data: {efs: {id: fs-01234567, accessPoint: fsap-01234567, " +
			"root: /a}}}", "services.web.volumes.data.efs.root", "the access point has a root of its own; remove root"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", service(test.keys))
			requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says)
		})
	}
}
