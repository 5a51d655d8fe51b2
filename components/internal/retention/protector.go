// Package retention keeps the images that a stage may go back to from expiring, in the repositories of its own images.
// Each has a secondary tag, which tells what it is kept for: keep-<family>-<revision> for a revision,
// keep-<family>-<revision>-<start of the digest>-also for another image of it, keep-<cluster>.<image>.<start of the
// digest> for an image that the stage pins. Pulumi has no resource for such a tag.
package retention

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	ecrsdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"

	"slipway/internal/awsclient"
	"slipway/internal/imageref"
	"slipway/stage"
)

// permissions are what whoever updates a stage needs to keep images.
const permissions = "ecr:ListImages, ecr:BatchGetImage, ecr:PutImage, ecr:BatchDeleteImage, ecs:ListTaskDefinitions, " +
	"ecs:ListTaskDefinitionFamilies and ecs:DescribeTaskDefinition"

// atOnce is how many calls are under way at once.
const atOnce = 10

// Protector puts and removes the tags of one stage.
type Protector struct {
	account  *awsclient.Account
	settings *stage.Stage
	ecr      *ecrsdk.Client
	ecs      *ecssdk.Client
	// declared are the repositories of the stage's images; of those in owned the lifecycle rules are the stage's.
	declared []string
	owned    map[string]bool

	mutex sync.Mutex
	// lists are the tags of each declared repository before the update.
	lists map[string]*tagList
	// put are the tags that this update has put, by repository.
	put map[string]map[string]bool
	// newest are the newest revisions of the stage's own families, needed those besides: pinned, or to run now.
	newest, needed map[string][]int
}

// New prepares protecting the images of a stage.
func New(ctx context.Context, account *awsclient.Account, settings *stage.Stage) (*Protector, error) {
	clients, err := account.Clients(ctx)
	if err != nil {
		return nil, fmt.Errorf("protecting images from ECR's lifecycle rules: %w", err)
	}
	p := &Protector{
		account: account, settings: settings, ecr: clients.ECR, ecs: clients.ECS,
		owned: map[string]bool{}, lists: map[string]*tagList{}, put: map[string]map[string]bool{},
		newest: map[string][]int{}, needed: map[string][]int{},
	}
	for _, name := range slices.Sorted(maps.Keys(settings.Images)) {
		image := settings.Images[name]
		if image.Owned() {
			p.owned[settings.RepositoryName(name)] = true
			p.declared = append(p.declared, settings.RepositoryName(name))
		}
		if pinned := pinnedIn(image); pinned != nil && pinned.In(account.ID, account.Region) {
			p.declared = append(p.declared, pinned.Repository)
		}
	}
	for name, service := range settings.Services {
		if service.Revision > 0 {
			p.needed[settings.Family(name)] = []int{service.Revision}
		}
	}
	return p, nil
}

// pinnedIn is what a stage pins and runs from where it is; nil where it builds or copies the image. A copy is kept as
// what is built here: by the revisions that run it.
func pinnedIn(image stage.Image) *stage.Ref {
	if image.Mirror {
		return nil
	}
	return image.Ref
}

// eachImage calls put for each image of a revision that the stage keeps, once, with the tag that protects it. The first
// image in the stage's ECR has the revision's own tag, and its turn is last: that tag says that the others have theirs.
// An image that others keep is not read, as the stage may not be permitted to, but has its place: whoever protects a
// revision, an image of it has the same tag.
func (p *Protector) eachImage(ctx context.Context, refs []string, tag string, own bool,
	put func(image imageref.Ref, tag string) error) error {
	var images []imageref.Ref
	for _, ref := range refs {
		image, stored := imageref.ParseECRIn(p.account.ID, p.account.Region, ref)
		if stored && p.keeps(image.Repository, own) {
			var err error
			if image, err = p.find(ctx, ref); err != nil {
				return err
			}
			stored = image.Digest != ""
		}
		if stored && !slices.Contains(images, image) {
			images = append(images, image)
		}
	}
	for i, image := range slices.Backward(images) {
		if !p.keeps(image.Repository, own) {
			continue
		}
		its := tag
		if i > 0 {
			its = secondaryTag(tag, image.Digest)
		}
		if err := put(image, its); err != nil {
			return err
		}
	}
	return nil
}

// find tells which image a reference names, by its digest alone; none has an image that is gone, or elsewhere.
func (p *Protector) find(ctx context.Context, reference string) (imageref.Ref, error) {
	image, stored := imageref.ParseECRIn(p.account.ID, p.account.Region, reference)
	if !stored || image.Digest != "" {
		return imageref.Ref{Repository: image.Repository, Digest: image.Digest}, nil
	}
	tags, err := p.list(ctx, image.Repository)
	return imageref.Ref{Repository: image.Repository, Digest: tags[image.Tag]}, err
}

// protect puts a tag on an image. One that is gone is left alone.
func (p *Protector) protect(ctx context.Context, tag string, image imageref.Ref) error {
	tags, err := p.list(ctx, image.Repository)
	if err != nil || tags[tag] == image.Digest {
		return err
	}
	for _, held := range tags {
		if held == image.Digest {
			return p.putTag(ctx, image.Repository, image.Digest, tag)
		}
	}
	return nil
}

// ProtectNew protects the images of the newest revision of a service or a task, which may have been pushed just now.
func (p *Protector) ProtectNew(ctx context.Context, name string, revision int, refs []string) error {
	family := p.settings.Family(name)
	p.mutex.Lock()
	p.needed[family] = append(p.needed[family], revision)
	p.mutex.Unlock()
	tag := revisionTag(family, revision)
	if p.hasTag(ctx, tag, false) {
		return nil
	}
	err := p.eachImage(ctx, refs, tag, true, func(image imageref.Ref, tag string) error {
		if p.owned[image.Repository] { // pushed just now, perhaps, and so not listed
			return p.putTag(ctx, image.Repository, image.Digest, tag)
		}
		return p.protect(ctx, tag, image)
	})
	return keepFailed(p.settings.WhereDefined(name), fmt.Sprintf("protecting the images of %s:%d", family, revision), err)
}

// hasTag tells whether the tag of a revision is in one of the repositories of the stage's images, or was put by this
// update. With secondary, that of another image of the revision will do.
func (p *Protector) hasTag(ctx context.Context, tag string, secondary bool) bool {
	for _, repository := range p.declared {
		tags, err := p.list(ctx, repository)
		if err == nil && holdsTag(tags, tag, secondary) {
			return true
		}
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for _, tags := range p.put {
		if holdsTag(tags, tag, secondary) {
			return true
		}
	}
	return false
}

func holdsTag[V any](tags map[string]V, tag string, secondary bool) bool {
	if _, holds := tags[tag]; holds || !secondary {
		return holds
	}
	for there := range tags {
		if strings.HasPrefix(there, tag+"-") && isSecondaryTag(there, tag) {
			return true
		}
	}
	return false
}

// Tidy removes the stage's own tags that nothing is kept for any more. Those in repositories that are not declared, or
// no longer, stay: the stage may not be permitted to read there.
func (p *Protector) Tidy(ctx context.Context) error {
	own, wanted := p.families(), p.neededTags()
	for _, repository := range slices.Sorted(maps.Keys(p.lists)) {
		tags, err := p.list(ctx, repository)
		if err != nil || len(p.put[repository]) == 0 && len(staleTags(tags, own, p.settings.Cluster(), wanted)) == 0 {
			continue // a list that could not be read has failed the update already
		}
		// What other updates and people did meanwhile counts: an image's last tag stays.
		if tags, err = p.readTags(ctx, repository); err == nil {
			err = p.removeTags(ctx, repository, staleTags(tags, own, p.settings.Cluster(), wanted))
		}
		if err != nil {
			return keepFailed(p.settings.Where("repository", "keepRevisions"),
				"removing the tags of old revisions from "+repository, err)
		}
	}
	return nil
}

// neededTags are the stage's own tags that protect something.
func (p *Protector) neededTags() map[string]bool {
	wanted := map[string]bool{}
	for name, image := range p.settings.Images {
		if pinned := pinnedIn(image); pinned != nil {
			wanted[pinTag(p.settings.Cluster(), name, pinned.Digest)] = true
		}
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	for family := range p.families() {
		for _, revision := range keptRevisions(slices.Concat(p.needed[family], p.newest[family]),
			p.settings.Repository.KeepRevisions, p.needed[family]) {
			wanted[revisionTag(family, revision)] = true
		}
	}
	return wanted
}
