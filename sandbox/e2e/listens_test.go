package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// listener is as `sandbox ps --json` prints it.
type listener struct {
	LoadBalancer, Protocol, Address string
	Port                            int
	Hosts                           []string
}

func (p *containerProject) listeners() (byPort map[int]listener) {
	p.Helper()
	output, err := p.aws.sandbox("ps", "--json").Output()
	require.NoError(p.TB, err)
	var all struct{ Listeners []listener }
	require.NoError(p.TB, json.Unmarshal(output, &all))
	byPort = map[int]listener{}
	for _, l := range all.Listeners {
		byPort[l.Port] = l
	}
	return byPort
}

// browser asks as a browser does: names below localhost are this machine, and who the account trusts is trusted.
func (p *containerProject) browser() *http.Client {
	p.Helper()
	roots := x509.NewCertPool()
	if authority, err := os.ReadFile(filepath.Join(p.aws.dir, "ca.pem")); err == nil {
		require.True(p.TB, roots.AppendCertsFromPEM(authority))
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return new(net.Dialer).DialContext(ctx, network, "127.0.0.1:"+port)
		}}
	p.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 30 * time.Second}
}

// answer is the body of an answer, after redirects.
func (p *containerProject) answer(client *http.Client, url string) string {
	p.Helper()
	response, err := client.Get(url)
	if err != nil { // on a slow machine a listener may begin after the command that has made it
		p.ok("true")
		response, err = client.Get(url)
	}
	require.NoError(p.TB, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(p.TB, err)
	return string(body)
}

func TestTheLoadBalancerAnswersOnThisMachine(t *testing.T) {
	t.Parallel()
	p := withContainers(t)
	p.replace("Pulumi.dev.yaml", `        GREETING: "hello from dev"`+"\n", `        GREETING: "hello from dev"
      route: {hosts: [shop.example.com], paths: ["/"], deregistrationDelay: 1}
    api:
      image: web
      port: 8080
      environment: {GREETING: "hello from api"}
      route: {hosts: ["*.api.example.com"], deregistrationDelay: 1}
`)
	p.up("dev")
	client := p.browser()
	http80 := p.listeners()[80]
	require.Len(t, p.listeners(), 1)
	require.Regexp(t, `^http://127\.0\.0\.1:2\d{4}$`, http80.Address)
	_, port, err := net.SplitHostPort(http80.Address[len("http://"):])
	require.NoError(t, err)
	require.Equal(t, []string{"http://shop.example.com.localhost:" + port}, http80.Hosts)
	shown, err := p.aws.sandbox("ps").Output()
	require.NoError(t, err)
	require.Contains(t, string(shown), http80.Address+" "+http80.Hosts[0])
	for url, want := range map[string]string{http80.Hosts[0]: `"hello from dev"`,
		"http://eu.api.example.com.localhost:" + port + "/": `"hello from api"`,
		http80.Hosts[0] + "/other":                          "no such service", http80.Address: "no such service"} {
		require.Contains(t, p.answer(client, url), want, url)
	}

	// With HTTPS the earlier address leads there, and both stay.
	p.stageKeys(`slipway:loadBalancer: {certificate: "arn:aws:acm:ap-northeast-2:123456789012:certificate/` +
		`12345678-1234-1234-1234-123456789012"}`)
	p.up("dev")
	client = p.browser()
	listeners := p.listeners()
	require.Equal(t, http80, listeners[80])
	require.Regexp(t, `^https://127\.0\.0\.1:2\d{4}$`, listeners[443].Address)
	response, err := client.Get(http80.Hosts[0] + "/?a=b")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, []any{200, listeners[443].Hosts[0] + "/?a=b"}, []any{response.StatusCode,
		response.Request.URL.String()})

	// Containers that somebody removes come back at the same address.
	identity, err := p.aws.open().Identity()
	require.NoError(t, err)
	docker(t, append([]string{"rm", "-f"}, docker(t, "ps", "-aq", "--filter", "label=slipway.sandbox.account="+identity,
		"--filter", "label=slipway.sandbox.listener")...)...)
	p.ok("true")
	require.Equal(t, listeners, p.listeners())
	require.Contains(t, p.answer(client, listeners[443].Hosts[0]), `"hello from dev"`)

	p.stageKeys("slipway:repository: {forceDelete: true}")
	p.up("dev")
	p.ok("pulumi", "destroy", "--stack", "dev", "--yes", "--non-interactive", "--skip-preview")
	p.holds(0)
	require.Empty(t, p.listeners())
}

func TestNoRequestFailsWhileVersionsAndCapacityComeAndGo(t *testing.T) {
	t.Parallel()
	p := withContainers(t)
	p.replace("Pulumi.dev.yaml", "replicas: 1", "replicas: 2")
	p.replace("Pulumi.dev.yaml", `        GREETING: "hello from dev"`+"\n",
		`        GREETING: "hello from dev"`+"\n      route: {deregistrationDelay: 10}\n")
	p.up("dev")
	address := p.listeners()[80].Address
	versions := []string{"hello from dev", "one", "two", "three"}
	crowd := newCrowd(p, address)
	for i, version := range versions[1:] {
		p.replace("Pulumi.dev.yaml", versions[i], version)
		p.up("dev")
	}
	p.replace("Pulumi.dev.yaml", "replicas: 2", "replicas: 2\n      capacity: {spot: 1}")
	p.up("dev")
	require.Equal(t, []string{"FARGATE_SPOT", "FARGATE_SPOT"}, p.onCapacity())
	p.replace("Pulumi.dev.yaml", "capacity: {spot: 1}", "capacity: {onDemand: 1}")
	p.up("dev")
	require.Equal(t, []string{"FARGATE", "FARGATE"}, p.onCapacity())
	require.ElementsMatch(t, versions, crowd.end(5000), "each version, and nothing else")
	require.Equal(t, "three", crowd.last())
	require.Equal(t, address, p.listeners()[80].Address)
}

// crowd are clients that go on asking an address.
type crowd struct {
	testing.TB
	asking  sync.WaitGroup
	mu      sync.Mutex
	answers []string // greetings, in the order in which they came, or what went wrong
	enough  int
}

func newCrowd(p *containerProject, address string) *crowd {
	c := &crowd{TB: p.TB, enough: math.MaxInt}
	p.Cleanup(func() { // where the test has failed before the end
		c.leaveAt(0)
		c.asking.Wait()
	})
	client := p.browser()
	for range 4 {
		c.asking.Go(func() {
			for c.asks(client, address) {
				time.Sleep(time.Millisecond)
			}
		})
	}
	return c
}

// asks asks once, and reports whether to go on.
func (c *crowd) asks(client *http.Client, address string) bool {
	greeting := func() string {
		response, err := client.Get(address)
		if err != nil {
			return err.Error()
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		var answer description
		if err := errors.Join(err, json.Unmarshal(body, &answer)); err != nil {
			return fmt.Sprint(response.Status, " ", err, ": ", string(body))
		}
		return answer.Greeting
	}()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.answers = append(c.answers, greeting)
	return len(c.answers) < c.enough
}

func (c *crowd) leaveAt(enough int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enough = enough
}

// end waits until so many requests have been answered, and returns each different answer.
func (c *crowd) end(enough int) (answers []string) {
	c.Helper()
	c.leaveAt(enough)
	c.asking.Wait()
	c.Logf("%d requests", len(c.answers))
	return slices.Compact(slices.Sorted(slices.Values(c.answers)))
}

func (c *crowd) last() string { return c.answers[len(c.answers)-1] }
