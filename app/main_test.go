package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestAnswer(t *testing.T) {
	t.Parallel()
	env := parse([]string{"STAGE=dev", "GREETING=hello = from dev", "DATABASE_URL=postgres://user:hunter2@db", "EMPTY="})
	recorder := httptest.NewRecorder()
	handler(env, image{Reference: "web:1", ID: "sha256:ab"}).ServeHTTP(recorder, httptest.NewRequest("GET", "/", nil))

	body := recorder.Body.String()
	if strings.Contains(body, "hunter2") {
		t.Errorf("shows the value of a secret: %s", body)
	}
	var got answer
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	want := answer{
		Stage:     "dev",
		Greeting:  "hello = from dev",
		Image:     image{Reference: "web:1", ID: "sha256:ab"},
		Variables: []string{"DATABASE_URL", "EMPTY", "GREETING", "STAGE"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if kind := recorder.Header().Get("Content-Type"); kind != "application/json" {
		t.Errorf("content type %q", kind)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for request, want := range map[string]int{
		"GET /":        http.StatusOK,
		"GET /health":  http.StatusOK,
		"HEAD /health": http.StatusOK,
		"POST /":       http.StatusMethodNotAllowed,
		"GET /other":   http.StatusNotFound,
	} {
		method, path, _ := strings.Cut(request, " ")
		recorder := httptest.NewRecorder()
		handler(nil, image{}).ServeHTTP(recorder, httptest.NewRequest(method, path, nil))
		if recorder.Code != want {
			t.Errorf("%s: status %d, want %d", request, recorder.Code, want)
		}
	}
}

func TestOwnImage(t *testing.T) {
	t.Parallel()
	unknown := image{Reference: "unknown"}
	for name, test := range map[string]struct {
		status  int
		body    string
		want    image
		wantErr string
	}{
		"the container's own image": {
			status: 200,
			body:   `{"Image": "web:1", "ImageID": "sha256:ab", "Labels": {"com.amazonaws.ecs.cluster": "c", "tag": "1"}}`,
			want:   image{Reference: "web:1", ID: "sha256:ab", Labels: map[string]string{"tag": "1"}},
		},
		"an endpoint that fails":            {status: 500, want: unknown, wantErr: "500"},
		"an answer that is not JSON":        {status: 200, body: "<html>", want: unknown, wantErr: "task metadata"},
		"an answer that names no container": {status: 200, body: "{}", want: unknown, wantErr: "no image"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(test.status)
				_, _ = io.WriteString(w, test.body)
			}))
			defer endpoint.Close()
			got, err := ownImage(t.Context(), endpoint.URL)
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, want %+v", got, test.want)
			}
			if (err == nil) != (test.wantErr == "") || err != nil && !strings.Contains(err.Error(), test.wantErr) {
				t.Errorf("error %v, want %q", err, test.wantErr)
			}
		})
	}
	if got, err := ownImage(t.Context(), ""); !reflect.DeepEqual(got, unknown) || err != nil {
		t.Errorf("outside of ECS: got %+v, %v", got, err)
	}
}

// lines hands every log line over as it is written.
type lines struct {
	mutex sync.Mutex
	all   bytes.Buffer
	next  chan string
}

func (l *lines) Write(line []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.all.Write(line)
	l.next <- string(line)
	return len(line), nil
}

func TestServeUntilTold(t *testing.T) {
	t.Parallel()
	output := &lines{next: make(chan string, 10)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- serve(ctx, slog.New(slog.NewJSONHandler(output, nil)),
			map[string]string{"PORT": "0", "STAGE": "dev", "TOKEN": "hunter2"})
	}()

	var started struct{ Msg, Stage, Image, Address string }
	select {
	case line := <-output.next:
		if err := json.Unmarshal([]byte(line), &started); err != nil {
			t.Fatal(err)
		}
	case err := <-done:
		t.Fatal(err)
	}
	if started.Msg != "started" || started.Stage != "dev" || started.Image != "unknown" {
		t.Errorf("start line %+v", started)
	}
	response, err := http.Get("http://localhost" + started.Address[strings.LastIndex(started.Address, ":"):] + "/health")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("health: %s", response.Status)
	}

	cancel()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("stopping: %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("still serving after it was told to stop")
	}
	output.mutex.Lock()
	defer output.mutex.Unlock()
	if strings.Contains(output.all.String(), "hunter2") {
		t.Errorf("logs the value of a secret: %s", output.all.String())
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	port := other.URL[strings.LastIndex(other.URL, ":")+1:]
	// The other server listens on one address of this port, which is enough to refuse all of them.
	if err := serve(t.Context(), slog.New(slog.DiscardHandler), map[string]string{"PORT": port}); err == nil {
		t.Error("serves on a port that is in use")
	}
}

func TestDescriptionIsWhatTheServiceAnswers(t *testing.T) {
	t.Parallel()
	env := map[string]string{"STAGE": "dev", "GREETING": "hello", "TOKEN": "hunter2"}
	recorder := httptest.NewRecorder()
	handler(env, image{Reference: "unknown"}).ServeHTTP(recorder, httptest.NewRequest("GET", "/", nil))
	var printed bytes.Buffer
	if err := printDescription(t.Context(), slog.New(slog.DiscardHandler), env, &printed); err != nil {
		t.Fatal(err)
	}
	if printed.String() != recorder.Body.String() {
		t.Errorf("printed %s, answered %s", printed.String(), recorder.Body.String())
	}
}

func TestHealthCheck(t *testing.T) {
	t.Parallel()
	healthy := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/health" {
			t.Errorf("asked for %s", r.URL.Path)
		}
		w.WriteHeader(healthy)
	}))
	env := map[string]string{"PORT": server.URL[strings.LastIndex(server.URL, ":")+1:]}
	if err := checkHealth(t.Context(), env); err != nil {
		t.Error(err)
	}
	healthy = http.StatusServiceUnavailable
	if err := checkHealth(t.Context(), env); err == nil {
		t.Error("a service that is not healthy passes")
	}
	server.Close()
	if err := checkHealth(t.Context(), env); err == nil {
		t.Error("a service that does not answer passes")
	}
}
