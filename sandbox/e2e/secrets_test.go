package e2e

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/secrets"
)

const parameter = "arn:aws:ssm:ap-northeast-2:123456789012:parameter/token"

// encrypt puts a value into stage dev's secrets, as a user does. The CLI writes the file anew.
func (p *project) encrypt(name, value string) {
	p.Helper()
	p.ok("pulumi", "config", "set", "--stack", "dev", "--secret", "--path", "slipway:secrets."+name, "--", value)
}

// references are where the secret variables of a revision's container come from.
func (p *project) references(revision string) map[string]string {
	p.Helper()
	found := map[string]string{}
	secrets, _ := p.container(revision)["secrets"].([]any)
	for _, secret := range secrets {
		entry := secret.(map[string]any)
		found[entry["name"].(string)] = entry["valueFrom"].(string)
	}
	return found
}

// secretValues are what a task of a revision would be given, but for what is kept outside of the account.
func (p *project) secretValues(revision string) map[string]string {
	p.Helper()
	values := map[string]string{}
	for name, reference := range p.references(revision) {
		if strings.Contains(reference, ":secretsmanager:") {
			value, err := secrets.SecretValue(p.open(), reference)
			require.NoError(p.TB, err)
			values[name] = value
		}
	}
	return values
}

func TestAServiceIsGivenTheSecretsThatItNamesAndNoOtherIs(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.replace("Pulumi.dev.yaml", "    web:\n      replicas: 1", "    worker: {image: web}\n    web:\n      replicas: 1")
	p.serviceKeys("secrets: [API_KEY, PASSWORD, TOKEN]")
	p.stageKeys("slipway:secrets: {TOKEN: \"" + parameter + "\"}")
	p.encrypt("API_KEY", "hunter2-key")
	p.encrypt("PASSWORD", `hunter2 "pass" <&> \n ü`)
	p.up("dev").builtNothing()
	secret := p.object(secrets.Secret) // one for both values, and none of the other service
	require.EqualValues(t, 30, secret["recoveryWindowInDays"])
	references := p.references("slipway-dev-web:2")
	require.Len(t, references, 3)
	require.Equal(t, parameter, references["TOKEN"])
	versions := map[string]bool{}
	for _, name := range []string{"API_KEY", "PASSWORD"} {
		version, is := strings.CutPrefix(references[name], secret["arn"].(string)+":"+name+"::")
		require.True(t, is, references[name])
		require.Regexp(t, `^terraform-[0-9]+$`, version, "as the AWS provider names a version")
		versions[version] = true
	}
	require.Len(t, versions, 1)
	require.Equal(t, map[string]string{"API_KEY": "hunter2-key", "PASSWORD": `hunter2 "pass" <&> \n ü`},
		p.secretValues("slipway-dev-web:2"))
	may := p.statements("slipway-dev-web-execution")
	require.Equal(t, statement{Sid: "Secrets", Effect: "Allow", Action: []string{"secretsmanager:GetSecretValue"},
		Resource: []string{secret["arn"].(string)}}, may["Secrets"])
	require.Equal(t, statement{Sid: "Parameters", Effect: "Allow", Action: []string{"ssm:GetParameters"},
		Resource: []string{parameter}}, may["Parameters"])
	require.Equal(t, 2, p.service("slipway-dev").Revision)
	require.Equal(t, 1, p.service("slipway-dev").Running)

	requireNothing := func(role, revision string) {
		t.Helper()
		require.Nil(t, p.container(revision)["secrets"])
		require.ElementsMatch(t, []string{"Login", "Pull", "Log"}, keys(p.statements(role)))
	}
	requireNothing("slipway-dev-worker-execution", "slipway-dev-worker:1")
	require.Equal(t, []string{"1 ACTIVE"}, p.revisions("slipway-dev-worker"))

	// One of two values that the service no longer names is not kept, and neither is the permission for the ARN.
	p.replace("Pulumi.dev.yaml", "[API_KEY, PASSWORD, TOKEN]", "[API_KEY]")
	p.up("dev")
	require.Equal(t, map[string]string{"API_KEY": "hunter2-key"}, p.secretValues("slipway-dev-web:3"))
	whole, _, _ := strings.Cut(p.references("slipway-dev-web:3")["API_KEY"], ":API_KEY:")
	require.Equal(t, secret["arn"], whole)
	text, err := secrets.SecretValue(p.open(), whole)
	require.NoError(t, err)
	require.JSONEq(t, `{"API_KEY": "hunter2-key"}`, text)
	require.ElementsMatch(t, []string{"Login", "Pull", "Log", "Secrets"}, keys(p.statements("slipway-dev-web-execution")))

	p.withoutOptions()
	p.up("dev")
	requireNothing("slipway-dev-web-execution", "slipway-dev-web:4")
	require.NotEmpty(t, p.object(secrets.Secret)["deletedDate"])
	require.Equal(t, 1, p.service("slipway-dev").Running)
	p.settled("dev")
}

func TestAChangedSecretIsANewRevisionAndAnEarlierOneKeepsItsValue(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("secrets: [API_KEY]")
	p.encrypt("API_KEY", "hunter2-first")
	p.up("dev")
	p.commit("The first value")

	p.encrypt("API_KEY", "hunter2-second")
	u := p.up("dev")
	require.ElementsMatch(t, []string{"Create aws:secretsmanager/secretVersion:SecretVersion",
		"Create aws:ecs/taskDefinition:TaskDefinition",
		"Update aws:ecs/service:Service", "Delete aws:ecs/taskDefinition:TaskDefinition",
		"Delete aws:secretsmanager/secretVersion:SecretVersion"}, u.changed())
	require.Equal(t, 3, p.service("slipway-dev").Revision)
	require.Equal(t, map[string]string{"API_KEY": "hunter2-second"}, p.secretValues("slipway-dev-web:3"))
	require.Equal(t, map[string]string{"API_KEY": "hunter2-first"}, p.secretValues("slipway-dev-web:2"))
	p.commit("The second value")

	// The same value, encrypted again, is another text in the file and nothing else.
	before := p.read("Pulumi.dev.yaml")
	p.encrypt("API_KEY", "hunter2-second")
	require.NotEqual(t, before, p.read("Pulumi.dev.yaml"))
	p.settled("dev")

	// An earlier revision starts again, with the value that it began with.
	p.ok("pulumi", "config", "set", "--stack", "dev", "--path", "slipway:services.web.revision", "2")
	u = p.up("dev")
	require.Equal(t, []string{"Update aws:ecs/service:Service"}, u.changed())
	require.Equal(t, 2, p.service("slipway-dev").Revision)
	require.Equal(t, 1, p.service("slipway-dev").Running)

	p.withoutOptions()
	p.git("revert", "--no-edit", "HEAD")
	p.up("dev").builtNothing()
	require.Equal(t, 4, p.service("slipway-dev").Revision)
	require.Equal(t, 1, p.service("slipway-dev").Running)
	require.Equal(t, map[string]string{"API_KEY": "hunter2-first"}, p.secretValues("slipway-dev-web:4"))
	require.Equal(t, map[string]string{"API_KEY": "hunter2-second"}, p.secretValues("slipway-dev-web:3"))
	require.Len(t, p.objects(secrets.Secret), 1)
	p.settled("dev")
}

// unmistakable is a value that occurs nowhere else, not in the tests either, which are part of the project.
func unmistakable() string { return "hunter2-" + rand.Text() }

func TestNoSecretValueIsSeenAnywhere(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	firstValue, secondValue, wrongPlace, plain := unmistakable(), unmistakable(), unmistakable(), unmistakable()
	digits := fmt.Sprint(int64(1e15) + mathrand.Int64N(8e15))
	const before, after = `x"<`, `&> \` // so that the value's middle stands in whatever escapes or quotes it
	var said []string
	hear := func(r *result) { said = append(said, r.output) }
	pulumi := func(args ...string) { hear(p.ok(append([]string{"pulumi"}, args...)...)) }

	p.serviceKeys("secrets: [API_KEY, PASSWORD]")
	p.encrypt("API_KEY", before+firstValue+after)
	p.encrypt("PASSWORD", before+secondValue+after)
	hear(p.preview("dev"))
	hear(p.up("dev", "--diff").result)
	require.Equal(t, map[string]string{"API_KEY": before + firstValue + after, "PASSWORD": before + secondValue + after},
		p.secretValues("slipway-dev-web:1"), "they did arrive")
	hear(p.preview("dev", "--refresh"))

	// Changed values, with a deployment that fails.
	p.encrypt("API_KEY", before+secondValue+after)
	p.encrypt("PASSWORD", before+firstValue+after)
	p.faults(failing("2"))
	hear(p.preview("dev"))
	pulumi("preview", "--stack", "dev", "--non-interactive", "--json")
	u := p.tryUp("dev", "--diff")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "slipway-dev-web:2 failed and was rolled back")
	hear(u.result)
	p.faults(nil)
	hear(p.up("dev", "--refresh", "--diff").result)
	require.Equal(t, 2, p.service("slipway-dev").Revision)

	pulumi("refresh", "--stack", "dev", "--yes", "--non-interactive", "--diff")
	pulumi("stack", "history", "--stack", "dev", "--json")
	pulumi("stack", "export", "--stack", "dev")
	pulumi("stack", "output", "--stack", "dev", "--json")
	pulumi("stack", "--stack", "dev", "--show-urns", "--show-ids")
	pulumi("config", "--stack", "dev")
	require.Contains(t, strings.Join(said, "\n"), "secretString: [secret]", "there was something to see")
	require.Contains(t, p.containers("dev"), ":API_KEY::", "what is no secret is not hidden")

	// Values where none belong.
	good := p.read("Pulumi.dev.yaml")
	p.ok("pulumi", "config", "set", "--stack", "dev", "--secret", "--path", "slipway:services.web.environment.PASSWORD",
		wrongPlace)
	says := []string{"services.web.environment.PASSWORD (Pulumi.dev.yaml): holds an encrypted value"}
	hear(p.refused(says, upArgs("dev")...))
	hear(p.refused(says, "pulumi", "preview", "--stack", "dev", "--non-interactive", "--diff"))
	p.requireUnseen(said, firstValue, secondValue, wrongPlace)
	p.write("Pulumi.dev.yaml", good)

	p.encrypt("EMPTY", "")
	p.encrypt("PARAMETER", parameter)
	p.ok("pulumi", "config", "set", "--stack", "dev", "--plaintext", "--path", "slipway:secrets.PLAIN", plain)
	p.ok("pulumi", "config", "set", "--stack", "dev", "--plaintext", "--path", "slipway:secrets.NUMBER", digits)
	says = []string{"secrets.EMPTY (Pulumi.dev.yaml): is an empty value",
		"secrets.PARAMETER (Pulumi.dev.yaml): is an ARN, encrypted",
		"secrets.PLAIN (Pulumi.dev.yaml): is neither encrypted nor the ARN", "secrets.NUMBER (Pulumi.dev.yaml)"}
	hear(p.refused(says, upArgs("dev")...))
	hear(p.refused(says, "pulumi", "preview", "--stack", "dev", "--non-interactive", "--diff"))
	p.write("Pulumi.dev.yaml", good) // which is the one place where they were written
	p.requireUnseen(said, firstValue, secondValue, wrongPlace, plain, digits)
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE"}, p.revisions("slipway-dev-web"), "nothing was made of them")
}

// requireUnseen asserts that values occur nowhere: not in what commands said, not in files of the project or of the
// state, and not in what anybody can read of a task.
func (p *project) requireUnseen(said []string, values ...string) {
	p.Helper()
	for _, value := range values {
		for _, form := range forms(value) {
			for _, output := range said {
				require.NotContains(p, output, form)
			}
		}
	}
	files := 0
	for _, dir := range []string{p.account, p.dir} {
		err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && strings.HasSuffix(name, ".git/objects"): // compressed
				return filepath.SkipDir
			case !entry.Type().IsRegular() || strings.HasPrefix(name, filepath.Join(p.account, "account.db")):
				return nil
			}
			content, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			files++
			for _, value := range values {
				for _, form := range forms(value) {
					require.False(p, strings.Contains(string(content), form), "%s holds %s", name, form)
				}
			}
			return nil
		})
		require.NoError(p.TB, err)
	}
	require.Greater(p, files, 100)
	require.FileExists(p, filepath.Join(p.account, "state/.pulumi/stacks/slipway/dev.json"), "the state was among them")
	require.DirExists(p, filepath.Join(p.account, "state/.pulumi/history/slipway/dev"))
	definitions, err := ecs.TaskDefinitions(p.open())
	require.NoError(p.TB, err)
	for _, definition := range definitions {
		text := ecs.ContainersJSON(definition.Containers)
		for _, value := range values {
			require.NotContains(p, text, value)
		}
	}
}

// forms are the ways to write a text: as it is, in hexadecimal digits, and in base64 with any number of bytes before
// and behind it.
func forms(text string) []string {
	found := []string{text, hex.EncodeToString([]byte(text)), strings.ToUpper(hex.EncodeToString([]byte(text)))}
	for shift := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("-", shift) + text))
		// without the digits that depend on the neighbours
		found = append(found, encoded[[]int{0, 2, 3}[shift]:len(encoded)-2])
	}
	return found
}

func TestTheFormsOfATextAreFoundInWhatSurroundsIt(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "a", "ab", "abc"} {
		encoded := base64.StdEncoding.EncodeToString([]byte(prefix + "hunter2-4b1d" + "zz"))
		found := false
		for _, form := range forms("hunter2-4b1d")[3:] {
			found = found || strings.Contains(encoded, form)
		}
		require.True(t, found, prefix)
	}
}

func TestARollbackFindsThePermissionsOfItsRevision(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("secrets: [API_KEY]", "deployment: {minimumHealthy: 0, maximum: 100}") // the old tasks go first
	p.encrypt("API_KEY", "hunter2-key")
	p.up("dev")
	p.faults(map[string]string{"failing-tasks": "slipway-dev-web:3"})
	p.replace("Pulumi.dev.yaml", "      secrets: [API_KEY]\n", "")
	u := p.tryUp("dev")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "the deployment of slipway-dev-web:3 failed and was rolled back")
	require.NotContains(t, u.output, "AccessDenied")
	require.Eventually(t, func() bool { s := p.service("slipway-dev"); return s.Revision == 2 && s.Running == 1 },
		patience, 200*time.Millisecond,
		"the earlier revision starts again, with its secret")

	p.faults(nil)
	p.up("dev", "--refresh")
	require.Equal(t, 3, p.service("slipway-dev").Revision)
	require.NotEmpty(t, p.object(secrets.Secret)["deletedDate"], "only now")
	require.Len(t, p.objects(iam.RolePolicy), 1)
	p.settled("dev")
}
