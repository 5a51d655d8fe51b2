// Package ecr is Amazon ECR: repositories, their images and lifecycle policies.
package ecr

import (
	"cmp"
	"slices"
	"time"

	"slipway/internal/awslimits"
	"slipway/internal/imageref"
	"slipway/sandbox/account"
)

// Kinds of objects of ECR.
const (
	Repository       = "repository"       // name
	LifecyclePolicy  = "lifecyclePolicy"  // repository
	RepositoryPolicy = "repositoryPolicy" // repository
)

func init() {
	account.Register(Repository, account.Rules{Delete: deleteRepository, Check: func(_ *account.Tx, id string,
		o account.Object) error {
		name := cmp.Or(o.Text("name"), id)
		if len(name) > awslimits.RepositoryNameLength || !awslimits.RepositoryName.MatchString(name) {
			return account.Refuse("InvalidParameterException",
				"Invalid parameter at 'repositoryName' failed to satisfy constraint: "+
					"'%s'", name)
		}
		return nil
	}})
}

// Image is one entry of a repository's image list: a tag of an image. A tag of a mutable repository may move away; the
// image whose last tag that was has one entry with an empty tag.
type Image struct {
	Repository string `json:"repository"`
	Tag        string `json:"tag"`
	Digest     string `json:"digest"` // sha256:…
	// PushedAt is when the image came, which a further tag does not change: lifecycle rules go by the first push of the
	// manifest (https://github.com/aws/containers-roadmap/issues/2746).
	PushedAt time.Time `json:"pushedAt"`
	TaggedAt time.Time `json:"taggedAt"`
	Size     int64     `json:"size"` // bytes; of an index, those of its largest image
	// Platforms are the digests of the images that an index lists, one for each platform.
	Platforms []string `json:"platforms,omitempty"`
}

const imageKind = "image"

// mostTags is how many an image can have: https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
const mostTags = 1000

func (i Image) id() string {
	if i.Tag == "" {
		return i.Repository + "@" + i.Digest
	}
	return i.Repository + ":" + i.Tag
}

func findRepository(t *account.Tx, name string) (account.Object, error) {
	o := account.Get[account.Object](t, Repository, name)
	if o == nil {
		return nil, account.Refuse("RepositoryNotFoundException",
			"The repository with name '%s' does not exist in the registry with id '%s'", name, t.ID)
	}
	return *o, nil
}

// CheckPush says whether PutImage would take this tag, so that a push can be refused before its layers are sent.
func CheckPush(a *account.Account, repository, tag string) error {
	return a.Transact(func(t *account.Tx) error { return checkPush(t, repository, tag) })
}

func checkPush(t *account.Tx, repository, tag string) error {
	for _, action := range PushActions {
		if err := CheckAccess(t, repository, action); err != nil {
			return err
		}
	}
	o, err := findRepository(t, repository)
	if err != nil {
		return err
	}
	expireImages(t)
	if o["imageTagMutability"] == "IMMUTABLE" && account.Get[Image](t, imageKind, repository+":"+tag) != nil {
		return account.Refuse("ImageTagAlreadyExistsException", "The image tag '%s' already exists in the '%s' repository "+
			"and cannot be overwritten because the repository is immutable.", tag, repository)
	}
	return nil
}

// PutImage records a pushed image and counts the push; sizeBytes is the size of its layers. An index has the images of
// its platforms. One of these itself is pushed without a tag, and not counted.
func PutImage(a *account.Account, repository, tag, digest string, sizeBytes int64, platforms ...string) error {
	return a.Transact(func(t *account.Tx) error {
		if err := checkPush(t, repository, tag); err != nil {
			return err
		}
		image := Image{Repository: repository, Tag: tag, Digest: digest, Size: sizeBytes, Platforms: platforms}
		images := allImages(t)
		if err := checkPlatforms(images, image); err != nil {
			return err
		}
		if tag != "" {
			t.Next(pushCounter + repository)
		} else if slices.ContainsFunc(images, func(i Image) bool { return i.matches(repository, "", digest) }) {
			return nil
		}
		record(t, image)
		return nil
	})
}

// TagImage records what a call of ECR's own PutImage puts: a new image, or one more tag of an image that is there. No
// push is counted.
func TagImage(a *account.Account, repository, tag, digest string, sizeBytes int64, platforms ...string) error {
	return a.Transact(func(t *account.Tx) error {
		o, err := findRepository(t, repository)
		if err != nil {
			return err
		}
		added := Image{Repository: repository, Tag: tag, Digest: digest, Size: sizeBytes, Platforms: platforms}
		images := allImages(t)
		if err := checkPlatforms(images, added); err != nil {
			return err
		}
		tags := 0
		for _, image := range images {
			if image.Repository == repository && image.Digest == digest {
				tags++
			}
			switch {
			case image.Repository != repository || image.Tag != tag:
			case image.Digest == digest:
				return account.Refuse("ImageAlreadyExistsException",
					"Image with digest '%s' and tag '%s' already exists in the repository with "+
						"name '%s' in registry with id '%s'", digest, tag, repository, t.ID)
			case tag != "" && o["imageTagMutability"] == "IMMUTABLE":
				return account.Refuse("ImageTagAlreadyExistsException",
					"The image tag '%s' already exists in the '%s' repository and cannot be "+
						"overwritten because the tag is immutable.", tag, repository)
			}
		}
		if tags >= mostTags {
			return account.Refuse("LimitExceededException",
				"Adding tag '%s' to an image in the repository with name '%s' in registry with id '%s' exceeds "+
					"the maximum allowed number of tags per image which is '%d'", tag, repository, t.ID, mostTags)
		}
		record(t, added)
		return nil
	})
}

// record adds an entry, which takes its tag away from another image.
func record(t *account.Tx, added Image) {
	added.PushedAt, added.TaggedAt = t.Now.UTC(), t.Now.UTC()
	old := account.Get[Image](t, imageKind, added.id())
	last := true // of the tags of the image that the tag leaves
	for _, image := range allImages(t) {
		switch {
		case image.Repository != added.Repository:
		case image.Digest == added.Digest:
			added.PushedAt = image.PushedAt
			if image.Tag == "" {
				account.Remove(t, imageKind, image.id())
			}
		case old != nil && image.Digest == old.Digest && image.Tag != added.Tag:
			last = false
		}
	}
	if old != nil && old.Digest != added.Digest && last {
		old.Tag = ""
		account.Put(t, imageKind, old.id(), old)
	}
	account.Put(t, imageKind, added.id(), added)
}

// Images lists the tags of every image of the account, oldest first.
func Images(a *account.Account) (images []Image, err error) {
	err = a.Transact(func(t *account.Tx) error {
		images = allImages(t)
		return nil
	})
	return images, err
}

func allImages(t *account.Tx) []Image {
	expireImages(t)
	images := []Image{}
	for _, image := range account.List[Image](t, imageKind) {
		images = append(images, *image)
	}
	slices.SortStableFunc(images, func(x, y Image) int {
		return cmp.Or(x.TaggedAt.Compare(y.TaggedAt), x.PushedAt.Compare(y.PushedAt), cmp.Compare(x.Tag, y.Tag))
	})
	return images
}

// FindImage finds an image by its tag or its digest, whichever is given (both must match where both are).
func FindImage(a *account.Account, repository, tag, digest string) (found Image, err error) {
	err = a.Transact(func(t *account.Tx) error {
		if _, err := findRepository(t, repository); err != nil {
			return err
		}
		for _, image := range allImages(t) {
			if image.matches(repository, tag, digest) {
				found = image
				return nil
			}
		}
		return account.Refuse("ImageNotFoundException",
			"The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist "+
				"within the repository with name '%s' in the registry with id '%s'",
			cmp.Or(digest, "null"), cmp.Or(tag, "null"), repository, t.ID)
	})
	return found, err
}

func (i Image) matches(repository, tag, digest string) bool {
	return i.Repository == repository && (tag != "" || digest != "") &&
		(tag == "" || tag == i.Tag) && (digest == "" || digest == i.Digest)
}

// DeleteImage removes the image with this digest, or only the tag where one is given without a digest. It reports
// what it removed.
func DeleteImage(a *account.Account, repository, tag, digest string) (removed []Image, err error) {
	err = a.Transact(func(t *account.Tx) error {
		if _, err := findRepository(t, repository); err != nil {
			return err
		}
		images := allImages(t)
		if digest != "" && referenced(images, repository, digest) {
			return account.Refuse("ImageReferencedByManifestList", "Requested image referenced by manifest list")
		}
		for _, image := range images {
			if image.matches(repository, tag, digest) {
				account.Remove(t, imageKind, image.id())
				removed = append(removed, image)
			}
		}
		return nil
	})
	return removed, err
}

func deleteRepository(t *account.Tx, name string, _ account.Object, force bool) error {
	for _, image := range allImages(t) {
		if image.Repository != name {
			continue
		}
		if !force {
			return account.Refuse("RepositoryNotEmptyException", "The repository with name '%s' in registry with id '%s' "+
				"cannot be deleted because it still contains images", name, t.ID)
		}
		account.Remove(t, imageKind, image.id())
	}
	removeLayers(t, name)
	account.Remove(t, LifecyclePolicy, name)
	account.Remove(t, RepositoryPolicy, name)
	return nil
}

// Exists reports whether ECR has an image that a reference to it names.
func Exists(t *account.Tx, reference string) bool {
	ref, inECR := imageref.ParseECR(reference)
	return inECR && slices.ContainsFunc(allImages(t.In(ref.Account)),
		func(i Image) bool { return i.matches(ref.Repository, ref.Tag, ref.Digest) })
}
