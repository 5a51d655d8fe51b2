package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// withCaller adds a task call, whose one argument is an address: it prints what that answers.
func withCaller(p *containerProject) {
	p.Helper()
	withProgram(p, "caller")
	p.stageKeys("slipway:tasks: {call: {image: caller}}")
}

// withProgram gives stage dev an image of a program in testdata, under its name.
func withProgram(p *containerProject, name string) {
	p.Helper()
	require.NoError(p.TB, os.Mkdir(filepath.Join(p.dir, name), 0o755))
	p.write(name+"/Dockerfile", "FROM scratch\nCOPY "+name+" /"+name+"\nENTRYPOINT [\"/"+name+"\"]\n")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o",
		filepath.Join(p.dir, name, name), "./testdata/"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	output, err := build.CombinedOutput()
	require.NoError(p.TB, err, string(output))
	p.replace("Pulumi.dev.yaml", "  slipway:images:\n", "  slipway:images:\n    "+name+": {build: {context: "+name+"}}\n")
}

func TestContainersReachALoadBalancerByItsName(t *testing.T) {
	t.Parallel()
	p := withContainers(t)
	withCaller(p)
	p.replace("Pulumi.dev.yaml", `        GREETING: "hello from dev"`+"\n",
		`        GREETING: "hello from dev"`+"\n      route: {}\n")
	p.up("dev")
	var balancer struct{ DNSName string }
	require.NoError(t, json.Unmarshal([]byte(p.ok("pulumi", "stack", "output", "loadBalancer", "--stack", "dev",
		"--json").stdout), &balancer))
	name := balancer.DNSName
	called := p.ok("slipway", "run", "dev", "call", "--", "http://"+name+"/")
	require.Contains(t, called.stdout, "200 OK")
	require.Contains(t, called.stdout, "hello from dev")

	p.stageKeys("slipway:loadBalancer: {allowFrom: [203.0.113.0/24]}")
	p.up("dev")
	refused := p.run("slipway", "run", "dev", "call", "--", "http://"+name+"/")
	require.Equal(t, 1, refused.status, "no rule of its security group lets the task in")
	require.NotContains(t, refused.stdout, "hello from dev")
}

func TestServicesCallEachOtherByName(t *testing.T) {
	t.Parallel()
	p := withContainers(t)
	withCaller(p)
	client := func(name string, keys ...string) {
		p.replace("Pulumi.dev.yaml", "  slipway:services:\n", "  slipway:services:\n    "+name+":\n      image: caller\n"+
			"      command: [\"http://backend:8080/\", again]\n      "+strings.Join(keys, "\n      ")+"\n")
	}
	client("stranger", "stopTimeout: 2")
	client("client", "calls: [web]", "stopTimeout: 2")
	p.serviceKeys("name: backend", "appProtocol: http")
	p.up("dev")
	log := func(service string) string { return p.ok("slipway", "logs", "dev", service).stdout }
	require.Eventually(t, func() bool { return strings.Contains(log("client"), "hello from dev") }, time.Minute,
		time.Second)
	require.Contains(t, log("stranger"), "backend")
	require.NotContains(t, log("stranger"), "200 OK", "who does not say whom it calls, calls nobody")
	p.settled("dev")

	// A name that is taken away is one that nobody is called by.
	p.replace("Pulumi.dev.yaml", "      calls: [web]\n", "")
	p.replace("Pulumi.dev.yaml", "      name: backend\n      appProtocol: http\n", "")
	u := p.up("dev")
	require.NotContains(t, u.output, "aws:ecs:Service web replacing")
	require.False(t, p.aws.web().Settings.Connection.Enabled)
	require.NotContains(t, p.aws.container("slipway-dev-web:2")["portMappings"].([]any)[0], "appProtocol")
	p.settled("dev")
}

func TestARevisionFromBeforeANameIsNotPinned(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("name: backend")
	p.commit("A name")
	p.up("dev")
	before := p.read("Pulumi.dev.yaml")
	p.refused([]string{"services.web: revision ", "has no port 8080 named backend, by which others call the service now: go " +
		"back without --pin"}, "slipway", "rollback", "dev", "--pin")
	require.Equal(t, before, p.read("Pulumi.dev.yaml"), "nothing is written")
}

// Security groups and others have the port of the stage file.
func TestARevisionWithAnotherPortIsNotPinned(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("port: 9090")
	p.commit("Another port")
	p.up("dev")
	p.refused([]string{"services.web: revision 1 does not listen on port 9090, at which the service is reached now: go back " +
		"without --pin"}, "slipway", "rollback", "dev", "--pin")
	p.serviceKeys("revision: 1")
	preview := p.preview("dev")
	require.NotZero(t, preview.status)
	require.Contains(t, preview.output, "services.web.revision (Pulumi.dev.yaml): the task definition slipway-dev-web:1 does "+
		"not listen on port 9090, at which the service is reached: write the port of that revision as services.web.port")
}

// ECS keeps Service Connect where it is left out, and the preflight could not see that it is there.
func TestCallsThatCouldNotBeSwitchedOffAreNoSuccess(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.replace("Pulumi.dev.yaml", "  slipway:services:\n", "  slipway:services:\n"+
		"    api: {image: web, port: 8080, name: backend}\n")
	p.serviceKeys("calls: [api]")
	p.up("dev")
	p.replace("Pulumi.dev.yaml", "      calls: [api]\n", "")
	p.aws.setFaults(map[string]string{"api-fault": "DescribeServices=hang:1"})
	u := p.tryUp("dev")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "services.web.name: ECS has the service as one that calls others, and has no name, and "+
		"the stage has neither name nor calls for it any more")
	p.up("dev")
	require.False(t, p.aws.web().Settings.Connection.Enabled)
	p.settled("dev")
}

// A deployment that only lets a service call others goes back to the same revision.
func TestCallsThatECSRollsBackAreNoSuccess(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.replace("Pulumi.dev.yaml", "  slipway:services:\n", "  slipway:services:\n"+
		"    api: {image: web, port: 8080, name: backend}\n")
	p.up("dev")
	p.serviceKeys("calls: [api]")
	p.aws.setFaults(map[string]string{"failing-tasks": "*"})
	u := p.tryUp("dev")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "services.web.name: ECS has the service without Service Connect, and the stage asks for "+
		"it as one that calls others, and has no name: a deployment failed")
	p.aws.setFaults(nil)
	p.replace("Pulumi.dev.yaml", "      calls: [api]\n", "")
	p.up("dev")
	p.serviceKeys("calls: [api]")
	p.up("dev")
	require.True(t, p.aws.web().Settings.Connection.Enabled)
	p.settled("dev")
}
