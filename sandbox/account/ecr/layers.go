package ecr

import (
	"slices"
	"strings"

	"slipway/sandbox/account"
)

const layerKind = "layer" // repository@digest

// PutLayer records that a layer was uploaded to a repository: each has layers of its own.
func PutLayer(a *account.Account, repository, digest string) error {
	return a.Transact(func(t *account.Tx) error {
		if _, err := findRepository(t, repository); err != nil {
			return err
		}
		account.Put(t, layerKind, repository+"@"+digest, digest)
		return nil
	})
}

// HasLayer tells whether a layer was uploaded to a repository.
func HasLayer(a *account.Account, repository, digest string) (has bool, err error) {
	err = a.Transact(func(t *account.Tx) error {
		if _, err := findRepository(t, repository); err != nil {
			return err
		}
		has = account.Get[string](t, layerKind, repository+"@"+digest) != nil
		return nil
	})
	return has, err
}

func removeLayers(t *account.Tx, repository string) {
	for _, digest := range account.List[string](t, layerKind) { // of all repositories
		account.Remove(t, layerKind, repository+"@"+*digest)
	}
}

// referenced tells whether an index in the repository lists the image. Such an image neither expires nor can be
// deleted: https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
func referenced(images []Image, repository, digest string) bool {
	return slices.ContainsFunc(images, func(i Image) bool {
		return i.Repository == repository && slices.Contains(i.Platforms, digest)
	})
}

// checkPlatforms refuses an index of images that are not in its repository.
func checkPlatforms(images []Image, index Image) error {
	missing := slices.DeleteFunc(slices.Clone(index.Platforms), func(digest string) bool {
		return slices.ContainsFunc(images, func(i Image) bool { return i.matches(index.Repository, "", digest) })
	})
	if len(missing) == 0 {
		return nil
	}
	return account.Refuse("ReferencedImagesNotFoundException", "The images with digests '[%s]' required by the manifest "+
		"list with digest '%s' do not exist", strings.Join(missing, ", "), index.Digest)
}
