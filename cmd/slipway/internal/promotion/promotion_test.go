package promotion

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/pulumitest"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/cmd/slipway/internal/stagetest"
	"slipway/internal/awsclient"
)

// stageUses are the images that the containers of each service and each task run, by name.
type stageUses struct{ services, tasks map[string][]string }

// fakeStacks answers for a stack whose last update and outputs are given.
type fakeStacks struct {
	last    *pulumicli.Update
	outputs string
	// uses is which images each service and task uses, services what ECS has of them.
	uses     stageUses
	services map[string]types.Service
	// reader is the account of release; nil for that of the images.
	reader *awsclient.Account
}

// promote does what the command does, with what Pulumi and ECS are said to have of the stage dev.
func promote(t *testing.T, dev fakeStacks, project *stagefile.Project, options Options) (*Result, error) {
	t.Helper()
	target, err := Open(t.Context(), project, "dev", "release", options)
	if err != nil {
		return nil, err
	}
	config := map[string]map[string]any{"images": {"web": nil}, "services": {}, "tasks": {}}
	for key, uses := range map[string]map[string][]string{"services": dev.uses.services, "tasks": dev.uses.tasks} {
		for name, images := range uses {
			sidecars := map[string]any{}
			for _, image := range images {
				config["images"][image] = nil
				sidecars["beside-"+image] = map[string]string{"image": image}
			}
			delete(sidecars, "beside-"+images[0])
			config[key][name] = map[string]any{"image": images[0], "containers": sidecars}
		}
	}
	for name := range config["images"] {
		config["images"][name] = map[string]string{"ref": refOf(cleanTag)}
	}
	pulumi := &pulumitest.Stack{Outputs: dev.outputs, File: filepath.Join(t.TempDir(), "Pulumi.dev.yaml")}
	encoded, err := json.Marshal(map[string]any{"config": map[string]any{"slipway:images": config["images"],
		"slipway:services": config["services"], "slipway:tasks": config["tasks"]}})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(pulumi.File, encoded, 0o600))
	if dev.last != nil {
		pulumi.Updates = []pulumicli.Update{*dev.last}
	}
	project.Backend.URL = "https://api.pulumi.com"
	of, err := snapshot.Load(t.Context(), pulumi.CLI(), project, "dev", Parts)
	if err != nil {
		return nil, err
	}
	return target.Promote(t.Context(), of, func(context.Context, string, []string) (map[string]types.Service, error) {
		return dev.services, nil
	}, dev.connect(t))
}

// connect is to the account of the images, or the one in which release is said to be.
func (dev fakeStacks) connect(t *testing.T) Connect {
	return func(context.Context) (*awsreader.Client, error) {
		if dev.reader == nil {
			return &awsreader.Client{Account: "123456789012", Region: "ap-northeast-2"}, nil
		}
		clients, err := dev.reader.Clients(t.Context())
		return &awsreader.Client{Account: dev.reader.ID, Region: dev.reader.Region, Clients: clients}, err
	}
}

const (
	repository = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/slipway-dev/web"
	cleanTag   = "20261123-041205-a1b2c3d-9f8e7d6c"
	dirtyOne   = "20261123-041205-a1b2c3d-dirty-9f8e7d6c"
)

var digest = "sha256:" + strings.Repeat("ab", 32)

// outputs are those of a stack with one image.
func outputs(tag, ref, digest string) string {
	return fmt.Sprintf(`{"cluster": "slipway-dev", "images": {"web": {"ref": %q, "tag": %q, "digest": %q, "commit": `+
		`"a1b2c3d"}}}`,
		ref, tag, digest)
}

func refOf(tag string) string { return repository + ":" + tag + "@" + digest }

func TestPromote(t *testing.T) {
	t.Parallel()
	dev := fakeStacks{last: &pulumicli.Update{Kind: "update", Result: "succeeded"},
		outputs: outputs(cleanTag, refOf(cleanTag), digest)}
	project := stagetest.Project(t,
		"# release\nconfig:\n  slipway:images: {web: {ref: \"r/web:1@sha256:"+strings.Repeat("cd",
			32)+"\"}} # old\n")
	file := project.StageFile("release")

	done, err := promote(t, dev, project, Options{})
	require.NoError(t, err)
	require.True(t, done.Changed)
	require.Equal(t, []Change{{
		Name:    "web",
		Changed: true,
		Old: &pulumicli.Image{Ref: "r/web:1@sha256:" + strings.Repeat("cd", 32), Tag: "1",
			Digest: "sha256:" + strings.Repeat("cd", 32)},
		New: pulumicli.Image{Ref: refOf(cleanTag), Tag: cleanTag, Digest: digest, Commit: "a1b2c3d"},
	}}, done.Images)
	written, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "# release\nconfig:\n  slipway:images: {web: {ref: \""+refOf(cleanTag)+"\"}} # old\n",
		string(written))
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode().Perm(), "the file's mode stays")
	entries, err := os.ReadDir(project.Directory)
	require.NoError(t, err)
	require.Len(t, entries, 2, "no draft is left behind")

	var shown bytes.Buffer
	require.NoError(t, done.Print(&shown))
	require.Contains(t, shown.String(), "now has the images of dev:\n"+
		"  web  -  1                                 sha256:cdcdcdcdcdcd\n"+
		"       +  "+cleanTag+"  sha256:abababababab  commit a1b2c3d\n")

	again, err := promote(t, dev, project, Options{})
	require.NoError(t, err)
	require.False(t, again.Changed)
	after, err := os.Stat(file)
	require.NoError(t, err)
	require.True(t, os.SameFile(info, after), "a second run does not write")
	shown.Reset()
	require.NoError(t, again.Print(&shown))
	require.Contains(t, shown.String(), "release already runs the images of dev")
}

func TestPromoteThroughLink(t *testing.T) {
	t.Parallel()
	dev := fakeStacks{last: &pulumicli.Update{Kind: "update", Result: "succeeded"},
		outputs: outputs(cleanTag, refOf(cleanTag), digest)}
	project := stagetest.Project(t, "")
	target := filepath.Join(t.TempDir(), "release.yaml")
	require.NoError(t, os.WriteFile(target, nil, 0o644))
	require.NoError(t, os.Symlink(target, project.StageFile("release")))

	_, err := promote(t, dev, project, Options{})
	require.NoError(t, err)
	written, err := os.ReadFile(target)
	require.NoError(t, err)
	require.Contains(t, string(written), refOf(cleanTag))
	info, err := os.Lstat(project.StageFile("release"))
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink, "the link stays")
}

func TestPromoteDirtyWhenAllowed(t *testing.T) {
	t.Parallel()
	dev := fakeStacks{last: &pulumicli.Update{Kind: "update", Result: "succeeded"},
		outputs: outputs(dirtyOne, refOf(dirtyOne), digest)}
	project := stagetest.Project(t, "config: {}\n")
	_, err := promote(t, dev, project, Options{AllowDirty: true})
	require.NoError(t, err)
	written, err := os.ReadFile(project.StageFile("release"))
	require.NoError(t, err)
	require.Equal(t, "config:\n  slipway:images:\n    web:\n      ref: "+refOf(dirtyOne)+"\n", string(written))
}

func TestPromoteRefuses(t *testing.T) {
	t.Parallel()
	good := outputs(cleanTag, refOf(cleanTag), digest)
	tests := map[string]struct {
		kind, result string // of the last update; "" is a stack that never had one
		outputs      string
		release      string // "" is no file
		want         []string
		unknown      bool
	}{
		"a stage that was never updated": {"", "", good, "config: {}\n",
			[]string{"dev has never been updated: run `pulumi up --stack dev` first"}, false},
		"a stage whose last update fails": {"update", "failed", good, "config: {}\n",
			[]string{"the last update of dev failed", "`pulumi up --stack dev`"}, false},
		"a stage that is being updated": {"update", "in-progress", good, "config: {}\n", []string{"has not ended"}, false},
		"a stage that is half destroyed": {"destroy", "failed", good, "config: {}\n",
			[]string{"the last destroy of dev failed"}, false},
		"a stage that was destroyed": {"destroy", "succeeded", "{}", "config: {}\n", []string{"dev was destroyed"},
			false},
		"a stage without images": {"update", "succeeded", `{"cluster": "x"}`, "config: {}\n",
			[]string{"dev has no images"}, false},
		"images that are a secret": {"update", "succeeded", `{"images": "[secret]"}`, "config: {}\n",
			[]string{"the output images of dev"}, true},
		"an image from uncommitted changes": {"update", "succeeded", outputs(dirtyOne, refOf(dirtyOne), digest),
			"config: {}\n",
			[]string{"images.web of dev", dirtyOne, "commit them", "--allow-dirty"}, false},
		"an image without a digest": {"update", "succeeded", outputs(cleanTag, repository+":"+cleanTag, ""), "config: {}\n",
			[]string{"images.web of dev has no digest"}, false},
		"a ref without the digest": {"update", "succeeded", outputs(cleanTag, repository+":"+cleanTag, digest),
			"config: {}\n",
			[]string{"is not repository:tag@" + digest}, false},
		"a ref that YAML would misread": {"update", "succeeded", outputs(cleanTag, "web: x #@"+digest, digest),
			"config: {}\n",
			[]string{"is not repository:tag@" + digest}, false},
		"a stage file that is not there": {"update", "succeeded", good, "",
			[]string{"Pulumi.release.yaml does not exist", "copy Pulumi.dev.yaml", "`pulumi stack init release`"}, true},
		"a stage that builds the image": {"update", "succeeded", good,
			"config:\n  slipway:images: {web: {build: {context: ./app}}}\n",
			[]string{"Pulumi.release.yaml", "config.slipway:images.web: is built in this stage", "remove its build"}, false},
		"a ref that is not text": {"update", "succeeded", good, "config:\n  slipway:images: {web: {ref: 5}}\n",
			[]string{"Pulumi.release.yaml", "config.slipway:images.web.ref: must be text"}, false},
		"images that are not a map": {"update", "succeeded", good, "config:\n  slipway:images: [web]\n",
			[]string{"Pulumi.release.yaml", "config.slipway:images: must be a map of images"}, true},
		"a stage file that is not YAML": {"update", "succeeded", good, "config: [\n",
			[]string{"Pulumi.release.yaml", "line 1"}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dev := fakeStacks{outputs: test.outputs}
			if test.kind != "" {
				dev.last = &pulumicli.Update{Kind: test.kind, Result: test.result}
			}
			project := stagetest.Project(t, test.release)
			_, err := promote(t, dev, project, Options{})
			require.Error(t, err)
			require.Equal(t, !test.unknown, errors.As(err, &exit.Finding{}),
				"what was found is told from what could not be told")
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
			if test.release != "" {
				written, err := os.ReadFile(project.StageFile("release"))
				require.NoError(t, err)
				require.Equal(t, test.release, string(written), "the file stays as it was")
			}
		})
	}
}

func TestFindProject(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := stagefile.Find(dir)
	require.ErrorContains(t, err, "no Pulumi.yaml in "+dir)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("runtime: go\n"), 0o644))
	_, err = stagefile.Find(dir)
	require.ErrorContains(t, err, "name is missing")

	require.NoError(t, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: x\nstackConfigDir: stages\n"), 0o644))
	found, err := stagefile.Find(dir)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "stages", "Pulumi.release.yaml"), found.StageFile("organization/x/release"))
}

func TestPromoteToAnotherPlatform(t *testing.T) {
	t.Parallel()
	arm := strings.Replace(outputs(cleanTag, refOf(cleanTag), digest), `"commit"`,
		`"platform": "linux/arm64", "commit"`, 1)
	dev := fakeStacks{last: &pulumicli.Update{Kind: "update", Result: "succeeded"}, outputs: arm}

	project := stagetest.Project(t, "config: {}\n")
	_, err := promote(t, dev, project, Options{})
	require.ErrorContains(t, err,
		"config.slipway:images.web.platform: is linux/amd64, and the image was built for linux/arm64")
	require.ErrorContains(t, err, "write platform: linux/arm64")

	project = stagetest.Project(t, "config: {}\n")
	require.NoError(t, os.WriteFile(filepath.Join(project.Directory, "Pulumi.yaml"), []byte("name: slipway\nruntime: go\n"+
		"config:\n  slipway:defaults:\n    value:\n      images: {web: {build: {}, platform: linux/arm64}}\n"), 0o644))
	inherited, err := promote(t, dev, project, Options{})
	require.NoError(t, err, "the defaults have the platform")
	require.True(t, inherited.Changed)

	project = stagetest.Project(t, "config:\n  slipway:images:\n    web:\n      platform: linux/arm64\n")
	done, err := promote(t, dev, project, Options{})
	require.NoError(t, err)
	require.True(t, done.Changed)
	written, err := os.ReadFile(project.StageFile("release"))
	require.NoError(t, err)
	require.Contains(t, string(written), "platform: linux/arm64\n")
	require.Contains(t, string(written), "ref: "+refOf(cleanTag))
}

const definition = "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/slipway-dev-"

// steady is a service of ECS that is, on a revision.
func steady(revision string) types.Service {
	return types.Service{Status: aws.String("ACTIVE"), DesiredCount: 2, RunningCount: 2, Deployments: []types.Deployment{{
		Status: aws.String("PRIMARY"), RunningCount: 2, TaskDefinition: aws.String(definition + revision),
		RolloutState: types.DeploymentRolloutStateCompleted,
	}}}
}

// shop is a stage with three images: web, which the services web and worker use, api, which the service api uses, with
// web in a container beside it, and batch, which only a task uses.
func shop() fakeStacks {
	image := func(name string) string {
		ref := strings.Replace(refOf(cleanTag), "/web:", "/"+name+":", 1)
		return fmt.Sprintf(`%q: {"ref": %q, "tag": %q, "digest": %q}`, name, ref, cleanTag, digest)
	}
	return fakeStacks{
		last: &pulumicli.Update{Kind: "update", Result: "succeeded"},
		outputs: fmt.Sprintf(`{"cluster": "slipway-dev", "images": {%s, %s, %s}, "services": {
			"web": {"taskDefinition": "%[4]sweb:2"}, "worker": {"taskDefinition": "%[4]sworker:1"}, "api": {"taskDefinition": "%[4]sapi:7"}},
			"tasks": {"report": {"taskDefinition": "%[4]sreport:4"}}}`,
			image("web"), image("api"), image("batch"), definition),
		uses: stageUses{
			services: map[string][]string{"web": {"web"}, "worker": {"web"}, "api": {"api", "web"}, "soon": {"web"},
				"later": {"other"}},
			tasks: map[string][]string{"report": {"batch"}, "unborn": {"web"}},
		},
		services: map[string]types.Service{"web": steady("web:2"), "worker": steady("worker:1"), "api": steady("api:7")},
	}
}

func TestPromoteTheImagesOfServices(t *testing.T) {
	t.Parallel()
	promotedOf := func(dev fakeStacks, options Options) (names []string, err error) {
		t.Helper()
		done, err := promote(t, dev, stagetest.Project(t, "config: {}\n"), options)
		if err != nil {
			return nil, err
		}
		for _, each := range done.Images {
			names = append(names, each.Name)
		}
		return names, nil
	}
	promoted := func(dev fakeStacks, services ...string) ([]string, error) {
		t.Helper()
		return promotedOf(dev, Options{Services: services})
	}
	for services, want := range map[string][]string{"": {"api", "batch", "web"}, "web": {"web"}, "api": {"api", "web"},
		"worker api": {"api", "web"},
		"web worker": {"web"}} {
		names, err := promoted(shop(), strings.Fields(services)...)
		require.NoError(t, err)
		require.Equal(t, want, names, services)
	}

	_, err := promoted(shop(), "wbe")
	require.EqualError(t, err, `dev has no service "wbe": name one of api, later, soon, web, worker`)
	require.False(t, errors.As(err, &exit.Finding{}))
	for _, service := range []string{"soon", "later"} {
		_, err = promoted(shop(), service)
		require.ErrorContains(t, err, "services."+service+" of dev")
		require.ErrorContains(t, err, "is not deployed yet: run `pulumi up --stack dev` first")
	}

	names, err := promotedOf(shop(), Options{Tasks: []string{"report"}})
	require.NoError(t, err)
	require.Equal(t, []string{"batch"}, names)
	names, err = promotedOf(shop(), Options{Services: []string{"web"}, Tasks: []string{"report"}})
	require.NoError(t, err)
	require.Equal(t, []string{"batch", "web"}, names)
	_, err = promotedOf(shop(), Options{Tasks: []string{"unborn"}})
	require.ErrorContains(t, err, "tasks.unborn of dev, with its image web, is not deployed yet")
	_, err = promotedOf(shop(), Options{Tasks: []string{"web"}})
	require.EqualError(t, err, `dev has no task "web": name one of report, unborn`)

	// What is not promoted need not be fit for it.
	dev := shop()
	dev.uses.services["api"] = []string{"api"}
	dev.outputs = strings.Replace(dev.outputs, `sapi:7"`, `sapi:7", "pinned": true`, 1)
	dev.outputs = strings.Replace(dev.outputs, `api:7"`, `api:7", "pinned": true`, 1)
	delete(dev.services, "api")
	names, err = promoted(dev, "worker")
	require.NoError(t, err)
	require.Equal(t, []string{"web"}, names)
	for _, services := range [][]string{nil, {"api"}} {
		_, err = promoted(dev, services...)
		require.ErrorContains(t, err, "services.api of dev is pinned to an earlier revision")
	}
	dev = shop()
	delete(dev.services, "worker")
	_, err = promoted(dev, "web")
	require.ErrorContains(t, err, "services.worker of dev is not in ECS any more", "it uses the image, too")
}

func TestPromoteWantsASteadyStage(t *testing.T) {
	t.Parallel()
	change := func(edit func(*types.Service)) types.Service {
		service := steady("web:2")
		edit(&service)
		return service
	}
	for says, service := range map[string]types.Service{
		"is not in ECS any more": {},
		"has no deployment":      change(func(s *types.Service) { s.Deployments = nil }),
		"is on slipway-dev-web:1 in ECS, with 2 of 2 replicas running, and its last update deployed slipway-dev-web:2: run " +
			"`pulumi up --refresh --stack dev`": change(
			func(s *types.Service) { s.Deployments[0].TaskDefinition = aws.String(definition + "web:1") }),
		"its deployment of slipway-dev-web:2 failed (tasks failed to start): run": change(func(s *types.Service) {
			s.Deployments[0].RolloutState = types.DeploymentRolloutStateFailed
			s.Deployments[0].RolloutStateReason = aws.String("tasks failed to start")
		}),
		"its deployment of slipway-dev-web:2 is under way, with 1 of 2 replicas running: wait": change(func(s *types.Service) {
			s.Deployments[0].RolloutState = types.DeploymentRolloutStateInProgress
			s.RunningCount = 1
		}),
		"it is on slipway-dev-web:2 with 1 of 2 replicas running: wait": change(func(s *types.Service) { s.RunningCount = 1 }),
	} {
		err := notSteady("dev", "web", service, definition+"web:2")
		require.ErrorContains(t, err, "services.web of dev")
		require.ErrorContains(t, err, says)
		require.ErrorAs(t, err, &exit.Finding{})
	}
	require.NoError(t, notSteady("dev", "web", change(func(*types.Service) {}), definition+"web:2"))
}

func TestPromoteFromAPinnedService(t *testing.T) {
	t.Parallel()
	pinned := strings.Replace(outputs(cleanTag, refOf(cleanTag), digest), `{"cluster"`,
		`{"services": {"web": {"pinned": true}, "api": {"pinned": false}}, "cluster"`, 1)
	dev := fakeStacks{last: &pulumicli.Update{Kind: "update", Result: "succeeded"}, outputs: pinned}
	_, err := promote(t, dev, stagetest.Project(t, "config: {}\n"), Options{})
	require.ErrorContains(t, err, "services.web of dev is pinned to an earlier revision")
	require.NotContains(t, err.Error(), "services.api")
}

// What the stage file says of an image is laid over what the defaults say.
func TestThePinsOfAStageStandOnTheDefaults(t *testing.T) {
	t.Parallel()
	defaults := map[string]map[string]any{"web": {"mirror": true, "platform": "linux/arm64"}}
	for file, mirrored := range map[string]bool{"config: {}\n": true,
		"config:\n  slipway:images: {web: {mirror: false}}\n": false} {
		changes, err := compare([]byte(file), "slipway:images", defaults,
			map[string]pulumicli.Image{"web": {Ref: "r/web:1@sha256:2", Platform: "linux/arm64"}})
		require.NoError(t, err)
		require.Equal(t, []bool{mirrored, !mirrored}, []bool{changes[0].mirrored, changes[0].unmirrored})
	}
}

func FuzzSetRefs(f *testing.F) {
	f.Add("config:\n  slipway:images: {web: {ref: x}}\n")
	f.Add("config:\r\n  slipway:images:\r\n    # c\r\n")
	f.Add("{}")
	const ref = "r/web:new@sha256:2" // as short as the editor allows: what it writes is not looked at
	f.Fuzz(func(t *testing.T, source string) {
		edited, err := stagefile.SetRefs([]byte(source), "slipway:images", map[string]string{"web": ref})
		if err != nil {
			return
		}
		changes, err := compare(edited, "slipway:images", nil, map[string]pulumicli.Image{"web": {Ref: ref}})
		require.NoError(t, err)
		require.False(t, changes[0].Changed, "what was written is what is read")
	})
}
