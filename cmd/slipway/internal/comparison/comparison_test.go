package comparison

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/snapshot"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/cmd/slipway/internal/stagetest"
	"slipway/internal/imageref"
	"slipway/stage"
)

const (
	oneRepository = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/slipway-dev/web"
	oneTag        = "20261123-041205-a1b2c3d-9f8e7d6c"
	otherTag      = "20261120-041205-d4e5f6a-01234567"
)

var (
	oneDigest = "sha256:" + strings.Repeat("ab", 32)
	oneRef    = oneRepository + ":" + oneTag + "@" + oneDigest
)

// stageSnapshot is a stage of the project slipway with such keys as JSON, of which secrets is encrypted.
func stageSnapshot(t *testing.T, name string, config map[string]string) *comparedStage {
	t.Helper()
	read := &comparedStage{Stage: &snapshot.Stage{Project: &stagefile.Project{Name: "slipway"}, Stack: name,
		StageConfig: &pulumicli.StageConfig{}, Outputs: &pulumicli.Outputs{}}, providers: flatconfig.Config{}}
	full, secretKeys := map[string]string{}, []string{}
	for key, text := range config {
		if !strings.Contains(key, ":") {
			full["slipway:"+key] = text
			continue
		}
		full[key] = text
		read.providers[key] = flatconfig.Setting{Text: text, Secret: key == "aws:secretKey"}
	}
	if config["secrets"] != "" {
		secretKeys = append(secretKeys, "slipway:secrets")
	}
	var err error
	read.settings, err = stage.Load(stage.Input{Project: "slipway", Stage: name, Config: full, SecretKeys: secretKeys,
		Root: t.TempDir()})
	require.NoError(t, err)
	return read
}

// deploy gives a stage one image in its outputs.
func (s *comparedStage) deploy(t *testing.T, name, tag, digest string) {
	t.Helper()
	s.Last = &pulumicli.Update{Kind: "update", Result: "succeeded"}
	if s.Outputs.Images == nil {
		s.Outputs.Images = map[string]pulumicli.Image{}
	}
	s.Outputs.Images[name] = pulumicli.Image{Ref: oneRepository + ":" + tag + "@" + digest, Tag: tag, Digest: digest,
		Commit: imageref.CommitOf(tag)}
}

var pinnedImages = `{"web": {"ref": "` + oneRef + `"}}`

func TestADefaultThatIsWrittenOutIsNoDifference(t *testing.T) {
	t.Parallel()
	a := stageSnapshot(t, "dev", map[string]string{
		"images": pinnedImages, "environment": `{"A": "1"}`,
		"services": `{"web": {"image": "web", "port": 8080, "route": {}}}`,
	})
	b := stageSnapshot(t, "release", map[string]string{
		"images": pinnedImages, "network": `{}`, "tags": `{}`, "loadBalancer": `{"idleTimeout": 60, "internal": false}`,
		"services": `{"web": {"image": "web", "port": 8080, "cpu": 256, "memory": 512, "replicas": 1, "environment": {"A": "1"}, "secrets": [],
			"command": [], "exec": false, "route": {"protocol": "http1"}}}`,
	})
	a.deploy(t, "web", oneTag, oneDigest)
	b.deploy(t, "web", oneTag, oneDigest)
	found, err := compareStages([2]*comparedStage{a, b})
	require.NoError(t, err)
	require.NoError(t, found.Verdict())
	require.Equal(t, "dev and release do not differ.\n", stagetest.Printed(found.Print))
	encoded, err := json.Marshal(found)
	require.NoError(t, err)
	require.JSONEq(t, `{"stages": ["dev", "release"], "equal": true, "images": [], "services": [], "stage": [], `+
		`"tasks": [], "secrets": [], "notes": []}`, string(encoded))
}

func TestAValueHasNoKeysThatNobodyWrote(t *testing.T) {
	t.Parallel()
	permitted := func(name, action string) *comparedStage {
		return stageSnapshot(t, name, map[string]string{"images": pinnedImages,
			"services": `{"web": {"image": "web", "permissions": [{"actions": ["` + action + `"], "resources": ["arn:aws:s3:::x"]}]}}`})
	}
	found, err := compareStages([2]*comparedStage{permitted("dev", "s3:GetObject"), permitted("release", "s3:PutObject")})
	require.NoError(t, err)
	require.Equal(t, `[{"actions":["s3:GetObject"],"resources":["arn:aws:s3:::x"]}]`,
		found.Services[0].Settings[0].Values[0].Text)
}

func TestWhatDiffersBetweenTwoStages(t *testing.T) {
	t.Parallel()
	other := "sha256:" + strings.Repeat("cd", 32)
	a := stageSnapshot(t, "dev", map[string]string{
		"aws:region": "ap-northeast-2", "aws:secretKey": "hunter2-a", "aws:profile": "shop",
		"images":      `{"web": {"ref": "` + oneRef + `"}, "tool": {"ref": "` + oneRef + `"}}`,
		"environment": `{"STAGE": "dev", "EMPTY": ""}`, "network": `{"assignPublicIp": true}`,
		"secrets": `{"KEY": "hunter2-one", "SAME": "hunter2-same", "KEPT": ` +
			`"arn:aws:ssm:ap-northeast-2:123456789012:parameter/dev", "MOVED": "hunter2-moved", "OLD": "hunter2-old"}`,
		"services": `{"web": {"image": "web", "port": 8080, "healthCheck": {"command": ["CMD", "/app"]}, "secrets": ["KEY"]}, "tool": {"image": "tool"},
			"worker": {"image": "web", "environment": {"STAGE": "x", "EMPTY": "", "TEXT": "two\nlines"}}}`,
	})
	b := stageSnapshot(t, "release", map[string]string{
		"aws:region": "ap-northeast-2", "aws:secretKey": "hunter2-b",
		"images":      `{"web": {"ref": "` + oneRepository + ":" + otherTag + "@" + other + `", "platform": "linux/arm64"}}`,
		"environment": `{"STAGE": "release"}`, "cluster": `{"containerInsights": "enabled"}`, "tags": `{"team.name": "shop"}`,
		"secrets": `{"KEY": "hunter2-two", "SAME": "hunter2-same", "KEPT": ` +
			`"arn:aws:ssm:ap-northeast-2:123456789012:parameter/release", "MOVED": ` +
			`"arn:aws:ssm:ap-northeast-2:123456789012:parameter/moved"}`,
		"services": `{"web": {"image": "web", "port": 8080, "replicas": 2, "cpu": 512, "memory": 1024, "secrets": ["KEY", "SAME"]},
			"worker": {"image": "web", "environment": {"STAGE": "x"}}}`,
	})
	a.deploy(t, "web", oneTag, oneDigest)
	b.deploy(t, "web", otherTag, other)
	found, err := compareStages([2]*comparedStage{a, b})
	require.NoError(t, err)
	require.ErrorIs(t, found.Verdict(), exit.Difference)
	require.Equal(t, `Images
  tool: only in dev
  web
    dev      20261123-041205-a1b2c3d-9f8e7d6c  sha256:abababababab  commit a1b2c3d
    release  20261120-041205-d4e5f6a-01234567  sha256:cdcdcdcdcdcd  commit d4e5f6a
  web.platform: linux/amd64 → linux/arm64

Service tool: only in dev

Service web
  cpu: 256 → 512
  environment.EMPTY: "", only in dev
  environment.STAGE: dev → release
  healthCheck.command: ["CMD","/app"], only in dev
  healthCheck.interval: 10, only in dev
  healthCheck.retries: 3, only in dev
  healthCheck.timeout: 5, only in dev
  memory: 512 → 1024
  replicas: 1 → 2
  secrets: ["KEY"] → ["KEY","SAME"]

Service worker
  environment.EMPTY: "", only in dev
  environment.TEXT: "two\nlines", only in dev

Stage
  cluster.containerInsights: disabled → enabled
  network.assignPublicIp: true, only in dev
  tags["team.name"]: shop, only in release
  aws:profile: shop, only in dev

Secrets
  KEPT: arn:aws:ssm:ap-northeast-2:123456789012:parameter/dev → arn:aws:ssm:ap-northeast-2:123456789012:parameter/release
  KEY: differs
  MOVED: a value of its own → arn:aws:ssm:ap-northeast-2:123456789012:parameter/moved
  OLD: only in dev
  aws:secretKey: differs

All else is equal in dev and release.
`, stagetest.Printed(found.Print))
	encoded, err := json.Marshal(found)
	require.NoError(t, err)
	require.NotContains(t, string(encoded), "hunter2")
	require.Contains(t, string(encoded), `{"key":"replicas","values":[1,2]}`)
	require.Contains(t, string(encoded), `{"name":"SAME","equal":true,"arns":["",""]}`)
}

func TestSecretsThatCannotBeDecryptedAreNotTold(t *testing.T) {
	t.Parallel()
	config := func(value string) map[string]string {
		return map[string]string{
			"images": pinnedImages, "services": `{"web": {"image": "web", "secrets": ["KEY"]}}`,
			"secrets": `{"KEY": "` + value + `", "KEPT": "arn:aws:ssm:ap-northeast-2:123456789012:parameter/shop"}`,
		}
	}
	a, b := stageSnapshot(t, "dev", config(stagefile.HiddenValue)),
		stageSnapshot(t, "release", config(stagefile.HiddenValue))
	a.deploy(t, "web", oneTag, oneDigest)
	b.deploy(t, "web", oneTag, oneDigest)
	b.DecryptErr = errors.New("pulumi config: incorrect\npassphrase")
	found, err := compareStages([2]*comparedStage{a, b})
	require.NoError(t, err)
	require.False(t, found.Equal)
	require.Equal(t, `Note: the secrets of release could not be decrypted: pulumi config: incorrect passphrase.

Secrets
  KEY: could not tell

All else is equal in dev and release.
`, stagetest.Printed(found.Print))
	err = found.Verdict()
	require.ErrorContains(t, err, "could not tell whether secrets are equal (KEY)")
	require.False(t, errors.As(err, &exit.Finding{}))

	b.settings.Tags = map[string]string{"team": "shop"}
	found, err = compareStages([2]*comparedStage{a, b})
	require.NoError(t, err)
	require.ErrorIs(t, found.Verdict(), exit.Difference, "that something differs is known")
}

func TestAStageThatRunsNothingIsComparedByItsFile(t *testing.T) {
	t.Parallel()
	services := `{"web": {"image": "web"}}`
	a := stageSnapshot(t, "dev", map[string]string{"images": pinnedImages, "services": services})
	b := stageSnapshot(t, "release", map[string]string{"images": pinnedImages, "services": services})
	a.deploy(t, "web", oneTag, oneDigest)
	found, err := compareStages([2]*comparedStage{a, b})
	require.NoError(t, err)
	require.NoError(t, found.Verdict())
	require.Equal(t, "Note: release runs nothing yet, as it was never deployed: what its file says is compared.\n\ndev "+
		"and release do not differ.\n", stagetest.Printed(found.Print))

	b.settings.Images["web"] = stage.Image{Build: &stage.Build{Context: "app"}, Platform: "linux/amd64"}
	found, err = compareStages([2]*comparedStage{a, b})
	require.NoError(t, err)
	require.Contains(t, stagetest.Printed(found.Print), "    release  is not built yet\n")
	require.ErrorIs(t, found.Verdict(), exit.Difference)

	// What is deployed counts, and what is not deployed yet is said.
	b.deploy(t, "web", oneTag, oneDigest)
	pinned, err := imageref.Parse(oneRepository + ":" + otherTag + "@sha256:" + strings.Repeat("cd", 32))
	require.NoError(t, err)
	b.settings.Images["web"] = stage.Image{Ref: &pinned, Platform: "linux/amd64"}
	b.Last.Result = "failed"
	found, err = compareStages([2]*comparedStage{a, b})
	require.NoError(t, err)
	require.NoError(t, found.Verdict())
	require.Equal(t, []string{"the last update of release failed, so it may run something else: `slipway status " +
		"release` tells",
		"Pulumi.release.yaml pins web to " + otherTag + ", which is not deployed yet: run `pulumi up --stack release`"},
		found.Notes)
}

// TestNoKeyIsForgotten holds the settings of a stage that has everything against the keys of the schema.
func TestNoKeyIsForgotten(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "app"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "app/Dockerfile"), []byte("FROM scratch\n"), 0o644))
	loaded, err := stage.Load(stage.Input{Project: "slipway", Stage: "dev", Root: root, Config: map[string]string{
		"slipway:images": `{"web": {"build": {"context": "app"}}}`,
		"slipway:services": `{"web": {"image": "web", "port": 8080, "route": {}, "scaling": {"min": 1, "max": 2, "cpu": 60},
			"healthCheck": {"command": ["CMD", "/app"]}}}`,
	}})
	require.NoError(t, err)
	found, err := settingsOf(loaded)
	require.NoError(t, err)

	content, err := os.ReadFile("../../../../docs/stage.schema.json")
	require.NoError(t, err)
	type object struct {
		Properties           map[string]json.RawMessage
		AdditionalProperties json.RawMessage
	}
	var check func(at string, schema json.RawMessage, value any)
	check = func(at string, schema json.RawMessage, value any) {
		var declared object
		_ = json.Unmarshal(schema, &declared)
		fields, isObject := value.(map[string]any)
		switch {
		case !isObject:
		case declared.Properties != nil:
			require.Equal(t, slices.Sorted(maps.Keys(declared.Properties)), slices.Sorted(maps.Keys(fields)), at)
			for key := range fields {
				check(at+"."+key, declared.Properties[key], fields[key])
			}
		default:
			for key := range fields {
				check(at+"."+key, declared.AdditionalProperties, fields[key])
			}
		}
	}
	var schema struct {
		Properties struct{ Config object }
	}
	require.NoError(t, json.Unmarshal(content, &schema))
	var known []string
	for key, property := range schema.Properties.Config.Properties {
		key = strings.TrimPrefix(key, "slipway:")
		if slices.Contains([]string{"environment", "secrets", "outputs", "capacity"}, key) { // compared otherwise
			continue
		}
		known = append(known, key)
		check(key, property, found[key])
	}
	require.ElementsMatch(t, known, slices.Collect(maps.Keys(found)))
}

func TestTasksAndContainersBesideTheMainOneAreCompared(t *testing.T) {
	t.Parallel()
	config := func(edits ...string) map[string]string {
		replace := strings.NewReplacer(edits...)
		return map[string]string{
			"images":  pinnedImages,
			"secrets": `{"TOKEN": "hush-hush", "KEY": "quiet"}`,
			"services": replace.Replace(`{"web": {"image": "web", "secrets": ["TOKEN"], "containers": {
				"proxy": {"image": "web", "secrets": ["KEY"], "essential": false, "environment": {"LEVEL": "info"}}}}}`),
			"tasks": replace.Replace(`{"migrate": {"image": "web", "secrets": ["TOKEN"], "before": ["web"]},
				"report": {"image": "web", "schedule": {"when": "rate(1 day)"}}}`),
		}
	}
	a := stageSnapshot(t, "dev", config())
	b := stageSnapshot(t, "release", config(`"info"`, `"debug"`, `["KEY"]`, `["KEY", "TOKEN"]`, "rate(1 day)",
		"rate(2 days)"))
	delete(b.settings.Tasks, "migrate")
	a.deploy(t, "web", oneTag, oneDigest)
	b.deploy(t, "web", oneTag, oneDigest)
	found, err := compareStages([2]*comparedStage{a, b})
	require.NoError(t, err)
	require.Empty(t, found.Stage)
	require.False(t, found.Equal)
	require.ErrorIs(t, found.Verdict(), exit.Difference)
	text := stagetest.Printed(found.Print)
	require.Contains(t, text,
		"Service web\n  containers.proxy.environment.LEVEL: info → debug\n  containers.proxy.secrets: [\"KEY\"] → "+
			"[\"KEY\",\"TOKEN\"]\n")
	require.Contains(t, text, "Task migrate: only in dev\n")
	require.Contains(t, text, "Task report\n  schedule.when: rate(1 day) → rate(2 days)\n")
	require.NotContains(t, text, "hush")

	same, err := compareStages([2]*comparedStage{a, a})
	require.NoError(t, err)
	require.True(t, same.Equal)
}
