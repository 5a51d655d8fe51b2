package agent

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/logs"
	"slipway/sandbox/account/sts"
	"slipway/sandbox/alb"
)

// fakeAccount is an account that wants the tasks that a test gives it.
type fakeAccount struct {
	identity  string
	dir       string
	docker    *client.Client
	image     string // of the program that its containers run
	authority func() (alb.Authority, error)
	names     map[string][]string
	late      bool // what the agent was told of a task is from before its own reports

	mu        sync.Mutex
	work      map[string]ecs.AgentTask
	listeners []elb.LiveListener
	ports     map[int]int // of listeners
	reports   map[string]ecs.TaskStateChange
	history   []string // of what was reported: container and status
	streams   []string
	events    []logs.LogEvent
	said      []string
}

func (f *fakeAccount) Identity() (string, error) { return f.identity, nil }

func (f *fakeAccount) Names(string) (map[string][]string, error) { return f.names, nil }

func (f *fakeAccount) AgentTasks() (work []ecs.AgentTask, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.work {
		if !f.late {
			w.Task.Containers = slices.Clone(f.reports[w.Task.ARN].Containers)
		}
		work = append(work, w)
	}
	return work, nil
}

func (f *fakeAccount) SubmitTaskStateChange(arn string, r ecs.TaskStateChange) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range r.Containers {
		if entry := c.Name + " " + c.LastStatus; !slices.Contains(f.history, entry) {
			f.history = append(f.history, entry)
		}
	}
	f.reports[arn] = r
	return nil
}

func (f *fakeAccount) CreateLogStream(_, _, stream string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if slices.Contains(f.streams, stream) {
		return &account.Error{Code: "ResourceAlreadyExistsException"}
	}
	f.streams = append(f.streams, stream)
	return nil
}

func (f *fakeAccount) PutLogEvents(taskARN, group, stream string, events []logs.LogEvent) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.work[taskARN]; !known || !slices.Contains(f.streams, stream) {
		return &account.Error{Code: "ResourceNotFoundException"}
	}
	for _, e := range events {
		e.Group, e.Stream = group, stream
		f.events = append(f.events, e)
	}
	return nil
}

func (f *fakeAccount) FindLogEvents(_, group, prefix string, from, _ int64) (found []*logs.LogEvent, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.events {
		if e.Group == group && strings.HasPrefix(e.Stream, prefix) && e.Timestamp >= from {
			found = append(found, &e)
		}
	}
	return found, nil
}

func (f *fakeAccount) Listeners() (live []elb.LiveListener, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, l := range f.listeners {
		l.Settings.TargetGroups = maps.Clone(l.Settings.TargetGroups)
		l.Settings.LocalPorts = f.ports
		live = append(live, l)
	}
	return live, nil
}

func (f *fakeAccount) KeepLocalPort(l elb.LiveListener, port int) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ports = maps.Clone(f.ports)
	f.ports[l.Settings.Port] = port
	return nil
}

func (f *fakeAccount) Authority() (alb.Authority, error) { return f.authority() }

func (f *fakeAccount) TaskCredentials(taskARN, roleARN string) (sts.Credentials, error) {
	return sts.Credentials{AccessKeyID: "ASIA " + roleARN + " of " + taskARN, SecretAccessKey: "sandbox",
		SessionToken: "token", Expiration: time.Now().Add(time.Hour)}, nil
}

// Pull is the registry's, which has nothing here.
func (f *fakeAccount) Pull(reference, _ string) (v1.Image, error) {
	return nil, &account.Error{Code: "ImageNotFoundException", Message: reference}
}

// binaries are the programs that containers of tests run, built once.
var binaries = sync.OnceValues(func() (dir string, err error) {
	dir, err = os.MkdirTemp("", "sandbox-agent-*")
	if err != nil {
		return "", err
	}
	for name, source := range map[string]string{"taskhost": "../taskhost", "loadbalancer": "../loadbalancer",
		"program": "./testdata/program"} {
		build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, name), source)
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
		if output, err := build.CombinedOutput(); err != nil {
			return "", &account.Error{Code: "building " + source, Message: string(output)}
		}
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if dir, err := binaries(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(status)
}

// newFake makes an account of its own on the engine; it skips the test where no engine answers.
func newFake(t *testing.T) *fakeAccount {
	t.Helper()
	t.Parallel()
	docker, err := client.New(client.FromEnv)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, docker.Close()) })
	if _, err := docker.Ping(t.Context(), client.PingOptions{NegotiateAPIVersion: true}); err != nil {
		t.Skip("no Docker engine answers:", err)
	}
	dir, err := binaries()
	require.NoError(t, err)
	f := &fakeAccount{identity: strings.ToLower(rand.Text())[:12], dir: t.TempDir(), docker: docker,
		work: map[string]ecs.AgentTask{}, ports: map[int]int{}, authority: sync.OnceValues(alb.NewAuthority),
		reports: map[string]ecs.TaskStateChange{}}
	f.image = imagePrefix(f.identity) + "program:test"
	program, err := os.ReadFile(filepath.Join(dir, "program"))
	require.NoError(t, err)
	require.NoError(t, importProgram(t.Context(), docker, f.image, program, accountLabel+"="+f.identity))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.NoError(t, Remove(ctx, docker, f.identity))
		images, err := docker.ImageList(ctx,
			client.ImageListOptions{Filters: client.Filters{}.Add("reference", imagePrefix(f.identity)+"*")})
		require.NoError(t, err)
		require.Empty(t, images.Items)
	})
	return f
}

// withSeed is the image with the text "grown" in the files seed of some directories, and a change as a Dockerfile says
// it.
func (f *fakeAccount) withSeed(t *testing.T, change string) (reference string) {
	t.Helper()
	dir, err := binaries()
	require.NoError(t, err)
	program, err := os.ReadFile(filepath.Join(dir, "program"))
	require.NoError(t, err)
	var archive bytes.Buffer
	w := tar.NewWriter(&archive)
	for name, content := range map[string][]byte{"program": program, "volume/seed": []byte("grown"),
		"volume/sub/seed": []byte("grown"),
		"plain/seed":      []byte("grown")} {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}))
		_, err := w.Write(content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	reference = imagePrefix(f.identity) + "seed:test"
	result, err := f.docker.ImageImport(t.Context(), client.ImageImportSource{Source: &archive, SourceName: "-"},
		reference,
		client.ImageImportOptions{Changes: []string{`ENTRYPOINT ["/program"]`, "LABEL " + accountLabel + "=" + f.identity,
			change}})
	require.NoError(t, err)
	defer result.Close()
	_, err = io.Copy(io.Discard, result)
	require.NoError(t, err)
	return reference
}

func (f *fakeAccount) settings(t *testing.T) Settings {
	t.Helper()
	dir, err := binaries()
	require.NoError(t, err)
	return Settings{Dir: f.dir, Account: f, Registry: f, Docker: f.docker, Programs: dir,
		Say: func(line string) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.said = append(f.said, line)
		}}
}

// start starts an agent that ends with the test.
func (f *fakeAccount) start(t *testing.T) *Agent {
	t.Helper()
	a, err := Start(f.settings(t))
	require.NoError(t, err)
	t.Cleanup(func() { a.cancel(); <-a.stopped })
	return a
}

const group = "/ecs/test"

// add wants a task of containers that are given as the JSON of their definitions. Each runs the program, is essential
// and has a log unless it says otherwise.
func (f *fakeAccount) add(t *testing.T, id, containers string) (arn string) {
	t.Helper()
	arn = "arn:aws:ecs:ap-northeast-2:" + account.DefaultID + ":task/main/" + id
	var parsed []ecs.Container
	require.NoError(t, json.Unmarshal([]byte(containers), &parsed))
	for _, c := range parsed {
		for key, value := range map[string]any{"image": f.image, "essential": true,
			"logConfiguration": map[string]any{"logDriver": "awslogs",
				"options": map[string]any{"awslogs-group": group, "awslogs-stream-prefix": "web"}}} {
			if c[key] == nil {
				c[key] = value
			}
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.work[arn] = ecs.AgentTask{
		Task: ecs.Task{ARN: arn, LastStatus: pending, DesiredStatus: running},
		Definition: ecs.TaskDefinition{Family: "web", Revision: 3, Containers: parsed, CPU: "256", Memory: "512",
			ARN: "arn:aws:ecs:ap-northeast-2:" + account.DefaultID + ":task-definition/web:3"},
		Region: "ap-northeast-2",
	}
	return arn
}

// change changes what is wanted of a task.
func (f *fakeAccount) change(arn string, how func(*ecs.AgentTask)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w := f.work[arn]
	how(&w)
	f.work[arn] = w
}

func (f *fakeAccount) stop(arn string) {
	f.change(arn, func(w *ecs.AgentTask) { w.Task.DesiredStatus = stopped })
}

func (f *fakeAccount) forget(arn string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.work, arn)
}

// container is how a container was last reported.
func (f *fakeAccount) container(arn, name string) ecs.ContainerState {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.reports[arn].Containers {
		if c.Name == name {
			return c
		}
	}
	return ecs.ContainerState{}
}

// await waits until a container is reported with that status.
func (f *fakeAccount) await(t *testing.T, arn, name, status string) ecs.ContainerState {
	t.Helper()
	f.eventually(t, func() bool { return f.container(arn, name).LastStatus == status }, "%s is not %s", name, status)
	return f.container(arn, name)
}

// awaitReady waits until a container runs that is to wait for SIGTERM or to ignore it, and does: before, SIGTERM ends
// any program.
func (f *fakeAccount) awaitReady(t *testing.T, arn, name string) ecs.ContainerState {
	t.Helper()
	f.eventually(t, func() bool { return slices.Contains(f.lines(name), "ready") }, "%s is not ready", name)
	return f.await(t, arn, name, running)
}

func (f *fakeAccount) eventually(t *testing.T, condition func() bool, message string, args ...any) {
	t.Helper()
	for range 2400 {
		if condition() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	require.Failf(t, "waited in vain", message+"\nreports: %+v\nsaid: %q", append(args, f.reports, f.said)...)
}

// lines are what a container's stream has.
func (f *fakeAccount) lines(containerName string) (lines []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.events {
		if strings.HasPrefix(e.Stream, "web/"+containerName+"/") {
			lines = append(lines, e.Message)
		}
	}
	return lines
}

// onEngine are the account's containers on the engine, by the names that the engine has for them.
func (f *fakeAccount) onEngine(t *testing.T) map[string]container.Summary {
	t.Helper()
	found, err := f.docker.ContainerList(t.Context(), client.ContainerListOptions{All: true,
		Filters: labelled(f.identity, "")})
	require.NoError(t, err)
	names := map[string]container.Summary{}
	for _, c := range found.Items {
		names[strings.TrimPrefix(c.Names[0], "/")] = c
	}
	return names
}
