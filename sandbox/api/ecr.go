package api

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
)

type imageID struct{ ImageTag, ImageDigest string }

func describeRepositories(a *account.Account, _ string, p struct{ RepositoryNames []string }) (any, error) {
	all, err := a.Objects(ecr.Repository)
	if err != nil {
		return nil, err
	}
	repositories := []object{}
	for _, o := range all {
		name := o["name"].(string)
		if len(p.RepositoryNames) == 0 || slices.Contains(p.RepositoryNames, name) {
			repositories = append(repositories, object{"repositoryName": name, "repositoryArn": o["arn"],
				"repositoryUri": o["repositoryUrl"],
				"registryId":    a.ID, "imageTagMutability": o["imageTagMutability"]})
		}
	}
	if len(repositories) < len(p.RepositoryNames) {
		return nil, &account.Error{Code: "RepositoryNotFoundException",
			Message: "A repository among those named does not exist in the " +
				"registry with id '" + a.ID + "'"}
	}
	return object{"repositories": repositories}, nil
}

// images are those of a repository, oldest first.
func images(a *account.Account, repository string) ([]ecr.Image, error) {
	if _, err := describeRepositories(a, "", struct{ RepositoryNames []string }{[]string{repository}}); err != nil {
		return nil, err
	}
	all, err := ecr.Images(a)
	return slices.DeleteFunc(all, func(i ecr.Image) bool { return i.Repository != repository }), err
}

// imageFilter is what ListImages and DescribeImages can leave out.
type imageFilter struct{ TagStatus string }

func (f imageFilter) takes(tagged bool) bool {
	return f.TagStatus == "" || f.TagStatus == "ANY" || (f.TagStatus == "TAGGED") == tagged
}

// describeImages has one entry per digest, with all of its tags.
func describeImages(a *account.Account, _ string, p struct {
	RepositoryName, NextToken string
	ImageIDs                  []imageID `json:"imageIds"`
	MaxResults                int
	Filter                    imageFilter
}) (any, error) {
	for _, id := range p.ImageIDs {
		if _, err := ecr.FindImage(a, p.RepositoryName, id.ImageTag, id.ImageDigest); err != nil {
			return nil, err
		}
	}
	all, err := images(a, p.RepositoryName)
	if err != nil {
		return nil, err
	}
	details := []object{}
	byDigest := map[string]object{}
	for _, image := range all {
		detail := byDigest[image.Digest]
		if detail == nil {
			detail = object{"registryId": a.ID, "repositoryName": image.Repository, "imageDigest": image.Digest,
				"imageTags":        []string{},
				"imageSizeInBytes": image.Size, "imagePushedAt": account.Seconds(image.PushedAt)}
			byDigest[image.Digest] = detail
			wanted := func(id imageID) bool {
				return id.ImageDigest == image.Digest || id.ImageTag != "" && slices.ContainsFunc(all, func(i ecr.Image) bool {
					return i.Digest == image.Digest && i.Tag == id.ImageTag
				})
			}
			if p.Filter.takes(image.Tag != "") && (len(p.ImageIDs) == 0 || slices.ContainsFunc(p.ImageIDs, wanted)) {
				details = append(details, detail)
			}
		}
		if image.Tag != "" {
			detail["imageTags"] = append(detail["imageTags"].([]string), image.Tag)
		}
	}
	part, next, err := page(details, p.MaxResults, 100, p.NextToken)
	return withNext(object{"imageDetails": part}, next), err
}

func listImages(a *account.Account, _ string, p struct {
	RepositoryName, NextToken string
	MaxResults                int
	Filter                    imageFilter
}) (any, error) {
	all, err := images(a, p.RepositoryName)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(i ecr.Image) bool { return !p.Filter.takes(i.Tag != "") })
	part, next, err := page(all, p.MaxResults, 100, p.NextToken)
	return withNext(object{"imageIds": imageIDs(part)}, next), err
}

// batchGetImage has the manifests of images.
func (b blobs) batchGetImage(a *account.Account, _ string, p struct {
	RepositoryName string
	ImageIDs       []imageID `json:"imageIds"`
}) (any, error) {
	found, failures := []object{}, []object{}
	for _, id := range p.ImageIDs {
		image, err := ecr.FindImage(a, p.RepositoryName, id.ImageTag, id.ImageDigest)
		if account.IsCode(err, "ImageNotFoundException") {
			failures = append(failures, object{"imageId": object{"imageTag": id.ImageTag, "imageDigest": id.ImageDigest},
				"failureCode": "ImageNotFound", "failureReason": "Requested image not found"})
			continue
		}
		if err != nil {
			return nil, err
		}
		manifest, mediaType, err := b.Manifest(image.Digest)
		if err != nil {
			return nil, err
		}
		found = append(found, imageObject(a.ID, image, id.ImageTag, string(manifest), mediaType))
	}
	return object{"images": found, "failures": failures}, nil
}

func imageObject(registryID string, image ecr.Image, tag, manifest, mediaType string) object {
	id := object{"imageDigest": image.Digest}
	if tag != "" {
		id["imageTag"] = tag
	}
	return object{"registryId": registryID, "repositoryName": image.Repository, "imageId": id, "imageManifest": manifest,
		"imageManifestMediaType": mediaType}
}

func (b blobs) putImage(a *account.Account, region string, p struct {
	RepositoryName, ImageManifest, ImageManifestMediaType, ImageTag, ImageDigest string
}) (any, error) {
	if got := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(p.ImageManifest))); p.ImageDigest != "" &&
		got != p.ImageDigest {
		return nil, &account.Error{Code: "ImageDigestDoesNotMatchException",
			Message: "The digest of the manifest is " + got + ", not " + p.ImageDigest}
	}
	if p.ImageTag != "" && !validTag.MatchString(p.ImageTag) {
		return nil, &account.Error{Code: "InvalidParameterException",
			Message: "Invalid parameter at 'imageTag' failed to satisfy constraint: '" +
				p.ImageTag + "'"}
	}
	digest, err := b.PutManifest(region, p.RepositoryName, p.ImageTag, p.ImageManifest, p.ImageManifestMediaType)
	if err != nil {
		return nil, err
	}
	return object{"image": imageObject(a.ID, ecr.Image{Repository: p.RepositoryName, Digest: digest}, p.ImageTag,
		p.ImageManifest,
		p.ImageManifestMediaType)}, nil
}

// validTag is what a registry takes as a tag (https://github.com/opencontainers/distribution-spec/blob/main/spec.md).
var validTag = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)

func imageIDs(all []ecr.Image) []object {
	ids := []object{}
	for _, image := range all {
		id := object{"imageDigest": image.Digest}
		if image.Tag != "" {
			id["imageTag"] = image.Tag
		}
		ids = append(ids, id)
	}
	return ids
}

func batchDeleteImage(a *account.Account, _ string, p struct {
	RepositoryName string
	ImageIDs       []imageID `json:"imageIds"`
}) (any, error) {
	var removed []ecr.Image
	failures := []object{}
	for _, id := range p.ImageIDs {
		fail := func(code, reason string) {
			failures = append(failures, object{"imageId": object{"imageTag": id.ImageTag, "imageDigest": id.ImageDigest},
				"failureCode": code, "failureReason": reason})
		}
		gone, err := ecr.DeleteImage(a, p.RepositoryName, id.ImageTag, id.ImageDigest)
		switch refusal := new(account.Error); {
		case errors.As(err, &refusal) && refusal.Code == "ImageReferencedByManifestList":
			fail(refusal.Code, refusal.Message)
		case err != nil:
			return nil, err
		case len(gone) == 0:
			fail("ImageNotFound", "Requested image not found")
		}
		removed = append(removed, gone...)
	}
	return object{"imageIds": imageIDs(removed), "failures": failures}, nil
}

// registryOf is the account whose registry a request to ECR names: the caller's own where it names none. The
// repositories of another account have to let the caller do the action.
func registryOf(a *account.Account, action string, body []byte) (*account.Account, error) {
	var p struct {
		RegistryID, RepositoryName string
		RepositoryNames            []string
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return nil, account.Refuse("SerializationException", "%s", err)
	}
	a = a.In(cmp.Or(p.RegistryID, a.ID))
	if p.RepositoryName != "" {
		p.RepositoryNames = []string{p.RepositoryName}
	}
	if len(p.RepositoryNames) == 0 && a.ID != a.Caller.Account() {
		return nil, account.Refuse("AccessDeniedException", "User: %s is not authorized to perform: ecr:%s on the registry "+
			"of account %s", a.Caller.ARN, action, a.ID)
	}
	for _, repository := range p.RepositoryNames {
		if err := ecr.Access(a, repository, "ecr:"+action); err != nil {
			return nil, err
		}
	}
	return a, nil
}
