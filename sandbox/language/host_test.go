package language

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

// fakeEngine keeps what a user would see.
type fakeEngine struct {
	pulumirpc.UnimplementedEngineServer
	mutex    sync.Mutex
	messages []string
}

func (e *fakeEngine) Log(_ context.Context, message *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	e.messages = append(e.messages, fmt.Sprintf("%s %s", strings.ToLower(message.GetSeverity().String()),
		message.GetMessage()))
	return &emptypb.Empty{}, nil
}

func (e *fakeEngine) said() string {
	e.mutex.Lock()
	defer e.mutex.Unlock()
	return strings.Join(e.messages, "\n")
}

// attachedHost is a host that serves, as the engine reaches it.
func attachedHost(t *testing.T) (pulumirpc.LanguageRuntimeClient, *Host, *fakeEngine, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	engine, server := &fakeEngine{}, grpc.NewServer()
	pulumirpc.RegisterEngineServer(server, engine)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)

	host := NewHost(t.TempDir())
	port, stop, err := host.Serve()
	require.NoError(t, err)
	t.Cleanup(stop)
	connection, err := grpc.NewClient(fmt.Sprintf("127.0.0.1:%d", port),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	client, address := pulumirpc.NewLanguageRuntimeClient(connection), listener.Addr().String()
	_, err = client.Handshake(t.Context(), &pulumirpc.LanguageHandshakeRequest{EngineAddress: address})
	require.NoError(t, err)
	return client, host, engine, address
}

// sourceOf is a directory with a Go program whose main does this.
func sourceOf(t *testing.T, body string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"),
		[]byte("module tiny\n\ngo 1.26.0\n\nrequire example.com/x v1.2.3\n\nrequire example.com/y v0.1.0 // indirect\n"),
		0o644))
	writeProgram(t, dir, body)
	return dir
}

func writeProgram(t *testing.T, dir, body string) {
	t.Helper()
	source := "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\t\"os/signal\"\n\t\"time\"\n)\n\nvar _ = " +
		"signal.Notify\nvar _ = time.Now\n\n" +
		"func main() {\n\tfmt.Fprint(os.Stderr)\n\t" + body + "\n}\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o644))
}

func runRequest(t *testing.T, dir string, options map[string]any) *pulumirpc.RunRequest {
	t.Helper()
	wire, err := structpb.NewStruct(options)
	require.NoError(t, err)
	return &pulumirpc.RunRequest{Pwd: dir, Project: "tiny", Stack: "dev", Organization: "organization",
		MonitorAddress: "monitor:1",
		Parallel:       4, DryRun: true, Config: map[string]string{"tiny:a": "b"}, ConfigSecretKeys: []string{"tiny:s"},
		Info: &pulumirpc.ProgramInfo{RootDirectory: dir, ProgramDirectory: dir, EntryPoint: ".", Options: wire}}
}

var withTarget = map[string]any{"buildTarget": ".bin/program"}

func TestAProgramGetsWhatTheSDKReads(t *testing.T) {
	t.Parallel()
	client, host, engine, address := attachedHost(t)
	host.SetEnvironment(append(os.Environ(), "OURS=1"))
	dir := sourceOf(t, `for _, v := range os.Environ() { fmt.Println(v) }; wd, _ := os.Getwd(); fmt.Println("in", wd)`)
	response, err := client.Run(t.Context(), runRequest(t, dir, withTarget))
	require.NoError(t, err)
	require.Empty(t, response.GetError())
	require.False(t, response.GetBail())
	for _, want := range []string{"OURS=1", "PULUMI_ORGANIZATION=organization", "PULUMI_PROJECT=tiny", "PULUMI_STACK=dev",
		"PULUMI_ROOT_DIRECTORY=" + dir, `PULUMI_CONFIG={"tiny:a":"b"}`, `PULUMI_CONFIG_SECRET_KEYS=["tiny:s"]`,
		"PULUMI_DRY_RUN=true",
		"PULUMI_PARALLEL=4", "PULUMI_MONITOR=monitor:1", "PULUMI_ENGINE=" + address, "in " + dir} {
		require.Contains(t, engine.said(), want+"\n")
	}
	require.Equal(t, dir, host.Directory())
}

func TestTheCompilerGetsNoneOfPulumisVariables(t *testing.T) {
	t.Parallel()
	client, host, engine, _ := attachedHost(t)
	dir, place := sourceOf(t, `fmt.Println("ran with", os.Getenv("PULUMI_CONFIG"))`), t.TempDir()
	tool := filepath.Join(place, "tool") // stands between go and its compiler
	require.NoError(t, os.WriteFile(tool, []byte("#!/bin/sh\nenv >> "+place+"/environment\nexec \"$@\"\n"), 0o755))
	host.SetEnvironment(append(os.Environ(), "OURS=1", "PULUMI_CONFIG_PASSPHRASE=secret", "GOFLAGS=-toolexec="+tool))
	_, err := client.Run(t.Context(), runRequest(t, dir, withTarget))
	require.NoError(t, err)
	require.Contains(t, engine.said(), `ran with {"tiny:a":"b"}`)
	environment, err := os.ReadFile(filepath.Join(place, "environment"))
	require.NoError(t, err)
	require.Contains(t, string(environment), "OURS=1")
	require.NotContains(t, string(environment), "PULUMI_")
}

func TestHowAProgramEnds(t *testing.T) {
	t.Parallel()
	for sentence, c := range map[string]struct {
		body, errorText, said string
		bail                  bool
	}{
		"well":                             {body: ``},
		"with an error that it has logged": {body: `os.Exit(32)`, bail: true},
		"with another status":              {body: `os.Exit(3)`, errorText: "program exited with non-zero exit code: 3"},
		"with a panic, which is shown": {body: `panic("oh no")`,
			errorText: "program exited with non-zero exit code: 2", said: "panic: oh no"},
		"with words that do not end in newline": {body: `fmt.Print("last words")`, said: "info last words"},
	} {
		t.Run(sentence, func(t *testing.T) {
			t.Parallel()
			client, _, engine, _ := attachedHost(t)
			response, err := client.Run(t.Context(), runRequest(t, sourceOf(t, c.body), nil))
			require.NoError(t, err)
			require.Equal(t, c.bail, response.GetBail())
			require.Equal(t, c.errorText, response.GetError())
			require.Contains(t, engine.said(), c.said)
		})
	}
}

func TestAProgramThatDoesNotCompileSaysWhere(t *testing.T) {
	t.Parallel()
	client, _, engine, _ := attachedHost(t)
	_, err := client.Run(t.Context(), runRequest(t, sourceOf(t, `undefinedFunction()`), withTarget))
	require.ErrorContains(t, err, "main.go:")
	require.ErrorContains(t, err, "undefined: undefinedFunction")
	require.Contains(t, engine.said(), "Compiling the program ...")
}

func TestAnUnchangedProgramIsNotLinkedAgain(t *testing.T) {
	t.Parallel()
	client, _, engine, _ := attachedHost(t)
	dir := sourceOf(t, `fmt.Println("one")`)
	target := filepath.Join(dir, ".bin", "program")
	run := func() {
		_, err := client.Run(t.Context(), runRequest(t, dir, withTarget))
		require.NoError(t, err)
	}
	run()
	// A mark that a link would wipe out. (Go touches a target that is up to date, so its time tells nothing.)
	const mark = "not linked again"
	built, err := os.ReadFile(target)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(target, append(built, mark...), 0o755))
	run()
	built, err = os.ReadFile(target)
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(string(built), mark))

	writeProgram(t, dir, `fmt.Println("two")`)
	run()
	built, err = os.ReadFile(target)
	require.NoError(t, err)
	require.False(t, strings.HasSuffix(string(built), mark))
	require.Contains(t, engine.said(), "info two")
}

func TestTwoCommandsMayBuildTheSameTarget(t *testing.T) {
	t.Parallel()
	dir := sourceOf(t, `fmt.Println("done")`)
	var all sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		client, _, _, _ := attachedHost(t)
		request := runRequest(t, dir, withTarget)
		all.Go(func() { _, errs[i] = client.Run(t.Context(), request) })
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}

func TestAProgramThatWasBuiltBefore(t *testing.T) {
	t.Parallel()
	client, _, engine, _ := attachedHost(t)
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "program"), []byte("#!/bin/sh\necho prebuilt\n"), 0o755))
	_, err := client.Run(t.Context(), runRequest(t, dir, map[string]any{"binary": "program"}))
	require.NoError(t, err)
	require.Contains(t, engine.said(), "info prebuilt")
	require.NotContains(t, engine.said(), "Compiling")
}

func TestOptionsThatTheHostDoesNotKnow(t *testing.T) {
	t.Parallel()
	client, _, _, _ := attachedHost(t)
	for want, options := range map[string]map[string]any{
		"runtime.options.buildFlags": {"buildFlags": "-race"},
		"runtime.options.binary":     {"binary": 5},
		"use one":                    {"binary": "a", "buildTarget": "b"},
	} {
		_, err := client.Run(t.Context(), runRequest(t, t.TempDir(), options))
		require.ErrorContains(t, err, want)
	}
}

func TestCancelInterruptsWhatRunsAndNothingLater(t *testing.T) {
	t.Parallel()
	client, _, engine, _ := attachedHost(t)
	dir := sourceOf(t, `interrupted := make(chan os.Signal, 1); signal.Notify(interrupted, os.Interrupt); `+
		`fmt.Println("running"); `+
		`select { case <-interrupted: fmt.Println("interrupted"); case <-time.After(time.Minute): }`)
	ended := make(chan error, 1)
	go func() {
		_, err := client.Run(t.Context(), runRequest(t, dir, withTarget))
		ended <- err
	}()
	require.Eventually(t, func() bool { return strings.Contains(engine.said(), "running") }, time.Minute,
		10*time.Millisecond)
	_, err := client.Cancel(t.Context(), &emptypb.Empty{})
	require.NoError(t, err)
	require.ErrorContains(t, <-ended, "interrupted")
	require.Contains(t, engine.said(), "info interrupted")

	writeProgram(t, dir, `fmt.Println("again")`)
	_, err = client.Run(t.Context(), runRequest(t, dir, withTarget))
	require.NoError(t, err)
	require.Contains(t, engine.said(), "info again")
}

func TestWhatAboutShows(t *testing.T) {
	t.Parallel()
	client, _, _, _ := attachedHost(t)
	about, err := client.About(t.Context(), &pulumirpc.AboutRequest{})
	require.NoError(t, err)
	require.Contains(t, about.GetVersion(), "go1.")
	request := &pulumirpc.GetProgramDependenciesRequest{Info: &pulumirpc.ProgramInfo{ProgramDirectory: sourceOf(t, "")}}
	direct, err := client.GetProgramDependencies(t.Context(), request)
	require.NoError(t, err)
	require.Len(t, direct.GetDependencies(), 1)
	require.Equal(t, "example.com/x", direct.GetDependencies()[0].GetName())
	require.Equal(t, "v1.2.3", direct.GetDependencies()[0].GetVersion())
	request.TransitiveDependencies = true
	all, err := client.GetProgramDependencies(t.Context(), request)
	require.NoError(t, err)
	require.Len(t, all.GetDependencies(), 2)
}
