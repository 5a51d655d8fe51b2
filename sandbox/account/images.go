package account

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/internal/awslimits"
)

// Kinds of objects of ECR.
const (
	Repository      = "repository"      // name
	LifecyclePolicy = "lifecyclePolicy" // repository
)

func init() {
	Register(Repository, Rules{Delete: (*Tx).deleteRepository, Check: func(_ *Tx, id string, o Object) error {
		name := cmp.Or(o.Text("name"), id)
		if len(name) > awslimits.RepositoryNameLength || !awslimits.RepositoryName.MatchString(name) {
			return Refuse("InvalidParameterException", "Invalid parameter at 'repositoryName' failed to satisfy constraint: "+
				"'%s'", name)
		}
		return nil
	}})
}

// RegistryPassword is what ECR's authorization token holds, and the one password that the registry takes.
const RegistryPassword = ID + "-auth-token"

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
	Size     int64     `json:"size"` // bytes
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

func (t *Tx) findRepository(name string) (Object, error) {
	o := Get[Object](t, Repository, name)
	if o == nil {
		return nil, Refuse("RepositoryNotFoundException",
			"The repository with name '%s' does not exist in the registry with id '%s'", name, ID)
	}
	return *o, nil
}

// CheckPush says whether PutImage would take this tag, so that a push can be refused before its layers are sent.
func (a *Account) CheckPush(repository, tag string) error {
	return a.Transact(func(t *Tx) error { return t.checkPush(repository, tag) })
}

func (t *Tx) checkPush(repository, tag string) error {
	o, err := t.findRepository(repository)
	if err != nil {
		return err
	}
	t.expireImages()
	if o["imageTagMutability"] == "IMMUTABLE" && Get[Image](t, imageKind, repository+":"+tag) != nil {
		return fmt.Errorf("tag invalid: The image tag '%s' already exists in the '%s' repository and cannot be "+
			"overwritten because the repository is immutable.", tag, repository)
	}
	return nil
}

// PutImage records a pushed image and counts the push; sizeBytes is the size of its layers.
func (a *Account) PutImage(repository, tag, digest string, sizeBytes int64) error {
	return a.Transact(func(t *Tx) error {
		if err := t.checkPush(repository, tag); err != nil {
			return err
		}
		t.record(Image{Repository: repository, Tag: tag, Digest: digest, Size: sizeBytes})
		t.Next(pushCounter + repository)
		return nil
	})
}

// TagImage records what a call of ECR's own PutImage puts: a new image, or one more tag of an image that is there. No
// push is counted.
func (a *Account) TagImage(repository, tag, digest string, sizeBytes int64) error {
	return a.Transact(func(t *Tx) error {
		o, err := t.findRepository(repository)
		if err != nil {
			return err
		}
		tags := 0
		for _, image := range t.allImages() {
			if image.Repository == repository && image.Digest == digest {
				tags++
			}
			switch {
			case image.Repository != repository || image.Tag != tag:
			case image.Digest == digest:
				return Refuse("ImageAlreadyExistsException",
					"Image with digest '%s' and tag '%s' already exists in the repository with "+
						"name '%s' in registry with id '%s'", digest, tag, repository, ID)
			case tag != "" && o["imageTagMutability"] == "IMMUTABLE":
				return Refuse("ImageTagAlreadyExistsException",
					"The image tag '%s' already exists in the '%s' repository and cannot be "+
						"overwritten because the tag is immutable.", tag, repository)
			}
		}
		if tags >= mostTags {
			return Refuse("LimitExceededException",
				"Adding tag '%s' to an image in the repository with name '%s' in registry with id '%s' exceeds "+
					"the maximum allowed number of tags per image which is '%d'", tag, repository, ID, mostTags)
		}
		t.record(Image{Repository: repository, Tag: tag, Digest: digest, Size: sizeBytes})
		return nil
	})
}

// record adds an entry, which takes its tag away from another image.
func (t *Tx) record(added Image) {
	added.PushedAt, added.TaggedAt = t.Now.UTC(), t.Now.UTC()
	old := Get[Image](t, imageKind, added.id())
	last := true // of the tags of the image that the tag leaves
	for _, image := range t.allImages() {
		switch {
		case image.Repository != added.Repository:
		case image.Digest == added.Digest:
			added.PushedAt = image.PushedAt
			if image.Tag == "" {
				Remove(t, imageKind, image.id())
			}
		case old != nil && image.Digest == old.Digest && image.Tag != added.Tag:
			last = false
		}
	}
	if old != nil && old.Digest != added.Digest && last {
		old.Tag = ""
		Put(t, imageKind, old.id(), old)
	}
	Put(t, imageKind, added.id(), added)
}

// Images lists the tags of every image of the account, oldest first.
func (a *Account) Images() (images []Image, err error) {
	err = a.Transact(func(t *Tx) error {
		images = t.allImages()
		return nil
	})
	return images, err
}

func (t *Tx) allImages() []Image {
	t.expireImages()
	images := []Image{}
	for _, image := range List[Image](t, imageKind) {
		images = append(images, *image)
	}
	slices.SortStableFunc(images, func(x, y Image) int {
		return cmp.Or(x.TaggedAt.Compare(y.TaggedAt), x.PushedAt.Compare(y.PushedAt), cmp.Compare(x.Tag, y.Tag))
	})
	return images
}

// FindImage finds an image by its tag or its digest, whichever is given (both must match where both are).
func (a *Account) FindImage(repository, tag, digest string) (found Image, err error) {
	err = a.Transact(func(t *Tx) error {
		if _, err := t.findRepository(repository); err != nil {
			return err
		}
		for _, image := range t.allImages() {
			if image.matches(repository, tag, digest) {
				found = image
				return nil
			}
		}
		return Refuse("ImageNotFoundException", "The image with imageId {imageDigest:'%s', imageTag:'%s'} does not exist "+
			"within the repository with name '%s' in the registry with id '%s'",
			cmp.Or(digest, "null"), cmp.Or(tag, "null"), repository, ID)
	})
	return found, err
}

func (i Image) matches(repository, tag, digest string) bool {
	return i.Repository == repository && (tag != "" || digest != "") &&
		(tag == "" || tag == i.Tag) && (digest == "" || digest == i.Digest)
}

// DeleteImage removes the image with this digest, or only the tag where one is given without a digest. It reports
// what it removed.
func (a *Account) DeleteImage(repository, tag, digest string) (removed []Image, err error) {
	err = a.Transact(func(t *Tx) error {
		if _, err := t.findRepository(repository); err != nil {
			return err
		}
		for _, image := range t.allImages() {
			if image.matches(repository, tag, digest) {
				Remove(t, imageKind, image.id())
				removed = append(removed, image)
			}
		}
		return nil
	})
	return removed, err
}

func (t *Tx) deleteRepository(name string, _ Object, force bool) error {
	for _, image := range t.allImages() {
		if image.Repository != name {
			continue
		}
		if !force {
			return Refuse("RepositoryNotEmptyException", "The repository with name '%s' in registry with id '%s' "+
				"cannot be deleted because it still contains images", name, ID)
		}
		Remove(t, imageKind, image.id())
	}
	Remove(t, LifecyclePolicy, name)
	return nil
}

// pullable reports whether a task could pull this image reference. Registries other than the account's own are
// outside of the sandbox, and their images are taken to exist.
func (t *Tx) pullable(reference string) bool {
	host, rest, _ := strings.Cut(reference, "/")
	if !strings.Contains(host, ".dkr.ecr.") {
		return true
	}
	if !strings.HasPrefix(host, ID+".") {
		return false
	}
	name, digest, _ := strings.Cut(rest, "@")
	repository, tag, _ := strings.Cut(name, ":")
	if tag == "" && digest == "" {
		tag = "latest"
	}
	return slices.ContainsFunc(t.allImages(), func(i Image) bool { return i.matches(repository, tag, digest) })
}

const (
	buildCounter = "builds of "
	pushCounter  = "pushes to "
)

// BuildCounts counts what was done for a repository since the account began, whether or not its images still exist.
type BuildCounts struct {
	Builds int `json:"builds"`
	Pushes int `json:"pushes"`
}

// CountBuild records that an image was built for this repository.
func (a *Account) CountBuild(repository string) error {
	return a.Transact(func(t *Tx) error {
		t.Next(buildCounter + repository)
		return nil
	})
}

// Builds returns the builds and pushes per repository.
func (a *Account) Builds() (map[string]BuildCounts, error) {
	work := map[string]BuildCounts{}
	err := a.Transact(func(t *Tx) error {
		pushes := t.Counts(pushCounter)
		for repository, n := range pushes {
			work[repository] = BuildCounts{Pushes: n}
		}
		for repository, n := range t.Counts(buildCounter) {
			work[repository] = BuildCounts{Builds: n, Pushes: pushes[repository]}
		}
		return nil
	})
	return work, err
}
