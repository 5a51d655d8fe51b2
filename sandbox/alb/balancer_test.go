package alb

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// settings are those of a listener, as the account has them.
func settings(t *testing.T, text string) (l Listener) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &l))
	return l
}

// says is a target group whose one target answers with a text.
func says(t *testing.T, text string) TargetGroup {
	t.Helper()
	return group(target(t, text, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }))
}

func group(targets ...Target) TargetGroup {
	return TargetGroup{Protocol: "HTTP", ProtocolVersion: "HTTP1", Targets: targets}
}

func target(t *testing.T, task string, handler http.HandlerFunc) Target {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return targetAt(t, task, server.Listener.Addr().String())
}

func targetAt(t *testing.T, task, address string) Target {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	number, err := strconv.Atoi(port)
	require.NoError(t, err)
	return Target{Task: task, Host: host, Port: number}
}

// forwards is a listener that forwards everything to a group.
func forwards(to TargetGroup) Listener {
	return Listener{Protocol: "HTTP", Port: 80, TargetGroups: map[string]TargetGroup{"all": to},
		DefaultActions: []Action{{Type: "forward", TargetGroupARN: "all"}}}
}

// serving is a balancer that listens.
func serving(t *testing.T, l Listener) (*Balancer, *httptest.Server) {
	t.Helper()
	b := New()
	b.Set(l)
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	return b, server
}

// asks is the status and the body of what a client is answered, who follows no redirect.
func asks(t *testing.T, server *httptest.Server, change func(*http.Request)) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	if change != nil {
		change(request)
	}
	response, err := server.Client().Transport.RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}

func TestWhatATargetIsTold(t *testing.T) {
	t.Parallel()
	var got *http.Request
	l := forwards(group(target(t, "one", func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.Header().Set("Server", "mine")
		w.Header().Add("Set-Cookie", "own=1")
	})))
	l.LocalPorts = map[int]int{80: 20080}
	_, server := serving(t, l)
	response, _ := asks(t, server, func(r *http.Request) {
		r.Host, r.URL.Path, r.URL.RawPath, r.URL.RawQuery = "shop.example.com.localhost:20080", "/a/b", "/a%2Fb", "c;d=%zz"
		r.Header.Set("X-Forwarded-For", "192.0.2.1")
		r.Header.Set("X-Forwarded-Proto", "gopher")
		r.Header.Set("X-Forwarded-Host", "other")
	})
	require.Equal(t, "mine", response.Header.Get("Server"))
	require.Equal(t, "shop.example.com.localhost:20080", got.Host)
	require.Equal(t, "/a%2Fb?c;d=%zz", got.RequestURI)
	for name, want := range map[string]string{"X-Forwarded-For": "192.0.2.1, 127.0.0.1", "X-Forwarded-Proto": "http",
		"X-Forwarded-Port": "20080", "X-Forwarded-Host": "other", "Accept-Encoding": "gzip"} {
		require.Equal(t, want, got.Header.Get(name), name)
	}
	require.Regexp(t, `^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`, got.Header.Get("X-Amzn-Trace-Id"))
}

func TestTargetsThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, gone.Close())
	for name, c := range map[string]struct {
		to   TargetGroup
		want int
	}{
		"no healthy target": {group(), 503},
		"nothing listens":   {group(targetAt(t, "gone", gone.Addr().String())), 502},
		"nonsense": {group(target(t, "odd", func(w http.ResponseWriter, _ *http.Request) {
			connection, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = io.WriteString(connection, "what?\r\n")
				_ = connection.Close()
			}
		})), 502},
		"silence": {group(target(t, "silent", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })), 504},
		"HTTP/1.1 where a group speaks HTTP/2": {TargetGroup{ProtocolVersion: "HTTP2",
			Targets: []Target{{Task: "x"}}}, 464},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := forwards(c.to)
			l.IdleTimeout = 1
			_, server := serving(t, l)
			response, _ := asks(t, server, nil)
			require.Equal(t, c.want, response.StatusCode)
			require.Equal(t, "awselb/2.0", response.Header.Get("Server"))
		})
	}
}

func TestTargetsTakeTurnsAndClientsStickToThem(t *testing.T) {
	t.Parallel()
	all := group()
	for _, name := range []string{"one", "two", "three"} {
		all.Targets = append(all.Targets, says(t, name).Targets...)
	}
	b, server := serving(t, forwards(all))
	count := map[string]int{}
	for range 30 {
		_, body := asks(t, server, nil)
		count[body]++
	}
	require.Equal(t, map[string]int{"one": 10, "two": 10, "three": 10}, count)

	all.Stickiness.Enabled, all.Stickiness.Type, all.Stickiness.CookieDuration = true, "lb_cookie", 60
	b.Set(forwards(all))
	response, first := asks(t, server, nil)
	require.Len(t, response.Cookies(), 2)
	require.Equal(t, []string{"AWSALB", "AWSALBCORS"}, []string{response.Cookies()[0].Name, response.Cookies()[1].Name})
	again := func() string {
		_, body := asks(t, server, func(r *http.Request) { r.AddCookie(response.Cookies()[0]) })
		return body
	}
	for range 5 {
		require.Equal(t, first, again())
	}
	others := all
	others.Targets = nil
	for _, target := range all.Targets {
		if target.Task != first {
			others.Targets = append(others.Targets, target)
		}
	}
	b.Set(forwards(others))
	require.NotEqual(t, first, again(), "the target is gone")
}

func TestGroupsGetRequestsByTheirWeights(t *testing.T) {
	t.Parallel()
	l := settings(t, `{"defaultActions": [{"type": "forward", "forward": {"stickiness": {"enabled": true, "duration": 60},
		"targetGroups": [{"arn": "a", "weight": 1}, {"arn": "b", "weight": 1}, {"arn": "c", "weight": 0}]}}]}`)
	l.TargetGroups = map[string]TargetGroup{"a": says(t, "a"), "b": says(t, "b"), "c": says(t, "c")}
	_, server := serving(t, l)
	count := map[string]int{}
	for range 100 {
		response, body := asks(t, server, nil)
		count[body]++
		_, again := asks(t, server, func(r *http.Request) { r.AddCookie(response.Cookies()[0]) })
		require.Equal(t, body, again)
	}
	require.Positive(t, count["a"])
	require.Positive(t, count["b"])
	require.Zero(t, count["c"])
}

func TestARequestUnderWayEndsAtATargetThatIsDeregistered(t *testing.T) {
	t.Parallel()
	came, goes := make(chan struct{}), make(chan struct{})
	slow := target(t, "old", func(w http.ResponseWriter, _ *http.Request) {
		close(came)
		<-goes
		_, _ = io.WriteString(w, "old")
	})
	b, server := serving(t, forwards(group(slow)))
	answered := make(chan string)
	go func() {
		response, err := server.Client().Get(server.URL)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer response.Body.Close()
		body, _ := io.ReadAll(response.Body)
		answered <- string(body)
	}()
	<-came
	b.Set(forwards(says(t, "new")))
	require.Equal(t, map[string]int{"old": 1}, b.UnderWay())
	_, body := asks(t, server, nil)
	require.Equal(t, "new", body)
	close(goes)
	require.Equal(t, "old", <-answered)
	require.Eventually(t, func() bool { return len(b.UnderWay()) == 0 }, 10*time.Second, time.Millisecond)
}

func TestAnUpgradedConnectionGoesBothWays(t *testing.T) {
	t.Parallel()
	_, server := serving(t, forwards(group(target(t, "chat", func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "websocket", r.Header.Get("Upgrade"))
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
		w.WriteHeader(http.StatusSwitchingProtocols)
		connection, stream, err := http.NewResponseController(w).Hijack()
		if err == nil {
			line, _ := stream.ReadString('\n')
			_, _ = io.WriteString(connection, "echo "+line)
			_ = connection.Close()
		}
	}))))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	request.Header.Set("Upgrade", "websocket")
	request.Header.Set("Connection", "Upgrade")
	response, err := server.Client().Transport.RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, 101, response.StatusCode)
	stream := response.Body.(io.ReadWriter)
	_, err = fmt.Fprintln(stream, "hello")
	require.NoError(t, err)
	answer, err := io.ReadAll(stream)
	require.NoError(t, err)
	require.Equal(t, "echo hello\n", string(answer))
}

func TestOnlyTheAgentChangesSettings(t *testing.T) {
	t.Parallel()
	b := New()
	control := httptest.NewServer(b.Control("secret"))
	t.Cleanup(control.Close)
	put := func(token, body string) int {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, control.URL, strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Authorization", token)
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		return response.StatusCode
	}
	require.Equal(t, 403, put("", `{}`))
	require.Equal(t, 403, put("other", `{}`))
	require.Equal(t, 400, put("secret", `{`))
	require.Equal(t, 200, put("secret", `{"Protocol": "HTTPS"}`))
	require.Equal(t, "HTTPS", b.listener.Protocol)
}
