package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
)

// statement is one of a role's policy.
type statement struct {
	Sid, Effect      string
	Action, Resource []string
	Condition        map[string]map[string][]string
}

// statements are those of a role's only policy: by their Sid, or by their number where they have none.
func (p *project) statements(role string) map[string]statement {
	p.Helper()
	var policies []account.Object
	for _, policy := range p.objects(account.RolePolicy) {
		if policy["role"] == role {
			policies = append(policies, policy)
		}
	}
	require.Len(p, policies, 1, role)
	var document struct {
		Version   string
		Statement []statement
	}
	require.NoError(p.TB, json.Unmarshal([]byte(policies[0]["policy"].(string)), &document))
	require.Equal(p, "2012-10-17", document.Version)
	found := map[string]statement{}
	for i, s := range document.Statement {
		key := s.Sid
		if key == "" {
			key = fmt.Sprint(i)
		}
		found[key] = s
	}
	return found
}

// taskPolicies are the policies of task roles.
func (p *project) taskPolicies() (found []account.Object) {
	p.Helper()
	for _, policy := range p.objects(account.RolePolicy) {
		if strings.HasSuffix(policy["role"].(string), "-task") {
			found = append(found, policy)
		}
	}
	return found
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func TestAServicesCodeMayDoWhatItsPermissionsSay(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	require.Empty(t, p.taskPolicies())
	p.serviceKeys("permissions:",
		"  - {actions: [\"s3:GetObject\", \"s3:Put*\"], resources: [\"arn:aws:s3:::shop-uploads/*\"], conditions: "+
			"{StringEquals: {\"aws:ResourceTag/team\": [shop, web]}, \"ForAnyValue:StringLike\": {\"aws:TagKeys\": [\"a*\"]}}}",
		"  - {actions: [\"cloudwatch:PutMetricData\"], resources: [\"*\"]}")
	u := p.up("dev")
	require.ElementsMatch(t, []string{"Create aws:iam/rolePolicy:RolePolicy"}, u.changed(),
		"no new revision, no deployment")
	require.Equal(t, map[string]statement{
		"0": {Effect: "Allow", Action: []string{"s3:GetObject", "s3:Put*"}, Resource: []string{"arn:aws:s3:::shop-uploads/*"},
			Condition: map[string]map[string][]string{"StringEquals": {"aws:ResourceTag/team": {"shop", "web"}},
				"ForAnyValue:StringLike": {"aws:TagKeys": {"a*"}}}},
		"1": {Effect: "Allow", Action: []string{"cloudwatch:PutMetricData"}, Resource: []string{"*"}},
	}, p.statements("slipway-dev-web-task"))
	role, err := p.open().FindTaskDefinition("slipway-dev-web:1")
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(role.TaskRoleARN, ":role/slipway-dev-web-task"),
		"the role that the service's tasks have")
	p.settled("dev")

	// The conditions go, the rest stays.
	stage := p.read("Pulumi.dev.yaml")
	from := strings.Index(stage, ", conditions:")
	to := from + strings.Index(stage[from:], "\n")
	p.write("Pulumi.dev.yaml", stage[:from]+"}"+stage[to:])
	require.Equal(t, []string{"Create aws:iam/rolePolicy:RolePolicy", "Delete aws:iam/rolePolicy:RolePolicy"},
		p.up("dev").changed(),
		"the earlier permissions go last")
	require.Nil(t, p.statements("slipway-dev-web-task")["0"].Condition)

	p.withoutOptions()
	require.Equal(t, []string{"Delete aws:iam/rolePolicy:RolePolicy"}, p.up("dev").changed())
	require.Empty(t, p.taskPolicies())
	p.settled("dev")
}

func TestRolesHaveTheStagesPathAndBoundary(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	const boundary = "arn:aws:iam::123456789012:policy/teams/boundary"
	requireRoles := func(path string, boundary any, revision int) {
		t.Helper()
		roles := p.objects(account.Role)
		require.Len(t, roles, 2)
		for _, role := range roles {
			require.Equal(t, path, role["path"])
			require.Equal(t, "arn:aws:iam::123456789012:role"+path+role["name"].(string), role["arn"])
			if boundary == nil {
				require.Empty(t, role["permissionsBoundary"])
			} else {
				require.Equal(t, boundary, role["permissionsBoundary"])
			}
		}
		require.Equal(t, revision, p.service("slipway-dev").Revision)
		require.Equal(t, 1, p.service("slipway-dev").Running)
		definition, err := p.open().FindTaskDefinition(fmt.Sprintf("slipway-dev-web:%d", revision))
		require.NoError(t, err)
		require.Equal(t, "arn:aws:iam::123456789012:role"+path+"slipway-dev-web-execution", definition.ExecutionRoleARN)
		require.Equal(t, "arn:aws:iam::123456789012:role"+path+"slipway-dev-web-task", definition.TaskRoleARN)
		require.ElementsMatch(t, []string{"Login", "Pull", "Log"}, keys(p.statements("slipway-dev-web-execution")))
	}
	requireRoles("/", nil, 1)

	p.stageKeys("slipway:roles: {permissionsBoundary: \"" + boundary + "\"}")
	require.Equal(t, []string{"Update aws:iam/role:Role"}, p.up("dev").changed())
	requireRoles("/", boundary, 1)
	p.settled("dev")

	p.replace("Pulumi.dev.yaml", "slipway:roles: {", "slipway:roles: {path: /slipway/dev/, ")
	p.up("dev").builtNothing()
	requireRoles("/slipway/dev/", boundary, 2)
	p.settled("dev")

	p.withoutOptions()
	p.up("dev")
	requireRoles("/", nil, 3)
	p.settled("dev")
}

// tagged is whose tags a type of resource has beside those of the project and the stage.
var tagged = map[string]map[string]string{
	"aws:acm/certificate:Certificate":        {},
	"aws:appautoscaling/target:Target":       {"service": "web"},
	"aws:cloudwatch/logGroup:LogGroup":       {"service": "web"},
	"aws:cloudwatch/metricAlarm:MetricAlarm": {"service": "web"},
	"aws:ecr/repository:Repository":          {"image": "web"},
	"aws:ecs/cluster:Cluster":                {},
	"aws:ecs/service:Service":                {"service": "web"},
	"aws:ecs/taskDefinition:TaskDefinition":  {"service": "web"},
	"aws:iam/role:Role":                      {"service": "web"},
	"aws:lb/listener:Listener":               {},
	"aws:lb/listenerRule:ListenerRule":       {"service": "web"},
	"aws:lb/loadBalancer:LoadBalancer":       {},
	"aws:lb/targetGroup:TargetGroup":         {"service": "web"},
	"aws:secretsmanager/secret:Secret":       {"service": "web"},
	"aws:ec2/securityGroup:SecurityGroup":    nil, // one of the service, one of the load balancer
}

// requireTags asserts that everything of stage dev that takes tags has these beside its own.
func (p *project) requireTags(team map[string]string) {
	p.Helper()
	seen := map[string]bool{}
	var groups []string
	for kind, resources := range p.state("dev") {
		for _, resource := range resources {
			all, takesTags := resource.Outputs["tagsAll"].(map[string]any)
			if !takesTags {
				continue
			}
			own, known := tagged[kind]
			require.True(p, known, "%s takes tags, and the test does not know whose", kind)
			seen[kind] = true
			want := map[string]any{"project": "slipway", "stage": "dev"}
			for key, value := range team {
				want[key] = value
			}
			if own == nil {
				groups = append(groups, fmt.Sprint(all["service"]))
				if all["service"] != nil {
					want["service"] = "web"
				}
			}
			for key, value := range own {
				want[key] = value
			}
			require.Equal(p, want, all, resource.URN)
		}
	}
	require.ElementsMatch(p, []string{"web", "<nil>"}, groups)
	require.ElementsMatch(p, keys(tagged), keys(seen), "every type that takes tags")

	// What the account has is no other.
	for _, kind := range []string{account.Cluster, account.LogGroup, account.Repository, account.Role,
		account.SecurityGroup, account.Secret, account.MetricAlarm,
		account.ScalableTarget, account.LoadBalancer, account.Listener, account.ListenerRule, account.TargetGroup,
		account.Certificate} {
		found := p.objects(kind)
		require.NotEmpty(p, found, kind)
		for _, object := range found {
			p.requireTagged(object["tagsAll"], team)
		}
	}
	p.requireTagged(p.ecsService().Settings.Other["tagsAll"], team)
	definition, err := p.open().FindTaskDefinition("slipway-dev-web")
	require.NoError(p.TB, err)
	p.requireTagged(definition.Tags, team)
}

func (p *project) requireTagged(tags any, team map[string]string) {
	p.Helper()
	got, err := json.Marshal(tags)
	require.NoError(p.TB, err)
	var texts map[string]string
	require.NoError(p.TB, json.Unmarshal(got, &texts))
	delete(texts, "service")
	delete(texts, "image")
	want := map[string]string{"project": "slipway", "stage": "dev"}
	maps.Copy(want, team)
	require.Equal(p, want, texts)
}

func TestEverythingThatTakesTagsHasThem(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("route: {hosts: [web.example.com]}",
		"scaling: {max: 4, cpu: 60, schedules: {night: {when: \"cron(0 22 * * ? *)\", max: 1}}}",
		"deployment: {maxErrors: 10}", "secrets: [API_KEY]",
		"permissions: [{actions: [\"sns:Publish\"], resources: [\"arn:aws:sns:*:*:shop\"]}]")
	p.stageKeys("slipway:loadBalancer: {zone: example.com}", "slipway:tags: {team: shop, \"cost:center\": \"42 a\"}")
	p.encrypt("API_KEY", "hunter2-tags")
	p.up("dev")
	p.requireTags(map[string]string{"team": "shop", "cost:center": "42 a"})
	p.settled("dev")

	deployment, revisions := p.ecsService().Deployments[0].ID, p.revisions("slipway-dev-web")
	requireNoDeployment := func(u *update) {
		t.Helper()
		for _, change := range u.changed() {
			require.True(t, strings.HasPrefix(change, "Update "), change)
		}
		require.Equal(t, revisions, p.revisions("slipway-dev-web"))
		require.Len(t, p.ecsService().Deployments, 1)
		require.Equal(t, deployment, p.ecsService().Deployments[0].ID)
	}
	p.replace("Pulumi.dev.yaml", "team: shop", "team: kiosk")
	requireNoDeployment(p.up("dev"))
	p.requireTags(map[string]string{"team": "kiosk", "cost:center": "42 a"})
	p.settled("dev")

	p.ok("pulumi", "config", "rm", "--stack", "dev", "slipway:tags")
	requireNoDeployment(p.up("dev"))
	p.requireTags(nil)
	p.settled("dev")
}

func TestWrongPermissionsRolesAndTagsAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("permissions:",
		"  - {actions: [\"*\", \"s3:*\", GetObject, \"s3:GetObject\"], resources: [\"*\", shop-uploads]}",
		"  - {actions: [], conditions: {stringEquals: {\"aws:TagKeys\": [a]}, \"String Equals\": {team: [shop]}}}",
		"  - {resources: [\"arn:aws:s3:::x\", 7], conditions: {StringEquals: shop}}")
	p.stageKeys("slipway:roles: {path: slipway, permissionsBoundary: boundary}",
		"slipway:tags: {service: a, \"aws:x\": b, \"a#b\": c, d: \"e;f\", g: 8}")
	r := p.refused([]string{"roles.path (Pulumi.dev.yaml)", "roles.permissionsBoundary (Pulumi.dev.yaml)",
		"tags.service (Pulumi.dev.yaml): is a tag that slipway sets itself",
		"tags.d (Pulumi.dev.yaml)", "tags.g (Pulumi.dev.yaml)", `begins with aws:`, "cannot be the key of a tag"},
		upArgs("dev")...)
	for _, key := range []string{"[0].actions[0]", "[0].actions[1]", "[0].actions[2]", "[0].resources[0]",
		"[0].resources[1]", "[1].actions", "[1].resources",
		"[1].conditions.stringEquals", "[2].actions", "[2].resources[1]", "[2].conditions.StringEquals"} {
		require.Contains(t, r.output, "services.web.permissions"+key+" (Pulumi.dev.yaml)")
	}
	p.withoutOptions()
	p.serviceKeys("permissions: all")
	p.stageKeys("slipway:roles: {path: \"/a b/\", permissionsBoundary: \"arn:aws:iam::123456789012:role/boundary\"}",
		"slipway:tags: [shop]")
	p.refused([]string{"services.web.permissions (Pulumi.dev.yaml)", "roles.path (Pulumi.dev.yaml)",
		"roles.permissionsBoundary (Pulumi.dev.yaml)", "tags (Pulumi.dev.yaml)"}, upArgs("dev")...)
	require.Empty(t, p.taskPolicies(), "nothing was made")
}
