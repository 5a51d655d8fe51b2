package registries

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"slipway/internal/imageref"
)

// Login is where a registry answers, and as whom it is asked.
type Login struct {
	name.Registry
	authn.Authenticator
}

// Login logs in to the registry of an image: to ECR as the account, to another one with the credentials that there are
// for it, or as nobody.
func (r *Registries) Login(ctx context.Context, image imageref.Ref) (*Login, error) {
	if image.Account != "" {
		return r.inECR(ctx, image)
	}
	host, err := name.NewRegistry(image.Host)
	if err != nil {
		return nil, err
	}
	if r.Credentials[image.Host] == "" {
		return &Login{host, authn.Anonymous}, nil
	}
	login, err := r.secret(ctx, image.Host)
	return &Login{host, login}, err
}

// inECR asks ECR for the address of the registry that holds an image, and for a password.
func (r *Registries) inECR(ctx context.Context, image imageref.Ref) (*Login, error) {
	clients, err := r.Clients(ctx)
	if err != nil {
		return nil, err
	}
	// The answer has the address of another account's registry only where that is asked for.
	answer, err := clients.ECR.GetAuthorizationToken(ctx,
		&ecr.GetAuthorizationTokenInput{RegistryIds: []string{image.Account}},
		func(o *ecr.Options) { o.Region = image.Region })
	if err != nil {
		return nil, fmt.Errorf("logging in to %s: %w", image.Host, err)
	}
	if len(answer.AuthorizationData) == 0 {
		return nil, errors.New("logging in to " + image.Host + ": the answer of ECR has no password")
	}
	given := answer.AuthorizationData[0]
	login, err := base64.StdEncoding.DecodeString(aws.ToString(given.AuthorizationToken))
	user, password, split := strings.Cut(string(login), ":")
	if err != nil || !split {
		return nil, errors.New("logging in to " + image.Host + ": the password that ECR gives cannot be read")
	}
	endpoint, err := url.Parse(aws.ToString(given.ProxyEndpoint))
	if err != nil || endpoint.Host == "" {
		return nil, errors.New("logging in to " + image.Host + ": the address that ECR gives cannot be read")
	}
	var options []name.Option
	if endpoint.Scheme == "http" {
		options = append(options, name.Insecure)
	}
	host, err := name.NewRegistry(endpoint.Host, options...)
	return &Login{host, &authn.Basic{Username: user, Password: password}}, err
}

// secret reads the name and password of a registry that is not ECR. Its error holds nothing of them.
func (r *Registries) secret(ctx context.Context, host string) (authn.Authenticator, error) {
	where := "registries" + fmt.Sprintf("[%q].credentials", host)
	clients, err := r.Clients(ctx)
	if err != nil {
		return nil, err
	}
	id := r.Credentials[host]
	read, err := clients.Secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if errors.As(err, new(*types.ResourceNotFoundException)) {
		return nil, &Refusal{Says: "the secret of " + where + " is not in Secrets Manager",
			Advice: "make it with `aws secretsmanager create-secret`, or correct the ARN"}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the secret of %s: %w", where, err)
	}
	var login struct{ Username, Password string }
	if json.Unmarshal([]byte(aws.ToString(read.SecretString)), &login) != nil || login.Username == "" ||
		login.Password == "" {
		return nil, &Refusal{Says: "the secret of " + where + ` does not hold {"username": "…", "password": "…"}`,
			Advice: "write it so"}
	}
	return &authn.Basic{Username: login.Username, Password: login.Password}, nil
}
