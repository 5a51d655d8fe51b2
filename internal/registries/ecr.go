package registries

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"slipway/internal/imageref"
)

// Own tells whether an image is in the ECR of the stage's account and region.
func (r *Registries) Own(image imageref.Ref) bool { return image.In(r.Account, r.Region) }

// Has tells whether the stage's own ECR has an image, by its digest, or by its tag where it has none.
func (r *Registries) Has(ctx context.Context, image imageref.Ref) (bool, error) {
	found, err := r.describe(ctx, image.Repository, idOf(image))
	return found != nil, err
}

// lookInOwn looks for an image in the stage's own ECR: one call where it is an index, and two more for the
// configuration of a single image, and no login. Where it has a tag and a digest, both have to be those of one image.
// It may be there, and its platforms not be readable: then the error is a Warning.
func (r *Registries) lookInOwn(ctx context.Context, image imageref.Ref) (*Image, error) {
	found, tag, errRead := r.read(ctx, image)
	if errRead == nil && (image.Tag == "" || tag == image.Tag) {
		return found, nil
	}
	described, err := r.describe(ctx, image.Repository, idOf(image))
	switch {
	case err != nil:
		return nil, err
	case described == nil:
		return nil, &Refusal{image.String() + " is not in ECR", "name an image that the repository " + image.Repository +
			" holds"}
	case image.Tag != "" && !slices.Contains(described.ImageTags, image.Tag):
		return nil, &Refusal{fmt.Sprintf("the image %s does not carry the tag %s, but %s", image.Digest, image.Tag,
			cmp.Or(strings.Join(described.ImageTags, ", "), "none")), "pin tag and digest of one image"}
	case errRead != nil:
		return nil, &Warning{"it is not known what " + image.String() + " runs on", errRead}
	}
	return found, nil
}

// read reads the manifest of an image, and tells by which tag ECR found it.
func (r *Registries) read(ctx context.Context, image imageref.Ref) (found *Image, tag string, err error) {
	clients, err := r.Clients(ctx)
	if err != nil {
		return nil, "", err
	}
	id := idOf(image)
	if image.Tag != "" {
		id.ImageTag = &image.Tag
	}
	answer, err := clients.ECR.BatchGetImage(ctx, &ecr.BatchGetImageInput{RepositoryName: &image.Repository,
		ImageIds: []ecrtypes.ImageIdentifier{id}, AcceptedMediaTypes: manifestTypes})
	if err != nil {
		return nil, "", err
	}
	if len(answer.Images) == 0 {
		return nil, "", errors.New("ECR gives no manifest of it")
	}
	its := answer.Images[0]
	platforms, err := platformsOf([]byte(aws.ToString(its.ImageManifest)), func(digest string) ([]byte, error) {
		return download(ctx, clients.ECR, image.Repository, digest)
	})
	if its.ImageId == nil {
		return &Image{image.Digest, platforms}, "", err
	}
	return &Image{aws.ToString(its.ImageId.ImageDigest), platforms}, aws.ToString(its.ImageId.ImageTag), err
}

// manifestTypes are those of images, and of indexes of images for several platforms.
var manifestTypes = []string{string(types.OCIManifestSchema1), string(types.DockerManifestSchema2),
	string(types.OCIImageIndex), string(types.DockerManifestList)}

func idOf(image imageref.Ref) ecrtypes.ImageIdentifier {
	if image.Digest != "" {
		return ecrtypes.ImageIdentifier{ImageDigest: &image.Digest}
	}
	return ecrtypes.ImageIdentifier{ImageTag: &image.Tag}
}

// describe describes an image in the stage's own ECR; nil where there is none.
func (r *Registries) describe(ctx context.Context, repository string, id ecrtypes.ImageIdentifier) (
	*ecrtypes.ImageDetail, error) {
	clients, err := r.Clients(ctx)
	if err != nil {
		return nil, err
	}
	answer, err := clients.ECR.DescribeImages(ctx, &ecr.DescribeImagesInput{RepositoryName: &repository,
		ImageIds: []ecrtypes.ImageIdentifier{id}})
	switch {
	case errors.As(err, new(*ecrtypes.RepositoryNotFoundException)), errors.As(err, new(*ecrtypes.ImageNotFoundException)):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("looking for it in %s: %w", repository, err)
	case len(answer.ImageDetails) == 0:
		return nil, nil
	}
	return &answer.ImageDetails[0], nil
}

const largestConfig = 8 << 20 // of an image

// download reads an image's configuration, to which ECR gives an address.
func download(ctx context.Context, client *ecr.Client, repository, digest string) ([]byte, error) {
	answer, err := client.GetDownloadUrlForLayer(ctx, &ecr.GetDownloadUrlForLayerInput{RepositoryName: &repository,
		LayerDigest: &digest})
	if err != nil {
		return nil, err
	}
	var response *http.Response
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, aws.ToString(answer.DownloadUrl), nil)
	if err == nil {
		response, err = client.Options().HTTPClient.Do(request)
	}
	if signed := (*url.Error)(nil); errors.As(err, &signed) { // its address lets whoever has it download
		err = signed.Err
	}
	if err != nil {
		return nil, fmt.Errorf("downloading %s from ECR: %w", digest, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("downloading %s from ECR: %s", digest, response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, largestConfig))
}
