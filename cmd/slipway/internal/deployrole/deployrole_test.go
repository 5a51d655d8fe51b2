package deployrole

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/cmd/slipway/internal/stagefile"
	"slipway/cmd/slipway/internal/stagetest"
	"slipway/internal/awslimits"
	"slipway/internal/policies"
	"slipway/stage"
)

const (
	head = "config:\n  aws:region: eu-west-1\n  aws:allowedAccountIds: [\"123456789012\"]\n"
	bare = head + "  slipway:images: {web: {build: {context: .}}}\n  slipway:services: {web: {image: web, port: 8080}}\n"
	rich = head + `  slipway:images:
    web: {build: {context: .}}
    tools: {ref: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/tools/cli:1@sha256:` +
		`abababababababababababababababababababababababababababababababab"}
  slipway:secrets: {KEY: {secure: v1:AAAA}, TOKEN: "arn:aws:ssm:eu-west-1:123456789012:parameter/token"}
  slipway:loadBalancer: {zone: example.com}
  slipway:roles: {path: /ours/, permissionsBoundary: "arn:aws:iam::123456789012:policy/boundary"}
  slipway:services:
    web:
      image: web
      port: 8080
      route: {hosts: [shop.example.com]}
      scaling: {max: 4, cpu: 50}
      deployment: {maxErrors: 10}
      secrets: [KEY, TOKEN]
  slipway:tasks:
    migrate: {image: tools, before: [web]}
    report: {image: tools, schedule: {when: "rate(2 hours)"}}
`
)

func load(t *testing.T, file string) *stage.Stage {
	t.Helper()
	project := stagetest.Project(t, file)
	require.NoError(t, os.WriteFile(filepath.Join(project.Directory, "Dockerfile"), []byte("FROM scratch\n"), 0o644))
	config, secretKeys, err := project.ConfigOfFiles("release")
	require.NoError(t, err)
	loaded, err := stagefile.Load(project, "release", config, secretKeys, nil)
	require.NoError(t, err)
	return loaded
}

func policy(t *testing.T, file, purpose string) *Policy {
	t.Helper()
	found, err := For(purpose, load(t, file))
	require.NoError(t, err)
	return found
}

// allowed are the resources and conditions with which a policy allows an action.
func (p *Policy) allowed(action string) (found []policies.Statement) {
	for _, statement := range p.Statement {
		if slices.Contains(statement.Action, action) {
			found = append(found, statement)
		}
	}
	return found
}

func (p *Policy) actions() []string {
	found := map[string]bool{}
	for _, statement := range p.Statement {
		for _, action := range statement.Action {
			found[action] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func (p *Policy) services() []string {
	found := map[string]bool{}
	for _, action := range p.actions() {
		service, _, _ := strings.Cut(action, ":")
		found[service] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// The graphs of components/ have something of each type that the program declares.
func TestTheTableHasTheTypesThatTheProgramDeclares(t *testing.T) {
	t.Parallel()
	declared, inTable := map[string]bool{}, map[string]bool{}
	graphs, err := filepath.Glob("../../../../components/testdata/graph-*.json")
	require.NoError(t, err)
	require.NotEmpty(t, graphs)
	for _, graph := range graphs {
		text, err := os.ReadFile(graph)
		require.NoError(t, err)
		var resources []struct{ URN string }
		require.NoError(t, json.Unmarshal(text, &resources))
		for _, resource := range resources {
			types, _, _ := strings.Cut(resource.URN, "::")
			parts := strings.Split(types, "$")
			if kind := parts[len(parts)-1]; strings.HasPrefix(kind, "aws:") || strings.HasPrefix(kind, "docker:") {
				declared[kind] = true
			}
		}
	}
	for _, row := range table {
		if kind, _, _ := strings.Cut(row.of, ", "); strings.Contains(kind, "/") {
			inTable[kind] = true
		}
	}
	require.Equal(t, slices.Sorted(maps.Keys(declared)), slices.Sorted(maps.Keys(inTable)))
}

func TestAStageGetsWhatItsOptionsUse(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"ec2", "ecr", "ecs", "iam", "logs"}, policy(t, bare, "update").services())
	require.Equal(t, []string{"acm", "application-autoscaling", "cloudwatch", "ec2", "ecr", "ecs", "elasticloadbalancing",
		"iam", "logs", "route53", "scheduler", "secretsmanager", "ssm"}, policy(t, rich, "update").services())
	for option, action := range map[string]string{
		"      route: {}\n":                  "elasticloadbalancing:CreateLoadBalancer",
		"      scaling: {max: 4, cpu: 50}\n": "application-autoscaling:RegisterScalableTarget",
		"      name: web\n":                  "servicediscovery:CreateHttpNamespace",
		"      scaling: {max: 4, steps: {up: {namespace: a, metric: b, adjust: [{from: 1, add: 1}]}}}\n": "cloudwatch:TagResource",
		"      capacity: {spot: 1}\n":                              "ecs:PutClusterCapacityProviders",
		"  slipway:instances: {a: {types: [m7i.large], max: 1}}\n": "ecs:CreateCapacityProvider",
		"      secrets: [KEY]\n":                                   "secretsmanager:CreateSecret",
		"  slipway:tasks: {t: {image: web}}\n":                     "ecs:RunTask",
		"      route: {}\n      deployment: {maxErrors: 1}\n":      "cloudwatch:PutMetricAlarm",
	} {
		file := head + "  slipway:images: {web: {build: {context: .}}}\n  slipway:secrets: {KEY: {secure: v1:AAAA}}\n" +
			"  slipway:services:\n    web:\n      image: web\n      port: 8080\n"
		require.Empty(t, policy(t, file, "update").allowed(action), action)
		require.NotEmpty(t, policy(t, file+option, "update").allowed(action), action)
	}
	shared := policy(t, head+"  slipway:images: {web: {build: {context: .}}}\n  slipway:loadBalancer: {arn: "+
		"\"arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shared/50dc6c495c0c9188\"}\n"+
		"  slipway:services: {web: {image: web, port: 8080, route: {}}}\n", "update")
	require.Empty(t, shared.allowed("elasticloadbalancing:CreateLoadBalancer"))
	require.Equal(t, []string{"arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shared/50dc6c495c0c9188/*"},
		shared.allowed("elasticloadbalancing:CreateRule")[0].Resource)
}

func TestImagesFromElsewhere(t *testing.T) {
	t.Parallel()
	const digest = "@sha256:abababababababababababababababababababababababababababababababab"
	const password = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:ghcr-a1b2c3"
	file := head + "  slipway:registries: {ghcr.io: {credentials: \"" + password + "\"}}\n  slipway:images:\n" +
		"    web: {ref: \"210987654321.dkr.ecr.eu-west-1.amazonaws.com/shop/web:1" + digest + "\"MIRROR}\n" +
		"    tools: {ref: \"ghcr.io/example/tools:1" + digest + "\"}\n" +
		"  slipway:services: {web: {image: web, port: 8080}, tools: {image: tools, port: 8080}}\n"
	const own = "arn:aws:ecr:eu-west-1:123456789012:repository/slipway-release/web"
	const theirs = "arn:aws:ecr:eu-west-1:210987654321:repository/shop/web"
	found := policy(t, strings.Replace(file, "MIRROR", "", 1), "preview")
	require.Contains(t, found.allowed("ecr:BatchGetImage")[0].Resource, theirs)
	require.NotEmpty(t, found.allowed("ecr:GetAuthorizationToken"))
	require.Equal(t, []string{password}, found.allowed("secretsmanager:GetSecretValue")[0].Resource)
	require.Empty(t, policy(t, strings.Replace(file, "MIRROR", "", 1), "update").allowed("ecr:InitiateLayerUpload"))
	copied := policy(t, strings.Replace(file, "MIRROR", ", mirror: true", 1), "update")
	require.Equal(t, []string{own}, copied.allowed("ecr:InitiateLayerUpload")[0].Resource)
	require.Equal(t, []string{own}, copied.allowed("ecr:CreateRepository")[0].Resource)
	readable := func(p *Policy) (resources []string) {
		for _, statement := range p.allowed("ecr:BatchGetImage") {
			resources = append(resources, statement.Resource...)
		}
		return resources
	}
	require.Contains(t, readable(copied), theirs)
	const another = "arn:aws:ecr:eu-west-1:123456789012:repository/shop/web"
	sameAccount := strings.NewReplacer("MIRROR", ", mirror: true", "210987654321", "123456789012").Replace(file)
	require.Contains(t, readable(policy(t, sameAccount, "preview")), another, "another repository of the account")
	require.Empty(t, copied.allowed("ecr:SetRepositoryPolicy"))
	shared := policy(t, strings.Replace(bare, "  slipway:services", "  slipway:repository: {readers: [\"210987654321\"]}\n"+
		"  slipway:services", 1), "update")
	require.Equal(t, []string{own}, shared.allowed("ecr:SetRepositoryPolicy")[0].Resource)
}

// A promotion writes what its stage has not pinned yet.
func TestImagesThatArePromoted(t *testing.T) {
	t.Parallel()
	const dev = "config:\n  aws:region: eu-west-1\n  aws:allowedAccountIds: [\"210987654321\"]\n" +
		"  slipway:images: {web: {build: {context: .}}, open: {ref: \"ghcr.io/example/open:1@sha256:" +
		"abababababababababababababababababababababababababababababababab\"}}\n" +
		"  slipway:services: {web: {image: web, port: 8080}}\n"
	const release = head + "  slipway:services: {web: {image: web, port: 8080}}\n"
	const own = "arn:aws:ecr:eu-west-1:123456789012:repository/slipway-release/web"
	promotedTo := func(file, from, purpose string) *Policy {
		t.Helper()
		project := stagetest.Project(t, file)
		config, secretKeys, err := project.ConfigOfFiles("release")
		require.NoError(t, err)
		source := load(t, from)
		source.Name = "dev"
		config, err = Promoted(config, source)
		require.NoError(t, err)
		later, err := stagefile.Load(project, "release", config, secretKeys, nil)
		require.NoError(t, err)
		found, err := For(purpose, nil, later)
		require.NoError(t, err)
		return found
	}
	const theirs = "arn:aws:ecr:eu-west-1:210987654321:repository/slipway-dev/web"
	require.Equal(t, []string{"ecr:BatchGetImage", "ecr:GetAuthorizationToken", "ecr:GetDownloadUrlForLayer"},
		promotedTo(release, dev, "promote").actions())
	require.Equal(t, []string{theirs}, promotedTo(release, dev, "promote").allowed("ecr:BatchGetImage")[0].Resource)
	looking := promotedTo(release, dev, "preview")
	require.Equal(t, []string{theirs}, looking.allowed("ecr:GetDownloadUrlForLayer")[0].Resource)
	require.Equal(t, []string{own}, looking.allowed("ecr:BatchCheckLayerAvailability")[0].Resource)
	require.Equal(t, []string{own}, promotedTo(release, dev, "update").allowed("ecr:CreateRepository")[0].Resource)

	same := promotedTo(release, strings.Replace(dev, "210987654321", "123456789012", 1), "update")
	require.Empty(t, same.allowed("ecr:CreateRepository"), "it runs the image from where it is")
	shop := load(t, dev)
	shop.Project = "shop"
	config, err := Promoted(map[string]string{"slipway:services": "{}"}, shop)
	require.NoError(t, err)
	require.Contains(t, config, "slipway:images", "whatever the project is called")
	_, err = Promoted(nil, load(t, strings.Replace(dev, "  aws:allowedAccountIds: [\"210987654321\"]\n", "", 1)))
	require.ErrorContains(t, err, "--from release: Pulumi.release.yaml does not say where the images are: write aws:region")

	both, err := For("read", load(t, bare), load(t, rich))
	require.NoError(t, err)
	for _, one := range []string{bare, rich} {
		require.Subset(t, both.actions(), policy(t, one, "read").actions(), "of the file as it is, and as it will be")
	}
}

// withoutResources are the actions for which AWS has no resources, and the one on task definitions that has none.
var withoutResources = []string{"acm:ListCertificates", "application-autoscaling:Describe*", "ec2:Describe*",
	"ecr:GetAuthorizationToken", "ecs:DescribeTaskDefinition", "ecs:ListTask*", "ecs:RegisterTaskDefinition",
	"elasticloadbalancing:Describe*", "route53:ListHostedZones*", "secretsmanager:ListSecrets"}

func TestAPolicyIsForTheStagesOwnThings(t *testing.T) {
	t.Parallel()
	for purpose := range Purposes {
		for _, file := range []string{bare, rich} {
			found := policy(t, file, purpose)
			require.NotEmpty(t, found.Statement)
			for _, statement := range found.Statement {
				for _, action := range statement.Action {
					narrow := !slices.ContainsFunc(withoutResources,
						func(pattern string) bool { return awslimits.Match(pattern, action) })
					require.False(t, narrow && slices.Contains(statement.Resource, "*"), "%s of %s is for everything", action, purpose)
				}
				for _, resource := range statement.Resource {
					require.True(t, resource == "*" || strings.Contains(resource, ":123456789012:") ||
						strings.HasPrefix(resource, "arn:aws:route53:::"), resource)
				}
			}
		}
	}
	found, err := policyOf([]*stage.Stage{load(t, rich)}, false, update)
	require.NoError(t, err)
	require.Equal(t, []string{"arn:aws:iam::123456789012:role/ours/slipway-release-migrate-execution",
		"arn:aws:iam::123456789012:role/ours/slipway-release-report-execution",
		"arn:aws:iam::123456789012:role/ours/slipway-release-web-execution",
		"arn:aws:iam::123456789012:role/ours/slipway-release-migrate-task",
		"arn:aws:iam::123456789012:role/ours/slipway-release-report-task",
		"arn:aws:iam::123456789012:role/ours/slipway-release-web-task"}, found.allowed("iam:PassRole")[0].Resource)
	require.Equal(t, equals("iam:PassedToService", "ecs-tasks.amazonaws.com"), found.allowed("iam:PassRole")[0].Condition)
	require.Equal(t, []string{"arn:aws:iam::123456789012:role/ours/slipway-release-report-schedule"},
		found.allowed("iam:PassRole")[1].Resource)
	require.Equal(t, equals("iam:PassedToService", "scheduler.amazonaws.com"), found.allowed("iam:PassRole")[1].Condition)
	require.Equal(t, []string{"shop.example.com", "_*.example.com"}, []string{
		found.allowed("route53:ChangeResourceRecordSets")[0].Condition["ForAllValues:StringLike"][records][1],
		found.allowed("route53:ChangeResourceRecordSets")[0].Condition["ForAllValues:StringLike"][records][0]})
}

// Whoever deploys could otherwise give a role what the boundary is to keep from it.
func TestAPermissionsBoundaryStays(t *testing.T) {
	t.Parallel()
	bounded := policy(t, rich, "update")
	for _, action := range []string{"iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"} {
		for _, statement := range bounded.allowed(action) {
			require.Equal(t, equals("iam:PermissionsBoundary", "arn:aws:iam::123456789012:policy/boundary"), statement.Condition)
		}
		require.NotEmpty(t, bounded.allowed(action))
	}
	require.Empty(t, bounded.allowed("iam:DeleteRolePermissionsBoundary"))
	free := policy(t, bare, "update")
	require.Nil(t, free.allowed("iam:CreateRole")[0].Condition)
	require.Empty(t, free.allowed("iam:PutRolePermissionsBoundary"))
}

// A look at a role that is not there yet is refused by a policy that has only its path.
func TestRolesAreLookedUpBeforeTheyAreThere(t *testing.T) {
	t.Parallel()
	found := policy(t, rich, "read").allowed("iam:GetRole")[0].Resource
	require.Contains(t, found, "arn:aws:iam::123456789012:role/ours/slipway-release-web-execution")
	require.Contains(t, found, "arn:aws:iam::123456789012:role/slipway-release-web-execution")
	require.NotContains(t, policy(t, rich, "update").allowed("iam:DeleteRole")[0].Resource,
		"arn:aws:iam::123456789012:role/slipway-release-*-execution")
}

func TestReadingChangesNothing(t *testing.T) {
	t.Parallel()
	for _, purpose := range []string{"preview", "promote", "read"} {
		for _, action := range policy(t, rich, purpose).actions() {
			require.Regexp(t, `:(Describe|List|Get|Filter|BatchCheck|BatchGet|Simulate)`, action, purpose)
			require.NotEqual(t, "secretsmanager:GetSecretValue", action, purpose)
			require.True(t, slices.ContainsFunc(policy(t, rich, "update").actions(),
				func(pattern string) bool { return awslimits.Match(pattern, action) }), "whoever updates may look, too")
		}
	}
}

func TestAPolicyFitsIntoARole(t *testing.T) {
	t.Parallel()
	small := policy(t, bare, "update")
	require.LessOrEqual(t, small.size(), awslimits.ManagedPolicy)
	require.Empty(t, small.Notes)
	many := head + "  slipway:images: {web: {build: {context: .}}}\n  slipway:services:\n"
	for i := range 30 {
		many += fmt.Sprintf("    service-%d: {image: web, port: 8080}\n", i)
	}
	broad := policy(t, many, "update")
	require.LessOrEqual(t, broad.size(), awslimits.ManagedPolicy)
	require.Contains(t, broad.allowed("ecs:CreateService")[0].Resource,
		"arn:aws:ecs:eu-west-1:123456789012:service/slipway-release/*")
	require.Len(t, broad.Notes, 1)
	require.Contains(t, broad.Notes[0], "slipway-release-")
	large := policy(t, rich, "update")
	require.Greater(t, large.size(), awslimits.ManagedPolicy)
	require.LessOrEqual(t, large.size(), awslimits.InlinePolicies)
	require.Contains(t, large.Notes[len(large.Notes)-1], "put-role-policy")
	unsaid := policy(t, strings.Replace(bare, "  aws:region: eu-west-1\n  aws:allowedAccountIds: [\"123456789012\"]\n", "", 1),
		"update")
	require.Len(t, unsaid.Notes, 2)
	require.Equal(t, []string{"arn:aws:ecs:*:*:cluster/slipway-release"}, unsaid.allowed("ecs:CreateCluster")[0].Resource)
}

func TestTrust(t *testing.T) {
	t.Parallel()
	for purpose, subject := range map[string]string{"update": "repo:example/shop:environment:release",
		"promote": "repo:example/shop:environment:release", "preview": "repo:example/shop:pull_request",
		"read": "repo:example/shop:pull_request"} {
		found, err := Trust(load(t, bare), purpose, "github:example/shop")
		require.NoError(t, err)
		text, err := json.Marshal(found)
		require.NoError(t, err)
		require.JSONEq(t, `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated":
			"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},
			"Action": ["sts:AssumeRoleWithWebIdentity"], "Condition": {"StringEquals": {
			"token.actions.githubusercontent.com:aud": ["sts.amazonaws.com"],
			"token.actions.githubusercontent.com:sub": ["`+subject+`"]}}}]}`, string(text))
	}
	for _, who := range []string{"", "example/shop", "gitlab:example/shop", "github:example", "github:example/*"} {
		_, err := Trust(load(t, bare), "update", who)
		require.ErrorContains(t, err, "github:example/shop", who)
	}
	_, err := Trust(load(t, strings.Replace(bare, `["123456789012"]`, `["123456789012", "210987654321"]`, 1)), "update",
		"github:example/shop")
	require.ErrorContains(t, err, "aws:allowedAccountIds")
}
