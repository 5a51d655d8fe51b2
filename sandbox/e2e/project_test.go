// Package e2e drives the real Pulumi CLI through the sandbox, as a user would, and asserts on what a user would see:
// exit status, output, stack outputs and what is in the account afterwards.
package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/ecs"
)

// root is the repository, whose .bin holds what `make build` has built.
var root = func() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return dir
}()

// project is a clone of the repository with an account of its own.
type project struct {
	testing.TB
	// dir is the clone, account the sandbox's directory.
	dir, account string
	// engine is what the sandbox uses a Docker engine for: nothing ("off"), builds ("build"), or all that it can ("").
	engine string

	opening sync.Mutex
	opened  *account.Account // by open
}

// dockerMode is the variable that tells the sandbox so. Where the environment has it, it holds for all tests.
const dockerMode = "SANDBOX_DOCKER"

// result is what a command left behind.
type result struct {
	testing.TB
	command string
	output  string // standard output and standard error, as a terminal shows them
	stdout  string
	status  int
	took    time.Duration
	memory  int64 // KiB of the largest process
}

// newProject is a clone of the repository, as it is in the work tree, with one commit and an empty stack dev.
func newProject(t *testing.T) *project {
	t.Helper()
	return newTemplate.copy(t)
}

func newProjectIn(t testing.TB, dir string) *project {
	t.Helper()
	p := projectIn(t, dir)
	p.copyWorkTree(p.dir)
	p.replace("Pulumi.yaml", compiled, prebuilt)
	p.git("init", "-q", "-b", "main")
	p.git("config", "user.name", "Dana Developer")
	p.git("config", "user.email", "dana@example.com")
	p.commit("first commit")
	p.copyBuilt(p.dir)
	p.write("../account/home/logs", "") // so that the CLI keeps no logs of its own, which take a tenth of its time
	p.ok("pulumi", "stack", "init", "dev")
	return p
}

func projectIn(t testing.TB, dir string) *project {
	return &project{TB: t, dir: filepath.Join(dir, "slipway"), account: filepath.Join(dir, "account"), engine: "off"}
}

// What Pulumi.yaml says of the program: to compile it, and to run the one that `make e2e` has compiled from this work
// tree. Whether a compiled one is up to date takes Go a second of every preview and update.
var compiled, prebuilt = "buildTarget: .bin/program", "binary: " + filepath.Join(root, ".bin/program")

// deployed is a project whose stage dev runs.
func deployed(t *testing.T) *project {
	t.Helper()
	return deployedTemplate.copy(t)
}

// A template is a project that many tests begin with: each with a copy of what the first one to ask for it has made.
type template struct {
	from  *template // nil for a new project
	make  func(*project)
	once  sync.Once
	dir   string
	ready bool
}

var (
	newTemplate      = &template{make: func(*project) {}}
	deployedTemplate = &template{from: newTemplate, make: func(p *project) { p.up("dev") }}
)

// templates is where those are.
var templates string

func (m *template) copy(t *testing.T) *project {
	t.Helper()
	dir := t.TempDir()
	m.copyTo(t, dir)
	return projectIn(t, dir)
}

func (m *template) copyTo(t *testing.T, dir string) {
	t.Helper()
	m.once.Do(func() {
		var err error
		m.dir, err = os.MkdirTemp(templates, "")
		require.NoError(t, err)
		if m.from == nil {
			m.make(newProjectIn(t, m.dir))
		} else {
			m.from.copyTo(t, m.dir)
			m.make(projectIn(t, m.dir))
		}
		m.ready = true
	})
	require.True(t, m.ready, "what this test begins with could not be made: see the test that tried")
	output, err := exec.Command("cp", "-a", m.dir+"/.", dir).CombinedOutput()
	require.NoError(t, err, string(output))
}

// withEachBuilder runs a test with images that the sandbox packs, and again with those that a Docker engine builds.
func (m *template) withEachBuilder(t *testing.T, test func(t *testing.T, p *project)) {
	t.Helper()
	for name, engine := range map[string]string{"packed": "off", "built by an engine": "build"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if engine != "off" {
				requireEngine(t)
			}
			p := m.copy(t)
			p.engine = engine
			test(t, p)
		})
	}
}

// requireEngine skips a test where no Docker engine answers.
func requireEngine(t *testing.T) {
	t.Helper()
	if os.Getenv(dockerMode) == "off" || exec.Command("docker", "info").Run() != nil {
		t.Skip("no Docker engine")
	}
}

func TestMain(m *testing.M) {
	var err error
	if templates, err = os.MkdirTemp("", "slipway-e2e"); err != nil {
		panic(err)
	}
	// Commands end before they have used much memory: to collect garbage as usual takes a fifth of their time.
	if os.Getenv("GOGC") == "" {
		_ = os.Setenv("GOGC", "400")
	}
	status := m.Run()
	_ = os.RemoveAll(templates)
	os.Exit(status)
}

// copyWorkTree copies what git would commit, without the sandbox: no project of a user's has it.
func (p *project) copyWorkTree(to string) {
	p.Helper()
	list, err := exec.Command("git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	require.NoError(p.TB, err)
	for _, name := range strings.Split(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		if strings.HasPrefix(name, "sandbox/") {
			continue
		}
		if _, err := os.Lstat(filepath.Join(root, name)); err == nil { // not a file that was removed
			p.copyFile(filepath.Join(root, name), filepath.Join(to, name))
		}
	}
}

// copyBuilt copies what `make app` has built, so that not every test builds it again.
func (p *project) copyBuilt(to string) {
	p.Helper()
	p.copyFile(filepath.Join(root, "app/build/app"), filepath.Join(to, "app/build/app"))
}

func (p *project) copyFile(from, to string) {
	p.Helper()
	info, err := os.Stat(from)
	require.NoError(p.TB, err)
	content, err := os.ReadFile(from)
	require.NoError(p.TB, err)
	require.NoError(p.TB, os.MkdirAll(filepath.Dir(to), 0o755))
	require.NoError(p.TB, os.WriteFile(to, content, info.Mode()))
}

// command prepares a command with the account attached.
func (p *project) command(args ...string) *exec.Cmd {
	command := exec.Command(filepath.Join(root, ".bin/sandbox"),
		append([]string{"--dir", p.account, "exec", "--"}, args...)...)
	command.Dir = p.dir
	command.Env = append(os.Environ(), "PATH="+filepath.Join(root, ".bin")+string(os.PathListSeparator)+os.Getenv("PATH"))
	if os.Getenv(dockerMode) == "" {
		command.Env = append(command.Env, dockerMode+"="+p.engine)
	}
	return command
}

// run runs a command with the account attached, to its end.
func (p *project) run(args ...string) *result {
	p.Helper()
	return p.runWith(nil, args...)
}

func (p *project) runWith(env []string, args ...string) *result {
	p.Helper()
	command := p.command(args...)
	command.Env = append(command.Env, env...)
	var stdout bytes.Buffer
	output := &terminal{}
	command.Stdout = io.MultiWriter(output, &stdout)
	command.Stderr = output
	began := time.Now()
	err := command.Run()
	r := &result{TB: p.TB, command: strings.Join(args, " "), output: output.String(), stdout: stdout.String(),
		status: command.ProcessState.ExitCode(), took: time.Since(began),
		memory: command.ProcessState.SysUsage().(*syscall.Rusage).Maxrss}
	if _, failed := err.(*exec.ExitError); err != nil && !failed {
		require.NoError(p.TB, err)
	}
	if _, isTest := p.TB.(*testing.T); isTest { // a benchmark prints figures only
		p.Logf("$ %s\n%s(exit status %d)", r.command, r.output, r.status)
	}
	return r
}

// ok runs a command that has to succeed.
func (p *project) ok(args ...string) *result {
	p.Helper()
	r := p.run(args...)
	require.Zero(p, r.status, "%s failed:\n%s", r.command, r.output)
	return r
}

// refused runs a command that has to fail, saying all of that.
func (p *project) refused(says []string, args ...string) *result {
	p.Helper()
	r := p.run(args...)
	require.NotZero(p, r.status, "%s succeeded:\n%s", r.command, r.output)
	for _, text := range says {
		require.Contains(p, r.output, text)
	}
	return r
}

// upArgs are what a user types, and what a test needs besides: no questions.
func upArgs(stage string, more ...string) []string {
	return append([]string{"pulumi", "up", "--stack", stage, "--yes", "--non-interactive", "--color", "never"}, more...)
}

// up updates a stage, which has to succeed, and returns what it changed.
func (p *project) up(stage string, more ...string) *update {
	p.Helper()
	u := p.tryUp(stage, more...)
	require.Zero(p, u.status, "pulumi up failed:\n%s", u.output)
	return u
}

// update is an update of a stage with the calls that the engine made to the providers.
type update struct {
	*result
	calls []call
}

// call is a call of the engine to a provider.
type call struct {
	Method  string
	Request struct {
		URN     string `json:"urn"`
		Preview bool   `json:"preview"`
	}
}

// tryUp updates a stage, however that ends. What a preview says is for tests of previews.
func (p *project) tryUp(stage string, more ...string) *update {
	p.Helper()
	log := filepath.Join(p.TempDir(), "grpc.json")
	args := upArgs(stage, append(more, "--skip-preview")...)
	u := &update{result: p.runWith([]string{"PULUMI_DEBUG_GRPC=" + log}, args...)}
	content, err := os.ReadFile(log)
	require.NoError(p.TB, err)
	for _, line := range bytes.Split(bytes.TrimSpace(content), []byte("\n")) {
		var c call
		if json.Unmarshal(line, &c) == nil {
			u.calls = append(u.calls, c)
		}
	}
	return u
}

// changed lists the types that providers created, updated or deleted, as "Create aws:ecs/service:Service", each once.
func (u *update) changed() []string {
	var changes []string
	seen := map[string]bool{}
	for _, c := range u.calls {
		method, isProvider := strings.CutPrefix(c.Method, "/pulumirpc.ResourceProvider/")
		if !isProvider || c.Request.Preview || (method != "Create" && method != "Update" && method != "Delete") {
			continue
		}
		change := method + " " + typeOf(c.Request.URN)
		if !seen[change] {
			seen[change] = true
			changes = append(changes, change)
		}
	}
	return changes
}

// typeOf is the type of the resource that a URN names.
func typeOf(urn string) string {
	parts := strings.Split(urn, "::")
	if len(parts) < 4 {
		return urn
	}
	types := strings.Split(parts[2], "$")
	return types[len(types)-1]
}

// builtNothing asserts that no image was built or pushed.
func (u *update) builtNothing() {
	u.Helper()
	for _, change := range u.changed() {
		require.NotContains(u, change, "docker:")
	}
}

// settled asserts that nothing is left to do: a refresh finds no difference, and an unchanged update changes nothing.
// What the update is told to ignore would show in what the refresh has written.
func (p *project) settled(stage string) {
	p.Helper()
	before := p.inputsByURN(stage)
	require.Empty(p, p.up(stage, "--refresh", "--expect-no-changes").changed())
	after := p.inputsByURN(stage)
	require.ElementsMatch(p, keys(before), keys(after))
	for urn := range before {
		require.Nil(p, before[urn].Diff(after[urn], resource.IsInternalPropertyKey), "the refresh has changed %s", urn)
	}
}

// inputsByURN are those of each resource in the stage's state.
func (p *project) inputsByURN(stage string) map[string]resource.PropertyMap {
	p.Helper()
	inputs := map[string]resource.PropertyMap{}
	for _, each := range p.checkpoint(stage).Resources {
		inputs[each.URN] = resource.NewPropertyMapFromMap(each.Inputs)
	}
	return inputs
}

// serviceKeys adds lines to what stage dev says of its service, and stageKeys adds keys of the stage.
func (p *project) serviceKeys(lines ...string) {
	p.Helper()
	p.replace("Pulumi.dev.yaml", "      replicas: 1\n", "      replicas: 1\n      "+strings.Join(lines, "\n      ")+"\n")
}

func (p *project) stageKeys(lines ...string) {
	p.Helper()
	p.write("Pulumi.dev.yaml", p.read("Pulumi.dev.yaml")+"  "+strings.Join(lines, "\n  ")+"\n")
}

// withoutOptions makes stage dev what it was when it was committed.
func (p *project) withoutOptions() {
	p.Helper()
	p.git("checkout", "-q", "Pulumi.dev.yaml")
}

// objects are the account's things of a kind.
func (p *project) objects(kind string) []account.Object {
	p.Helper()
	found, err := p.open().Objects(kind)
	require.NoError(p.TB, err)
	return found
}

// object is the only one of a kind.
func (p *project) object(kind string) account.Object {
	p.Helper()
	found := p.objects(kind)
	require.Len(p, found, 1, kind)
	return found[0]
}

// ecsService is the service web of stage dev as ECS has it.
func (p *project) ecsService() *ecs.Service {
	p.Helper()
	found, err := ecs.FindService(p.open(), "slipway-dev", "web")
	require.NoError(p.TB, err)
	return found
}

// container is the main container of a revision.
func (p *project) container(revision string) ecs.Container {
	p.Helper()
	found, err := ecs.FindTaskDefinition(p.open(), revision)
	require.NoError(p.TB, err)
	require.Len(p, found.Containers, 1)
	return found.Containers[0]
}

// preview previews a stage.
func (p *project) preview(stage string, more ...string) *result {
	p.Helper()
	return p.run(append([]string{"pulumi", "preview", "--stack", stage, "--non-interactive", "--color", "never", "--diff"},
		more...)...)
}

// images are what was pushed, without the tags that only keep an image from expiring.
func (p *project) images() []ecr.Image {
	p.Helper()
	return slices.DeleteFunc(p.tags(), func(i ecr.Image) bool { return strings.HasPrefix(i.Tag, "keep-") })
}

// tags are all tags of all images.
func (p *project) tags() []ecr.Image {
	p.Helper()
	tags, err := ecr.Images(p.open())
	require.NoError(p.TB, err)
	return tags
}

// service is the one service of that cluster.
func (p *project) service(cluster string) ecs.ServiceView {
	p.Helper()
	services, err := ecs.ServiceViews(p.open())
	require.NoError(p.TB, err)
	of := slices.IndexFunc(services, func(s ecs.ServiceView) bool { return s.Cluster == cluster })
	require.GreaterOrEqual(p.TB, of, 0, "no service in the cluster %s: %v", cluster, services)
	return services[of]
}

// open is what AWS would hold.
func (p *project) open() *account.Account {
	p.Helper()
	p.opening.Lock()
	defer p.opening.Unlock()
	if p.opened == nil { // once, as some tests ask many times a second
		a, err := account.Open(p.account)
		require.NoError(p.TB, err)
		p.Cleanup(func() { _ = a.Close() })
		p.opened = a
	}
	return p.opened
}

// faults sets the account's faults.
func (p *project) faults(faults map[string]string) {
	p.Helper()
	require.NoError(p.TB, p.open().SetFaults(faults))
}

// revisions lists a family's revisions with their status, as "1 ACTIVE".
func (p *project) revisions(family string) (revisions []string) {
	p.Helper()
	all, err := ecs.TaskDefinitions(p.open())
	require.NoError(p.TB, err)
	for _, definition := range all {
		if definition.Family == family {
			revisions = append(revisions, fmt.Sprintf("%d %s", definition.Revision, definition.Status))
		}
	}
	return revisions
}

// builds is how many images were built for a repository.
func (p *project) builds(repository string) int {
	p.Helper()
	builds, err := ecr.Builds(p.open())
	require.NoError(p.TB, err)
	return builds[repository].Builds
}

// outputs are the stack's outputs.
func (p *project) outputs(stage string) (outputs stackOutputs) {
	p.Helper()
	stack := p.state(stage)["pulumi:pulumi:Stack"]
	require.Len(p.TB, stack, 1)
	text, err := json.Marshal(stack[0].Outputs)
	require.NoError(p.TB, err)
	require.NoError(p.TB, json.Unmarshal(text, &outputs))
	return outputs
}

type stackOutputs struct {
	Cluster  string
	Images   map[string]struct{ Ref, Tag, Digest, Commit string }
	Services map[string]struct {
		Family, TaskDefinition, LogGroup, Service, URL string
		Revision, Replicas                             int
	}
	Tasks map[string]struct {
		Family, TaskDefinition, LogGroup, Run, Schedule string
		Revision                                        int
		SecurityGroups                                  []string
	}
}

// state are the resources of the stage's state by type, from the backend's file: as `pulumi stack export` has them.
func (p *project) state(stage string) map[string][]stateResource {
	p.Helper()
	resources := map[string][]stateResource{}
	for _, each := range p.checkpoint(stage).Resources {
		resources[each.Type] = append(resources[each.Type], each)
	}
	return resources
}

func (p *project) checkpoint(stage string) (latest deployment) {
	p.Helper()
	content, err := os.ReadFile(filepath.Join(p.account, "state/.pulumi/stacks/slipway", stage+".json"))
	require.NoError(p.TB, err)
	content = ciphertext.ReplaceAll(content, []byte(`"[secret]"`)) // the same value is another text each time
	file := struct{ Checkpoint struct{ Latest *deployment } }{}
	file.Checkpoint.Latest = &latest
	require.NoError(p.TB, json.Unmarshal(content, &file))
	return latest
}

var ciphertext = regexp.MustCompile(`"v1:[A-Za-z0-9+/=]+:[A-Za-z0-9+/=]+"`)

// deployment is what a stack's state has.
type deployment struct {
	Resources         []stateResource
	PendingOperations []any `json:"pending_operations"`
}

type stateResource struct {
	URN, Type, ID   string
	Inputs, Outputs map[string]any
}

// containers are the container definitions in the stage's state.
func (p *project) containers(stage string) string {
	p.Helper()
	definitions := p.state(stage)["aws:ecs/taskDefinition:TaskDefinition"]
	require.Len(p, definitions, 1)
	return definitions[0].Outputs["containerDefinitions"].(string)
}

// replace edits a file of the project.
func (p *project) replace(name, old, updated string) {
	p.Helper()
	content := p.read(name)
	require.Contains(p, content, old)
	p.write(name, strings.ReplaceAll(content, old, updated))
}

func (p *project) read(name string) string {
	p.Helper()
	content, err := os.ReadFile(filepath.Join(p.dir, name))
	require.NoError(p.TB, err)
	return string(content)
}

func (p *project) write(name, content string) {
	p.Helper()
	require.NoError(p.TB, os.MkdirAll(filepath.Dir(filepath.Join(p.dir, name)), 0o755))
	require.NoError(p.TB, os.WriteFile(filepath.Join(p.dir, name), []byte(content), 0o644))
}

// editApp makes another binary of the app, as an edit and `make app` would, without the time of a compiler.
func (p *project) editApp(text string) {
	p.Helper()
	binary, err := os.ReadFile(filepath.Join(root, "app/build/app"))
	require.NoError(p.TB, err)
	require.NoError(p.TB, os.WriteFile(filepath.Join(p.dir, "app/build/app"), append(binary, text...), 0o755))
}

func (p *project) git(args ...string) string {
	p.Helper()
	command := exec.Command("git", args...)
	command.Dir = p.dir
	output, err := command.CombinedOutput()
	require.NoError(p.TB, err, "git %v: %s", args, output)
	return string(output)
}

func (p *project) commit(message string) {
	p.Helper()
	p.git("add", "-A")
	p.git("commit", "-q", "--allow-empty", "-m", message)
}

// terminal gathers what both streams of a command write. (No embedding: a buffer's ReadFrom would go past the mutex.)
type terminal struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (t *terminal) Write(text []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.text.Write(text)
}

func (t *terminal) String() string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.text.String()
}
