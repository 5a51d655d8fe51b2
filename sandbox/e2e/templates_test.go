package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/aws"
)

// newProject is a clone of the repository, as it is in the work tree, with one commit and an empty stack dev.
func newProject(t *testing.T) *project {
	t.Helper()
	return newTemplate.copy(t)
}

// deployed is a project whose stage dev runs.
func deployed(t *testing.T) *project {
	t.Helper()
	return deployedTemplate.copy(t)
}

// promoted is a project whose stages dev and release run.
func promoted(t *testing.T) *project {
	t.Helper()
	return promotedTemplate.copy(t)
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
	promotedTemplate = &template{from: deployedTemplate, make: func(p *project) {
		p.ok("pulumi", "stack", "init", "release")
		p.ok("slipway", "promote", "dev", "release")
		p.commit("Promote")
		p.up("release")
	}}
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

func TestMain(m *testing.M) {
	var err error
	if templates, err = os.MkdirTemp("", "slipway-e2e"); err != nil {
		panic(err)
	}
	// Commands end before they have used much memory: to collect garbage as usual takes a fifth of their time.
	if os.Getenv("GOGC") == "" {
		_ = os.Setenv("GOGC", "400")
	}
	// A test waits for other processes about half of its time. -parallel says otherwise.
	if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
		panic(err)
	}
	// The program's own resources are simulated, all of them.
	_ = os.Setenv(aws.StrictVariable, "on")
	calls := filepath.Join(templates, "calls")
	_ = os.Setenv(callsVariable, calls)
	status := m.Run()
	if missing := notInTheTable(calls); len(missing) > 0 {
		fmt.Printf("`slipway iam` leaves out what these tests have called: %s\n", strings.Join(missing, ", "))
		status = 1
	}
	_ = os.RemoveAll(templates)
	os.Exit(status)
}

// What Pulumi.yaml says of the program: to compile it, and to run the one that `make e2e` has compiled from this work
// tree. Whether a compiled one is up to date takes Go a second of every preview and update.
var compiled, prebuilt = "buildTarget: .bin/program", "binary: " + filepath.Join(root, ".bin/program")

func newProjectIn(t testing.TB, dir string) *project {
	t.Helper()
	p := projectIn(t, dir)
	copyWorkTree(t, p.dir)
	p.replace("Pulumi.yaml", compiled, prebuilt)
	p.git("init", "-q", "-b", "main")
	p.git("config", "user.name", "Dana Developer")
	p.git("config", "user.email", "dana@example.com")
	p.commit("first commit")
	copyFile(t, filepath.Join(root, builtApp), filepath.Join(p.dir, builtApp)) // or every test would build it
	// So that the CLI keeps no logs of its own, which take a tenth of its time.
	p.write("../account/home/logs", "")
	p.ok("pulumi", "stack", "init", "dev")
	return p
}

// copyWorkTree copies what git would commit, without the sandbox and the examples: no project of a user's has them.
func copyWorkTree(t testing.TB, to string) {
	t.Helper()
	list, err := exec.Command("git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	require.NoError(t, err)
	for _, name := range strings.Split(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		if strings.HasPrefix(name, "sandbox/") || strings.HasPrefix(name, "examples/") {
			continue
		}
		if _, err := os.Lstat(filepath.Join(root, name)); err == nil { // not a file that was removed
			copyFile(t, filepath.Join(root, name), filepath.Join(to, name))
		}
	}
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	require.NoError(t, err)
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
	require.NoError(t, os.WriteFile(to, content, info.Mode()))
}
