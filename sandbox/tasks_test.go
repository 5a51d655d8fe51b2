package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

// engineOf skips the test where no Docker engine answers.
func engineOf(t *testing.T) *client.Client {
	t.Helper()
	engine, err := client.New(client.FromEnv)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	if _, err := engine.Ping(t.Context(), client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		t.Skip("no Docker engine answers:", err)
	}
	return engine
}

// withEngine is a sandbox that uses the engine.
func withEngine(t *testing.T, dir string, args ...string) *exec.Cmd {
	t.Helper()
	command := sandbox(t, dir, append([]string{"--dir", dir}, args...)...)
	command.Env = append(command.Env, "SANDBOX_DOCKER=")
	return command
}

// withPrograms makes the sandbox's own executable one that the programs of its containers lie beside.
func withPrograms(t *testing.T, command *exec.Cmd) {
	t.Helper()
	bin := t.TempDir()
	content, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	command.Path = filepath.Join(bin, "sandbox")
	require.NoError(t, os.WriteFile(command.Path, content, 0o755))
	build := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-o", bin, "./taskhost", "./loadbalancer")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))
}

func TestWithoutTheProgramThatHoldsATasksNetworkNothingStarts(t *testing.T) {
	t.Parallel()
	engineOf(t)
	output, err := withEngine(t, t.TempDir(), "exec", "--", "sh", "-c", "echo started").CombinedOutput()
	require.Error(t, err)
	require.NotContains(t, string(output), "started")
	require.Contains(t, string(output), "taskhost is missing")
	require.Contains(t, string(output), "run `make build`, or set SANDBOX_DOCKER=build")
}

func TestWatchNeedsAnEngine(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"off", "build"} {
		command := withEngine(t, t.TempDir(), "watch")
		command.Env = append(command.Env, "SANDBOX_DOCKER="+value)
		output, err := command.CombinedOutput()
		require.Error(t, err)
		require.Equal(t, 1, command.ProcessState.ExitCode())
		require.Equal(t, "sandbox watch: no Docker engine runs tasks: they are only recorded\n", string(output))
	}
}

func TestWatchEndsWithCtrlC(t *testing.T) {
	t.Parallel()
	engineOf(t)
	dir := t.TempDir()
	command := withEngine(t, dir, "watch")
	withPrograms(t, command)
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	lines := bufio.NewReader(output)
	line, err := lines.ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "running the tasks of the account in "+dir+": Ctrl-C ends this, and containers run on\n", line)

	second := withEngine(t, dir, "watch")
	second.Path = command.Path
	output2, err := second.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, second.Start())
	line, err = bufio.NewReader(output2).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "another process runs the account's tasks: this one goes on when it ends\n", line)

	require.NoError(t, command.Process.Signal(os.Interrupt))
	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	require.Empty(t, string(rest))
	require.NoError(t, command.Wait())
	require.NoError(t, second.Process.Signal(syscall.SIGTERM))
	_, _ = io.Copy(io.Discard, output2)
	require.NoError(t, second.Wait())
}

func TestResetRemovesWhatTheAccountHasOnTheEngineAndNothingElse(t *testing.T) {
	t.Parallel()
	engine := engineOf(t)
	dir, other := t.TempDir(), t.TempDir()
	var images []string
	for _, d := range []string{dir, other} {
		require.NoError(t, withAccount(d, func(a *account.Account) error {
			identity, err := a.Identity()
			require.NoError(t, err)
			images = append(images, "slipway-sandbox/"+identity+"/slipway-dev/web:test")
			labels := map[string]string{"slipway.sandbox.account": identity, "slipway.sandbox.task": "arn"}
			var archive bytes.Buffer
			w := tar.NewWriter(&archive)
			require.NoError(t, w.WriteHeader(&tar.Header{Name: identity, Mode: 0o644}))
			require.NoError(t, w.Close())
			imported, err := engine.ImageImport(t.Context(), client.ImageImportSource{Source: &archive, SourceName: "-"},
				images[len(images)-1],
				client.ImageImportOptions{})
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, imported)
			require.NoError(t, err)
			require.NoError(t, imported.Close())
			_, err = engine.ContainerCreate(t.Context(), client.ContainerCreateOptions{
				Config: &container.Config{Image: images[len(images)-1], Cmd: []string{"/nothing"}, Labels: labels}})
			require.NoError(t, err)
			_, err = engine.VolumeCreate(t.Context(), client.VolumeCreateOptions{Labels: labels})
			return err
		}))
	}
	left := func(image string) (count int) {
		label := client.Filters{}.Add("label", "slipway.sandbox.account="+strings.Split(image, "/")[1])
		containers, err := engine.ContainerList(context.Background(), client.ContainerListOptions{All: true, Filters: label})
		require.NoError(t, err)
		volumes, err := engine.VolumeList(context.Background(), client.VolumeListOptions{Filters: label})
		require.NoError(t, err)
		found, err := engine.ImageList(context.Background(),
			client.ImageListOptions{Filters: client.Filters{}.Add("reference", image)})
		require.NoError(t, err)
		return len(containers.Items) + len(volumes.Items) + len(found.Items)
	}
	require.Equal(t, 3, left(images[0]))
	require.NoError(t, reset(dir))
	require.Zero(t, left(images[0]))
	require.Equal(t, 3, left(images[1]))
	require.NoError(t, reset(other))
	require.Zero(t, left(images[1]))
}
