// Package tunnel has a process inside a container ask one outside, which no container could reach by itself: the one
// outside connects, and then answers over that connection. Standard library only: it is in the image of taskhost.
package tunnel

import (
	"context"
	"crypto/subtle"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	waitTime  = 2 * time.Second // that a request waits for somebody who answers
	tokenTime = 5 * time.Second // that who connects has to say who it is
)

// Inside is the end inside the container.
type Inside struct {
	Token string // which who answers has to know

	waiting chan net.Conn // the newest connection that no request has gone over yet
	http    *http.Transport
}

// NewInside is an end that nobody is connected to yet.
func NewInside(token string) *Inside {
	in := &Inside{Token: token, waiting: make(chan net.Conn, 1)}
	in.http = &http.Transport{Protocols: http2(), DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, waitTime)
		defer cancel()
		select {
		case connection := <-in.waiting:
			return connection, nil
		case <-ctx.Done():
			return nil, errors.New("nobody is there")
		}
	}}
	return in
}

// http2 carries any number of requests over the one connection.
func http2() *http.Protocols {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return protocols
}

// RoundTrip has a request answered outside.
func (in *Inside) RoundTrip(r *http.Request) (*http.Response, error) { return in.http.RoundTrip(r) }

// Accept takes connections from outside until there is an error.
func (in *Inside) Accept(l net.Listener) error {
	for {
		connection, err := l.Accept()
		if err != nil {
			return err
		}
		go in.take(connection)
	}
}

func (in *Inside) take(connection net.Conn) {
	_ = connection.SetDeadline(time.Now().Add(tokenTime)) // a broken connection says so when it is read
	given := make([]byte, len(in.Token)+1)
	_, err := io.ReadFull(connection, given)
	if err != nil || subtle.ConstantTimeCompare(given, []byte(in.Token+"\n")) != 1 {
		_ = connection.Close()
		return
	}
	_ = connection.SetDeadline(time.Time{})
	for {
		select {
		case in.waiting <- connection:
			return
		case earlier := <-in.waiting: // whose other end may have gone
			_ = earlier.Close()
		}
	}
}

// Answer connects to the end inside, and answers what is asked there until the connection ends, or ctx does.
func Answer(ctx context.Context, address, token string, handler http.Handler) error {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	ended, end := context.WithCancel(ctx)
	defer end()
	watched := &watchedConn{connection, end}
	defer watched.Close()
	if _, err := io.WriteString(connection, token+"\n"); err != nil {
		return err
	}
	server := &http.Server{Handler: handler, Protocols: http2(), ReadHeaderTimeout: time.Minute}
	defer server.Close()
	go func() { _ = server.Serve(&once{connection: watched, ended: ended}) }() // ends with the connection
	<-ended.Done()
	return nil
}

// watchedConn tells when it is closed.
type watchedConn struct {
	net.Conn
	end func()
}

func (c *watchedConn) Close() error {
	c.end()
	return c.Conn.Close()
}

// once is a listener with one connection.
type once struct {
	connection net.Conn
	ended      context.Context
}

func (o *once) Accept() (net.Conn, error) {
	if connection := o.connection; connection != nil {
		o.connection = nil
		return connection, nil
	}
	<-o.ended.Done()
	return nil, net.ErrClosed
}

func (o *once) Close() error { return nil }

func (o *once) Addr() net.Addr { return &net.TCPAddr{} }
