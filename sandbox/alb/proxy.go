package alb

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	connectTime = 10 * time.Second // that a target may take to accept a connection
	keepTime    = 30 * time.Second // that a connection to a target is kept for the next request
)

// proxies send requests to targets, by the protocol version of their group.
type proxies map[bool]*http.Transport // HTTP/2 or not

func newProxies(idle func() time.Duration) proxies {
	dialer := &net.Dialer{Timeout: connectTime}
	made := proxies{}
	for _, http2 := range []bool{false, true} {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(!http2)
		protocols.SetHTTP2(http2)
		protocols.SetUnencryptedHTTP2(http2)
		made[http2] = &http.Transport{
			Protocols: protocols, DisableCompression: true, MaxIdleConnsPerHost: 100,
			IdleConnTimeout: keepTime,
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // as AWS: a target's certificate is not checked
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				connection, err := dialer.DialContext(ctx, network, address)
				if err != nil {
					return nil, err
				}
				return &idleConn{connection, idle()}, nil
			},
		}
	}
	return made
}

// idleConn breaks where nothing comes or goes for a time: whatever a client and a target have to say goes through it.
type idleConn struct {
	net.Conn
	idle time.Duration
}

func (c *idleConn) Read(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.idle)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *idleConn) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.idle)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// forward sends a request to a target, and its answer back. port is the one that clients of the listener ask.
func (p proxies) forward(w http.ResponseWriter, r *http.Request, group TargetGroup, target Target, port int) {
	proxy := &httputil.ReverseProxy{
		Transport: p[group.ProtocolVersion != "HTTP1"],
		ErrorLog:  log.New(io.Discard, "", 0), // a client that goes away is nobody's error
		Rewrite: func(request *httputil.ProxyRequest) {
			in, out := request.In, request.Out
			out.URL = &url.URL{Scheme: strings.ToLower(group.Protocol),
				Host: net.JoinHostPort(target.Host, strconv.Itoa(target.Port)), Path: in.URL.Path, RawPath: in.URL.RawPath,
				RawQuery: in.URL.RawQuery, ForceQuery: in.URL.ForceQuery}
			out.Host = in.Host
			addHeaders(out.Header, in, port)
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			fmt.Printf("%s %s at %s:%d: %s\n", r.Method, r.URL.Path, target.Host, target.Port, err)
			timeout := net.Error(nil)
			if errors.As(err, &timeout) && timeout.Timeout() {
				refuse(w, http.StatusGatewayTimeout)
			} else {
				refuse(w, http.StatusBadGateway)
			}
		},
	}
	proxy.ServeHTTP(w, r)
}

// addHeaders tells the target of the client.
func addHeaders(header http.Header, in *http.Request, port int) {
	for _, name := range []string{"Forwarded", "X-Forwarded-Host"} { // which a load balancer leaves alone
		if values := in.Header.Values(name); len(values) > 0 {
			header[name] = values
		}
	}
	client, _, err := net.SplitHostPort(in.RemoteAddr)
	if err != nil {
		client = in.RemoteAddr
	}
	header.Set("X-Forwarded-For", strings.Join(append(in.Header.Values("X-Forwarded-For"), client), ", "))
	header.Set("X-Forwarded-Proto", "http")
	if in.TLS != nil {
		header.Set("X-Forwarded-Proto", "https")
	}
	header.Set("X-Forwarded-Port", strconv.Itoa(port))
	if in.Header.Get(traceHeader) == "" {
		header.Set(traceHeader, newTrace(time.Now()))
	}
}

const traceHeader = "X-Amzn-Trace-Id"

// newTrace is the id by which a request is found in logs.
func newTrace(now time.Time) string {
	random := make([]byte, 12)
	_, _ = rand.Read(random) // never fails
	return fmt.Sprintf("Root=1-%08x-%s", now.Unix(), hex.EncodeToString(random))
}
