package api

import (
	"slices"

	"slipway/sandbox/account"
)

type imageID struct{ ImageTag, ImageDigest string }

func describeRepositories(a *account.Account, _ string, p struct{ RepositoryNames []string }) (any, error) {
	all, err := a.Objects(account.Repository)
	if err != nil {
		return nil, err
	}
	repositories := []object{}
	for _, o := range all {
		name := o["name"].(string)
		if len(p.RepositoryNames) == 0 || slices.Contains(p.RepositoryNames, name) {
			repositories = append(repositories, object{"repositoryName": name, "repositoryArn": o["arn"], "repositoryUri": o["repositoryUrl"],
				"registryId": account.ID, "imageTagMutability": o["imageTagMutability"]})
		}
	}
	if len(repositories) < len(p.RepositoryNames) {
		return nil, &account.Error{Code: "RepositoryNotFoundException", Message: "A repository among those named does not exist in the " +
			"registry with id '" + account.ID + "'"}
	}
	return object{"repositories": repositories}, nil
}

// images are those of a repository, oldest first.
func images(a *account.Account, repository string) ([]account.Image, error) {
	if _, err := describeRepositories(a, "", struct{ RepositoryNames []string }{[]string{repository}}); err != nil {
		return nil, err
	}
	all, err := a.Images()
	return slices.DeleteFunc(all, func(i account.Image) bool { return i.Repository != repository }), err
}

// describeImages has one entry per digest, with all of its tags.
func describeImages(a *account.Account, _ string, p struct {
	RepositoryName string
	ImageIDs       []imageID `json:"imageIds"`
}) (any, error) {
	for _, id := range p.ImageIDs {
		if _, err := a.Image(p.RepositoryName, id.ImageTag, id.ImageDigest); err != nil {
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
			detail = object{"registryId": account.ID, "repositoryName": image.Repository, "imageDigest": image.Digest, "imageTags": []string{},
				"imageSizeInBytes": image.Size, "imagePushedAt": account.Seconds(image.PushedAt)}
			byDigest[image.Digest] = detail
			wanted := func(id imageID) bool {
				return id.ImageDigest == image.Digest || slices.ContainsFunc(all, func(i account.Image) bool {
					return i.Digest == image.Digest && i.Tag == id.ImageTag
				})
			}
			if len(p.ImageIDs) == 0 || slices.ContainsFunc(p.ImageIDs, wanted) {
				details = append(details, detail)
			}
		}
		if image.Tag != "" {
			detail["imageTags"] = append(detail["imageTags"].([]string), image.Tag)
		}
	}
	return object{"imageDetails": details}, nil
}

func listImages(a *account.Account, _ string, p struct{ RepositoryName string }) (any, error) {
	all, err := images(a, p.RepositoryName)
	if err != nil {
		return nil, err
	}
	return object{"imageIds": imageIDs(all)}, nil
}

func imageIDs(all []account.Image) []object {
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
	var removed []account.Image
	failures := []object{}
	for _, id := range p.ImageIDs {
		gone, err := a.DeleteImage(p.RepositoryName, id.ImageTag, id.ImageDigest)
		if err != nil {
			return nil, err
		}
		if len(gone) == 0 {
			failures = append(failures, object{"imageId": object{"imageTag": id.ImageTag, "imageDigest": id.ImageDigest},
				"failureCode": "ImageNotFound", "failureReason": "Requested image not found"})
		}
		removed = append(removed, gone...)
	}
	return object{"imageIds": imageIDs(removed), "failures": failures}, nil
}
