package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// compose is Docker Compose with a project of the sample app alone.
type compose struct {
	testing.TB
	command       []string
	file, address string
}

// newCompose has the app of a checkout run by Docker Compose; nil where that is not installed.
func newCompose(files *checkout) *compose {
	c := &compose{TB: files.TB, file: filepath.Join(files.TempDir(), "compose.yaml")}
	switch {
	case exec.Command("docker", "compose", "version").Run() == nil:
		c.command = []string{"docker", "compose"}
	case exec.Command("docker-compose", "version").Run() == nil:
		c.command = []string{"docker-compose"}
	default:
		return nil
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(c.TB, err)
	published := free.Addr().String()
	require.NoError(c.TB, free.Close())
	c.address = "http://" + published
	require.NoError(c.TB, os.WriteFile(c.file, fmt.Appendf(nil, "version: \"3\"\nservices:\n  web:\n    build: %s\n"+
		"    ports: [\"%s:8080\"]\n", filepath.Join(files.dir, "app"), published), 0o600))
	c.Cleanup(func() { c.run("down", "--rmi", "local", "--volumes") })
	return c
}

func (c *compose) run(args ...string) {
	c.Helper()
	all := append(append(c.command[1:len(c.command):len(c.command)], "-f", c.file, "-p", "slipway-bench"), args...)
	output, err := exec.Command(c.command[0], all...).CombinedOutput()
	require.NoError(c.TB, err, string(output))
}

// answersWith is how long it takes from now until an address answers with a greeting, while a command runs that is to
// bring that about.
func answersWith(b *testing.B, address, greeting string, command func()) time.Duration {
	b.Helper()
	began, ended := time.Now(), make(chan struct{})
	go func() {
		defer close(ended)
		command()
	}()
	defer func() { <-ended }()
	for time.Since(began) < waitLimit {
		if answer, err := ask(address); err == nil && answer.Greeting == greeting {
			return time.Since(began)
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.Errorf("%s never answered with %q", address, greeting)
	return 0
}

// BenchmarkFromASavedFileToItsAnswer edits the app, whose answer tells, and has both run it. What the app's own
// compiler takes is not in it, as it is the same for both.
func BenchmarkFromASavedFileToItsAnswer(b *testing.B) {
	requireEngine(b)
	p := onEngine(benchProject(b, func(p *project) {
		p.replace("Pulumi.dev.yaml", "      environment:\n        GREETING: \"hello from dev\"\n", "      route: {}\n")
	}))
	p.up("dev")
	address := p.listeners()[80].Address
	other := newCompose(p.checkout)
	dockerfile := p.read("app/Dockerfile")
	for b.Loop() {
		var slipway, compose, whole time.Duration
		for i := range rounds {
			greeting := fmt.Sprint("edit ", i)
			p.editApp(greeting)
			p.write("app/Dockerfile", strings.Replace(dockerfile, "EXPOSE", fmt.Sprintf("ENV GREETING=%q\nEXPOSE", greeting), 1))
			slipway += answersWith(b, address, greeting, func() { whole += p.run(upArgs("dev", "--skip-preview")...).took })
			if other != nil {
				compose += answersWith(b, other.address, greeting, func() { other.run("up", "--build", "-d") })
			}
		}
		b.ReportMetric(slipway.Seconds()/rounds, "s/answer")
		b.ReportMetric(whole.Seconds()/rounds, "s/up")
		if other == nil {
			b.Log("Docker Compose is not installed: there is nothing to compare with")
			continue
		}
		b.ReportMetric(slipway.Seconds()/compose.Seconds(), "times-compose")
		b.ReportMetric(compose.Seconds()/rounds, "s/compose")
	}
}
