package components

import (
	"path"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/components/build"
	"slipway/stage"
)

const imageType = "slipway:components:Image"

// Image is what a task definition, a person and a promotion need to know of an image, whether this stage builds it
// or pins one that another stage built.
type Image struct {
	pulumi.ResourceState

	// Reference is what container definitions name: repository:tag for an image that is, or once was, built here,
	// so that a preview shows it; repository@sha256:… for one of another stage. ECS documents one or the other, not both.
	Reference pulumi.StringOutput
	// Ref is repository:tag@sha256:…, which another stage can pin.
	Ref pulumi.StringOutput `pulumi:"ref"`
	// Tag is the image's name in its repository's history.
	Tag pulumi.StringOutput `pulumi:"tag"`
	// Digest is sha256:… of the image's manifest.
	Digest pulumi.StringOutput `pulumi:"digest"`
	// Commit is the short hash of the commit it was built from, with -dirty where files differed from it.
	Commit pulumi.StringOutput `pulumi:"commit"`
	// Platform is linux/amd64 or linux/arm64.
	Platform string
	// Labels are added to every container that runs the image.
	Labels map[string]string
}

// ImageArgs says what an Image is built from.
type ImageArgs struct {
	// Build is what build.Prepare has laid out.
	Build *build.Plan
	// Repository is the name of the ECR repository, RepositoryURL the repository's own.
	Repository    string
	RepositoryURL pulumi.StringOutput
	// Registry holds the credentials for the push.
	Registry *ecr.GetAuthorizationTokenResult
	// Now is the time that the tag begins with.
	Now time.Time
}

// NewImage declares an image that is built from source and pushed under a tag of its own. It is replaced,
// under a new tag, when the hash of what Docker sees changes, and untouched otherwise, whatever the time or
// the commit that the candidate tag would carry.
func NewImage(ctx *pulumi.Context, name string, args *ImageArgs, opts ...pulumi.ResourceOption) (*Image, error) {
	component := &Image{
		Platform: args.Build.Platform,
	}
	if err := ctx.RegisterComponentResource(imageType, name, component, opts...); err != nil {
		return nil, err
	}
	hash := args.Build.Hash(args.Repository)
	image, err := docker.NewImage(ctx, name, &docker.ImageArgs{
		ImageName: pulumi.Sprintf("%s:%s", args.RepositoryURL, args.Build.Source.Tag(args.Now, hash)),
		Build: &docker.DockerBuildArgs{
			Context:    pulumi.String(args.Build.Staged.Dir),
			Dockerfile: pulumi.String(args.Build.Staged.Dockerfile),
			Platform:   pulumi.String(args.Build.Platform),
			Target:     optionalString(args.Build.Target),
			Args:       buildArgs(args.Build.Args),
			CacheFrom:  cacheFrom(args.Build.CacheFrom),
		},
		Registry: &docker.RegistryArgs{
			Server:   registryServer(args.RepositoryURL),
			Username: pulumi.String(args.Registry.UserName),
			Password: pulumi.ToSecret(pulumi.String(args.Registry.Password)).(pulumi.StringOutput),
		},
	},
		pulumi.Parent(component),
		pulumi.IgnoreChanges([]string{"imageName"}),
		pulumi.ReplacementTrigger(pulumi.Sprintf("%s %s", args.RepositoryURL, hash)),
	)
	if err != nil {
		return nil, err
	}
	component.Reference = image.ImageName
	component.Tag = image.ImageName.ApplyT(tagOf).(pulumi.StringOutput)
	component.Digest = image.RepoDigest.ApplyT(digestOf).(pulumi.StringOutput)
	component.Commit = component.Tag.ApplyT(stage.CommitOf).(pulumi.StringOutput)
	component.Ref = pulumi.Sprintf("%s@%s", image.ImageName, component.Digest)
	return component, ctx.RegisterResourceOutputs(component, pulumi.Map{
		"ref": component.Ref, "tag": component.Tag, "digest": component.Digest, "commit": component.Commit,
	})
}

func tagOf(imageName string) string {
	_, tag, _ := strings.Cut(path.Base(imageName), ":")
	return tag
}

func digestOf(repoDigest string) string {
	_, digest, _ := strings.Cut(repoDigest, "@")
	return digest
}

func registryServer(repositoryURL pulumi.StringOutput) pulumi.StringOutput {
	return repositoryURL.ApplyT(func(url string) string {
		server, _, _ := strings.Cut(url, "/")
		return server
	}).(pulumi.StringOutput)
}

func buildArgs(args map[string]string) pulumi.StringMapInput {
	if len(args) == 0 {
		return nil
	}
	return pulumi.ToStringMap(args)
}

func cacheFrom(images []string) docker.CacheFromPtrInput {
	if len(images) == 0 {
		return nil
	}
	return docker.CacheFromArgs{Images: pulumi.ToStringArray(images)}
}

func optionalString(text string) pulumi.StringPtrInput {
	if text == "" {
		return nil
	}
	return pulumi.String(text)
}
