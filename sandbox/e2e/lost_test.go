package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/dns"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/vpc"
	"slipway/sandbox/aws"
)

// loseState makes the stack of stage dev a new one. The stage file, with what encrypts its secrets, stays.
func loseState(p *project) {
	p.Helper()
	p.ok("pulumi", "stack", "rm", "dev", "--force", "--yes", "--preserve-config")
	p.ok("pulumi", "stack", "init", "dev")
	require.Empty(p.TB, p.state("dev").ofType("aws:iam/role:Role"))
}

// inventory is what the account has of each kind of thing: its names and ARNs.
func inventory(p *project) map[string][]string {
	p.Helper()
	found := map[string][]string{}
	for _, token := range aws.Types() {
		kind := aws.Kind(token)
		if kind == "" {
			continue
		}
		for _, o := range p.aws.objects(kind) {
			if o["deletedDate"] == nil {
				found[kind] = append(found[kind], fmt.Sprint(o["arn"], " ", o["name"], " ", o["role"], " ", o["policyArn"]))
			}
		}
		slices.Sort(found[kind])
	}
	return found
}

// results are what a recovery says: the types of resources by what became of them.
func (r recovery) results() map[string][]string {
	results := map[string][]string{}
	for _, o := range r.Operations {
		results[o.Result] = append(results[o.Result], typeOf(o.URN))
	}
	return results
}

func TestALostStateIsFoundInAWS(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	withEveryType(p)
	// Its security group is called as the load balancer's, but for what Pulumi makes up.
	p.replace("Pulumi.dev.yaml", "  slipway:services:\n", "  slipway:services:\n    dev: {image: web, port: 8080}\n")
	p.up("dev")
	before, created := inventory(p), p.aws.web().CreatedAt
	state := p.ok("pulumi", "stack", "export", "--stack", "dev").stdout

	loseState(p)
	shown := recovered(p, "--dry-run")
	require.Empty(t, shown.Backup)
	require.Contains(t, shown.results()["imported"], "aws:lb/loadBalancer:LoadBalancer")
	require.Empty(t, p.state("dev").ofType("aws:iam/role:Role"), "a dry run changes nothing")

	r := recovered(p)
	results := r.results()
	require.ElementsMatch(t, []string{"docker:index/image:Image", "pulumi:index:Stash",
		"aws:acm/certificateValidation:CertificateValidation"}, results["made again"])
	require.ElementsMatch(t, []string{"imported", "made again"}, keys(results))
	for _, token := range aws.Types() {
		if token != "aws:acm/certificateValidation:CertificateValidation" {
			require.Contains(t, results["imported"], token)
		}
	}
	require.Equal(t, before, inventory(p), "nothing in AWS has changed")
	exported := p.ok("pulumi", "stack", "export", "--stack", "dev").stdout
	require.NotContains(t, exported, "[secret]")
	require.NotContains(t, exported, "04da6b54-80e4-46f7-96ec-b56ff0331ba9")
	require.NotContains(t, exported, "hunter2")
	require.Equal(t, awsInputs(t, state), awsInputs(t, exported), "the inputs are those that the lost state had")

	require.ElementsMatch(t, []string{"Create docker:index/image:Image",
		"Create aws:acm/certificateValidation:CertificateValidation",
		"Create aws:ecs/taskDefinition:TaskDefinition", "Delete aws:ecs/taskDefinition:TaskDefinition",
		// an import does not find all of a template, so it gets one more version
		"Update aws:ec2/launchTemplate:LaunchTemplate", "Update aws:autoscaling/group:Group",
		"Update aws:ecs/service:Service", "Update aws:scheduler/schedule:Schedule"}, p.up("dev").changed())
	require.Equal(t, before, inventory(p), "nothing was replaced, and nothing was made twice")
	require.Equal(t, created, p.aws.web().CreatedAt)
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE"}, p.aws.revisions("slipway-dev-web"))
	requireNothingDoubled(p)
	p.settled("dev")

	loseState(p)
	recovered(p) // to destroy the stage
	p.ok(destroyArgs("dev")...)
	requireNothingLeft(p)
	require.Contains(t, p.ok("slipway", "recover", "dev").stdout, "there is nothing to recover",
		"revisions alone are no stage")
	require.Empty(t, p.state("dev").Resources)
}

// awsInputs are the inputs of what a state has in AWS, without what is encrypted.
func awsInputs(t *testing.T, exported string) map[string]map[string]any {
	t.Helper()
	var state struct {
		Deployment struct{ Resources []stateResource }
	}
	require.NoError(t, json.Unmarshal([]byte(exported), &state))
	found := map[string]map[string]any{}
	for _, each := range state.Deployment.Resources {
		if !slices.Contains(aws.Types(), each.Type) || each.Type == "aws:acm/certificateValidation:CertificateValidation" {
			continue
		}
		delete(each.Inputs, "secretString")
		if each.Type == "aws:ecs/taskDefinition:TaskDefinition" { // an image has a tag of its own in each preview
			delete(each.Inputs, "containerDefinitions")
		}
		for _, network := range account.Objects(each.Inputs["networkInterfaces"]) { // an import notes no defaults there
			delete(network, "__defaults")
		}
		found[each.URN] = each.Inputs
	}
	return found
}

func TestALostStateOfAStageThatBuildsNothing(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("secrets: [PASSWORD]", "scaling: {max: 6, cpu: 60}")
	p.encrypt("dev", "PASSWORD", "hunter2")
	built := p.state("dev").outputs().Images["web"].Ref
	p.replace("Pulumi.dev.yaml", "      build:\n", "      ref: "+built+"\n      build:\n")
	p.up("dev")
	before, deployment, revisions := inventory(p), p.aws.web().Deployments[0].ID, p.aws.revisions("slipway-dev-web")

	p.ok("pulumi", "stack", "rm", "dev", "--force", "--yes", "--preserve-config")
	p.refused([]string{"there is no stack dev here, and AWS has its ECS cluster", "run `pulumi stack init dev` and " +
		"`slipway recover dev` (docs/operations.md"}, "slipway", "status", "dev", "--exit-code")
	p.ok("pulumi", "stack", "init", "dev")
	p.refused([]string{"the state of dev is empty, and AWS has its ECS cluster", "`slipway recover dev`"}, "slipway",
		"status", "dev", "--exit-code")
	p.aws.setFaults(map[string]string{account.APIFault: "DescribeScalingPolicies=deny"}) // which a later round asks for
	said := p.refused([]string{"looking for", "is in the state", "slipway recover dev --lost"}, "slipway", "recover",
		"dev")
	require.Equal(t, 2, said.status)
	require.NotEmpty(t, p.state("dev").ofType("aws:ecs/cluster:Cluster"))
	p.aws.setFaults(nil)
	require.Contains(t, recovered(p, "--lost").results()["imported"], "aws:appautoscaling/policy:Policy")
	said = p.refused([]string{"the history of dev has no update, though its state has services"}, "slipway", "status",
		"dev", "--exit-code")
	require.NotContains(t, said.output, "killed")
	require.Empty(t, p.up("dev").changed(), "all is as it was")
	require.Equal(t, before, inventory(p))
	require.Equal(t, deployment, p.aws.web().Deployments[0].ID)
	require.Equal(t, revisions, p.aws.revisions("slipway-dev-web"))
	p.settled("dev")

	loseState(p)
	p.encrypt("dev", "PASSWORD", "hunter3") // before anybody has found out
	recovered(p)
	forgetOutputs(p, "aws:ecs/service:Service", "aws:iam/role:Role", "aws:secretsmanager/secretVersion:SecretVersion")
	again := recovered(p).results()
	require.ElementsMatch(t, []string{"aws:ecs/service:Service", "aws:iam/role:Role", "aws:iam/role:Role",
		"aws:secretsmanager/secretVersion:SecretVersion"}, again["imported"])
	require.ElementsMatch(t, []string{"Create aws:secretsmanager/secretVersion:SecretVersion",
		"Delete aws:secretsmanager/secretVersion:SecretVersion",
		"Create aws:ecs/taskDefinition:TaskDefinition", "Delete aws:ecs/taskDefinition:TaskDefinition",
		"Update aws:ecs/service:Service"},
		p.up("dev").changed())
	p.settled("dev")
}

// forgetOutputs makes the state what a recovery leaves that is killed before it has read resources of some types.
func forgetOutputs(p *project, types ...string) {
	p.Helper()
	var state map[string]any
	exported := p.ok("pulumi", "stack", "export", "--stack", "dev").stdout
	require.NoError(p.TB, json.Unmarshal([]byte(exported), &state))
	for _, each := range state["deployment"].(map[string]any)["resources"].([]any) {
		if resource := each.(map[string]any); slices.Contains(types, fmt.Sprint(resource["type"])) {
			resource["outputs"] = map[string]any{}
			if resource["type"] == "aws:ecs/service:Service" { // which an import calls otherwise
				resource["id"] = "slipway-dev/web"
			}
		}
	}
	killed, err := json.Marshal(state)
	require.NoError(p.TB, err)
	p.write("../killed.json", string(killed))
	p.ok("pulumi", "stack", "import", "--stack", "dev", "--file", "../killed.json")
}

func TestWhatIsAnotherProjectsStaysLost(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("secrets: [PASSWORD]")
	p.encrypt("dev", "PASSWORD", "hunter2")
	p.up("dev")
	others := map[string]any{"project": "shop", "stage": "dev"}
	require.NoError(t, p.aws.open().UpdateObject(iam.Role, "slipway-dev-web-execution",
		account.Object{"tags": others, "tagsAll": others}))
	copied := account.Object{}
	for key, value := range p.aws.object(vpc.SecurityGroup) {
		copied[key] = value
	}
	copied["name"], copied["tags"], copied["tagsAll"] = "web-0000000", others, others
	copied["arn"] = account.ARN(account.DefaultID, "ec2", "ap-northeast-2", "security-group/sg-00000000000000000")
	require.NoError(t, p.aws.open().CreateObject(vpc.SecurityGroup, "sg-00000000000000000", copied, nil))
	before := inventory(p)

	loseState(p)
	left := p.run("slipway", "recover", "dev")
	require.Equal(t, 1, left.status, left.output)
	require.Contains(t, left.stdout,
		"AWS has slipway-dev-web-execution, which does not carry the tags project=slipway and stage=dev")
	require.Equal(t, before, inventory(p))
	for _, each := range p.state("dev").Resources {
		require.NotEqual(t, "slipway-dev-web-execution", each.ID)
		require.NotEqual(t, "sg-00000000000000000", each.ID)
		require.NotContains(t, each.ID, "slipway-dev-web-execution:", "its policy")
	}
	require.Len(t, p.state("dev").ofType("aws:iam/role:Role"), 1)
}

func TestAnOldBackupIsCompleted(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	backup := p.ok("pulumi", "stack", "export", "--stack", "dev").stdout
	p.stageKeys("slipway:tasks:", "  report: {image: web, schedule: {when: rate(1 day)}}")
	none := p.ok("slipway", "recover", "dev").stdout
	require.Contains(t, none, "No operation of dev was cut off: there is nothing to recover.")
	require.Contains(t, none, "slipway recover dev --lost")
	none = p.ok("slipway", "recover", "dev", "--lost").stdout
	require.Contains(t, none, "AWS has nothing of it that its state lacks", "a change that was not deployed yet is none")
	require.Empty(t, p.state("dev").ofType("aws:scheduler/schedule:Schedule"))
	p.up("dev")
	before := inventory(p)

	p.write("../backup.json", backup)
	p.ok("pulumi", "stack", "import", "--stack", "dev", "--file", "../backup.json")
	require.Contains(t, p.ok("slipway", "recover", "dev").stdout,
		"No operation of dev was cut off: there is nothing to recover.")
	results := recovered(p, "--lost").results()
	require.Equal(t, []string{"imported"}, keys(results))
	require.Contains(t, results["imported"], "aws:scheduler/schedule:Schedule")
	require.Empty(t, p.up("dev").changed())
	require.Equal(t, before, inventory(p))
	p.settled("dev")
}

// requireNothingLeft asserts that the account has nothing any more of what a stage makes.
func requireNothingLeft(p *project) {
	p.Helper()
	require.Empty(p.TB, p.state("dev").ofType("aws:iam/role:Role"))
	for _, token := range aws.Types() {
		if kind := aws.Kind(token); kind != "" && kind != dns.Record { // of which the proofs of a certificate stay
			require.Empty(p.TB, slices.DeleteFunc(p.aws.objects(kind),
				func(o account.Object) bool { return o["deletedDate"] != nil }), kind)
		}
	}
}
