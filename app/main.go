// Command app is the sample service that the stages deploy. It answers with the stage it is in, the environment it
// was given and the image it runs as.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// drain is how long open requests may take after SIGTERM. ECS kills a task 20 seconds after that signal, unless its
// stopTimeout says otherwise, so the service ends well before.
const drain = 15 * time.Second

func main() {
	describe := flag.Bool("describe", false, "print what GET / would answer, and end: a task that runs once")
	healthCheck := flag.Bool("healthcheck", false,
		"ask the service in this container whether it is healthy, and end with status 0 or 1")
	flag.Parse()
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	var err error
	switch env := parse(os.Environ()); {
	case *describe:
		err = printDescription(ctx, log, env, os.Stdout)
	case *healthCheck:
		err = checkHealth(ctx, env)
	default:
		err = serve(ctx, log, env)
	}
	if err != nil {
		log.Error("stopped", "error", err.Error())
		os.Exit(1)
	}
}

// port is the environment's PORT, 8080 unless given.
func port(env map[string]string) string {
	if port := env["PORT"]; port != "" {
		return port
	}
	return "8080"
}

// printDescription prints what the service would answer.
func printDescription(ctx context.Context, log *slog.Logger, env map[string]string, to io.Writer) error {
	image, err := ownImage(ctx, env["ECS_CONTAINER_METADATA_URI_V4"])
	if err != nil {
		log.Warn("image unknown", "error", err.Error())
	}
	return describe(env, image).write(to)
}

// checkHealth asks the service that runs in the same container. An image from scratch has no other client.
func checkHealth(ctx context.Context, env map[string]string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:"+port(env)+"/health", nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the service answers %s", response.Status)
	}
	return nil
}

// serve answers on the environment's PORT until ctx is done, then lets open requests end.
func serve(ctx context.Context, log *slog.Logger, env map[string]string) error {
	listener, err := net.Listen("tcp", ":"+port(env))
	if err != nil {
		return err
	}
	image, err := ownImage(ctx, env["ECS_CONTAINER_METADATA_URI_V4"])
	if err != nil {
		log.Warn("image unknown", "error", err.Error())
	}
	server := &http.Server{Handler: handler(env, image), ReadHeaderTimeout: 5 * time.Second}
	log.Info("started", "stage", env["STAGE"], "address", listener.Addr().String(), "image", image.Reference)

	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping", "stage", env["STAGE"])
	grace, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		return err
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
