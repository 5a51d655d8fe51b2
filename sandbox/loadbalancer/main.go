// Command loadbalancer is the process of a listener's container: it answers as the listener of an Application Load
// Balancer does. Standard library only: it is the one file of its image.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"slipway/sandbox/alb"
)

// headerTime is how long the agent may take to send the headers of a request.
const headerTime = time.Minute

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "loadbalancer:", err)
		os.Exit(1)
	}
}

func run() error {
	balancer := alb.New()
	settings, err := net.Listen("tcp", fmt.Sprint(":", alb.ControlPort))
	if err != nil {
		return err
	}
	clients, err := net.Listen("tcp", ":"+os.Getenv(alb.PortVariable))
	if err != nil {
		return err
	}
	// As the first process of its container it gets no signal that it does not ask for.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ended := make(chan error, 2)
	go func() {
		ended <- (&http.Server{Handler: balancer.Control(os.Getenv(alb.TokenVariable)),
			ReadHeaderTimeout: headerTime}).Serve(settings)
	}()
	go func() { ended <- balancer.Serve(clients) }()
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return err
	}
}
