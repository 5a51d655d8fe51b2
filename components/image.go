package components

import (
	"path"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi-docker/sdk/v4/go/docker"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/components/internal/build"
	"slipway/internal/imageref"
)

const imageType = "slipway:components:Image"

// stageImage is what a task definition, a person and a promotion need to know of an image, whether this stage builds it
// or pins one that another stage built.
type stageImage struct {
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

// newImage declares an image that is built from source and pushed under a tag of its own. It is replaced,
// under a new tag, when the hash of what Docker sees changes, and untouched otherwise, whatever the time or
// the commit that the candidate tag would carry. url is that of its repository, and login lets it be pushed there.
func newImage(ctx *pulumi.Context, name string, plan *build.Plan, repository string, url pulumi.StringOutput,
	login *ecr.GetAuthorizationTokenResult) (*stageImage, error) {
	component := &stageImage{Platform: plan.Platform}
	if err := ctx.RegisterComponentResource(imageType, name, component); err != nil {
		return nil, err
	}
	hash := plan.Hash(repository)
	image, err := docker.NewImage(ctx, name, &docker.ImageArgs{
		ImageName: pulumi.Sprintf("%s:%s", url, plan.Source.Tag(time.Now(), hash)),
		Build: &docker.DockerBuildArgs{
			Context:    pulumi.String(plan.Staged.Dir),
			Dockerfile: pulumi.String(plan.Staged.Dockerfile),
			Platform:   pulumi.String(plan.Platform),
			Target:     optionalString(plan.Target),
			Args:       buildArgs(plan.Args),
			CacheFrom:  cacheFrom(plan.CacheFrom),
		},
		Registry: &docker.RegistryArgs{
			Server:   registryServer(url),
			Username: pulumi.String(login.UserName),
			Password: pulumi.ToSecret(pulumi.String(login.Password)).(pulumi.StringOutput),
		},
	},
		pulumi.Parent(component),
		pulumi.IgnoreChanges([]string{"imageName"}),
		pulumi.ReplacementTrigger(pulumi.Sprintf("%s %s", url, hash)),
	)
	if err != nil {
		return nil, err
	}
	component.Reference = image.ImageName
	component.Tag = image.ImageName.ApplyT(tagOf).(pulumi.StringOutput)
	component.Digest = image.RepoDigest.ApplyT(digestOf).(pulumi.StringOutput)
	component.Commit = component.Tag.ApplyT(imageref.CommitOf).(pulumi.StringOutput)
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
