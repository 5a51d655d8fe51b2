package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/internal/registries/registrytest"
)

// example is one of the examples, in a copy of slipway, with its tasks on the engine. One whose main.go is slipway's
// own runs the program that `make e2e` has compiled.
func example(t *testing.T, name string) *containerProject {
	t.Helper()
	requireEngine(t)
	of := newProject(t)
	directory := filepath.Join(of.dir, "examples", name)
	require.NoError(t, os.CopyFS(directory, os.DirFS(filepath.Join(root, "examples", name))))
	p := onEngine(of.in(directory))
	p.env = []string{"SANDBOX_STRICT="} // some declare what the sandbox records
	if p.read("main.go") == of.read("main.go") {
		p.replace("Pulumi.yaml", compiled, prebuilt)
	}
	p.commit("The example " + name)
	p.ok("pulumi", "stack", "init", "dev")
	return p
}

// port is that of the load balancer's HTTP listener on this machine.
func (p *containerProject) port() string {
	p.Helper()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(p.listeners()[80].Address, "http://"))
	require.NoError(p.TB, err)
	return port
}

func TestTheExampleOfADatabase(t *testing.T) {
	t.Parallel()
	p := example(t, "database")
	p.refused([]string{"database:databasePassword"}, "pulumi", "preview", "--stack", "dev")
	p.ok("pulumi", "config", "set", "--stack", "dev", "--secret", "databasePassword", "hunter2")
	p.commit("A password")
	u := p.up("dev")
	require.NotContains(t, u.output, "hunter2")
	require.Regexp(t, `(?s)migrate .*has ended with exit code 0`, u.output, "the migration ran before the service")
	answer := p.answer(p.browser(), "http://127.0.0.1:"+p.port()+"/")
	for _, says := range []string{"hello from dev", "DATABASE_HOST", "DATABASE_PASSWORD"} {
		require.Contains(t, answer, says)
	}
	require.Regexp(t, `^database-dev\.[0-9a-f]{12}\.ap-northeast-2\.rds\.amazonaws\.com$`,
		p.aws.container("database-dev-web:1").Environment()["DATABASE_HOST"])
	require.Equal(t, "hunter2", p.aws.secretValues("database-dev-web:1")["DATABASE_PASSWORD"])
	require.Empty(t, p.up("dev").changed())
}

func TestTheExampleOfAQueue(t *testing.T) {
	t.Parallel()
	p := example(t, "queue")
	p.up("dev")
	require.Contains(t, p.answer(p.browser(), "http://127.0.0.1:"+p.port()+"/"), "ORDERS_URL")
	require.Equal(t, []string{"sqs:SendMessage"}, p.aws.statements("queue-dev-api-task")["0"].Action)
	require.Equal(t, []string{"sqs:ReceiveMessage", "sqs:DeleteMessage"},
		p.aws.statements("queue-dev-worker-task")["0"].Action)
	require.Empty(t, p.up("dev").changed())
}

func TestTheExampleOfAReport(t *testing.T) {
	t.Parallel()
	p := example(t, "report")
	p.up("dev")
	require.Contains(t, p.ok("slipway", "run", "dev", "report").stdout, "this morning's report")
	require.Contains(t, p.ok("slipway", "status", "dev").stdout, "Asia/Seoul")
}

func TestTheExampleOfServicesBehindOneLoadBalancer(t *testing.T) {
	t.Parallel()
	p := example(t, "services")
	p.refused([]string{"images.docs.ref (Pulumi.dev.yaml)", "slipway pin dev"}, "pulumi", "preview", "--stack", "dev")
	registry := registrytest.Serve(t, "", "")
	docs := registry.PushImage(t, "nginx/nginx-unprivileged", "1.29", appForPlatforms(t))
	p.replace("Pulumi.dev.yaml", "public.ecr.aws", registry.Host)
	p.replace("Pulumi.yaml", "route: {hosts: [docs.example.com]}",
		"route: {hosts: [docs.example.com]}\n          environment: {GREETING: the pages}")
	p.ok("slipway", "pin", "dev")
	require.Contains(t, p.read("Pulumi.dev.yaml"), docs.Digest)
	p.commit("The pages' image by its digest")
	p.up("dev")
	for host, says := range map[string]string{"shop": "the shop", "api": "the API", "docs": "the pages"} {
		require.Contains(t, p.answer(p.browser(), "http://"+host+".example.com.localhost:"+p.port()+"/"), says)
	}
}
