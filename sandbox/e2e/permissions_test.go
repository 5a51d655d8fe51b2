package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/dns"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/iam"
	"slipway/sandbox/account/logs"
	"slipway/sandbox/account/scaling"
	"slipway/sandbox/account/secrets"
	"slipway/sandbox/account/vpc"
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
	for _, policy := range p.objects(iam.RolePolicy) {
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
	for _, policy := range p.objects(iam.RolePolicy) {
		if strings.HasSuffix(policy["role"].(string), "-task") {
			found = append(found, policy)
		}
	}
	return found
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

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
	for _, kind := range []string{ecs.Cluster, logs.LogGroup, ecr.Repository, iam.Role,
		vpc.SecurityGroup, secrets.Secret, scaling.MetricAlarm,
		scaling.ScalableTarget, elb.LoadBalancer, elb.Listener, elb.ListenerRule, elb.TargetGroup,
		dns.Certificate} {
		found := p.objects(kind)
		require.NotEmpty(p, found, kind)
		for _, object := range found {
			p.requireTagged(object["tagsAll"], team)
		}
	}
	p.requireTagged(p.ecsService().Settings.Other["tagsAll"], team)
	definition, err := ecs.FindTaskDefinition(p.open(), "slipway-dev-web")
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
