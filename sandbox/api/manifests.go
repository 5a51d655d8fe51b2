package api

import (
	"encoding/base64"
	"net/http"
	"os"
	"regexp"
	"strings"
	"time"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/registry"
)

// blobs are what the registry holds, at this address: manifests, image configurations and layers.
type blobs struct {
	*registry.Registry
	host string
}

// blobPath is where they are on this server. AWS has them in S3.
const blobPath = "/registry/blobs/"

var digestPattern = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func (b blobs) serve(w http.ResponseWriter, r *http.Request) {
	digest := strings.TrimPrefix(r.URL.Path, blobPath)
	if !digestPattern.MatchString(digest) {
		http.NotFound(w, r)
		return
	}
	http.ServeFile(w, r, b.File(digest))
}

// tokenLife is how long a token of ECR's can be used.
const tokenLife = 12 * time.Hour

// getAuthorizationToken is for each registry that is asked for, or else that of the account.
func (b blobs) getAuthorizationToken(a *account.Account, _ string, p struct {
	RegistryIDs []string `json:"registryIds"`
}) (any, error) {
	now, err := a.Now()
	if err != nil {
		return nil, err
	}
	given := ecr.Username + ":" + ecr.Password(a.Caller)
	if len(p.RegistryIDs) == 0 {
		p.RegistryIDs = []string{a.ID}
	}
	data := []object{}
	for _, id := range p.RegistryIDs {
		endpoint, err := b.In(a.In(id)).Endpoint()
		if err != nil {
			return nil, err
		}
		data = append(data, object{"authorizationToken": base64.StdEncoding.EncodeToString([]byte(given)),
			"expiresAt": account.Seconds(now.Add(tokenLife)), "proxyEndpoint": endpoint})
	}
	return object{"authorizationData": data}, nil
}

// getDownloadURLForLayer is for a manifest's configuration, too, as with AWS.
func (b blobs) getDownloadURLForLayer(a *account.Account, _ string,
	p struct{ RepositoryName, LayerDigest string }) (any, error) {
	if _, err := images(a, p.RepositoryName); err != nil {
		return nil, err
	}
	if _, err := os.Stat(b.File(p.LayerDigest)); err != nil || !digestPattern.MatchString(p.LayerDigest) {
		return nil, &account.Error{Code: "LayersNotFoundException", Message: "The layer with digest '" + p.LayerDigest +
			"' was not found in the repository with name '" + p.RepositoryName + "'."}
	}
	return object{"downloadUrl": "http://" + b.host + blobPath + p.LayerDigest, "layerDigest": p.LayerDigest}, nil
}

// batchCheckLayerAvailability tells which layers a repository has.
func (b blobs) batchCheckLayerAvailability(_ *account.Account, _ string, p struct {
	RepositoryName string
	LayerDigests   []string
}) (any, error) {
	layers := []object{}
	for _, digest := range p.LayerDigests {
		held, err := b.Holds(p.RepositoryName, digest)
		if err != nil {
			return nil, err
		}
		availability := "UNAVAILABLE"
		if held {
			availability = "AVAILABLE"
		}
		layers = append(layers, object{"layerDigest": digest, "layerAvailability": availability})
	}
	return object{"layers": layers, "failures": []object{}}, nil
}
