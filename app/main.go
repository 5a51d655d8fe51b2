// Command app is the sample service that the stages deploy. It answers with the stage it is in, the environment it
// was given and the image it runs as.
package main

import (
	"context"
	"errors"
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
	log := slog.New(slog.NewJSONHandler(os.Stdout, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := serve(ctx, log, os.Environ()); err != nil {
		log.Error("stopped", "error", err.Error())
		os.Exit(1)
	}
}

// serve answers on the environment's PORT (8080 unless given) until ctx is done, then lets open requests end.
func serve(ctx context.Context, log *slog.Logger, environ []string) error {
	env := parse(environ)
	port := env["PORT"]
	if port == "" {
		port = "8080"
	}
	listener, err := net.Listen("tcp", ":"+port)
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
