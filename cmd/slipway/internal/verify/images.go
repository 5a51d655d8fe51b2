package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/exit"
	"slipway/internal/imageref"
	"slipway/stage"
)

// checkImages looks for the images that the stage pins, and for the repositories of those that it builds.
func (v *verifier) checkImages() {
	for _, name := range slices.Sorted(maps.Keys(v.stage.Images)) {
		image := v.stage.Images[name]
		if image.Ref == nil {
			v.add("image", v.stage.Where("images", name, "build"), func(ctx context.Context) (string, error) {
				return v.repositoryOf(ctx, name)
			})
			continue
		}
		v.add("image", v.stage.Where("images", name, "ref"), func(ctx context.Context) (string, error) {
			if image.Mirror {
				return v.copiedImage(ctx, name, image)
			}
			return v.pinnedImage(ctx, *image.Ref, image.Platform)
		})
	}
}

func (v *verifier) repositoryOf(ctx context.Context, image string) (string, error) {
	name := v.stage.RepositoryName(image)
	_, err := v.ECR.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{name}})
	if awsreader.IsCode(err, "RepositoryNotFoundException") {
		return "", noted("is built by the update, which makes its repository %s, too", name)
	}
	return "is built by the update, for the repository " + name, err
}

func (v *verifier) pinnedImage(ctx context.Context, ref stage.Ref, platform string) (string, error) {
	if !ref.In(v.Account, v.Region) {
		return v.elsewhere(ctx, ref, platform, otherPlatform(platform))
	}
	found, err := v.findImage(ctx, ref.Repository, ecrtypes.ImageIdentifier{ImageDigest: &ref.Digest})
	if err != nil {
		return "", err
	}
	if found == nil {
		return "", exit.Refuse("%s is not in ECR: pin an image that the repository %s holds", ref, ref.Repository)
	}
	if !slices.Contains(found.ImageTags, ref.Tag) {
		return "", exit.Refuse("the image %s does not carry the tag %s, but %s: pin tag and digest of one image",
			ref.Digest, ref.Tag, console.OrNone(found.ImageTags))
	}
	return v.runsOn(ctx, ref.Tag, ref.Repository, ref.Digest, platform, otherPlatform(platform))
}

// runsOn says that an image is there, or what to do where it is for another platform than its tasks.
func (v *verifier) runsOn(ctx context.Context, name, repository, digest, platform, otherwise string) (string, error) {
	platforms, err := v.platforms(ctx, repository, digest)
	if err == nil && !slices.Contains(platforms, platform) {
		err = exit.Refuse("the image is for %s, and its tasks run on %s: %s", console.OrNone(platforms), platform, otherwise)
	}
	return fmt.Sprintf("%s is there, for %s", name, platform), err
}

// findImage describes an image in ECR; nil where there is none.
func (v *verifier) findImage(ctx context.Context, repository string,
	id ecrtypes.ImageIdentifier) (*ecrtypes.ImageDetail, error) {
	answer, err := v.ECR.DescribeImages(ctx, &ecr.DescribeImagesInput{RepositoryName: &repository,
		ImageIds: []ecrtypes.ImageIdentifier{id}})
	if awsreader.IsCode(err, "ImageNotFoundException", "RepositoryNotFoundException") || err == nil &&
		len(answer.ImageDetails) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &answer.ImageDetails[0], nil
}

// manifestTypes are those of images, and of indexes of images for several platforms.
var manifestTypes = []string{
	"application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json",
	"application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json",
}

type platform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
}

func (p platform) String() string { return p.OS + "/" + p.Architecture }

// platforms are what an image runs on: the entries of an index, or what the configuration of a single image says.
func (v *verifier) platforms(ctx context.Context, repository, digest string) ([]string, error) {
	answer, err := v.ECR.BatchGetImage(ctx, &ecr.BatchGetImageInput{RepositoryName: &repository,
		ImageIds: []ecrtypes.ImageIdentifier{{ImageDigest: &digest}}, AcceptedMediaTypes: manifestTypes})
	if err != nil {
		return nil, err
	}
	if len(answer.Images) == 0 {
		return nil, fmt.Errorf("ECR has the image %s, and no manifest of it; try again", digest)
	}
	found, config, err := readManifest(aws.ToString(answer.Images[0].ImageManifest))
	if err != nil {
		return nil, fmt.Errorf("the manifest of %s: %w", digest, err)
	}
	if config == "" {
		return found, nil
	}
	var said platform
	if err := v.blob(ctx, repository, config, &said); err != nil {
		return nil, err
	}
	return []string{said.String()}, nil
}

// readManifest returns the platforms of an index, or the digest of the configuration that tells that of a single image.
func readManifest(text string) (platforms []string, config string, err error) {
	var manifest struct {
		Config    struct{ Digest string }
		Manifests []struct{ Platform platform }
	}
	err = json.Unmarshal([]byte(text), &manifest)
	for _, entry := range manifest.Manifests {
		if entry.Platform.OS != "unknown" { // an attestation
			platforms = append(platforms, entry.Platform.String())
		}
	}
	return platforms, manifest.Config.Digest, err
}

const largestConfig = 8 << 20 // of an image

// blob reads a JSON document of a repository.
func (v *verifier) blob(ctx context.Context, repository, digest string, into any) error {
	answer, err := v.ECR.GetDownloadUrlForLayer(ctx, &ecr.GetDownloadUrlForLayerInput{RepositoryName: &repository,
		LayerDigest: &digest})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, aws.ToString(answer.DownloadUrl), nil)
	if err != nil {
		return err
	}
	response, err := v.HTTP.Do(request)
	if signed := (*url.Error)(nil); errors.As(err, &signed) { // its address lets whoever has it download
		err = signed.Err
	}
	if err != nil {
		return fmt.Errorf("downloading %s from ECR: %w", digest, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("downloading %s from ECR: %s; try again", digest, response.Status)
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, largestConfig)).Decode(into); err != nil {
		return fmt.Errorf("the image configuration %s: %w", digest, err)
	}
	return nil
}

// checkReferences looks for the images that containers name by themselves, and not by a name in images.
func (v *verifier) checkReferences() {
	for _, user := range v.stage.TaskDefinitions() {
		definition := v.stage.TaskDefinition(user)
		for _, name := range slices.Sorted(maps.Keys(definition.Containers)) {
			image := definition.Containers[name].Image
			if _, declared := v.stage.Images[image]; !declared {
				v.add("image", v.stage.WhereDefined(user, "containers", name, "image"), func(ctx context.Context) (string, error) {
					return v.referencedImage(ctx, image, v.stage.Images[definition.Image].Platform)
				})
			}
		}
	}
}

func (v *verifier) referencedImage(ctx context.Context, text, platform string) (string, error) {
	repository, id := v.inECR(text)
	if id == nil {
		image, err := imageref.Parse(text)
		if err != nil {
			return "", err
		}
		return v.elsewhere(ctx, image, platform, "name an image that is built for "+platform)
	}
	found, err := v.findImage(ctx, repository, *id)
	if err != nil {
		return "", err
	}
	if found == nil {
		return "", exit.Refuse("%s is not in ECR: name an image that the repository %s holds", text, repository)
	}
	return v.runsOn(ctx, text, repository, aws.ToString(found.ImageDigest), platform,
		"name an image that is built for "+platform)
}

// checkRevisions looks for the revisions that services are pinned to.
func (v *verifier) checkRevisions() {
	for _, name := range slices.Sorted(maps.Keys(v.stage.Services)) {
		if number := v.stage.Services[name].Revision; number != 0 {
			v.add("revision", v.stage.Where("services", name, "revision"), func(ctx context.Context) (string, error) {
				return v.pinnedRevision(ctx, fmt.Sprintf("%s:%d", v.stage.Family(name), number))
			})
		}
	}
}

func (v *verifier) pinnedRevision(ctx context.Context, name string) (string, error) {
	found, err := v.Revision(ctx, name)
	if err != nil {
		return "", err
	}
	if found == nil {
		return "", exit.Refuse("there is no revision %s: name one that `aws ecs list-task-definitions --family-prefix %s` lists",
			name, name[:strings.LastIndex(name, ":")])
	}
	if !found.Active {
		return "", exit.Refuse("%s is INACTIVE, and ECS starts no tasks of it: name an ACTIVE revision", name)
	}
	for _, container := range found.Definition.ContainerDefinitions {
		there, err := v.imageThere(ctx, aws.ToString(container.Image))
		if err != nil {
			return "", err
		}
		if !there {
			return "", exit.Refuse("the image of its container %s, %s, is no longer in ECR: name a revision whose image is there",
				aws.ToString(container.Name), aws.ToString(container.Image))
		}
	}
	return path.Base(found.ARN) + " is ACTIVE, and its images are there", nil
}

// imageThere tells whether an image that a container names is in ECR. Those of other registries and accounts cannot be
// looked for, and are taken to be there.
func (v *verifier) imageThere(ctx context.Context, text string) (bool, error) {
	repository, id := v.inECR(text)
	if id == nil {
		return true, nil
	}
	found, err := v.findImage(ctx, repository, *id)
	return found != nil, err
}

// inECR tells where an image is in the ECR of the stage's account and region; nil where it is elsewhere.
func (v *verifier) inECR(text string) (repository string, id *ecrtypes.ImageIdentifier) {
	image, stored := imageref.ParseECRIn(v.Account, v.Region, text)
	switch {
	case !stored:
		return "", nil
	case image.Digest != "":
		return image.Repository, &ecrtypes.ImageIdentifier{ImageDigest: &image.Digest}
	}
	return image.Repository, &ecrtypes.ImageIdentifier{ImageTag: &image.Tag}
}
