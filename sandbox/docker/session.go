package docker

import (
	"context"
	"net"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth"
	"github.com/moby/moby/client"
	"google.golang.org/grpc"

	"slipway/sandbox/registry"
)

// openSession lets BuildKit ask for passwords of registries until close is called: as with the official provider, the
// image's own, and else those that Docker's configuration file has. An engine that takes no session (Podman's, say)
// builds without.
func openSession(ctx context.Context, docker *client.Client, own registry.Credentials) (id string, end func(),
	err error) {
	asked, err := session.NewSession(ctx, "")
	if err != nil {
		return "", nil, err
	}
	asked.Allow(&passwords{own: own})
	go func() {
		_ = asked.Run(ctx, func(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
			return docker.DialHijack(ctx, "/session", proto, meta)
		})
	}()
	return asked.ID(), func() { _ = asked.Close() }, nil
}

type passwords struct {
	auth.UnimplementedAuthServer
	own registry.Credentials
}

func (p *passwords) Register(server *grpc.Server) { auth.RegisterAuthServer(server, p) }

// dockerHub is where BuildKit asks Docker Hub, whose passwords are kept under an older name.
const dockerHub = "registry-1.docker.io"

func (p *passwords) Credentials(ctx context.Context, asked *auth.CredentialsRequest) (*auth.CredentialsResponse,
	error) {
	if asked.Host == p.own.Server {
		return &auth.CredentialsResponse{Username: p.own.Username, Secret: p.own.Password}, nil
	}
	host := asked.Host
	if host == dockerHub {
		host = name.DefaultRegistry
	}
	registry, err := name.NewRegistry(host)
	if err != nil {
		return nil, err
	}
	kept, err := authn.Resolve(ctx, authn.DefaultKeychain, registry)
	if err != nil {
		return nil, err
	}
	config, err := authn.Authorization(ctx, kept)
	if err != nil {
		return nil, err
	}
	if config.IdentityToken != "" { // which BuildKit takes from a user without a name
		return &auth.CredentialsResponse{Secret: config.IdentityToken}, nil
	}
	return &auth.CredentialsResponse{Username: config.Username, Secret: config.Password}, nil
}
