package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/aws"
)

// recovery is what `slipway recover --json` says.
type recovery struct {
	Backup     string
	Operations []struct{ URN, Operation, Result, ID, Note string }
}

// recovered brings stage dev back in line, as a user does after a kill.
func recovered(p *project, more ...string) (r recovery) {
	p.Helper()
	p.run("pulumi", "cancel", "--stack", "dev", "--yes")
	said := p.ok(append([]string{"slipway", "recover", "dev", "--json"}, more...)...)
	require.NoError(p.TB, json.Unmarshal([]byte(said.stdout), &r))
	return r
}

// withEveryType gives stage dev something of every resource type that there is.
func withEveryType(p *project) {
	p.Helper()
	var topics []string // more than a role's own policy takes
	for i := range 80 {
		topics = append(topics, fmt.Sprintf(`"arn:aws:sns:*:*:shop-%040d"`, i))
	}
	p.serviceKeys(`permissions: [{actions: ["sns:Publish"], resources: [`+strings.Join(topics, ", ")+"]}]",
		"route: {hosts: [web.dev.example.com]}", "allowFrom: [10.0.0.0/8]", "secrets: [PASSWORD]",
		"deployment: {maxErrors: 10}", "capacity: {spot: 1}", "name: web",
		`scaling: {max: 6, cpu: 60, schedules: {night: {when: "cron(0 22 * * ? *)", max: 1}}}`)
	p.seedWebACLs()
	p.stageKeys("slipway:instances: {general: {types: [m7i.large], max: 2}}",
		"slipway:loadBalancer: {zone: example.com, webAcl: \""+webACL+"\"}", "slipway:tasks:",
		"  report: {image: web, schedule: {when: rate(1 day)}}", "  migrate: {image: web, before: [web]}",
		`slipway:repository: {forceDelete: true, readers: ["210987654321"]}`)
	p.encrypt("dev", "PASSWORD", "hunter2")
}

// dyingAfter runs a command of stage dev again and again, with a kill after what it does first to a resource of a type
// that has not had its turn, and a recovery after each, until it ends well. operations are those that each fault cuts
// off. It returns the types that had their turn, by operation: whose operation was cut off after AWS had done it.
func dyingAfter(p *project, operations map[string]string, args []string) (cutOff map[string][]string) {
	p.Helper()
	cutOff = map[string][]string{}
	for {
		faults := map[string]string{}
		for fault, operation := range operations {
			hadTurn := func(token string) bool { return slices.Contains(cutOff[operation], token) }
			left := slices.DeleteFunc(aws.Types(), hadTurn)
			if len(left) > 0 {
				faults[fault] = strings.Join(left, ",")
			}
		}
		p.aws.setFaults(faults)
		if p.run(args...).status == 0 {
			p.aws.setFaults(nil)
			require.Empty(p.TB, p.state("dev").PendingOperations)
			return cutOff
		}
		still, err := p.aws.open().Faults()
		require.NoError(p.TB, err)
		require.Less(p.TB, len(still), len(faults), "%v failed by itself", args)
		r, had := recovered(p), fmt.Sprint(cutOff)
		for _, o := range r.Operations {
			made := o.Operation != "creating" || o.Result == "imported" || o.Note == "the next update does it again"
			token := typeOf(o.URN)
			if made && slices.Contains(aws.Types(), token) && !slices.Contains(cutOff[o.Operation], token) {
				cutOff[o.Operation] = append(cutOff[o.Operation], token)
			}
		}
		require.NotEqual(p.TB, had, fmt.Sprint(cutOff), "no operation tells of what the kill cut off: %v", r.Operations)
	}
}

// requireNothingDoubled asserts that the account has what the state has, and no more.
func requireNothingDoubled(p *project) {
	p.Helper()
	state := p.state("dev")
	for _, token := range aws.Types() {
		kind := aws.Kind(token)
		if kind == "" {
			continue
		}
		objects := slices.DeleteFunc(p.aws.objects(kind), func(o account.Object) bool { return o["deletedDate"] != nil })
		require.Len(p.TB, objects, len(state.ofType(token)), token)
	}
	for _, definition := range state.ofType("aws:ecs/taskDefinition:TaskDefinition") {
		require.Contains(p.TB, p.aws.revisions(definition.Outputs["family"].(string)), strings.TrimSuffix(
			toText(definition.Outputs["revision"]), ".0")+" ACTIVE")
	}
}

func toText(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}

func TestNothingIsLostWhereverAnUpdateIsKilled(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	withEveryType(p)

	created := dyingAfter(p, map[string]string{account.DieAfterCreate: "creating"}, upArgs("dev", "--skip-preview"))
	require.ElementsMatch(t, aws.Types(), created["creating"], "every type was cut off once")
	requireNothingDoubled(p)
	for _, family := range []string{"slipway-dev-web", "slipway-dev-report", "slipway-dev-migrate"} {
		require.Equal(t, []string{"1 ACTIVE"}, p.aws.revisions(family))
	}
	p.settled("dev")

	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.replace("Pulumi.dev.yaml", "max: 6, cpu: 60", "max: 5, cpu: 50")
	p.replace("Pulumi.dev.yaml", "rate(1 day)", "rate(2 days)")
	p.replace("Pulumi.dev.yaml", "maxErrors: 10", "maxErrors: 20")
	p.encrypt("dev", "PASSWORD", "hunter3")
	changed := dyingAfter(p, map[string]string{account.DieAfterUpdate: "updating", account.DieAfterCreate: "creating"},
		upArgs("dev", "--skip-preview"))
	require.Subset(t, changed["updating"], []string{"aws:ecs/service:Service", "aws:scheduler/schedule:Schedule",
		"aws:appautoscaling/target:Target", "aws:appautoscaling/policy:Policy",
		"aws:cloudwatch/metricAlarm:MetricAlarm"})
	require.Subset(t, changed["creating"], []string{"aws:ecs/taskDefinition:TaskDefinition",
		"aws:secretsmanager/secretVersion:SecretVersion"}, "replacements")
	require.Equal(t, "hello again", p.aws.service("slipway-dev").Environment["GREETING"])
	require.Equal(t, []string{"1 ACTIVE", "2 ACTIVE"}, p.aws.revisions("slipway-dev-web"))
	requireNothingDoubled(p)
	p.settled("dev")

	deleted := dyingAfter(p, map[string]string{account.DieAfterDelete: "deleting"}, destroyArgs("dev"))
	require.Subset(t, deleted["deleting"],
		[]string{"aws:iam/role:Role", "aws:lb/loadBalancer:LoadBalancer", "aws:ecs/service:Service"})
	requireNothingLeft(p)
}

func TestRecoverShowsWhatItWouldDoAndLeavesWhatIsNotTheStages(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	said := p.ok("slipway", "recover", "dev").stdout
	require.Contains(t, said, "No operation of dev was cut off, and AWS has nothing of it that its state lacks")

	p.aws.setFaults(map[string]string{account.DieAfterCreate: "iam/role"})
	require.NotZero(t, p.run(upArgs("dev", "--skip-preview")...).status)
	require.Contains(t, p.refused([]string{"has locked the stack", "pulumi cancel --stack dev"}, "slipway", "recover",
		"dev").output, "locked")
	shown := recovered(p, "--dry-run")
	require.Empty(t, shown.Backup)
	require.NotEmpty(t, p.state("dev").PendingOperations, "a dry run changes nothing")

	role := p.aws.objects(iam.Role)[0]
	tags := role["tags"]
	changed := account.Object{"tags": map[string]any{"project": "shop"}, "tagsAll": map[string]any{"project": "shop"}}
	require.NoError(t, p.aws.open().UpdateObject(iam.Role, role["name"].(string), changed))
	left := p.run("slipway", "recover", "dev")
	require.Equal(t, 1, left.status, left.output)
	require.Contains(t, left.stdout,
		"AWS has "+role["name"].(string)+", which does not carry the tags project=slipway and stage=dev")
	require.Empty(t, p.state("dev").PendingOperations)
	for _, known := range p.state("dev").ofType("aws:iam/role:Role") {
		require.NotEqual(t, role["name"], known.ID)
	}
	backups, err := filepath.Glob(filepath.Join(p.dir, ".slipway/recover/*.json"))
	require.NoError(t, err)
	require.Len(t, backups, 1, "none for a dry run and for a stack that is locked")
	info, err := os.Stat(backups[0])
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
	require.NotNil(t, tags)
}
