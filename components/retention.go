package components

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	ecrsdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/internals"
	"golang.org/x/sync/errgroup"

	"slipway/provider"
	"slipway/stage"
)

// retentionPermissions are what whoever updates a stage needs for Retention.
const retentionPermissions = "ecr:ListImages, ecr:BatchGetImage, ecr:PutImage, ecr:BatchDeleteImage, " +
	"ecs:ListTaskDefinitions, " +
	"ecs:ListTaskDefinitionFamilies and ecs:DescribeTaskDefinition"

// Retention keeps the images that a stage may go back to from expiring, in the repositories of its own images. Each has
// a secondary tag, which tells what it is kept for: keep-<family>-<revision> for a revision,
// keep-<family>-<revision>-<start of the digest>-also for another image of it, keep-<cluster>.<image>.<start of the
// digest> for an image that the stage pins. Pulumi has no resource for such a tag, so the program puts and removes them
// itself.
type Retention struct {
	ctx       *pulumi.Context
	protector *imageProtector // nil in a preview
}

// NewRetention protects the images of what there is before the update changes anything: revisions that the stage's
// services and tasks may go back to, images that it pins, and, in the repositories that it owns, what revisions of the
// project's other stages use. They may have been deployed by a version of this program that put no tags. A preview
// protects nothing.
func NewRetention(ctx *pulumi.Context, account *Account, settings *stage.Stage) (*Retention, error) {
	if ctx.DryRun() || len(settings.Images) == 0 {
		return &Retention{ctx: ctx}, nil
	}
	protector, err := newImageProtector(ctx.Context(), account, settings)
	if err != nil {
		return nil, err
	}
	return &Retention{ctx, protector}, protector.protectExisting(ctx.Context())
}

// Protect returns the ARN of the revision that a service or a task is to run, the pinned one or else the newest, once
// the newest one's images are protected. refs name these, the main container's first.
func (r *Retention) Protect(name string, definition *TaskDefinition, refs pulumi.StringArray,
	pinned string) pulumi.StringOutput {
	switch {
	case r.protector != nil:
	case pinned != "":
		return pulumi.String(pinned).ToStringOutput()
	default:
		return definition.Arn
	}
	return pulumi.All(definition.Arn, definition.Revision, refs).ApplyT(func(known []any) (string, error) {
		arn, revision, images := known[0].(string), known[1].(int), known[2].([]string)
		if err := r.protector.protectNew(r.ctx.Context(), name, revision, images); err != nil {
			return "", errors.Join(errReported, r.ctx.Log.Error(err.Error(), &pulumi.LogArgs{Resource: definition}))
		}
		if pinned != "" {
			return pinned, nil
		}
		return arn, nil
	}).(pulumi.StringOutput)
}

// Tidy removes the tags that nothing is kept for any more, once all that the stack's outputs say is known, and so every
// service is steady: before, a failed deployment could still go back to what they protect. A preview waits for nothing.
func (r *Retention) Tidy(outputs ...pulumi.Map) error {
	if r.protector == nil {
		return nil
	}
	for _, each := range outputs {
		if _, err := internals.UnsafeAwaitOutput(r.ctx.Context(), each.ToMapOutput()); err != nil {
			return nil // which the outputs report, too
		}
	}
	if err := r.protector.tidy(r.ctx.Context()); err != nil { // everything runs, and a tag too many does no harm
		return r.ctx.Log.Warn(err.Error(), nil)
	}
	return nil
}

// imageProtector puts and removes the tags of one stage.
type imageProtector struct {
	account  *Account
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

func newImageProtector(ctx context.Context, account *Account, settings *stage.Stage) (*imageProtector, error) {
	ecrClient, err := account.ECR(ctx)
	if err != nil {
		return nil, fmt.Errorf("protecting images from ECR's lifecycle rules: %w", err)
	}
	ecsClient, err := account.ECS(ctx)
	if err != nil {
		return nil, fmt.Errorf("protecting images from ECR's lifecycle rules: %w", err)
	}
	p := &imageProtector{
		account: account, settings: settings, ecr: ecrClient, ecs: ecsClient,
		owned: map[string]bool{}, lists: map[string]*tagList{}, put: map[string]map[string]bool{},
		newest: map[string][]int{}, needed: map[string][]int{},
	}
	for _, name := range sortedKeys(settings.Images) {
		if image := settings.Images[name]; image.Build != nil {
			p.owned[settings.RepositoryName(name)] = true
			p.declared = append(p.declared, settings.RepositoryName(name))
		}
		if ref := settings.Images[name].Ref; ref != nil {
			p.declared = append(p.declared, ref.Repository)
		}
	}
	for name, service := range settings.Services {
		if service.Revision > 0 {
			p.needed[settings.Family(name)] = []int{service.Revision}
		}
	}
	return p, nil
}

// protectExisting protects what there is. An unchanged stage reads a list of each repository and of each family here,
// and writes nothing.
func (p *imageProtector) protectExisting(ctx context.Context) error {
	var reading errgroup.Group
	reading.SetLimit(lookups)
	for _, repository := range p.declared {
		reading.Go(func() error {
			_, err := p.list(ctx, repository)
			return keepFailed(p.settings.Where("images"), "listing the images of "+repository, err)
		})
	}
	if err := reading.Wait(); err != nil {
		return err
	}
	var protecting errgroup.Group
	protecting.SetLimit(lookups)
	for _, name := range sortedKeys(p.settings.Images) {
		if ref := p.settings.Images[name].Ref; ref != nil {
			protecting.Go(func() error {
				image, err := p.find(ctx, ref.Pinned())
				if err == nil && image.Digest != "" {
					err = p.protect(ctx, pinTag(p.settings.Cluster(), name, ref.Digest), image)
				}
				return keepFailed(p.settings.Where("images", name, "ref"), "protecting "+ref.Raw, err)
			})
		}
	}
	for _, name := range p.settings.TaskDefinitions() {
		protecting.Go(func() error {
			err := p.protectFamily(ctx, p.settings.Family(name), true)
			return keepFailed(p.settings.WhereDefined(name),
				"protecting the images of the revisions of "+p.settings.Family(name), err)
		})
	}
	others, err := p.otherFamilies(ctx)
	for _, family := range others {
		protecting.Go(func() error {
			err := p.protectFamily(ctx, family, false)
			return keepFailed(p.settings.Where("repository", "keepRevisions"),
				"protecting the images of the revisions of "+family, err)
		})
	}
	return errors.Join(protecting.Wait(), keepFailed(p.settings.Where("repository", "keepRevisions"),
		"listing the families of the project", err))
}

// keepFailed says what could not be done to keep images from expiring, and what to do.
func keepFailed(where, what string, err error) error {
	if err == nil {
		return nil
	}
	if !provider.Denied(err) {
		return fmt.Errorf("%s: %s, to keep images from expiring: %w. Run `pulumi up` again", where, what, err)
	}
	return fmt.Errorf("%s: %s: %w. To keep images from expiring, whoever updates the stage needs %s: permit them, and "+
		"run `pulumi up` again", where, what, err, retentionPermissions)
}

// otherFamilies are the project's families that are not this stage's, where the stage owns a repository with images.
func (p *imageProtector) otherFamilies(ctx context.Context) ([]string, error) {
	held := 0
	for repository := range p.owned {
		if tags, err := p.list(ctx, repository); err == nil {
			held += len(tags)
		}
	}
	if held == 0 {
		return nil, nil
	}
	var others []string
	pages := ecssdk.NewListTaskDefinitionFamiliesPaginator(p.ecs, &ecssdk.ListTaskDefinitionFamiliesInput{
		FamilyPrefix: awssdk.String(p.settings.Project + "-"), Status: types.TaskDefinitionFamilyStatusActive,
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		others = append(others, page.Families...)
	}
	own := p.families()
	return slices.DeleteFunc(others, func(family string) bool { return own[family] }), nil
}

// families are those of the stage's services and tasks.
func (p *imageProtector) families() map[string]bool {
	own := map[string]bool{}
	for _, name := range p.settings.TaskDefinitions() {
		own[p.settings.Family(name)] = true
	}
	return own
}

// protectFamily protects the images of a family's newest revisions, and of the one that a service of this stage is
// pinned to. Of another stage's family it protects what is in this stage's own repositories.
func (p *imageProtector) protectFamily(ctx context.Context, family string, own bool) error {
	keep := p.settings.Repository.KeepRevisions
	pages := ecssdk.NewListTaskDefinitionsPaginator(p.ecs, &ecssdk.ListTaskDefinitionsInput{
		FamilyPrefix: &family, Status: types.TaskDefinitionStatusActive, Sort: types.SortOrderDesc,
		MaxResults: awssdk.Int32(int32(keep)),
	})
	var arns []string
	for pages.HasMorePages() && len(arns) < keep { // a page may hold fewer
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		arns = append(arns, page.TaskDefinitionArns...)
	}
	var newest []int
	for _, arn := range arns[:min(keep, len(arns))] {
		_, number, _ := strings.Cut(path.Base(arn), ":")
		revision, err := strconv.Atoi(number)
		if err != nil {
			return fmt.Errorf("ECS lists %s, which names no revision: %w", arn, err)
		}
		newest = append(newest, revision)
	}
	if own {
		p.mutex.Lock()
		p.newest[family] = newest
		p.mutex.Unlock()
		newest = keptRevisions(newest, len(newest), p.needed[family])
	}
	for _, revision := range newest {
		if err := p.protectRevision(ctx, family, revision, own); err != nil {
			return err
		}
	}
	return nil
}

// protectRevision protects the images of an existing revision that the stage keeps. One whose tag is there is not even
// read.
func (p *imageProtector) protectRevision(ctx context.Context, family string, revision int, own bool) error {
	tag := revisionTag(family, revision)
	if p.hasTag(ctx, tag, !own) {
		return nil
	}
	found, err := p.ecs.DescribeTaskDefinition(ctx, &ecssdk.DescribeTaskDefinitionInput{
		TaskDefinition: awssdk.String(fmt.Sprintf("%s:%d", family, revision)),
	})
	if err != nil {
		return err
	}
	var refs []string
	for _, container := range found.TaskDefinition.ContainerDefinitions {
		if strings.HasSuffix(family, "-"+awssdk.ToString(container.Name)) { // the main one
			refs = slices.Insert(refs, 0, awssdk.ToString(container.Image))
		} else {
			refs = append(refs, awssdk.ToString(container.Image))
		}
	}
	return p.eachImage(ctx, refs, tag, own, func(image stage.ECRImage,
		tag string) error {
		return p.protect(ctx, tag, image)
	})
}

// keeps tells whether a repository is one in which the stage protects images of its own revisions, or of another
// stage's. Into any other one, that of another team's agent say, it puts nothing: what expires there is for its owner
// to tell.
func (p *imageProtector) keeps(repository string, own bool) bool {
	return p.owned[repository] || own && slices.Contains(p.declared, repository)
}

// eachImage calls put for each image of a revision that the stage keeps, once, with the tag that protects it. The first
// image in the stage's ECR has the revision's own tag, and its turn is last: that tag says that the others have theirs.
// An image that others keep is not read, as the stage may not be permitted to, but has its place: whoever protects a
// revision, an image of it has the same tag.
func (p *imageProtector) eachImage(ctx context.Context, refs []string, tag string, own bool,
	put func(image stage.ECRImage, tag string) error) error {
	var images []stage.ECRImage
	for _, ref := range refs {
		image, stored := stage.ParseECRIn(p.account.ID, p.account.Region, ref)
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
func (p *imageProtector) find(ctx context.Context, reference string) (stage.ECRImage, error) {
	image, stored := stage.ParseECRIn(p.account.ID, p.account.Region, reference)
	if !stored || image.Digest != "" {
		return stage.ECRImage{Repository: image.Repository, Digest: image.Digest}, nil
	}
	tags, err := p.list(ctx, image.Repository)
	return stage.ECRImage{Repository: image.Repository, Digest: tags[image.Tag]}, err
}

// protect puts a tag on an image. One that is gone is left alone.
func (p *imageProtector) protect(ctx context.Context, tag string, image stage.ECRImage) error {
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

// protectNew protects the images of the newest revision of a service or a task, which may have been pushed just now.
func (p *imageProtector) protectNew(ctx context.Context, name string, revision int, refs []string) error {
	family := p.settings.Family(name)
	p.mutex.Lock()
	p.needed[family] = append(p.needed[family], revision)
	p.mutex.Unlock()
	tag := revisionTag(family, revision)
	if p.hasTag(ctx, tag, false) {
		return nil
	}
	err := p.eachImage(ctx, refs, tag, true, func(image stage.ECRImage, tag string) error {
		if p.owned[image.Repository] { // pushed just now, perhaps, and so not listed
			return p.putTag(ctx, image.Repository, image.Digest, tag)
		}
		return p.protect(ctx, tag, image)
	})
	return keepFailed(p.settings.WhereDefined(name), fmt.Sprintf("protecting the images of %s:%d", family, revision), err)
}

// hasTag tells whether the tag of a revision is in one of the repositories of the stage's images, or was put by this
// update. With secondary, that of another image of the revision will do.
func (p *imageProtector) hasTag(ctx context.Context, tag string, secondary bool) bool {
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

// putTag gives an image one more tag: the same manifest under another name. That is allowed in an immutable repository,
// too (https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-retag.html).
func (p *imageProtector) putTag(ctx context.Context, repository, digest, tag string) error {
	got, err := p.ecr.BatchGetImage(ctx, &ecrsdk.BatchGetImageInput{
		RepositoryName: &repository, ImageIds: []ecrtypes.ImageIdentifier{{ImageDigest: &digest}},
	})
	if err != nil {
		return err
	}
	for _, failure := range got.Failures {
		if failure.FailureCode != ecrtypes.ImageFailureCodeImageNotFound { // it has gone meanwhile
			return fmt.Errorf("%s: %s", failure.FailureCode, awssdk.ToString(failure.FailureReason))
		}
	}
	if len(got.Images) == 0 {
		return nil
	}
	_, err = p.ecr.PutImage(ctx, &ecrsdk.PutImageInput{
		RepositoryName: &repository, ImageTag: &tag, ImageDigest: &digest,
		ImageManifest: got.Images[0].ImageManifest, ImageManifestMediaType: got.Images[0].ImageManifestMediaType,
	})
	var already *ecrtypes.ImageAlreadyExistsException // another stage's update was faster
	var full *ecrtypes.LimitExceededException         // an image has 1000 tags at most, and the others protect it, too
	if err != nil && !errors.As(err, &already) && !errors.As(err, &full) {
		return err
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.put[repository] == nil {
		p.put[repository] = map[string]bool{}
	}
	p.put[repository][tag] = true
	return nil
}

// tagList are the tags of a repository with their digests, once they were read.
type tagList struct {
	mutex sync.Mutex
	tags  map[string]string
}

// list are a repository's tags as they were before the update, with their digests; none where there is no such
// repository.
func (p *imageProtector) list(ctx context.Context, repository string) (map[string]string, error) {
	p.mutex.Lock()
	if p.lists[repository] == nil {
		p.lists[repository] = &tagList{}
	}
	list := p.lists[repository]
	p.mutex.Unlock()
	list.mutex.Lock()
	defer list.mutex.Unlock()
	if list.tags != nil {
		return list.tags, nil
	}
	tags, err := p.readTags(ctx, repository)
	if err == nil {
		list.tags = tags
	}
	return tags, err
}

func (p *imageProtector) readTags(ctx context.Context, repository string) (map[string]string, error) {
	tags := map[string]string{}
	pages := ecrsdk.NewListImagesPaginator(p.ecr, &ecrsdk.ListImagesInput{
		RepositoryName: &repository, MaxResults: awssdk.Int32(1000),
		Filter: &ecrtypes.ListImagesFilter{TagStatus: ecrtypes.TagStatusTagged},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		var missing *ecrtypes.RepositoryNotFoundException
		if errors.As(err, &missing) {
			return tags, nil
		}
		if err != nil {
			return nil, err
		}
		for _, id := range page.ImageIds {
			tags[awssdk.ToString(id.ImageTag)] = awssdk.ToString(id.ImageDigest)
		}
	}
	return tags, nil
}

// tidy removes the stage's own tags that nothing is kept for any more. Those in repositories that are not declared, or
// no longer, stay: the stage may not be permitted to read there.
func (p *imageProtector) tidy(ctx context.Context) error {
	own, wanted := p.families(), p.wantedTags()
	for _, repository := range sortedKeys(p.lists) {
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

// mostIDs is how many images one call deletes
// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html).
const mostIDs = 100

func (p *imageProtector) removeTags(ctx context.Context, repository string, tags []string) error {
	for part := range slices.Chunk(tags, mostIDs) {
		var ids []ecrtypes.ImageIdentifier
		for _, tag := range part {
			ids = append(ids, ecrtypes.ImageIdentifier{ImageTag: &tag})
		}
		answer, err := p.ecr.BatchDeleteImage(ctx, &ecrsdk.BatchDeleteImageInput{RepositoryName: &repository, ImageIds: ids})
		if err != nil {
			return err
		}
		for _, failure := range answer.Failures {
			if failure.FailureCode != ecrtypes.ImageFailureCodeImageNotFound &&
				failure.FailureCode != ecrtypes.ImageFailureCodeImageTagDoesNotMatchDigest {
				return fmt.Errorf("%s: %s", failure.FailureCode, awssdk.ToString(failure.FailureReason))
			}
		}
	}
	return nil
}

// wantedTags are the stage's own tags that protect something.
func (p *imageProtector) wantedTags() map[string]bool {
	wanted := map[string]bool{}
	for name, image := range p.settings.Images {
		if image.Ref != nil {
			wanted[pinTag(p.settings.Cluster(), name, image.Ref.Digest)] = true
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
