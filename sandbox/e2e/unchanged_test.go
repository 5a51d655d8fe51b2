package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNothingChangesWhenDockerSeesNothingNew(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.write("app/notes.md", "not in the image")
	p.write("app/extra_test.go", "package main\n")
	p.up("dev", "--expect-no-changes").builtNothing()
	p.write("docs/elsewhere.md", "outside of the context")
	p.commit("A commit outside of what Docker sees")
	p.up("dev", "--expect-no-changes").builtNothing()
	require.Equal(t, 1, p.aws.builds("slipway-dev/web"))
}

func TestNothingChangesFromAnotherClone(t *testing.T) {
	t.Parallel()
	for name, umask := range map[string]string{"another directory": "022", "another umask": "077",
		"a group's umask": "002"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := deployed(t)
			clone := filepath.Join(t.TempDir(), "elsewhere", "clone")
			output, err := exec.Command("sh", "-c", "umask "+umask+" && git clone -q "+p.dir+" "+clone+
				" && mkdir -p "+clone+"/app/build && cp "+p.dir+"/app/build/app "+clone+"/app/build/app").CombinedOutput()
			require.NoError(t, err, string(output))
			mode := os.FileMode(0o777)
			if umask == "077" {
				mode = 0o700
			}
			require.NoError(t, os.Chmod(filepath.Join(clone, "app/build/app"), mode))
			elsewhere := p.in(clone)
			if umask == "022" {
				elsewhere.replace("Pulumi.yaml", prebuilt, compiled) // and the program is compiled there
			}
			elsewhere.up("dev", "--expect-no-changes").builtNothing()
			require.Equal(t, 1, p.aws.builds("slipway-dev/web"))
		})
	}
}
