package awsreader

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"golang.org/x/sync/errgroup"

	"slipway/internal/awsclient"
	"slipway/internal/ecsread"
	"slipway/stage"
)

// Revision is a task definition as ECS has it.
type Revision struct {
	ARN          string
	Number       int
	Active       bool
	RegisteredAt time.Time
	Definition   *types.TaskDefinition
	Tags         map[string]string
}

// Revision describes one by ARN or by family:number; nil where ECS has none.
func (c *Client) Revision(ctx context.Context, name string) (*Revision, error) {
	answer, err := c.ECS.DescribeTaskDefinition(ctx, &ecs.DescribeTaskDefinitionInput{TaskDefinition: &name,
		Include: []types.TaskDefinitionField{types.TaskDefinitionFieldTags}})
	// ECS has no error of its own for this one, and says the same of much else.
	if IsCode(err, "ClientException") && strings.Contains(err.Error(), "Unable to describe task definition") {
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
	return &Revision{aws.ToString(d.TaskDefinitionArn), int(d.Revision), d.Status == types.TaskDefinitionStatusActive,
		aws.ToTime(d.RegisteredAt), d, tags}, nil
}

// DescribeAll describes revisions by ARN or by family:number, several at once; nil for each that ECS does not have.
func (c *Client) DescribeAll(ctx context.Context, names []string) ([]*Revision, error) {
	described := make([]*Revision, len(names))
	running, ctx := errgroup.WithContext(ctx)
	running.SetLimit(Lookups)
	for i, name := range names {
		running.Go(func() (err error) {
			described[i], err = c.Revision(ctx, name)
			return err
		})
	}
	return described, running.Wait()
}

// Revisions describes the revisions of a family that own accepts, oldest first: those registered at or after since, and
// at least one before.
func (c *Client) Revisions(ctx context.Context, family string, since time.Time, own func(*Revision) bool) ([]*Revision,
	error) {
	var arns []string
	for _, status := range types.TaskDefinitionStatus("").Values() {
		listed, err := awsclient.All(ctx, ecs.NewListTaskDefinitionsPaginator(c.ECS, &ecs.ListTaskDefinitionsInput{
			FamilyPrefix: &family, Status: status,
		}), func(page *ecs.ListTaskDefinitionsOutput) []string { return page.TaskDefinitionArns })
		if err != nil {
			return nil, fmt.Errorf("reading the revisions of %s from ECS: %w", family, err)
		}
		arns = append(arns, listed...)
	}
	slices.SortFunc(arns, func(a, b string) int { return ecsread.RevisionNumber(b) - ecsread.RevisionNumber(a) })
	var found []*Revision
	for batch := range slices.Chunk(arns, Lookups) {
		described, err := c.DescribeAll(ctx, batch)
		if err != nil {
			return nil, err
		}
		for _, each := range described {
			if each != nil && own(each) {
				found = append(found, each)
			}
		}
		if len(found) > 0 && found[len(found)-1].RegisteredAt.Before(since) {
			break
		}
	}
	slices.Reverse(found)
	return found, nil
}

// HasPort tells whether a port of a container has a name, by which ECS lets others call the service.
func (r *Revision) HasPort(port int, name string) bool {
	return slices.ContainsFunc(r.Definition.ContainerDefinitions, func(container types.ContainerDefinition) bool {
		return slices.ContainsFunc(container.PortMappings, func(mapping types.PortMapping) bool {
			return aws.ToString(mapping.Name) == name && int(aws.ToInt32(mapping.ContainerPort)) == port
		})
	})
}

// ListensOn tells whether a container has a port.
func (r *Revision) ListensOn(container string, port int) bool {
	return slices.ContainsFunc(r.container(container).PortMappings,
		func(mapping types.PortMapping) bool { return int(aws.ToInt32(mapping.ContainerPort)) == port })
}

// EFSMount is what a revision mounts of EFS, let in by the task role.
type EFSMount struct {
	EFS    stage.EFS
	Writes bool
}

// EFSMounts are all that it mounts of EFS.
func (r *Revision) EFSMounts() (mounts []EFSMount) {
	for _, volume := range r.Definition.Volumes {
		efs := volume.EfsVolumeConfiguration
		if efs == nil || efs.AuthorizationConfig == nil ||
			efs.AuthorizationConfig.Iam != types.EFSAuthorizationConfigIAMEnabled {
			continue
		}
		writes := slices.ContainsFunc(r.Definition.ContainerDefinitions, func(container types.ContainerDefinition) bool {
			return slices.ContainsFunc(container.MountPoints, func(mount types.MountPoint) bool {
				return aws.ToString(mount.SourceVolume) == aws.ToString(volume.Name) && !aws.ToBool(mount.ReadOnly)
			})
		})
		mounts = append(mounts, EFSMount{stage.EFS{ID: aws.ToString(efs.FileSystemId),
			AccessPoint: aws.ToString(efs.AuthorizationConfig.AccessPointId)}, writes})
	}
	return mounts
}

// container is the definition of a container by name, or else the first.
func (r *Revision) container(name string) types.ContainerDefinition {
	for _, container := range r.Definition.ContainerDefinitions {
		if aws.ToString(container.Name) == name {
			return container
		}
	}
	if len(r.Definition.ContainerDefinitions) > 0 {
		return r.Definition.ContainerDefinitions[0]
	}
	return types.ContainerDefinition{}
}

// Secrets are where the containers' secrets are, each place once.
func (r *Revision) Secrets() (references []string) {
	for _, container := range r.Definition.ContainerDefinitions {
		secrets := container.Secrets
		if logs := container.LogConfiguration; logs != nil {
			secrets = slices.Concat(secrets, logs.SecretOptions)
		}
		for _, secret := range secrets {
			if reference := aws.ToString(secret.ValueFrom); !slices.Contains(references, reference) {
				references = append(references, reference)
			}
		}
	}
	return references
}
