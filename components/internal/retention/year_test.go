package retention

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	ecrsdk "github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"slipway/internal/awsclient"
	"slipway/internal/imageref"
	"slipway/stage"
)

// year is an account in which two stages are deployed day by day, with a service web each. Stage dev builds its image,
// stage release pins it.
type year struct {
	*testing.T
	account                   *awsclient.Account
	ecr                       *ecrsdk.Client
	ecs                       *ecssdk.Client
	manifest                  map[string]any // of the first image
	keepImages, keepRevisions int
	pushed                    []string            // digests, oldest first
	ran                       map[string][]string // digests by stage, of revision 1 and so on
}

const devRepository = "slipway-dev/web"

// TestAYearOfDeployments runs where the account's clock can be put forward: in the end-to-end tests. RETENTION_CLOCK is
// the URL that does it, given a duration at its end. Stages dev and release are deployed there, with what
// RETENTION_KEEP says.
func TestAYearOfDeployments(t *testing.T) {
	clock, keep := os.Getenv("RETENTION_CLOCK"), os.Getenv("RETENTION_KEEP")
	if clock == "" {
		t.Skip("RETENTION_CLOCK is not set")
	}
	y := &year{T: t, ran: map[string][]string{}, account: &awsclient.Account{ID: "123456789012", Region: "ap-northeast-2",
		Partition: "aws",
		Settings:  awsclient.Settings{Region: "ap-northeast-2"}}}
	_, err := fmt.Sscanf(keep, "%d images, %d revisions", &y.keepImages, &y.keepRevisions)
	require.NoError(t, err, keep)
	y.begin()
	pinned, stays := 0, 0
	for day := 1; day <= 365; day++ {
		response, err := http.Get(fmt.Sprintf("%s%dh", clock, 24*day))
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)

		// Most days bring a new image, the others only another setting.
		if day%7 != 0 {
			y.push(day)
		}
		y.deploy("dev", y.pushed[len(y.pushed)-1], 0)
		y.check(day, pinned)

		switch ran := y.ran["release"]; {
		case day > 60 && day <= 170, day%10 == 9: // release stays behind for months, and now and then for a day
			stays++
		case day > 200 && day <= 300: // an emergency that lasts: deployments go on, the service does not
			if pinned == 0 {
				pinned = len(ran) - 3
			}
			y.deploy("release", y.pushed[len(y.pushed)-5], pinned)
		case day%30 == 0: // back to what ran two promotions ago
			pinned = 0
			y.deploy("release", ran[len(ran)-3], 0)
		default:
			pinned = 0
			y.deploy("release", y.pushed[len(y.pushed)-5], 0)
		}
		y.check(day, pinned)
	}
	require.Greater(t, stays, 100)
	require.Greater(t, len(y.pushed), 300)
	require.LessOrEqual(t, len(y.held()), y.keepImages+2*y.keepRevisions+1)
	t.Logf("%d images pushed, %d revisions, %d images left", len(y.pushed), len(y.ran["dev"])+len(y.ran["release"]),
		len(y.held()))
}

// begin reads what the two stages have deployed: an image and a revision each.
func (y *year) begin() {
	p, err := New(y.Context(), y.account, y.stage("dev", "", 0))
	require.NoError(y, err)
	y.ecr, y.ecs = p.ecr, p.ecs
	for digest := range y.held() {
		y.pushed = append(y.pushed, digest)
	}
	require.Len(y, y.pushed, 1)
	got, err := y.ecr.BatchGetImage(y.Context(), &ecrsdk.BatchGetImageInput{RepositoryName: awssdk.String(devRepository),
		ImageIds: []ecrtypes.ImageIdentifier{{ImageDigest: &y.pushed[0]}}})
	require.NoError(y, err)
	require.NoError(y, json.Unmarshal([]byte(*got.Images[0].ImageManifest), &y.manifest))
	for _, name := range []string{"dev", "release"} {
		listed, err := y.ecs.ListTaskDefinitions(y.Context(),
			&ecssdk.ListTaskDefinitionsInput{FamilyPrefix: awssdk.String("slipway-" + name + "-web")})
		require.NoError(y, err)
		require.Len(y, listed.TaskDefinitionArns, 1)
		y.ran[name] = []string{y.pushed[0]}
	}
	for i := range 5 { // so that release has something to be behind
		y.push(-i)
	}
}

// stage is one of the two; release has a ref, and may be pinned to a revision.
func (y *year) stage(name, digest string, pinned int) *stage.Stage {
	image := stage.Image{Build: &stage.Build{}}
	if name != "dev" {
		image = stage.Image{Ref: &stage.Ref{Account: y.account.ID, Region: y.account.Region, Repository: devRepository,
			Host: imageref.ECRHost(y.account.ID, y.account.Region), Tag: "promoted", Digest: digest}}
	}
	return &stage.Stage{Project: "slipway", Name: name, Images: map[string]stage.Image{"web": image},
		Services:   map[string]stage.Service{"web": {TaskDefinition: stage.TaskDefinition{Image: "web"}, Revision: pinned}},
		Repository: stage.Repository{KeepImages: y.keepImages, KeepRevisions: y.keepRevisions}}
}

func (y *year) reference(of string) string {
	return y.account.ID + ".dkr.ecr." + y.account.Region + ".amazonaws.com/" + devRepository + of
}

// push is what a build does: another manifest, under a tag of its own.
func (y *year) push(day int) {
	y.manifest["annotations"] = map[string]string{"day": strconv.Itoa(day)}
	manifest, err := json.Marshal(y.manifest)
	require.NoError(y, err)
	mediaType, _ := y.manifest["mediaType"].(string)
	put, err := y.ecr.PutImage(y.Context(), &ecrsdk.PutImageInput{RepositoryName: awssdk.String(devRepository),
		ImageManifest: awssdk.String(string(manifest)),
		ImageTag:      awssdk.String(fmt.Sprintf("built-%d", day)), ImageManifestMediaType: &mediaType})
	require.NoError(y, err)
	y.pushed = append(y.pushed, *put.Image.ImageId.ImageDigest)
}

// deploy is an update of a stage, as far as images and revisions go, in the program's own order.
func (y *year) deploy(name, digest string, pinned int) {
	settings := y.stage(name, digest, pinned)
	p, err := New(y.Context(), y.account, settings)
	require.NoError(y, err)
	require.NoError(y, p.ProtectExisting(y.Context()))
	family := settings.Family("web")
	registered, err := y.ecs.RegisterTaskDefinition(y.Context(),
		&ecssdk.RegisterTaskDefinitionInput{Family: &family, Cpu: awssdk.String("256"), Memory: awssdk.String("512"),
			NetworkMode: types.NetworkModeAwsvpc, RequiresCompatibilities: []types.Compatibility{types.CompatibilityFargate},
			ExecutionRoleArn: awssdk.String("arn:aws:iam::123456789012:role/" + settings.ExecutionRole("web")),
			ContainerDefinitions: []types.ContainerDefinition{{Name: awssdk.String("web"), Essential: awssdk.Bool(true),
				Image: awssdk.String(y.reference("@" + digest))}}})
	require.NoError(y, err)
	y.ran[name] = append(y.ran[name], digest)
	require.Equal(y, fmt.Sprintf("%s:%d", family, len(y.ran[name])),
		path.Base(*registered.TaskDefinition.TaskDefinitionArn))
	require.NoError(y, p.ProtectNew(y.Context(), "web", len(y.ran[name]), []string{y.reference(":any@" + digest)}))
	require.NoError(y, p.Tidy(y.Context()))
}

// held are the digests of the images that ECR has.
func (y *year) held() map[string]bool {
	held := map[string]bool{}
	pages := ecrsdk.NewDescribeImagesPaginator(y.ecr,
		&ecrsdk.DescribeImagesInput{RepositoryName: awssdk.String(devRepository)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(y.Context())
		require.NoError(y, err)
		for _, image := range page.ImageDetails {
			held[*image.ImageDigest] = true
		}
	}
	return held
}

// check holds what ECR has against what is needed: the newest images, those of each stage's newest revisions, and that
// of the revision that release is pinned to. What nobody needs is gone.
func (y *year) check(day, pinned int) {
	needed := map[string]bool{}
	keep := func(digests []string, newest int) {
		for _, digest := range digests[max(0, len(digests)-newest):] {
			needed[digest] = true
		}
	}
	keep(y.pushed, y.keepImages)
	keep(y.ran["dev"], y.keepRevisions)
	keep(y.ran["release"], y.keepRevisions)
	if pinned > 0 {
		needed[y.ran["release"][pinned-1]] = true
	}
	held := y.held()
	for digest := range needed {
		require.True(y, held[digest], "day %d: %s, pushed as number %d, is gone", day, digest, slices.Index(y.pushed, digest))
	}
	for digest := range held {
		require.True(y, needed[digest], "day %d: %s, pushed as number %d, is kept for nothing", day, digest,
			slices.Index(y.pushed, digest))
	}
}
