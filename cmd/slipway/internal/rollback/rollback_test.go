package rollback

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/cmd/slipway/internal/timeline"
	"slipway/internal/imageref"
)

func TestARollbackOutsideOfARepositorySaysWhatToDoInstead(t *testing.T) {
	t.Setenv("PULUMI_BACKEND_URL", "https://api.pulumi.com")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.dev.yaml"), []byte("config: {}\n"), 0o644))
	_, err := Open(t.Context(), &stagefile.Project{Directory: dir, Name: "shop"}, "dev")
	require.ErrorAs(t, err, &exit.Finding{})
	require.ErrorContains(t, err, "Pulumi.dev.yaml is in no git repository")
	require.ErrorContains(t, err, "edit the file by hand")
	require.ErrorContains(t, err, "services.NAME.revision")
}

var shop = &snapshot.Stage{Project: &stagefile.Project{Name: "shop"}, Stack: "dev"}

var pinnedDigest = "sha256:" + strings.Repeat("ab", 32)

// imageOf is an image in ECR of which all is known.
func imageOf(name, tag string) awsreader.Image {
	reference := "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop-dev/" + name + ":" + tag
	ref, _ := imageref.ParseECR(reference)
	ref.Digest = pinnedDigest
	return awsreader.Image{Reference: reference, Ref: ref}
}

func TestImagesThatARollbackPins(t *testing.T) {
	t.Parallel()
	image := func(tag string) awsreader.Images {
		return awsreader.Images{Image: imageOf("web", tag)}
	}
	const services = `{"api": {"image": "web"}, "web": {"image": "web", "revision": 3}}`
	target, last := updated(5, services), updated(9, services)
	target.Settings["images.web.build.context"] = flatconfig.Setting{Text: "./app"}
	pins := func(api, web *timeline.DeployedRevision) (string, error) {
		target.Services = map[string]*timeline.DeployedRevision{"api": api, "web": web}
		last.Services = map[string]*timeline.DeployedRevision{"api": {Revision: 9, Images: image("v9")},
			"web": {Revision: 9, Images: image("v9")}}
		file := []byte("config:\n  shop:images:\n    web:\n      build: {context: ./app}\n")
		planned := &Plan{To: 5, stage: shop, last: last, target: target, Services: map[string]Service{},
			next: &stagefile.Text{Written: file, Committed: file}}
		for name, then := range target.Services {
			planned.Services[name] = Service{last.Services[name], then}
		}
		err := planned.pinImages()
		return string(planned.next.Written), err
	}
	pinned, err := pins(&timeline.DeployedRevision{Revision: 5, Images: image("v5")},
		&timeline.DeployedRevision{Revision: 3, Pinned: true, Images: image("v3")})
	require.NoError(t, err)
	require.Contains(t, pinned, ":v5@"+pinnedDigest, "the image of a pinned revision comes with it")
	unchanged, err := pins(&timeline.DeployedRevision{Revision: 9, Images: image("v9")},
		&timeline.DeployedRevision{Revision: 3, Pinned: true, Images: image("v3")})
	require.NoError(t, err)
	require.NotContains(t, unchanged, "ref")
	_, err = pins(&timeline.DeployedRevision{Revision: 5, Images: image("v5")},
		&timeline.DeployedRevision{Revision: 3, Images: image("v3")})
	require.ErrorContains(t, err, "use --pin")
}

func TestImagesOfTasksAndOfContainersBesideTheMainOneThatARollbackPins(t *testing.T) {
	t.Parallel()
	busybox := awsreader.Image{Reference: "public.ecr.aws/docker/library/busybox:1.37"}
	const services = `{"web": {"image": "web", "containers": {"proxy": {"image": "proxy"}, "shell": {"image": ` +
		`"public.ecr.aws/docker/library/busybox:1.37"}}}}`
	target, last := updated(5, services), updated(9, services)
	for key, text := range map[string]string{"tasks.migrate.image": "batch", "images.web.build.context": ".",
		"images.proxy.build.context": ".",
		"images.batch.build.context": "."} {
		target.Settings[key] = flatconfig.Setting{Text: text}
	}
	put := func(tag string) *timeline.DeployedRevision {
		return &timeline.DeployedRevision{Revision: 5, Images: awsreader.Images{Image: imageOf("web", "v1"),
			Sidecars: map[string]awsreader.Image{"proxy": imageOf("proxy", tag), "shell": busybox}}}
	}
	file := []byte("config:\n  shop:images:\n    web:\n      build: {context: .}\n    proxy:\n      build: {context: " +
		".}\n    batch:\n      build: {context: .}\n")
	planned := &Plan{To: 5, stage: shop, last: last, target: target, next: &stagefile.Text{Written: file, Committed: file},
		Services: map[string]Service{"web": {put("v9"), put("v5")}},
		Tasks: map[string]Service{"migrate": {nil, &timeline.DeployedRevision{Revision: 2,
			Images: awsreader.Images{Image: imageOf("batch", "v3")}}}}}
	last.Services = map[string]*timeline.DeployedRevision{"web": put("v9")}
	require.NoError(t, planned.pinImages())
	require.Contains(t, string(planned.next.Written), "shop-dev/proxy:v5@"+pinnedDigest)
	require.Contains(t, string(planned.next.Written), "shop-dev/batch:v3@"+pinnedDigest)
	require.NotContains(t, string(planned.next.Written), "shop-dev/web:", "it runs now, too")
	require.NotContains(t, string(planned.next.Written), "busybox")
	require.Equal(t, []string{"images.batch is pinned to that update's image: remove its ref to build again",
		"images.proxy is pinned to that update's image: remove its ref to build again"}, planned.Notes)
}

// updated is an update that succeeded with a configuration of services.
func updated(number int, services string) *timeline.Entry {
	return &timeline.Entry{Number: number, Kind: "update", Result: "succeeded",
		Services: map[string]*timeline.DeployedRevision{},
		Settings: flatconfig.Of("shop", map[string]pulumicli.ConfigValue{"shop:services": {Value: &services}})}
}
