package verify

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumitest"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagetest"
	"slipway/internal/registries/registrytest"
)

func TestWhatVerifyPrints(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("ab", 32)
	for name, test := range map[string]struct {
		image        any
		architecture string
		prints       string
		status       int
	}{
		"an image that is there": {map[string]any{"imageDetails": []any{map[string]any{"imageDigest": digest,
			"imageTags": []string{"v1"}}}}, "amd64", "v1@" + digest + " is there, for linux/amd64\n",
			2}, // what is refused is not known
		"an image that is not": {errors.New("ImageNotFoundException"), "amd64",
			"is not in ECR: name an image that the repository shop/web holds\n", 1},
		"an image for others": {map[string]any{"imageDetails": []any{map[string]any{"imageDigest": digest,
			"imageTags": []string{"v1"}}}}, "arm64", "v1@" + digest + " is for linux/arm64, and its tasks run on linux/amd64: " +
			"write the image's platform as platform beside ref, or pin an image for linux/amd64\n", 1},
		"another tag": {map[string]any{"imageDetails": []any{map[string]any{"imageDigest": digest,
			"imageTags": []string{"v2"}}}}, "amd64", "does not carry the tag v1, but v2", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			project := stagetest.Project(t, "config:\n"+stagetest.Account(t, map[string]any{"DescribeImages": test.image,
				"BatchGetImage": map[string]any{"images": []any{map[string]string{"imageManifest": `{"manifests": [` +
					`{"platform": {"os": "linux", "architecture": "` + test.architecture + `"}}]}`}}},
			})+"  slipway:images: {web: {ref: \"123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v1@"+digest+"\"}}\n"+
				"  slipway:services: {web: {image: web}}\n")
			pulumi := &pulumitest.Stack{File: project.StageFile("release")}
			of, err := snapshot.Load(t.Context(), pulumi.CLI(), project, "release", snapshot.Parts{})
			require.NoError(t, err)
			require.Equal(t, []string{"config --json --stack release"}, pulumi.Asked, "nothing is decrypted")
			found, err := Run(t.Context(), of)
			require.NoError(t, err)
			text := stagetest.Printed(found.Print)
			require.Contains(t, text, test.prints)
			require.Contains(t, text, "unknown  services.web (Pulumi.release.yaml): could not be checked: ")
			require.Equal(t, test.status, exit.Status(found.Verdict()), text)
		})
	}
	project := stagetest.Project(t, "config:\n  slipway:services: {web: {image: wbe}}\n")
	pulumi := &pulumitest.Stack{File: project.StageFile("release")}
	of, err := snapshot.Load(t.Context(), pulumi.CLI(), project, "release", snapshot.Parts{})
	require.NoError(t, err)
	_, err = Run(t.Context(), of)
	require.Equal(t, 1, exit.Status(err), "AWS is not asked about a stage with a mistake")
}

func TestImagesOfOtherRegistriesAreLookedForThere(t *testing.T) {
	t.Parallel()
	open, closed := registrytest.Serve(t, "", ""), registrytest.Serve(t, "shop", "secret")
	there := open.Push(t, "team/web", "1", "linux/amd64", "linux/arm64")
	other := open.Push(t, "team/arm", "1", "linux/arm64")
	private := closed.Push(t, "team/web", "1", "linux/amd64")
	gone := there
	gone.Digest = "sha256:" + strings.Repeat("ab", 32)
	credentials := "  slipway:registries: {\"" + closed.Host + "\": {credentials: " +
		"\"arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop-a1b2c3\"}}\n"
	for name, test := range map[string]struct{ ref, keys, more, prints string }{
		"there":         {there.String(), "", "", "ok       images.web.ref (Pulumi.release.yaml): " + there.String() + " is there, for linux/amd64\n"},
		"not there":     {gone.String(), "", "", "wrong    images.web.ref (Pulumi.release.yaml): " + gone.String() + " is not there"},
		"for others":    {other.String(), "", "", other.String() + " is for linux/arm64, and its tasks run on linux/amd64: write"},
		"asks":          {private.String(), "", "", "may not be read without a password"},
		"has what asks": {private.String(), "", credentials, "note     images.web.ref (Pulumi.release.yaml): " + private.String() + " is in a registry that asks"},
		"to be copied":  {there.String(), ", mirror: true", "", "is there, for linux/amd64; the update copies it into slipway-release/web\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			project := stagetest.Project(t, "config:\n"+stagetest.Account(t, map[string]any{
				"DescribeImages": errors.New("RepositoryNotFoundException")})+
				"  slipway:images: {web: {ref: \""+test.ref+"\""+test.keys+"}}\n"+test.more+
				"  slipway:services: {web: {image: web}}\n")
			pulumi := &pulumitest.Stack{File: project.StageFile("release")}
			of, err := snapshot.Load(t.Context(), pulumi.CLI(), project, "release", snapshot.Parts{})
			require.NoError(t, err)
			found, err := Run(t.Context(), of)
			require.NoError(t, err)
			require.Contains(t, stagetest.Printed(found.Print), test.prints)
		})
	}
}
