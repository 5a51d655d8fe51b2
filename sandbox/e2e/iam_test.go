package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
)

// callsVariable has the sandbox note in a file which actions commands take.
const callsVariable = "SANDBOX_CALLS"

// iamPolicy is what `slipway iam` prints.
type iamPolicy struct {
	Version   string
	Statement []map[string]any
}

func readPolicy(directory, stage, purpose string, more ...string) (policy iamPolicy, err error) {
	command := exec.Command(filepath.Join(root, ".bin/slipway"),
		append([]string{"-C", directory, "iam", stage, "--for", purpose}, more...)...)
	text, err := command.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		return policy, fmt.Errorf("slipway iam %s: %s", stage, failed.Stderr)
	}
	if err != nil {
		return policy, err
	}
	return policy, json.Unmarshal(text, &policy)
}

// actionsOf are those of all statements.
func (policy iamPolicy) actionsOf() (actions []string) {
	for _, statement := range policy.Statement {
		for _, action := range statement["Action"].([]any) {
			actions = append(actions, action.(string))
		}
	}
	return actions
}

// without is the policy without an action.
func (policy iamPolicy) without(action string) (less iamPolicy) {
	less.Version = policy.Version
	for _, statement := range policy.Statement {
		statement = maps.Clone(statement)
		statement["Action"] = slices.DeleteFunc(slices.Clone(statement["Action"].([]any)),
			func(other any) bool { return other == action })
		if len(statement["Action"].([]any)) > 0 {
			less.Statement = append(less.Statement, statement)
		}
	}
	return less
}

// limitTo has the commands do what the least policy of a stage allows for a purpose, by the stage file as it is now.
func (p *project) limitTo(stage, purpose string) iamPolicy {
	p.Helper()
	policy, err := readPolicy(p.dir, stage, purpose)
	require.NoError(p.TB, err)
	p.limit(policy)
	return policy
}

// The stages are in two accounts: what the second one's roles may do is known before it has any image.
func TestAFirstPromotionIsInTheLeastPolicies(t *testing.T) {
	t.Parallel()
	p := withKeysOfTwoAccounts(t)
	for stage, id := range map[string]string{"dev": devAccount, "release": releaseAccount} {
		p.replace("Pulumi."+stage+".yaml", "  aws:region: ap-northeast-2\n",
			"  aws:region: ap-northeast-2\n  aws:allowedAccountIds: [\""+id+"\"]\n")
	}
	p.stageKeys(`slipway:repository: {readers: ["` + releaseAccount + `"]}`)
	p.commit("Accounts")
	p.up("dev")
	p.ok("pulumi", "stack", "init", "release")
	policy := func(stage, purpose string, more ...string) iamPolicy {
		found, err := readPolicy(p.dir, stage, purpose, more...)
		require.NoError(t, err)
		return found
	}
	looking, updating := policy("release", "preview", "--from", "dev"), policy("release", "update", "--from", "dev")
	promoting := policy("dev", "promote")
	p.limit(promoting)
	p.refused([]string{"is not authorized to perform: ecr:"}, "slipway", "promote", "dev", "release")
	promoting.Statement = append(promoting.Statement, policy("release", "promote", "--from", "dev").Statement...)
	p.limit(promoting)
	p.ok("slipway", "promote", "dev", "release")
	p.commit("Promote")
	p.limit(looking)
	require.Contains(t, p.ok("slipway", "preview", "release").stdout, "image web is copied: "+devAccount)
	p.limit(updating)
	p.up("release")
	require.Len(t, p.aws.in(releaseAccount).images(), 1)
}

func (p *project) limit(policy iamPolicy) {
	p.Helper()
	text, err := json.Marshal(policy)
	require.NoError(p.TB, err)
	p.policy = filepath.Join(p.TempDir(), "policy.json")
	require.NoError(p.TB, os.WriteFile(p.policy, text, 0o644))
}

// inAnAccount says in the stage file which account it is, so that its policy is for no other.
func (p *project) inAnAccount() {
	p.Helper()
	p.replace("Pulumi.dev.yaml", "  aws:region: ap-northeast-2\n",
		"  aws:region: ap-northeast-2\n  aws:allowedAccountIds: [\""+account.DefaultID+"\"]\n")
}

func TestARoleWithTheLeastPolicyDoesAllThatDeployingIs(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.inAnAccount()
	p.stageKeys("slipway:repository: {forceDelete: true}", "slipway:tasks:", "  migrate: {image: web, before: [web]}",
		"  report: {image: web, schedule: {when: rate(1 day)}}")
	p.commit("Tasks")
	p.limitTo("dev", "update")
	p.up("dev")
	p.replace("Pulumi.dev.yaml", "hello from dev", "good day")
	p.commit("Another greeting")
	p.up("dev")
	p.ok("slipway", "run", "dev", "report")
	p.ok("slipway", "status", "dev", "--exit-code")
	p.ok("slipway", "history", "dev")
	p.ok("slipway", "verify", "dev")
	p.ok("slipway", "preview", "dev")
	p.ok("slipway", "logs", "dev", "web", "--since", "1h")
	p.ok("slipway", "rollback", "dev")
	p.up("dev")
	p.settled("dev")
	p.ok("pulumi", "stack", "init", "release")
	p.ok("slipway", "promote", "dev", "release")
	p.ok(destroyArgs("dev")...)
}

func TestALeastPolicyHasWhatEveryOptionNeeds(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.inAnAccount()
	boundary, err := iam.AddPolicy(p.aws.open(), "boundary",
		`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`)
	require.NoError(t, err)
	p.seedParameter()
	p.serviceKeys(everyOptionOfWeb(t)...)
	p.stageKeys(everyOptionOfDev(boundary)...)
	p.encrypt("dev", "API_KEY", "hunter2-least")
	policy := p.limitTo("dev", "update")
	refused := p.tryUp("dev")
	require.NotZero(t, refused.status, "the roles have another path, and go, which is not in the policy")
	require.Contains(t, refused.output, "is not authorized to perform: iam:")
	require.Contains(t, refused.output, "role/slipway-dev-web-")

	p.policy = ""
	p.up("dev")
	p.limit(policy)
	p.replace("Pulumi.dev.yaml", "team: shop, owner: kim", "team: kiosk")
	p.replace("Pulumi.dev.yaml", "deletionProtection: true", "deletionProtection: false")
	p.replace("Pulumi.dev.yaml", "priority: 7", "priority: 8")
	p.up("dev")
	p.settled("dev")
	require.NotContains(t, p.run("slipway", "verify", "dev").output, "unknown")
	p.ok(destroyArgs("dev")...)
	p.up("dev")
}

func TestPreviewsAndLooksNeedLess(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.inAnAccount()
	p.limitTo("dev", "promote")
	p.ok("pulumi", "stack", "init", "release")
	p.ok("slipway", "promote", "dev", "release")
	p.limitTo("dev", "preview")
	p.replace("Pulumi.dev.yaml", "hello from dev", "good day")
	require.Zero(t, p.preview("dev").status)
	p.ok("slipway", "preview", "dev")
	u := p.tryUp("dev")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "is not authorized to perform: ecs:")
	require.Contains(t, u.output, "`slipway iam dev` prints all that the role needs")
	require.Empty(t, u.changed())

	reading := p.limitTo("dev", "read")
	p.ok("slipway", "status", "dev")
	p.ok("slipway", "history", "dev")
	p.ok("slipway", "verify", "dev")
	p.ok("slipway", "logs", "dev", "web", "--since", "1h")
	p.limit(reading.without("ecs:DescribeServices"))
	p.refused([]string{"The credentials lack ecs:DescribeServices: `slipway iam dev` prints"}, "slipway", "status", "dev")
	p.limit(reading.without("iam:GetRole"))
	p.refused([]string{"The credentials lack iam:GetRole: `slipway iam dev` prints"}, "slipway", "verify", "dev")
}

// Of the actions that a first update takes, each is needed: without it the update fails, and says which one it is.
func TestNoActionOfALeastPolicyIsTooMany(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv("SEED"), 10, 64); err == nil {
		seed = given
	}
	t.Logf("SEED=%d", seed)
	p := newProject(t)
	p.inAnAccount()
	policy := p.limitTo("dev", "update")
	calls := filepath.Join(t.TempDir(), "calls")
	r := p.runWith([]string{callsVariable + "=" + calls}, upArgs("dev", "--skip-preview")...)
	require.Zero(t, r.status, r.output)
	actions := calledActions(calls)
	require.Greater(t, len(actions), 40)
	require.Subset(t, policy.actionsOf(), actions)
	random := rand.New(rand.NewPCG(seed, seed))
	for _, i := range random.Perm(len(actions))[:10] {
		t.Run(actions[i], func(t *testing.T) {
			p := newProject(t)
			p.inAnAccount()
			p.limit(policy.without(actions[i]))
			p.refused([]string{"is not authorized to perform: " + actions[i] + " on resource: "},
				upArgs("dev", "--skip-preview")...)
		})
	}
}

// calledActions are those that the sandbox has noted in a file, each once.
func calledActions(file string) (actions []string) {
	text, _ := os.ReadFile(file) // none where nothing was called
	for line := range strings.Lines(string(text)) {
		action, _, _ := strings.Cut(line, " ")
		actions = append(actions, action)
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

// notInTheTable are the actions that all tests have taken and `slipway iam` does not have, whatever a stage uses.
func notInTheTable(calls string) (missing []string) {
	dir := filepath.Join(templates, "everything")
	const image = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/tools/cli:1@sha256:" +
		"abababababababababababababababababababababababababababababababab"
	many := strings.Repeat(`{actions: ["s3:GetObject"], resources: ["arn:aws:s3:::a-bucket-with-a-long-name/*"]}, `, 80)
	stage := fmt.Sprintf(`config:
  aws:region: eu-west-1
  slipway:images: {web: {build: {context: .}}, tools: {ref: %q}}
  slipway:repository: {readers: ["210987654321"]}
  slipway:secrets: {KEY: {secure: "v1:AAAA"}, TOKEN: "arn:aws:ssm:eu-west-1:123456789012:parameter/token",
    PASSWORD: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:password-AbCdEf"}
  slipway:roles: {ROLES}
  slipway:instances: {general: {types: [m7i.large], max: 2}}
  slipway:services:
    web: {image: web, port: 8080, name: web, route: {hosts: [shop.example.com]}, scaling: {max: 4, cpu: 50}, secrets: [KEY],
      capacity: {spot: 1}, deployment: {maxErrors: 10}, permissions: [%s]}
  slipway:tasks:
    migrate: {image: tools, before: [web]}
    report: {image: tools, schedule: {when: "rate(2 hours)",
      deadLetterQueue: "arn:aws:sqs:eu-west-1:123456789012:lost"}}
  slipway:loadBalancer: {BALANCER}
`, image, many)
	const balancer = "arn: arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shared/50dc6c495c0c9188"
	files := map[string]string{"Pulumi.yaml": "name: slipway\nruntime: go\n", "Dockerfile": "FROM scratch\n",
		"Pulumi.own.yaml": strings.NewReplacer("BALANCER", "zone: example.com, webAcl: \""+
			strings.Replace(webACL, "ap-northeast-2", "eu-west-1", 1)+"\"", "ROLES", "").Replace(stage),
		"Pulumi.shared.yaml": strings.NewReplacer("BALANCER", balancer+", zone: example.com", "ROLES",
			"permissionsBoundary: \"arn:aws:iam::123456789012:policy/boundary\"").Replace(stage),
		"Pulumi.named.yaml": strings.NewReplacer("BALANCER",
			"certificate: arn:aws:acm:eu-west-1:123456789012:certificate/12345678-1234-1234-1234-123456789012", "ROLES",
			"").Replace(stage)}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return []string{err.Error()}
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return []string{err.Error()}
		}
	}
	var allowed []string
	for _, stage := range []string{"own", "shared", "named"} {
		policy, err := readPolicy(dir, stage, "update")
		if err != nil {
			return []string{err.Error()}
		}
		allowed = append(allowed, policy.actionsOf()...)
	}
	return slices.DeleteFunc(calledActions(calls), func(action string) bool {
		return slices.ContainsFunc(allowed, func(pattern string) bool { return awslimits.Match(pattern, action) })
	})
}
