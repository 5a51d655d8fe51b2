package components

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"slipway/components/internal/build"
	"slipway/components/internal/mirror"
	"slipway/stage"
)

var update = flag.Bool("update", false, "write testdata/graph-*.json")

// everyOption is a stage with something of each resource type and of each option that decides a name.
var everyOption = map[string]string{
	"images": `{"web": {"build": {"context": ".", "args": {"A": "1"}, "target": "run"}},
		"tools": {"ref": "` + pinnedRef + `"}, "old": {"build": {"context": "gone"}, "ref": "` +
		strings.Replace(pinnedRef, "/web", "/old", 1) + `"}}`,
	"services": `{
		"web": ` + strings.Replace(everyService, `"image": "web"`, `"image": "web",
			"containers": {"proxy": {"image": "tools", "cpu": 64, "memory": 128, "mounts": {"shared": {"path": "/shared"}}}}`, 1) + `,
		"api": {"image": "tools", "port": 9090, "route": {"paths": ["/api/*"], "hosts": ["shop.example.com"]}},
		"queue": {"image": "old", "secrets": ["TOKEN"], "permissions": [` + manyPermissions + `], "revision": 3}
	}`,
	"tasks":        withTasks["tasks"],
	"secrets":      everything["secrets"],
	"loadBalancer": everything["loadBalancer"],
	"tags":         everything["tags"],
	"roles":        everything["roles"],
	"network":      `{"vpc": "vpc-0123456789abcdef0", "subnets": ["subnet-0123456789abcdef0"], "assignPublicIp": true}`,
	"cluster":      `{"containerInsights": "enhanced"}`,
	"repository":   `{"keepImages": 50}`,
}

var pinnedDigest = strings.SplitN(pinnedRef, "@", 2)[1]

// foundForEveryOption is what AWS and the work tree have of everyOption.
func foundForEveryOption(s *Preflight) {
	s.Network.AssignPublicIP = true
	s.revisions["queue"] = "arn:aws:ecs:ap-northeast-2:123456789012:task-definition/shop-dev-queue:3"
	s.builds = map[string]*build.Plan{"web": {
		Build: stage.Build{Platform: "linux/arm64", Target: "run", Args: map[string]string{"A": "1"}},
		Staged: &build.Context{Dir: ".slipway/dev/web/context", Dockerfile: ".slipway/dev/web/Dockerfile",
			Hash: "4e07408562bedb8b"},
		Source: build.Source{Commit: "a1b2c3d"},
	}}
}

// manyPermissions are too many for one inline policy.
var manyPermissions = func() string {
	var permissions []string
	for range 60 {
		permissions = append(permissions,
			`{"actions": ["s3:GetObject", "s3:PutObject"], "resources": ["arn:aws:s3:::`+strings.Repeat("b", 60)+`/*"]}`)
	}
	return strings.Join(permissions, ", ")
}()

// Existing stages have these resources by these names. Where a type, a name or a parent changes here, an update of
// theirs deletes what serves, and creates it again: such a resource needs pulumi.Aliases, which are here, too. Where an
// input changes, each preview shows it.
func TestTheResourcesOfAStageStayWhatTheyAre(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		keys   map[string]string
		change func(*Preflight)
	}{
		"every-option": {everyOption, foundForEveryOption},
		"capacity": {map[string]string{"capacity": `{"spot": 3, "onDemand": 1, "base": 1}`,
			"services": `{"web": {"image": "web"}}`}, nil},
		"instances": {map[string]string{"instances": `{"general": {"types": ["m7g.large"], "min": 1, "max": 4},
				"intel": {"types": ["m7i.large", "m6i.large"], "max": 10, "volumeSize": 100}}`,
			"images":   `{"web": {"ref": "` + pinnedRef + `", "platform": "linux/arm64"}}`,
			"capacity": `{"instances": "general"}`, "services": `{"web": {"image": "web"}}`}, nil},
		"daemon": {map[string]string{"instances": `{"general": {"types": ["m7i.large"], "max": 4}}`, "services": `{
			"collector": {"image": "web", "daemon": true, "network": "host", "port": 8125, "allowFrom": ["api"], "cpu": 128,
				"memory": 128, "capacity": {"instances": "general"}, "placement": ["attribute:ecs.os-type == linux"]},
			"agent": {"image": "web", "daemon": true}, "api": {"image": "web"}}`}, nil},
		"names": {map[string]string{"services": `{"web": {"image": "web", "calls": ["api"]},
			"api": {"image": "web", "port": 8080, "name": "api", "appProtocol": "http"}}`}, nil},
		"scaling": {map[string]string{"cluster": `{"containerInsights": "enabled"}`, "services": `{"worker": {"image": "web",
			"scaling": {"min": 0, "max": 10, "queue": {"name": "shop-jobs", "backlog": 100},
				"metrics": {"lag": {"namespace": "Shop", "metric": "lag", "dimensions": {"b": "2", "a": "1"}, "target": 0.5}},
				"steps": {"up": {"namespace": "Shop", "metric": "jobs", "adjust": [{"from": 1, "add": 1}, {"from": 100, "add": 5}]},
					"down": {"namespace": "Shop", "metric": "jobs", "statistic": "Maximum", "when": "below", "period": 300,
						"periods": 3, "adjust": [{"from": 0, "set": 0}]}}}}}`}, nil},
		"existing-load-balancer": {map[string]string{
			"services": `{"web": {"image": "web", "port": 8080, "route": {"hosts": ["shop.example.com"]}}}`,
			"loadBalancer": `{"arn": "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:loadbalancer/app/shared/50dc6c495c0c9188",
				"zone": "example.com"}`,
		}, func(s *Preflight) {
			s.ingress.Existing = &lb.LookupLoadBalancerResult{DnsName: "shared.example.com", ZoneId: "Z2",
				ArnSuffix:      "app/shared/1",
				SecurityGroups: []string{"sg-1", "sg-2"}}
			s.ingress.Listener = &lb.LookupListenerResult{Arn: "arn:listener", Port: 443, Protocol: "HTTPS"}
		}},
		"mirrored-and-read-by-others": {map[string]string{
			"images":     `{"web": {"ref": "ghcr.io/shop/web:2.1@` + pinnedDigest + `", "mirror": true}}`,
			"services":   `{"web": {"image": "web"}}`,
			"repository": `{"readers": ["210987654321", "o-a1b2c3d4e5"]}`,
		}, func(s *Preflight) {
			copied := &mirror.Copy{Source: stage.Ref{Host: "ghcr.io", Repository: "shop/web", Tag: "2.1",
				Digest: pinnedDigest}}
			copied.Own = copied.Source
			copied.Own.Host, copied.Own.Repository = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com", "shop-dev/web"
			s.copies = map[string]*mirror.Copy{"web": copied}
		}},
		"internal-load-balancer": {map[string]string{
			"services": `{"web": {"image": "web", "port": 8080, "route": {}},
				"admin": {"image": "web", "port": 8080, "route": {"internal": true, "hosts": ["admin.shop.internal"]}}}`,
			"internalLoadBalancer": `{"certificate": "arn:aws:acm:ap-northeast-2:123456789012:certificate/1",
				"allowFrom": ["10.0.0.0/8"], "idleTimeout": 120}`,
		}, nil},
		"web-acl": {map[string]string{
			"services": `{"web": {"image": "web", "port": 8080, "route": {}}}`,
			"loadBalancer": `{"webAcl": "arn:aws:wafv2:ap-northeast-2:123456789012:regional/webacl/shop/` +
				`12345678-1234-1234-1234-123456789012"}`,
		}, nil},
		"plain-http": {map[string]string{
			"services":     `{"web": {"image": "web", "port": 8080, "route": {"paths": ["/*"]}}}`,
			"loadBalancer": `{"allowFrom": ["10.0.0.0/8"], "internal": true}`,
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden := filepath.Join("testdata", "graph-"+name+".json")
			graph := graphOf(t, declareStage(t, test.keys, test.change))
			if *update {
				require.NoError(t, os.WriteFile(golden, graph, 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			wanted, got := byURN(t, want), byURN(t, graph)
			for urn := range wanted {
				assert.Contains(t, got, urn)
			}
			for _, urn := range sortedKeys(got) {
				assert.Equal(t, wanted[urn], got[urn],
					"if the change of %s is meant: `go test ./components -update`, and say in the "+
						"release what an update changes", urn)
			}
		})
	}
}

// registration is what the engine keeps of a resource, or goes by.
type registration struct {
	URN                 string   `json:"urn"` // from the type on, which has the types of all parents
	Parent              string   `json:"parent,omitempty"`
	Aliases             []string `json:"aliases,omitempty"`
	ID                  string   `json:"id,omitempty"`
	DependsOn           []string `json:"dependsOn,omitempty"`
	IgnoreChanges       []string `json:"ignoreChanges,omitempty"`
	DeleteBeforeReplace *bool    `json:"deleteBeforeReplace,omitempty"`
	RetainOnDelete      bool     `json:"retainOnDelete,omitempty"`
	ReplacementTrigger  any      `json:"replacementTrigger,omitempty"`
	Hooks               []string `json:"hooks,omitempty"`
	Inputs              any      `json:"inputs,omitempty"`
}

// byURN are the resources of a graph, each as JSON.
func byURN(t *testing.T, graph []byte) map[string]string {
	t.Helper()
	var resources []json.RawMessage
	require.NoError(t, json.Unmarshal(graph, &resources))
	urns := map[string]string{}
	for _, text := range resources {
		var one registration
		require.NoError(t, json.Unmarshal(text, &one))
		urns[one.URN+" of "+one.Parent] = string(text)
	}
	return urns
}

// graphOf is what was registered, as JSON, in the order of the URNs.
func graphOf(t *testing.T, recorded *recorder) []byte {
	t.Helper()
	var graph []registration
	for _, registered := range recorded.resources {
		if registered.RegisterRPC == nil || registered.TypeToken == "pulumi:pulumi:Stack" {
			continue
		}
		rpc := registered.RegisterRPC
		one := registration{
			URN: registered.TypeToken + "::" + registered.Name, Parent: shortURN(rpc.GetParent()), ID: registered.ID,
			IgnoreChanges: rpc.GetIgnoreChanges(), RetainOnDelete: rpc.GetRetainOnDelete(),
			Hooks: slices.Concat(rpc.GetHooks().GetBeforeCreate(), rpc.GetHooks().GetAfterCreate(),
				rpc.GetHooks().GetAfterUpdate()),
			Inputs: readable(resource.NewObjectProperty(registered.Inputs)),
		}
		if types, _, nested := strings.Cut(one.Parent, "::"); nested {
			one.URN = types + "$" + one.URN
		}
		for _, dependency := range rpc.GetDependencies() {
			one.DependsOn = append(one.DependsOn, shortURN(dependency))
		}
		slices.Sort(one.DependsOn)
		for _, alias := range rpc.GetAliases() {
			one.Aliases = append(one.Aliases, cmp.Or(alias.GetUrn(), alias.GetSpec().GetName()+":"+alias.GetSpec().GetType()))
		}
		if rpc.GetDeleteBeforeReplaceDefined() {
			one.DeleteBeforeReplace = pulumi.BoolRef(rpc.GetDeleteBeforeReplace())
		}
		if trigger := rpc.GetReplacementTrigger(); trigger != nil {
			one.ReplacementTrigger = trigger.AsInterface()
		}
		graph = append(graph, one)
	}
	slices.SortFunc(graph, func(a, b registration) int {
		return cmp.Or(cmp.Compare(a.URN, b.URN),
			cmp.Compare(a.Parent, b.Parent))
	})
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(graph))
	return regexp.MustCompile(`:\d{8}-\d{6}-a1b2c3d-`).ReplaceAll(text.Bytes(), []byte(":TIME-a1b2c3d-"))
}

// shortURN leaves out stack and project; the stack itself is none.
func shortURN(urn string) string {
	parts := strings.SplitN(urn, "::", 3)
	if len(parts) < 3 || strings.HasPrefix(parts[2], "pulumi:pulumi:Stack::") {
		return ""
	}
	return strings.TrimPrefix(parts[2], "pulumi:pulumi:Stack$")
}

// readable is a property as JSON has it. What the engine encrypts is marked.
func readable(value resource.PropertyValue) any {
	return value.MapRepl(nil, func(value resource.PropertyValue) (any, bool) {
		if value.IsSecret() {
			return map[string]any{"secret": readable(value.SecretValue().Element)}, true
		}
		return nil, false
	})
}
