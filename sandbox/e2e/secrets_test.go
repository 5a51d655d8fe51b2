package e2e

import (
	"fmt"
	mathrand "math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/secrets"
)

const parameter = "arn:aws:ssm:ap-northeast-2:123456789012:parameter/token"

// references are where the secret variables of a revision's container come from.
func (a *awsAccount) secretReferences(revision string) map[string]string {
	a.Helper()
	found := map[string]string{}
	secrets, _ := a.container(revision)["secrets"].([]any)
	for _, secret := range secrets {
		entry := secret.(map[string]any)
		found[entry["name"].(string)] = entry["valueFrom"].(string)
	}
	return found
}

// secretValues are what a task of a revision would be given, but for what is kept outside of the account.
func (a *awsAccount) secretValues(revision string) map[string]string {
	a.Helper()
	values := map[string]string{}
	for name, reference := range a.secretReferences(revision) {
		if strings.Contains(reference, ":secretsmanager:") {
			value, err := secrets.SecretValue(a.open(), reference)
			require.NoError(a.TB, err)
			values[name] = value
		}
	}
	return values
}

// seedParameter gives the account the parameter.
func (p *project) seedParameter() {
	p.Helper()
	require.NoError(p.TB, p.aws.open().CreateObject(secrets.Parameter, parameter,
		account.Object{"name": "/token", "value": "hunter2-token"}, nil))
}

func TestATaskStartsOnceItsSecretIsThere(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("secrets: [TOKEN]")
	p.stageKeys("slipway:secrets: {TOKEN: \"" + parameter + "\"}")
	preview := p.preview("dev")
	require.Zero(t, preview.status)
	require.Contains(t, preview.output, "No task of this revision will start: there is no "+parameter+"\n")
	require.Regexp(t, "write this into sandbox.yaml .*\n *parameters:\n +"+parameter+": …\n", preview.output)
	p.refused([]string{"No task of this revision will start: there is no " + parameter, "ResourceInitializationError: unable to pull secrets or registry auth: execution resource " +
		"retrieval failed: unable to retrieve secrets from ssm", "invalid ssm parameters: " + parameter}, upArgs("dev")...)
	require.Equal(t, 1, p.aws.service("slipway-dev").Revision, "which ECS went back to")

	p.write("sandbox.yaml", "parameters:\n  "+parameter+": hunter2\n")
	output, err := p.aws.sandbox("seed", filepath.Join(p.dir, "sandbox.yaml")).CombinedOutput()
	require.NoError(t, err, string(output))
	up := p.up("dev", "--refresh")
	require.NotContains(t, up.output, "in the sandbox")
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)
	require.Equal(t, 1, p.aws.service("slipway-dev").Running)
}

func TestAServiceIsGivenTheSecretsThatItNamesAndNoOtherIs(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.seedParameter()
	p.replace("Pulumi.dev.yaml", "    web:\n      replicas: 1", "    worker: {image: web}\n    web:\n      replicas: 1")
	p.serviceKeys("secrets: [API_KEY, PASSWORD, TOKEN]")
	p.stageKeys("slipway:secrets: {TOKEN: \"" + parameter + "\"}")
	p.encrypt("dev", "API_KEY", "hunter2-key")
	p.encrypt("dev", "PASSWORD", `hunter2 "pass" <&> \n ü`)
	p.up("dev").builtNothing()
	secret := p.aws.object(secrets.Secret) // one for both values, and none of the other service
	require.EqualValues(t, 30, secret["recoveryWindowInDays"])
	references := p.aws.secretReferences("slipway-dev-web:2")
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
		p.aws.secretValues("slipway-dev-web:2"))
	may := p.aws.statements("slipway-dev-web-execution")
	require.Equal(t, statement{Sid: "Secrets", Effect: "Allow", Action: []string{"secretsmanager:GetSecretValue"},
		Resource: []string{secret["arn"].(string)}}, may["Secrets"])
	require.Equal(t, statement{Sid: "Parameters", Effect: "Allow", Action: []string{"ssm:GetParameters"},
		Resource: []string{parameter}}, may["Parameters"])
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)
	require.Equal(t, 1, p.aws.service("slipway-dev").Running)

	requireNothing := func(role, revision string) {
		t.Helper()
		require.Nil(t, p.aws.container(revision)["secrets"])
		require.ElementsMatch(t, []string{"Login", "Pull", "Log"}, keys(p.aws.statements(role)))
	}
	requireNothing("slipway-dev-worker-execution", "slipway-dev-worker:1")
	require.Equal(t, []string{"1 ACTIVE"}, p.aws.revisions("slipway-dev-worker"))

	// One of two values that the service no longer names is not kept, and neither is the permission for the ARN.
	p.replace("Pulumi.dev.yaml", "[API_KEY, PASSWORD, TOKEN]", "[API_KEY]")
	p.up("dev")
	require.Equal(t, map[string]string{"API_KEY": "hunter2-key"}, p.aws.secretValues("slipway-dev-web:3"))
	whole, _, _ := strings.Cut(p.aws.secretReferences("slipway-dev-web:3")["API_KEY"], ":API_KEY:")
	require.Equal(t, secret["arn"], whole)
	text, err := secrets.SecretValue(p.aws.open(), whole)
	require.NoError(t, err)
	require.JSONEq(t, `{"API_KEY": "hunter2-key"}`, text)
	require.ElementsMatch(t, []string{"Login", "Pull", "Log", "Secrets"},
		keys(p.aws.statements("slipway-dev-web-execution")))

	p.withoutOptions()
	p.up("dev")
	requireNothing("slipway-dev-web-execution", "slipway-dev-web:4")
	require.NotEmpty(t, p.aws.object(secrets.Secret)["deletedDate"])
	require.Equal(t, 1, p.aws.service("slipway-dev").Running)
	p.settled("dev")
}

func TestAChangedSecretIsANewRevisionAndAnEarlierOneKeepsItsValue(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("secrets: [API_KEY]")
	p.encrypt("dev", "API_KEY", "hunter2-first")
	p.up("dev")
	p.commit("The first value")

	p.encrypt("dev", "API_KEY", "hunter2-second")
	u := p.up("dev")
	require.ElementsMatch(t, []string{"Create aws:secretsmanager/secretVersion:SecretVersion",
		"Create aws:ecs/taskDefinition:TaskDefinition",
		"Update aws:ecs/service:Service", "Delete aws:ecs/taskDefinition:TaskDefinition",
		"Delete aws:secretsmanager/secretVersion:SecretVersion"}, u.changed())
	require.Equal(t, 3, p.aws.service("slipway-dev").Revision)
	require.Equal(t, map[string]string{"API_KEY": "hunter2-second"}, p.aws.secretValues("slipway-dev-web:3"))
	require.Equal(t, map[string]string{"API_KEY": "hunter2-first"}, p.aws.secretValues("slipway-dev-web:2"))
	p.commit("The second value")

	// The same value, encrypted again, is another text in the file and nothing else.
	before := p.read("Pulumi.dev.yaml")
	p.encrypt("dev", "API_KEY", "hunter2-second")
	require.NotEqual(t, before, p.read("Pulumi.dev.yaml"))
	p.settled("dev")

	// An earlier revision starts again, with the value that it began with.
	p.ok("pulumi", "config", "set", "--stack", "dev", "--path", "slipway:services.web.revision", "2")
	u = p.up("dev")
	require.Equal(t, []string{"Update aws:ecs/service:Service"}, u.changed())
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)
	require.Equal(t, 1, p.aws.service("slipway-dev").Running)

	p.withoutOptions()
	p.git("revert", "--no-edit", "HEAD")
	p.up("dev").builtNothing()
	require.Equal(t, 4, p.aws.service("slipway-dev").Revision)
	require.Equal(t, 1, p.aws.service("slipway-dev").Running)
	require.Equal(t, map[string]string{"API_KEY": "hunter2-first"}, p.aws.secretValues("slipway-dev-web:4"))
	require.Equal(t, map[string]string{"API_KEY": "hunter2-second"}, p.aws.secretValues("slipway-dev-web:3"))
	require.Len(t, p.aws.objects(secrets.Secret), 1)
	p.settled("dev")
}

func TestNoSecretValueIsSeenAnywhere(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	firstValue, secondValue, wrongPlace, plain := uniqueText(), uniqueText(), uniqueText(), uniqueText()
	digits := fmt.Sprint(int64(1e15) + mathrand.Int64N(8e15))
	const before, after = `x"<`, `&> \` // so that the value's middle stands in whatever escapes or quotes it
	var said []string
	record := func(r *result) { said = append(said, r.output) }
	pulumi := func(args ...string) { record(p.ok(append([]string{"pulumi"}, args...)...)) }

	p.serviceKeys("secrets: [API_KEY, PASSWORD]")
	p.encrypt("dev", "API_KEY", before+firstValue+after)
	p.encrypt("dev", "PASSWORD", before+secondValue+after)
	record(p.preview("dev"))
	record(p.up("dev", "--diff").result)
	require.Equal(t, map[string]string{"API_KEY": before + firstValue + after, "PASSWORD": before + secondValue + after},
		p.aws.secretValues("slipway-dev-web:1"), "they did arrive")
	record(p.preview("dev", "--refresh"))

	// Changed values, with a deployment that fails.
	p.encrypt("dev", "API_KEY", before+secondValue+after)
	p.encrypt("dev", "PASSWORD", before+firstValue+after)
	p.aws.setFaults(failing("2"))
	record(p.preview("dev"))
	pulumi("preview", "--stack", "dev", "--non-interactive", "--json")
	u := p.tryUp("dev", "--diff")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "slipway-dev-web:2 failed and was rolled back")
	record(u.result)
	p.aws.setFaults(nil)
	record(p.up("dev", "--refresh", "--diff").result)
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)

	pulumi("refresh", "--stack", "dev", "--yes", "--non-interactive", "--diff")
	pulumi("stack", "history", "--stack", "dev", "--json")
	pulumi("stack", "export", "--stack", "dev")
	pulumi("stack", "output", "--stack", "dev", "--json")
	pulumi("stack", "--stack", "dev", "--show-urns", "--show-ids")
	pulumi("config", "--stack", "dev")
	require.Contains(t, strings.Join(said, "\n"), "secretString: [secret]", "there was something to see")
	require.Contains(t, p.state("dev").containers(), ":API_KEY::", "what is no secret is not hidden")

	// Values where none belong.
	good := p.read("Pulumi.dev.yaml")
	p.ok("pulumi", "config", "set", "--stack", "dev", "--secret", "--path", "slipway:services.web.environment.PASSWORD",
		wrongPlace)
	says := []string{"services.web.environment.PASSWORD (Pulumi.dev.yaml): holds an encrypted value"}
	record(p.refused(says, upArgs("dev")...))
	record(p.refused(says, "pulumi", "preview", "--stack", "dev", "--non-interactive", "--diff"))
	requireUnseen(p, said, firstValue, secondValue, wrongPlace)
	p.write("Pulumi.dev.yaml", good)

	p.encrypt("dev", "EMPTY", "")
	p.encrypt("dev", "PARAMETER", parameter)
	p.ok("pulumi", "config", "set", "--stack", "dev", "--plaintext", "--path", "slipway:secrets.PLAIN", plain)
	p.ok("pulumi", "config", "set", "--stack", "dev", "--plaintext", "--path", "slipway:secrets.NUMBER", digits)
	says = []string{"secrets.EMPTY (Pulumi.dev.yaml): is an empty value",
		"secrets.PARAMETER (Pulumi.dev.yaml): is an ARN, encrypted",
		"secrets.PLAIN (Pulumi.dev.yaml): is neither encrypted nor the ARN", "secrets.NUMBER (Pulumi.dev.yaml)"}
	record(p.refused(says, upArgs("dev")...))
	record(p.refused(says, "pulumi", "preview", "--stack", "dev", "--non-interactive", "--diff"))
	p.write("Pulumi.dev.yaml", good) // which is the one place where they were written
	requireUnseen(p, said, firstValue, secondValue, wrongPlace, plain, digits)
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE"}, p.aws.revisions("slipway-dev-web"), "nothing was made of them")
}

func TestARollbackFindsThePermissionsOfItsRevision(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("secrets: [API_KEY]", "deployment: {minimumHealthy: 0, maximum: 100}") // the old tasks go first
	p.encrypt("dev", "API_KEY", "hunter2-key")
	p.up("dev")
	p.aws.setFaults(map[string]string{"failing-tasks": "slipway-dev-web:3"})
	p.replace("Pulumi.dev.yaml", "      secrets: [API_KEY]\n", "")
	u := p.tryUp("dev")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "the deployment of slipway-dev-web:3 failed and was rolled back")
	require.NotContains(t, u.output, "AccessDenied")
	require.Eventually(t, func() bool { s := p.aws.service("slipway-dev"); return s.Revision == 2 && s.Running == 1 },
		waitLimit, 200*time.Millisecond,
		"the earlier revision starts again, with its secret")

	p.aws.setFaults(nil)
	p.up("dev", "--refresh")
	require.Equal(t, 3, p.aws.service("slipway-dev").Revision)
	require.NotEmpty(t, p.aws.object(secrets.Secret)["deletedDate"], "only now")
	require.Len(t, p.aws.objects(iam.RolePolicy), 1)
	p.settled("dev")
}
