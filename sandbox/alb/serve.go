package alb

import (
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

// idleTime is how long a client may be silent between two requests, and before the headers of one are complete.
const idleTime = time.Minute

// Serve answers clients until there is an error.
func (b *Balancer) Serve(l net.Listener) error {
	settings := &tls.Config{GetCertificate: b.certificateFor, NextProtos: []string{"h2", "http/1.1"}}
	server := &http.Server{Handler: b, ReadHeaderTimeout: idleTime, IdleTimeout: idleTime, TLSConfig: settings}
	return server.Serve(&clients{l, b, settings})
}

// clients are the connections of clients, over TLS where the listener's protocol is HTTPS at that moment.
type clients struct {
	net.Listener
	balancer *Balancer
	settings *tls.Config
}

func (c *clients) Accept() (net.Conn, error) {
	connection, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c.balancer.mu.Lock()
	defer c.balancer.mu.Unlock()
	if c.balancer.listener.Protocol == "HTTPS" {
		return tls.Server(connection, c.settings), nil
	}
	return connection, nil
}
