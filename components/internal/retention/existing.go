package retention

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"slipway/internal/awsclient"
	"slipway/internal/imageref"
)

// ProtectExisting protects what there is. An unchanged stage reads a list of each repository and of each family here,
// and writes nothing.
func (p *Protector) ProtectExisting(ctx context.Context) error {
	var reading errgroup.Group
	reading.SetLimit(atOnce)
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
	protecting.SetLimit(atOnce)
	for _, name := range slices.Sorted(maps.Keys(p.settings.Images)) {
		if ref := pinnedIn(p.settings.Images[name]); ref != nil {
			protecting.Go(func() error {
				image, err := p.find(ctx, ref.Pinned())
				if err == nil && image.Digest != "" {
					err = p.protect(ctx, pinTag(p.settings.Cluster(), name, ref.Digest), image)
				}
				return keepFailed(p.settings.Where("images", name, "ref"), "protecting "+ref.String(), err)
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
	if !awsclient.Denied(err) {
		return fmt.Errorf("%s: %s, to keep images from expiring: %w. Run `pulumi up` again", where, what, err)
	}
	return fmt.Errorf("%s: %s: %w. To keep images from expiring, whoever updates the stage needs %s: permit them, and "+
		"run `pulumi up` again", where, what, err, permissions)
}

// otherFamilies are the project's families that are not this stage's, where the stage owns a repository with images.
func (p *Protector) otherFamilies(ctx context.Context) ([]string, error) {
	held := 0
	for repository := range p.owned {
		if tags, err := p.list(ctx, repository); err == nil {
			held += len(tags)
		}
	}
	if held == 0 {
		return nil, nil
	}
	own := p.families()
	all, err := awsclient.All(ctx, ecssdk.NewListTaskDefinitionFamiliesPaginator(p.ecs,
		&ecssdk.ListTaskDefinitionFamiliesInput{
			FamilyPrefix: awssdk.String(p.settings.Project + "-"), Status: types.TaskDefinitionFamilyStatusActive,
		}), func(page *ecssdk.ListTaskDefinitionFamiliesOutput) []string { return page.Families })
	return slices.DeleteFunc(all, func(family string) bool { return own[family] }), err
}

// families are those of the stage's services and tasks.
func (p *Protector) families() map[string]bool {
	own := map[string]bool{}
	for _, name := range p.settings.TaskDefinitions() {
		own[p.settings.Family(name)] = true
	}
	return own
}

// protectFamily protects the images of a family's newest revisions, and of the one that a service of this stage is
// pinned to. Of another stage's family it protects what is in this stage's own repositories.
func (p *Protector) protectFamily(ctx context.Context, family string, own bool) error {
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
func (p *Protector) protectRevision(ctx context.Context, family string, revision int, own bool) error {
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
	return p.eachImage(ctx, refs, tag, own, func(image imageref.Ref, tag string) error {
		return p.protect(ctx, tag, image)
	})
}

// keeps tells whether a repository is one in which the stage protects images of its own revisions, or of another
// stage's. Into any other one, that of another team's agent say, it puts nothing: what expires there is for its owner
// to tell.
func (p *Protector) keeps(repository string, own bool) bool {
	return p.owned[repository] || own && slices.Contains(p.declared, repository)
}
