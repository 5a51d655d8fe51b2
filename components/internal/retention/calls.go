package retention

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	ecrsdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"slipway/internal/awsclient"
)

// putTag gives an image one more tag: the same manifest under another name. That is allowed in an immutable repository,
// too (https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-retag.html).
func (p *Protector) putTag(ctx context.Context, repository, digest, tag string) error {
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
	isThere := errors.As(err, new(*ecrtypes.ImageAlreadyExistsException)) // another stage's update was faster
	isFull := errors.As(err, new(*ecrtypes.LimitExceededException))       // of 1000 tags, which protect it, too
	if err != nil && !isThere && !isFull {
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
func (p *Protector) list(ctx context.Context, repository string) (map[string]string, error) {
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

func (p *Protector) readTags(ctx context.Context, repository string) (map[string]string, error) {
	images, err := awsclient.All(ctx, ecrsdk.NewListImagesPaginator(p.ecr, &ecrsdk.ListImagesInput{
		RepositoryName: &repository, MaxResults: awssdk.Int32(1000),
		Filter: &ecrtypes.ListImagesFilter{TagStatus: ecrtypes.TagStatusTagged},
	}), func(page *ecrsdk.ListImagesOutput) []ecrtypes.ImageIdentifier { return page.ImageIds })
	if err != nil && !errors.As(err, new(*ecrtypes.RepositoryNotFoundException)) {
		return nil, err
	}
	tags := map[string]string{}
	for _, id := range images {
		tags[awssdk.ToString(id.ImageTag)] = awssdk.ToString(id.ImageDigest)
	}
	return tags, nil
}

// mostIDs is how many images one call deletes
// (https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchDeleteImage.html).
const mostIDs = 100

func (p *Protector) removeTags(ctx context.Context, repository string, tags []string) error {
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
