package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/distribution/reference"
	"golang.org/x/sync/errgroup"

	"slipway/provider"

	"slipway/stage"
)

const (
	// servicesPerCall is how many services ECS describes at once
	// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html).
	servicesPerCall = 10
	// lookups is how many calls a command has under way at once for one kind of thing.
	lookups = 8
)

// cloud is AWS as a stage's own provider sees it, as far as the commands read it.
type cloud struct {
	account, region string
	ecs             *ecs.Client
	ecr             *ecr.Client
	secrets         *secretsmanager.Client
	scheduler       *scheduler.Client
	repositories    map[string]*repositoryImages
	clock           atomic.Int64 // how far AWS's is ahead of this machine's, in nanoseconds, as ECS answered last
}

// skew is how far AWS's clock is ahead of this machine's; below 0 where it is behind.
func (c *cloud) skew() time.Duration { return time.Duration(c.clock.Load()) }

// connect prepares calls to the account of a stage, given its configuration.
func connect(ctx context.Context, stack string, config map[string]string) (*cloud, error) {
	cfg, settings, account, err := awsOf(ctx, stack, config)
	if err != nil {
		return nil, err
	}
	return newCloud(cfg, settings, account), nil
}

func newCloud(cfg aws.Config, settings provider.Settings, account string) *cloud {
	return &cloud{
		account: account,
		region:  cfg.Region,
		ecs: ecs.NewFromConfig(cfg,
			func(o *ecs.Options) { o.BaseEndpoint = settings.Endpoint("ecs", o.BaseEndpoint) }),
		ecr: ecr.NewFromConfig(cfg,
			func(o *ecr.Options) { o.BaseEndpoint = settings.Endpoint("ecr", o.BaseEndpoint) }),
		repositories: map[string]*repositoryImages{},
		secrets: secretsmanager.NewFromConfig(cfg, func(o *secretsmanager.Options) {
			o.BaseEndpoint = settings.Endpoint("secretsmanager", o.BaseEndpoint)
		}),
		scheduler: scheduler.NewFromConfig(cfg,
			func(o *scheduler.Options) { o.BaseEndpoint = settings.Endpoint("scheduler", o.BaseEndpoint) }),
	}
}

// services describes services of a cluster by name. One that ECS does not have is not among them.
func (c *cloud) services(ctx context.Context, cluster string, names []string) (map[string]types.Service, error) {
	found := map[string]types.Service{}
	for batch := range slices.Chunk(names, servicesPerCall) {
		answer, err := c.ecs.DescribeServices(ctx, &ecs.DescribeServicesInput{Cluster: &cluster, Services: batch})
		if isCode(err, "ClusterNotFoundException") {
			return found, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading the services of %s from ECS: %w", cluster, err)
		}
		for _, failure := range answer.Failures {
			if reason := aws.ToString(failure.Reason); reason != "MISSING" {
				return nil, fmt.Errorf("reading the service %s from ECS: %s", path.Base(aws.ToString(failure.Arn)), reason)
			}
		}
		for _, service := range answer.Services {
			if aws.ToString(service.Status) == "ACTIVE" {
				found[aws.ToString(service.ServiceName)] = service
			}
		}
	}
	return found, nil
}

// revision is a task definition as ECS has it.
type revision struct {
	arn          string
	number       int
	active       bool
	registeredAt time.Time
	definition   *types.TaskDefinition
	tags         map[string]string
}

// name is a revision as people write it: family:number.
func (r *revision) name() string { return path.Base(r.arn) }

// revision describes one by ARN or by family:number; nil where ECS has none.
func (c *cloud) revision(ctx context.Context, name string) (*revision, error) {
	answer, err := c.ecs.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &name,
		Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags}})
	// ECS has no error of its own for this one, and says the same of much else.
	if isCode(err, "ClientException") && strings.Contains(err.Error(), "Unable to describe task definition") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the task definition %s from ECS: %w", path.Base(name), err)
	}
	if skew, ok := awsmiddleware.GetAttemptSkew(answer.ResultMetadata); ok {
		c.clock.Store(int64(skew))
	}
	d := answer.TaskDefinition
	tags := map[string]string{}
	for _, tag := range answer.Tags {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	return &revision{aws.ToString(d.TaskDefinitionArn), int(d.Revision), d.Status == types.TaskDefinitionStatusActive,
		aws.ToTime(d.RegisteredAt), d, tags}, nil
}

// describeAll describes revisions by ARN or by family:number, several at once; nil for each that ECS does not have.
func (c *cloud) describeAll(ctx context.Context, names []string) ([]*revision, error) {
	described := make([]*revision, len(names))
	running, ctx := errgroup.WithContext(ctx)
	running.SetLimit(lookups)
	for i, name := range names {
		running.Go(func() (err error) {
			described[i], err = c.revision(ctx, name)
			return err
		})
	}
	return described, running.Wait()
}

// revisions describes the revisions of a family that own accepts, oldest first: those registered at or after since, and
// at least one before.
func (c *cloud) revisions(ctx context.Context, family string, since time.Time, own func(*revision) bool) ([]*revision,
	error) {
	var arns []string
	for _, status := range types.TaskDefinitionStatus("").Values() {
		pages := ecs.NewListTaskDefinitionsPaginator(c.ecs, &ecs.ListTaskDefinitionsInput{FamilyPrefix: &family,
			Status: status})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("reading the revisions of %s from ECS: %w", family, err)
			}
			arns = append(arns, page.TaskDefinitionArns...)
		}
	}
	slices.SortFunc(arns, func(a, b string) int { return revisionNumber(b) - revisionNumber(a) })
	var found []*revision
	for batch := range slices.Chunk(arns, lookups) {
		described, err := c.describeAll(ctx, batch)
		if err != nil {
			return nil, err
		}
		for _, each := range described {
			if each != nil && own(each) {
				found = append(found, each)
			}
		}
		if len(found) > 0 && found[len(found)-1].registeredAt.Before(since) {
			break
		}
	}
	slices.Reverse(found)
	return found, nil
}

func revisionNumber(arn string) int {
	var number int
	_, _ = fmt.Sscan(arn[strings.LastIndex(arn, ":")+1:], &number) // 0 for what is no revision's
	return number
}

// container is the definition of a container by name, or else the first.
func (r *revision) container(name string) types.ContainerDefinition {
	for _, container := range r.definition.ContainerDefinitions {
		if aws.ToString(container.Name) == name {
			return container
		}
	}
	if len(r.definition.ContainerDefinitions) > 0 {
		return r.definition.ContainerDefinitions[0]
	}
	return types.ContainerDefinition{}
}

// secrets are where the containers' secrets are, each place once.
func (r *revision) secrets() (references []string) {
	for _, container := range r.definition.ContainerDefinitions {
		for _, secret := range container.Secrets {
			if reference := aws.ToString(secret.ValueFrom); !slices.Contains(references, reference) {
				references = append(references, reference)
			}
		}
	}
	return references
}

// usedImage is an image that a container definition names.
type usedImage struct {
	// Reference is as the container definition has it.
	Reference string `json:"reference"`
	Tag       string `json:"tag,omitempty"`
	Digest    string `json:"digest,omitempty"`
	// Commit that it was built from, with -dirty where files differed from it.
	Commit string `json:"commit,omitempty"`
	// Gone is set where the image was in a repository of the account, and is there no more.
	Gone bool `json:"gone,omitempty"`

	repository string
}

// ref is the image as a stage file pins it; empty where tag or digest are not known.
func (i usedImage) ref() string {
	if i.repository == "" || i.Tag == "" || i.Digest == "" {
		return ""
	}
	host, _, _ := strings.Cut(i.Reference, "/")
	return fmt.Sprintf("%s/%s:%s@%s", host, i.repository, i.Tag, i.Digest)
}

// image tells what a container runs: what its definition does not say of tag and digest, the repository does.
func (c *cloud) image(ctx context.Context, container types.ContainerDefinition) (usedImage, error) {
	used := usedImage{Reference: aws.ToString(container.Image), Tag: container.DockerLabels["slipway.tag"]}
	parsed, err := reference.ParseNormalizedNamed(used.Reference)
	if err != nil {
		return used, nil
	}
	if tagged, ok := parsed.(reference.Tagged); ok {
		used.Tag = tagged.Tag()
	}
	if digested, ok := parsed.(reference.Digested); ok {
		used.Digest = digested.Digest().String()
	}
	if account, region, inECR := stage.ParseRegistry(reference.Domain(parsed)); inECR && account == c.account &&
		region == c.region {
		used.repository = reference.Path(parsed)
		images, err := c.repository(ctx, used.repository)
		if err != nil {
			return used, err
		}
		images.complete(&used)
	}
	used.Commit = stage.CommitOf(used.Tag)
	return used, nil
}

// containerImages are what the containers of a revision run.
type containerImages struct {
	// Image that the main container runs.
	Image usedImage `json:"image"`
	// Sidecars are the images that the containers beside it run, by container.
	Sidecars map[string]usedImage `json:"sidecars,omitempty"`
}

// images tells what the containers of a revision run, the main one and those beside it; nothing where there is no
// revision.
func (c *cloud) images(ctx context.Context, r *revision, main string) (images containerImages, err error) {
	if r == nil {
		return images, nil
	}
	container := r.container(main)
	if images.Image, err = c.image(ctx, container); err != nil {
		return images, err
	}
	for _, beside := range r.definition.ContainerDefinitions {
		if name := aws.ToString(beside.Name); name != aws.ToString(container.Name) {
			if images.Sidecars == nil {
				images.Sidecars = map[string]usedImage{}
			}
			if images.Sidecars[name], err = c.image(ctx, beside); err != nil {
				return images, err
			}
		}
	}
	return images, nil
}

// gone says which images ECR no longer has, the main container's first. A container that runs the same is not named
// besides.
func (i containerImages) gone() (sentences []string) {
	if i.Image.Gone {
		sentences = append(sentences, fmt.Sprintf("its image %s is gone from ECR", i.Image.Reference))
	}
	for _, container := range slices.Sorted(maps.Keys(i.Sidecars)) {
		if image := i.Sidecars[container]; image.Gone && image.Reference != i.Image.Reference {
			sentences = append(sentences, fmt.Sprintf("the image %s of its container %s is gone from ECR", image.Reference,
				container))
		}
	}
	return sentences
}

// same tells whether the containers of two revisions run the same.
func (i containerImages) same(other containerImages) bool {
	return i.Image.Reference == other.Image.Reference &&
		maps.EqualFunc(i.Sidecars, other.Sidecars, func(a, b usedImage) bool {
			return a.Reference == b.Reference
		})
}

// repositoryImages is what a repository of ECR holds.
type repositoryImages struct {
	digest map[string]string   // by tag
	tags   map[string][]string // by digest
}

// complete adds what is not known of an image, and whether it is gone.
func (r *repositoryImages) complete(used *usedImage) {
	if used.Digest == "" {
		used.Digest = r.digest[used.Tag]
		used.Gone = used.Digest == ""
		return
	}
	tags, there := r.tags[used.Digest]
	used.Gone = !there
	if used.Tag == "" && there {
		used.Tag = buildTag(tags)
	}
}

// buildTag is the one among an image's tags that tells when and from what it was built.
func buildTag(tags []string) string {
	for _, tag := range tags {
		if stage.IsBuildTag(tag) {
			return tag
		}
	}
	return ""
}

// repository lists what a repository holds, once; one that is not there holds nothing.
func (c *cloud) repository(ctx context.Context, name string) (*repositoryImages, error) {
	if known := c.repositories[name]; known != nil {
		return known, nil
	}
	found := &repositoryImages{map[string]string{}, map[string][]string{}}
	pages := ecr.NewListImagesPaginator(c.ecr, &ecr.ListImagesInput{RepositoryName: &name, MaxResults: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if isCode(err, "RepositoryNotFoundException") {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading the images of %s from ECR: %w", name, err)
		}
		for _, id := range page.ImageIds {
			digest, tag := aws.ToString(id.ImageDigest), aws.ToString(id.ImageTag)
			found.tags[digest] = append(found.tags[digest], tag)
			if tag != "" {
				found.digest[tag] = digest
			}
		}
	}
	c.repositories[name] = found
	return found, nil
}

// containerLeaves are the values in the container definitions of a revision by path, such as web.environment.GREETING.
func containerLeaves(r *revision) map[string]leaf {
	found := map[string]leaf{}
	if r == nil {
		return found
	}
	found["cpu"] = leaf{text: aws.ToString(r.definition.Cpu)}
	found["memory"] = leaf{text: aws.ToString(r.definition.Memory)}
	for _, container := range r.definition.ContainerDefinitions {
		encoded, err := json.Marshal(container)
		if err != nil {
			panic(err) // plain data
		}
		var fields map[string]any
		if err := json.Unmarshal(encoded, &fields); err != nil {
			panic(err) // it was just encoded
		}
		fields["Environment"] = byName(fields["Environment"], "Value")
		fields["Secrets"] = byName(fields["Secrets"], "ValueFrom")
		addFields(found, aws.ToString(container.Name), fields)
	}
	return found
}

// byName makes a map of a list of names and values.
func byName(list any, value string) map[string]any {
	named := map[string]any{}
	entries, _ := list.([]any)
	for _, entry := range entries {
		if fields, ok := entry.(map[string]any); ok {
			if name, ok := fields["Name"].(string); ok {
				named[name] = fields[value]
			}
		}
	}
	return named
}

// addFields adds what is set of an SDK's structure, with names as the API writes them.
func addFields(found map[string]leaf, at string, fields map[string]any) {
	for name, value := range fields {
		key := stage.Below(at, name)
		if strings.Count(at, ".") == 0 {
			key = at + "." + strings.ToLower(name[:1]) + name[1:]
		}
		switch value := value.(type) {
		case nil:
		case map[string]any:
			addFields(found, key, value)
		case []any:
			if len(value) > 0 {
				encoded, err := json.Marshal(value)
				if err != nil {
					panic(err) // it was decoded from JSON
				}
				found[key] = leaf{text: string(encoded)}
			}
		default:
			found[key] = leaf{text: fmt.Sprint(value)}
		}
	}
}
