package components

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

// changes is what an update does to the resources of one stage that those of another have other inputs than: "Create
// aws:ecs/service:Service web". Whether an update replaces a resource is for the provider to say.
func changes(t *testing.T, before, after *recorder) (changed []string) {
	t.Helper()
	old, now := inputsByResource(t, before), inputsByResource(t, after)
	for name, inputs := range now {
		if earlier, there := old[name]; !there {
			changed = append(changed, "Create "+name)
		} else if earlier != inputs {
			changed = append(changed, "Update "+name)
		}
	}
	for name := range old {
		if _, stays := now[name]; !stays {
			changed = append(changed, "Delete "+name)
		}
	}
	slices.Sort(changed)
	return changed
}

// inputsByResource are the inputs, as JSON, of each resource of a provider, by its type and name.
func inputsByResource(t *testing.T, recorded *recorder) map[string]string {
	t.Helper()
	inputs := map[string]string{}
	for _, registered := range recorded.resources {
		if !registered.RegisterRPC.GetCustom() {
			continue
		}
		name := registered.TypeToken + " " + besideName(registered.Name)
		if registered.TypeToken == "aws:route53/record:Record" {
			name += " " + registered.Inputs["type"].StringValue() // a domain's own record, and the proof that it is one's own
		}
		require.NotContains(t, inputs, name)
		text, err := json.Marshal(readable(resource.NewObjectProperty(registered.Inputs)))
		require.NoError(t, err)
		inputs[name] = string(text)
	}
	return inputs
}

const (
	createRule   = "Create aws:ec2/securityGroupRule:SecurityGroupRule "
	createPolicy = "Create aws:iam/rolePolicy:RolePolicy "
)

func TestAnOptionTouchesOnlyWhatItConcerns(t *testing.T) {
	t.Parallel()
	web := func(keys string) map[string]string {
		return map[string]string{"services": `{"web": {"image": "web", "port": 8080` + keys + `}}`}
	}
	with := func(key, value string) map[string]string {
		keys := web("")
		keys[key] = value
		return keys
	}
	report := func(keys string) map[string]string { return with("tasks", `{"report": {"image": "web"`+keys+`}}`) }
	for name, test := range map[string]struct {
		before, after map[string]string
		want          []string
	}{
		"nothing":        {web(""), web(""), nil},
		"another count":  {web(""), web(`, "replicas": 3`), []string{"Update aws:ecs/service:Service web"}},
		"a deployment":   {web(""), web(`, "deployment": {"minimumHealthy": 0, "maximum": 100}`), []string{"Update aws:ecs/service:Service web"}},
		"alarms":         {web(""), web(`, "deployment": {"alarms": ["latency"]}`), []string{"Update aws:ecs/service:Service web"}},
		"a variable":     {web(""), web(`, "environment": {"A": "1"}`), []string{"Update aws:ecs/taskDefinition:TaskDefinition web"}},
		"a health check": {web(""), web(`, "healthCheck": {"command": ["CMD", "/app"]}`), []string{"Update aws:ecs/taskDefinition:TaskDefinition web"}},
		"kept logs":      {web(""), web(`, "logRetention": 90`), []string{"Update aws:cloudwatch/logGroup:LogGroup web"}},
		"insights":       {web(""), with("cluster", `{"containerInsights": "enabled"}`), []string{"Update aws:ecs/cluster:Cluster dev"}},
		"who may reach it": {web(""), web(`, "allowFrom": ["10.0.0.0/8", "fd00::/8"]`),
			[]string{createRule + "web-from-10.0.0.0/8", createRule + "web-from-fd00::/8"}},
		"permissions": {web(""), web(`, "permissions": [{"actions": ["sns:Publish"], "resources": ["*"]}]`),
			[]string{createPolicy + "web-task"}},
		"fewer conditions": {
			web(`, "permissions": [{"actions": ["sns:Publish"], "resources": ["*"], "conditions": {"Bool": {"aws:SecureTransport": ["true"]}}}]`),
			web(`, "permissions": [{"actions": ["sns:Publish"], "resources": ["*"]}]`),
			[]string{"Update aws:iam/rolePolicy:RolePolicy web-task"}},
		"a boundary": {web(""), with("roles", `{"permissionsBoundary": "arn:aws:iam::123456789012:policy/boundary"}`),
			[]string{"Update aws:iam/role:Role web-execution", "Update aws:iam/role:Role web-task"}},
		"a load balancer that the world reaches": {oneRoute(`{}`, `{"internal": true}`), oneRoute(`{}`, `{}`),
			[]string{"Update aws:lb/loadBalancer:LoadBalancer shop-dev"}},
		"a task": {web(""), report(""), []string{"Create aws:cloudwatch/logGroup:LogGroup report",
			"Create aws:ec2/securityGroup:SecurityGroup report", "Create aws:ecs/taskDefinition:TaskDefinition report",
			"Create aws:iam/role:Role report-execution", "Create aws:iam/role:Role report-task",
			createPolicy + "report-execution"}},
		"a task's command": {report(""), report(`, "command": ["report"]`),
			[]string{"Update aws:ecs/taskDefinition:TaskDefinition report"}},
		"when a task runs": {report(`, "schedule": {"when": "rate(1 day)"}`),
			report(`, "schedule": {"when": "rate(2 days)", "timeZone": "Asia/Seoul", "enabled": false}`),
			[]string{"Update aws:scheduler/schedule:Schedule report"}},
		"a variable of what runs before": {
			with("tasks", `{"migrate": {"image": "web", "before": ["web"]}}`),
			with("tasks", `{"migrate": {"image": "web", "before": ["web"], "environment": {"A": "1"}}}`),
			[]string{"Update aws:ecs/taskDefinition:TaskDefinition migrate"}},
		"a secret of one of two services": {
			map[string]string{"secrets": `{"KEY": "hunter2"}`, "services": `{"web": {"image": "web"}, "job": {"image": "web"}}`},
			map[string]string{"secrets": `{"KEY": "hunter2"}`,
				"services": `{"web": {"image": "web", "secrets": ["KEY"]}, "job": {"image": "web"}}`},
			[]string{"Create aws:secretsmanager/secret:Secret shop-dev-web",
				"Create aws:secretsmanager/secretVersion:SecretVersion shop-dev-web",
				"Update aws:ecs/taskDefinition:TaskDefinition web", "Update aws:iam/rolePolicy:RolePolicy web-execution"}},
		"another value of a secret": {
			map[string]string{"secrets": `{"KEY": "hunter2"}`, "services": `{"web": {"image": "web", "secrets": ["KEY"]}}`},
			map[string]string{"secrets": `{"KEY": "hunter3"}`, "services": `{"web": {"image": "web", "secrets": ["KEY"]}}`},
			[]string{"Update aws:secretsmanager/secretVersion:SecretVersion shop-dev-web"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, after := declareStage(t, test.before, nil), declareStage(t, test.after, nil)
			require.Equal(t, test.want, changes(t, before, after))
		})
	}
}

// zoned is a stage of services with routes in the zone example.com.
func zoned(services ...string) map[string]string {
	return map[string]string{"services": "{" + strings.Join(services, ", ") + "}", "loadBalancer": `{"zone": "example.com"}`}
}

func routedTo(service, route string) string {
	return fmt.Sprintf(`"%s": {"image": "web", "port": 8080, "route": %s}`, service, route)
}

func TestTheTenthServiceTouchesNoneOfTheNine(t *testing.T) {
	t.Parallel()
	services := func(count int) *recorder {
		var all []string
		for i := range count {
			all = append(all, routedTo(fmt.Sprintf("s%d", i), fmt.Sprintf(`{"hosts": ["s%d.example.com"]}`, i)))
		}
		return declareStage(t, zoned(all...), nil)
	}
	three, nine, ten := services(3), services(9), services(10)
	require.Len(t, ten.all("aws:lb/listenerRule:ListenerRule"), 10)
	created, deleted := changes(t, nine, ten), changes(t, ten, three)
	require.Contains(t, created, "Create aws:lb/listenerRule:ListenerRule s9")
	require.Contains(t, deleted, "Delete aws:lb/listenerRule:ListenerRule s9")
	for _, change := range created {
		require.True(t, strings.HasPrefix(change, "Create ") && strings.Contains(change, " s9"), change)
	}
	for _, change := range deleted {
		require.True(t, strings.HasPrefix(change, "Delete "), change)
	}
}

func TestAnotherServiceTouchesNoneThatIsThere(t *testing.T) {
	t.Parallel()
	one := declareStage(t, map[string]string{"services": `{"web": {"image": "web"}}`}, nil)
	two := declareStage(t, map[string]string{"services": `{"web": {"image": "web"}, "worker": {"image": "web", "command": ["/app"]}}`}, nil)
	created := changes(t, one, two)
	require.Contains(t, created, "Create aws:ecs/taskDefinition:TaskDefinition worker")
	for _, change := range created {
		require.True(t, strings.HasPrefix(change, "Create ") && strings.Contains(change, " worker"), change)
	}
}

func TestARouteIsNoNewRevision(t *testing.T) {
	t.Parallel()
	without := declareStage(t, map[string]string{"services": `{"web": {"image": "web", "port": 8080}}`}, nil)
	with := declareStage(t, oneRoute(`{}`, `{}`), nil)
	added := changes(t, without, with)
	require.Contains(t, added, "Update aws:ecs/service:Service web")
	for _, change := range added {
		require.True(t, strings.HasPrefix(change, "Create ") || change == "Update aws:ecs/service:Service web", change)
	}
	for _, change := range changes(t, with, without) {
		require.True(t, strings.HasPrefix(change, "Delete ") || change == "Update aws:ecs/service:Service web", change)
	}
}

func TestAHostMoreLeavesCertificateAndListenersAlone(t *testing.T) {
	t.Parallel()
	one := declareStage(t, zoned(routedTo("web", `{"hosts": ["web.dev.example.com", "example.com"], "paths": ["/shop/*"]}`)), nil)
	more := declareStage(t, zoned(routedTo("web",
		`{"hosts": ["web.dev.example.com", "api.dev.example.com", "example.com"], "paths": ["/shop/*"]}`)), nil)
	require.Equal(t, []string{"Create aws:route53/record:Record api.dev.example.com A",
		"Update aws:lb/listenerRule:ListenerRule web"}, changes(t, one, more))
}

// Two services at a host share its record, whichever of them comes and goes.
func TestAServiceMoreAtAHostLeavesItsRecordAlone(t *testing.T) {
	t.Parallel()
	web := routedTo("web", `{"hosts": ["web.example.com"], "paths": ["/shop/*"]}`)
	for _, name := range []string{"api", "zoo"} {
		other := routedTo(name, `{"hosts": ["web.example.com"], "paths": ["/`+name+`/*"]}`)
		one, two := declareStage(t, zoned(web), nil), declareStage(t, zoned(web, other), nil)
		for _, change := range changes(t, one, two) {
			require.True(t, strings.HasPrefix(change, "Create ") && !strings.Contains(change, "route53"), change)
		}
		for _, change := range changes(t, two, one) {
			require.True(t, strings.HasPrefix(change, "Delete ") && !strings.Contains(change, "route53"), change)
		}
	}
}
