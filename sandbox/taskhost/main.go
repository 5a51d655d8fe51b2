// Command taskhost is the process of a task's host container: it holds the network that the task's other containers
// join, and answers the task metadata endpoint there. Standard library only: it is the one file of its image.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// address is among the ports that the ECS agent reserves, so no container of a task uses it.
const address = "127.0.0.1:51679"

// metadataVariable has a JSON object: the documents by their paths.
const metadataVariable = "SLIPWAY_TASK_METADATA"

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
	fmt.Println("listening") // which the agent waits for before it starts a container that may ask at once
	// As the first process of its container it gets no signal that it does not ask for.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- http.Serve(listener, handler(documents)) }()
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return err
	}
}

// handler answers with the document that a path has.
func handler(documents map[string]json.RawMessage) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		document, found := documents[r.URL.Path]
		switch {
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
