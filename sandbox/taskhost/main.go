// Command taskhost is the process of a task's host container: it holds the network that the task's other containers
// join, keeps the names that they can call, and answers the task metadata endpoint there. What asks for credentials, or
// for the account's APIs, it hands on to the agent. Standard library only: it is the one file of its image.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"slipway/sandbox/tunnel"
)

// Addresses, for the task's containers and for the agent, are at ports that ECS's agent reserves: no container of a
// task uses them.
const (
	address      = "127.0.0.1:51679"
	agentAddress = ":51680"
)

const (
	metadataVariable = "SLIPWAY_TASK_METADATA" // has a JSON object: the documents by their paths
	tokenVariable    = "SLIPWAY_AGENT_TOKEN"   // has what the agent says when it connects
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "taskhost:", err)
		os.Exit(1)
	}
}

func run() error {
	var documents map[string]json.RawMessage
	if err := json.Unmarshal([]byte(os.Getenv(metadataVariable)), &documents); err != nil {
		return fmt.Errorf("%s: %w", metadataVariable, err)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	outside, err := net.Listen("tcp", agentAddress)
	if err != nil {
		return err
	}
	agent := tunnel.NewInside(os.Getenv(tokenVariable))
	fmt.Println("listening") // which the agent waits for before it starts a container that may ask at once
	// As the first process of its container it gets no signal that it does not ask for.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ended := make(chan error, 2)
	go func() { ended <- http.Serve(listener, handler(documents, agent)) }()
	go func() { ended <- agent.Accept(outside) }()
	go followNames(ctx, agent, hostsFile)
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return err
	}
}

// handler answers with the document that a path has, and has the agent answer what is its own.
func handler(documents map[string]json.RawMessage, agent http.RoundTripper) http.Handler {
	handOn := &httputil.ReverseProxy{Transport: agent,
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: "agent"}) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "the account answers while `sandbox exec` or `sandbox watch` runs: "+err.Error(),
				http.StatusServiceUnavailable)
		}}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		document, found := documents[r.URL.Path]
		switch {
		case strings.HasPrefix(r.URL.Path, "/agent/"):
			handOn.ServeHTTP(w, r)
		case r.Method != http.MethodGet:
			http.Error(w, "the sandbox only answers GET", http.StatusMethodNotAllowed)
		case !found:
			http.Error(w, "the sandbox has no metadata at "+r.URL.Path, http.StatusNotFound)
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(document) // who asked may have gone
		}
	})
}
