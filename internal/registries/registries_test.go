package registries

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/internal/awsclient/awstest"
	"slipway/internal/imageref"
	"slipway/internal/registries/registrytest"
)

const secretARN = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:registry-a1b2c3"

func registries(t *testing.T, answers map[string][]string, credentials map[string]string) *Registries {
	t.Helper()
	account := awstest.Account(t, answers)
	return &Registries{Account: account.ID, Region: account.Region, Clients: account.Clients, Credentials: credentials}
}

func TestAnImageTellsItsDigestAndPlatforms(t *testing.T) {
	t.Parallel()
	registry := registrytest.Serve(t, "", "")
	for tag, platforms := range map[string][]string{
		"one":   {"linux/arm64"},
		"index": {"linux/amd64", "linux/arm64", "unknown/unknown"},
	} {
		ref := registry.Push(t, "team/web", tag, platforms...)
		byTag := ref
		byTag.Digest = ""
		for _, asked := range []imageref.Ref{ref, byTag} {
			found, err := registries(t, nil, nil).Look(t.Context(), asked)
			require.NoError(t, err)
			require.Equal(t, &Image{ref.Digest, platforms[:min(2, len(platforms))]}, found)
		}
	}
}

func TestPasswordsComeFromTheSecretOfTheRegistry(t *testing.T) {
	t.Parallel()
	registry := registrytest.Serve(t, "robot", "hunter2")
	ref := registry.Push(t, "team/web", "one", "linux/amd64")
	look := func(secret string, credentials map[string]string) error {
		_, err := registries(t, map[string][]string{"GetSecretValue": {secret}}, credentials).Look(t.Context(), ref)
		return err
	}
	known := map[string]string{registry.Host: secretARN}
	holds := func(text string) string { return fmt.Sprintf(`200 {"SecretString": %q}`, text) }

	require.NoError(t, look(holds(`{"username": "robot", "password": "hunter2"}`), known))
	for want, err := range map[string]error{
		"may not be read without a password (UNAUTHORIZED: who are you): where it is private, write registries[": look("", nil),
		"may not be read with the name and password of registries[": look(
			holds(`{"username": "robot", "password": "other"}`), known),
		`does not hold {"username": "…", "password": "…"}: write it so`: look(holds("hunter2"), known),
		"not authorized to read the secret: let whoever asks, in account 123456789012, do so": look(
			`400 {"__type": "AccessDeniedException", "message": "not authorized to read the secret"}`, known),
		"is not in Secrets Manager: make it with `aws secretsmanager create-secret`, or correct the ARN": look(
			`400 {"__type": "ResourceNotFoundException", "message": "no such secret"}`, known),
	} {
		require.ErrorContains(t, err, want)
		require.ErrorAs(t, err, new(*Refusal))
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func TestECRIsAskedAsTheAccount(t *testing.T) {
	t.Parallel()
	registry := registrytest.Serve(t, "AWS", "token")
	ecr := func(login string) map[string][]string {
		return map[string][]string{"GetAuthorizationToken": {fmt.Sprintf(
			`200 {"authorizationData": [{"authorizationToken": %q, "proxyEndpoint": "http://%s"}]}`,
			base64.StdEncoding.EncodeToString([]byte(login)), registry.Host)}}
	}
	ref := registry.Push(t, "team/web", "one", "linux/amd64")
	ref.Host, ref.Account, ref.Region = imageref.ECRHost("210987654321", "eu-west-1"), "210987654321", "eu-west-1"
	found, err := registries(t, ecr("AWS:token"), nil).Look(t.Context(), ref)
	require.NoError(t, err)
	require.Equal(t, ref.Digest, found.Digest)

	_, err = registries(t, ecr("AWS:other"), nil).Look(t.Context(), ref)
	require.EqualError(t, err, ref.String()+" may not be read by account 123456789012 (UNAUTHORIZED: who are you): write "+
		`repository.readers: ["123456789012"] in the file of the stage in account 210987654321 that it belongs to, and `+
		"update that one; where that is so, the role that asks needs ecr:BatchGetImage on the repository")
	require.ErrorAs(t, err, new(*Refusal))
}

func TestWhatIsNotThereAndWhatCannotBeReached(t *testing.T) {
	t.Parallel()
	host := registrytest.Serve(t, "", "").Host
	_, err := registries(t, nil, nil).Look(t.Context(), imageref.Ref{Host: host, Repository: "team/web", Tag: "two"})
	require.ErrorContains(t, err, host+"/team/web:two is not there (NAME_UNKNOWN: Unknown name): name an image that the "+
		"registry holds")
	require.ErrorAs(t, err, new(*Refusal))

	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	_, err = registries(t, nil, nil).Look(t.Context(), imageref.Ref{Host: strings.TrimPrefix(gone.URL, "http://"),
		Repository: "team/web", Tag: "one"})
	require.Error(t, err)
	require.False(t, errors.As(err, new(*Refusal)), "%s", err)
}
