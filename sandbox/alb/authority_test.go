package alb

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHTTPSHasACertificateForTheHostThatIsAskedFor(t *testing.T) {
	t.Parallel()
	authority, err := NewAuthority()
	require.NoError(t, err)
	l := forwards(group(http2Target(t)))
	l.TargetGroups["all"] = TargetGroup{Protocol: "HTTP", ProtocolVersion: "HTTP2", Targets: l.TargetGroups["all"].Targets}
	l.Protocol, l.Authority = "HTTPS", authority
	b := New()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = b.Serve(listener) }()
	t.Cleanup(func() { _ = listener.Close() })
	b.Set(l)
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM([]byte(authority.Certificate)))
	client := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true,
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", listener.Addr().String())
		}}}
	for _, host := range []string{"127.0.0.1", "localhost", "shop.example.com.localhost"} {
		response, err := client.Get("https://" + host + "/")
		require.NoError(t, err, host)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, errors.Join(err, response.Body.Close()))
		require.Equal(t, "HTTP/2.0 https", string(body), "a request over HTTP/2 goes on as such")
	}
	_, err = client.Get("https://bank.example.com/")
	require.ErrorContains(t, err, "not permitted", "the authority is for names of this machine alone")
}

// http2Target speaks HTTP/2 without TLS, as a container does.
func http2Target(t *testing.T) Target {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto+" "+r.Header.Get("X-Forwarded-Proto"))
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	return targetAt(t, "http2", server.Listener.Addr().String())
}
