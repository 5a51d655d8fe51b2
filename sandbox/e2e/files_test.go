package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkout is a clone of the repository: its files and its git.
type checkout struct {
	testing.TB
	dir string
}

// builtApp is what `make app` makes.
const builtApp = "app/build/app"

func (c *checkout) read(name string) string {
	c.Helper()
	content, err := os.ReadFile(filepath.Join(c.dir, name))
	require.NoError(c.TB, err)
	return string(content)
}

func (c *checkout) write(name, content string) {
	c.Helper()
	require.NoError(c.TB, os.MkdirAll(filepath.Dir(filepath.Join(c.dir, name)), 0o755))
	require.NoError(c.TB, os.WriteFile(filepath.Join(c.dir, name), []byte(content), 0o644))
}

// replace edits a file of the project.
func (c *checkout) replace(name, old, updated string) {
	c.Helper()
	content := c.read(name)
	require.Contains(c, content, old)
	c.write(name, strings.ReplaceAll(content, old, updated))
}

// serviceKeys adds lines to what stage dev says of its service, and stageKeys adds keys of the stage.
func (c *checkout) serviceKeys(lines ...string) {
	c.Helper()
	c.replace("Pulumi.dev.yaml", "      replicas: 1\n", "      replicas: 1\n      "+strings.Join(lines, "\n      ")+"\n")
}

func (c *checkout) stageKeys(lines ...string) {
	c.Helper()
	c.write("Pulumi.dev.yaml", c.read("Pulumi.dev.yaml")+"  "+strings.Join(lines, "\n  ")+"\n")
}

// withoutOptions makes stage dev what it was when it was committed.
func (c *checkout) withoutOptions() {
	c.Helper()
	c.git("checkout", "-q", "Pulumi.dev.yaml")
}

// editApp makes another binary of the app, as an edit and `make app` would, without the time of a compiler.
func (c *checkout) editApp(text string) {
	c.Helper()
	binary, err := os.ReadFile(filepath.Join(root, builtApp))
	require.NoError(c.TB, err)
	require.NoError(c.TB, os.WriteFile(filepath.Join(c.dir, builtApp), append(binary, text...), 0o755))
}

func (c *checkout) git(args ...string) string {
	c.Helper()
	command := exec.Command("git", args...)
	command.Dir = c.dir
	output, err := command.CombinedOutput()
	require.NoError(c.TB, err, "git %v: %s", args, output)
	return string(output)
}

func (c *checkout) commit(message string) {
	c.Helper()
	c.git("add", "-A")
	c.git("commit", "-q", "--allow-empty", "-m", message)
}

// task declares a task of stage dev that runs the app once.
func (c *checkout) task(name string, lines ...string) {
	c.Helper()
	keys := []string{"slipway:tasks:", "  " + name + ":", "    image: web"}
	for _, line := range lines {
		keys = append(keys, "    "+line)
	}
	c.stageKeys(keys...)
}

// migration declares a task of stage dev that runs before its service is deployed.
func (c *checkout) migration() {
	c.Helper()
	c.task("migrate", `environment: {TARGET: "shop"}`, "before: [web]")
}
