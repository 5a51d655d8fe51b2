package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
)

func TestTheEnvironmentLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	s := servers{aws: 1, docker: 2, language: 3, api: 4}
	environment := s.environment([]string{
		"PATH=/usr/bin", "HOME=/home/me", "AWS_PROFILE=prod", "AWS_SESSION_TOKEN=x", "AWS_ROLE_ARN=x", "AWS_REGION=eu-west-1",
		"AWS_ENDPOINT_URL_S3=https://example.com", "AWS_ACCESS_KEY_ID=AKIA", "PULUMI_CONFIG_PASSPHRASE=mine",
		"PULUMI_CONFIG_PASSPHRASE_FILE=/mine", "PULUMI_ACCESS_TOKEN=pul-x", "PULUMI_BACKEND_URL=s3://mine",
		"PULUMI_DEBUG_GRPC=/log",
	}, "/account", "222222222222", "/cli", "/bin")
	slices.Sort(environment)
	require.Equal(t, []string{
		"AWS_ACCESS_KEY_ID=AKIA222222222222",
		"AWS_CONFIG_FILE=/dev/null",
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_ENDPOINT_URL=http://127.0.0.1:4",
		"AWS_ENDPOINT_URL_ECR=http://127.0.0.1:4",
		"AWS_ENDPOINT_URL_ECS=http://127.0.0.1:4",
		"AWS_ENDPOINT_URL_STS=http://127.0.0.1:4",
		"AWS_REGION=eu-west-1",
		"AWS_SECRET_ACCESS_KEY=sandbox",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"HOME=/home/me",
		"PATH=/cli:/bin:/usr/bin",
		"PULUMI_BACKEND_URL=file:///account/state?metadata=skip",
		"PULUMI_CONFIG_PASSPHRASE=sandbox",
		"PULUMI_DEBUG_GRPC=/log",
		"PULUMI_DEBUG_LANGUAGES=go:3",
		"PULUMI_DEBUG_PROVIDERS=aws:1,docker:2",
		"PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true",
		"PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER=true",
		"PULUMI_HOME=/account/home",
		"PULUMI_SKIP_UPDATE_CHECK=true",
	}, environment)
}

func TestWhichDirectoryAndStageACommandNames(t *testing.T) {
	t.Parallel()
	for command, want := range map[string][2]string{
		"pulumi up":                               {".", ""},
		"pulumi -C infra up --stack dev":          {"infra", "dev"},
		"pulumi --cwd=infra up -s org/slipway/qa": {"infra", "qa"},
		"pulumi up --stack=dev":                   {".", "dev"},
		"make -C elsewhere":                       {".", ""},
		"slipway promote dev release":             {".", ""},
		"pulumi config set -- --stack x":          {".", ""},
		"pulumi up --stack":                       {".", ""},
	} {
		dir, stage := pulumiArguments(strings.Fields(command))
		require.Equal(t, want, [2]string{dir, stage}, command)
	}
}

// asSandbox makes this test binary a sandbox, with its arguments.
const asSandbox = "TEST_RUNS_SANDBOX"

func TestMain(m *testing.M) {
	if os.Getenv(asSandbox) != "" {
		os.Exit(runAs(os.Args, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// sandbox prepares a sandbox in a process of its own, with a pulumi on its PATH that only knows its version.
func sandbox(t *testing.T, project string, args ...string) *exec.Cmd {
	t.Helper()
	bin := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(bin, "pulumi"), []byte("#!/bin/sh\necho v3.226.0\n"), 0o755))
	command := exec.Command(os.Args[0], args...)
	command.Dir = project
	command.Env = append(os.Environ(), asSandbox+"=1", "SANDBOX_DOCKER=off", "PATH="+bin+":"+os.Getenv("PATH"))
	return command
}

func TestExecEndsAsItsCommandDoes(t *testing.T) {
	t.Parallel()
	for script, want := range map[string]int{"true": 0, "exit 7": 7, "kill -TERM $$": 143, "kill -KILL $$": 137} {
		err := sandbox(t, t.TempDir(), "exec", "--", "sh", "-c", script).Run()
		status := 0
		if err != nil {
			exit := &exec.ExitError{}
			require.ErrorAs(t, err, &exit)
			status = exit.ExitCode()
		}
		require.Equal(t, want, status, script)
	}
}

func TestExecPassesStreamsAndFindsPulumi(t *testing.T) {
	t.Parallel()
	command := sandbox(t, t.TempDir(), "exec", "--", "sh", "-c", "cat; pulumi version; echo oops >&2")
	var stderr bytes.Buffer
	command.Stdin, command.Stderr = strings.NewReader("typed\n"), &stderr
	output, err := command.Output()
	require.NoError(t, err)
	require.Equal(t, "typed\nv3.226.0\n", string(output))
	require.Equal(t, "oops\n", stderr.String())
}

func TestEveryPulumiFindsASaltAndLeavesTheFileAlone(t *testing.T) {
	t.Parallel()
	const content = "config:\n  tiny:a: {OCTAL: 0644}"
	project, dir := newTestProject(t, map[string]string{"dev": content}), filepath.Join(t.TempDir(), "account")
	command := sandbox(t, project, "--dir", dir, "exec", "--", "sh", "-c",
		"cat Pulumi.dev.yaml; cd /; pulumi version; cat $OLDPWD/Pulumi.dev.yaml")
	output, err := command.CombinedOutput()
	require.NoError(t, err, string(output))
	require.Regexp(t, `^config:\n  tiny:a: {OCTAL: 0644}v3\.226\.0\nconfig:\n  tiny:a: {OCTAL: 0644}\nencryptionsalt: `+
		`v1:\S+\n$`, string(output))
	require.Equal(t, content, readFile(t, filepath.Join(project, "Pulumi.dev.yaml")))
	require.NoDirExists(t, filepath.Join(project, ".sandbox"), "the account is elsewhere")
	// An exec in an exec has the same CLI.
	nested := sandbox(t, project, "--dir", dir, "exec", "--", os.Args[0], "exec", "--", "pulumi", "version")
	output, err = nested.CombinedOutput()
	require.NoError(t, err, string(output))
	require.Equal(t, "v3.226.0\n", string(output))
}

func TestTheAccountLivesBesidePulumiYAMLFromWhereverInTheProject(t *testing.T) {
	t.Parallel()
	project := newTestProject(t, nil)
	below := filepath.Join(project, "app")
	require.NoError(t, os.Mkdir(below, 0o755))
	output, err := sandbox(t, below, "exec", "--", "true").CombinedOutput()
	require.NoError(t, err, string(output))
	require.DirExists(t, filepath.Join(project, ".sandbox"))
	require.NoDirExists(t, filepath.Join(below, ".sandbox"))
}

func TestSignalsReachTheCommand(t *testing.T) {
	t.Parallel()
	for _, sent := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		command := sandbox(t, t.TempDir(), "exec", "--", "sh", "-c",
			"trap 'echo interrupted; exit 5' INT; trap 'echo terminated; exit 6' TERM; echo ready; while :; do sleep 0.05; done")
		command.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // no terminal
		output, err := command.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, command.Start())
		ready := make([]byte, len("ready\n"))
		_, err = io.ReadFull(output, ready)
		require.NoError(t, err)
		require.NoError(t, command.Process.Signal(sent))
		rest, err := io.ReadAll(output)
		require.NoError(t, err)
		require.Error(t, command.Wait())
		want := map[syscall.Signal]string{syscall.SIGINT: "interrupted\n 5", syscall.SIGTERM: "terminated\n 6"}[sent]
		require.Equal(t, want, string(rest)+" "+strings.TrimPrefix(command.ProcessState.String(), "exit status "))
	}
}

func TestTheCommandEndsWithASandboxThatIsKilled(t *testing.T) {
	t.Parallel()
	project := t.TempDir()
	command := sandbox(t, project, "exec", "--", "sh", "-c",
		"trap 'echo ended; exit 6' TERM; echo ready; while :; do sleep 0.05; done")
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	_, err = io.ReadFull(output, make([]byte, len("ready\n")))
	require.NoError(t, err)
	require.NoError(t, command.Process.Kill())
	rest, err := io.ReadAll(output) // ends once the command has
	require.NoError(t, err)
	require.Equal(t, "ended\n", string(rest))
	require.Error(t, command.Wait())
}

func TestAnUnusableStageFileKeepsTheCommandFromStarting(t *testing.T) {
	t.Parallel()
	project := newTestProject(t, map[string]string{"dev": "secretsprovider: awskms://alias/x\n"})
	output, err := sandbox(t, project, "exec", "--", "sh", "-c", "echo started").CombinedOutput()
	require.Error(t, err)
	require.Equal(t, 1, strings.Count(string(output), "\n"), string(output))
	require.Contains(t, string(output), "Pulumi.dev.yaml is encrypted with the secrets provider awskms")
}

func TestResetForgetsTheAccountAndNothingElse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "notes"), "mine")
	using := sandbox(t, dir, "--dir", dir, "exec", "--", "sh", "-c", "echo ready; read wait")
	input, err := using.StdinPipe()
	require.NoError(t, err)
	output, err := using.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, using.Start())
	_, err = io.ReadFull(output, make([]byte, len("ready\n")))
	require.NoError(t, err)
	require.ErrorContains(t, reset(dir), "a command uses the account")

	require.NoError(t, input.Close())
	_ = using.Wait() // `read` fails at the end of its input
	require.NoError(t, reset(dir))
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Equal(t, []string{"in-use", "notes"}, namesOf(names))
	require.NoError(t, reset(filepath.Join(dir, "nothing", "here")))
}

func namesOf(entries []os.DirEntry) (names []string) {
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// answer is what a sandbox command prints; it must succeed.
func answer(t *testing.T, dir string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	require.Zero(t, run(append([]string{"--dir", dir}, args...), &stdout, &stderr), stderr.String())
	return stdout.String()
}

func TestAnEmptyAccountListsNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.JSONEq(t, `[]`, answer(t, dir, "images", "--json"))
	require.JSONEq(t, `{"services": [], "listeners": [], "tasks": []}`, answer(t, dir, "ps", "--json"))
	require.Equal(t, "REPOSITORY   TAG   DIGEST   PUSHED AT\n", answer(t, dir, "images"))
	require.Equal(t, "CLUSTER   SERVICE   REVISION   DESIRED   RUNNING   IMAGE   ADDRESS\n", answer(t, dir, "ps"))
}

func TestImagesAreListedOldestFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, withAccount(dir, func(a *account.Account) error {
		require.NoError(t, a.CreateObject(ecr.Repository, "web", account.Object{"name": "web"}, nil))
		require.NoError(t, ecr.PutImage(a, "web", "zwei", "sha256:1", 5))
		return ecr.PutImage(a, "web", "drei", "sha256:2", 5)
	}))
	var images []map[string]string
	require.NoError(t, json.Unmarshal([]byte(answer(t, dir, "images", "--json")), &images))
	require.Len(t, images, 2)
	for i, want := range []map[string]string{{"tag": "zwei", "digest": "sha256:1"},
		{"tag": "drei", "digest": "sha256:2"}} {
		pushed, err := time.Parse(time.RFC3339, images[i]["pushedAt"])
		require.NoError(t, err)
		require.WithinDuration(t, time.Now(), pushed, time.Minute)
		delete(images[i], "pushedAt")
		require.Equal(t, map[string]string{"account": account.DefaultID, "repository": "web", "tag": want["tag"],
			"digest": want["digest"]}, images[i])
	}
}

func TestTheTableHasALineForEachImageWithAllItsTags(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, withAccount(dir, func(a *account.Account) error {
		require.NoError(t, a.CreateObject(ecr.Repository, "web", account.Object{"name": "web"}, nil))
		require.NoError(t, ecr.PutImage(a, "web", "one", "sha256:1", 5))
		require.NoError(t, ecr.PutImage(a, "web", "two", "sha256:2", 5))
		return ecr.TagImage(a, "web", "keep-web-1", "sha256:1", 5)
	}))
	lines := strings.Split(strings.TrimSpace(answer(t, dir, "images")), "\n")
	require.Len(t, lines, 3)
	require.Regexp(t, `^web +one keep-web-1 +sha256:1 `, lines[1])
	require.Regexp(t, `^web +two +sha256:2 `, lines[2])
}

func TestFaultsAreSetShownAndCleared(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	answer(t, dir, "faults", "failing-tasks=*:2", "slow-push=3s")
	require.Equal(t, "failing-tasks=*:2\nslow-push=3s\n", answer(t, dir, "faults"))
	answer(t, dir, "faults", "slow-push=")
	require.Equal(t, "failing-tasks=*:2\n", answer(t, dir, "faults"))
	for _, wrong := range []string{"slow-push", "slow-push=soon", "no-such=1"} {
		var stdout, stderr bytes.Buffer
		require.Equal(t, 1, run([]string{"--dir", dir, "faults", wrong}, &stdout, &stderr))
		require.Contains(t, stderr.String(), strings.SplitN(wrong, "=", 2)[0])
	}
	require.Equal(t, "failing-tasks=*:2\n", answer(t, dir, "faults"))
}

func TestAWrongCallIsToldInTwoLines(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"bogus"}, {"images", "--jsn"}, {"exec"}, {"ps", "all"}} {
		var stdout, stderr bytes.Buffer
		require.Equal(t, 2, run(args, &stdout, &stderr), args)
		require.Contains(t, stderr.String(), "Run `sandbox")
		require.Empty(t, stdout.String())
	}
}
