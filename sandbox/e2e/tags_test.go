package e2e

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/stretchr/testify/require"

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
func requireTags(p *project, team map[string]string) {
	p.Helper()
	seen := map[string]bool{}
	var groups []string
	for _, resource := range p.state("dev").Resources {
		all, takesTags := resource.Outputs["tagsAll"].(map[string]any)
		if !takesTags {
			continue
		}
		own, known := tagged[resource.Type]
		require.True(p, known, "%s takes tags, and the test does not know whose", resource.Type)
		seen[resource.Type] = true
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
	require.ElementsMatch(p, []string{"web", "<nil>"}, groups)
	require.ElementsMatch(p, keys(tagged), keys(seen), "every type that takes tags")

	// What the account has is no other.
	for _, kind := range []string{ecs.Cluster, logs.LogGroup, ecr.Repository, iam.Role,
		vpc.SecurityGroup, secrets.Secret, scaling.MetricAlarm,
		scaling.ScalableTarget, elb.LoadBalancer, elb.Listener, elb.ListenerRule, elb.TargetGroup,
		dns.Certificate} {
		found := p.aws.objects(kind)
		require.NotEmpty(p, found, kind)
		for _, object := range found {
			requireTagged(p, object["tagsAll"], team)
		}
	}
	requireTagged(p, p.aws.web().Settings.Other["tagsAll"], team)
	definition, err := ecs.FindTaskDefinition(p.aws.open(), "slipway-dev-web")
	require.NoError(p.TB, err)
	requireTagged(p, definition.Tags, team)
}

func requireTagged(p *project, tags any, team map[string]string) {
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
