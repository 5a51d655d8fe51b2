package components

import (
	"errors"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"
)

// lookupsOf answers the program's questions to AWS, by function and what is asked for.
type lookupsOf struct {
	recorder
	answers map[string]map[string]any
}

func (l *lookupsOf) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	function := args.Token[strings.LastIndex(args.Token, ":")+1:]
	for _, key := range []string{"id", "name", "port", "arn"} {
		if asked, given := args.Args[resource.PropertyKey(key)]; given {
			if asked.IsNumber() {
				asked = resource.NewStringProperty("port")
			}
			if answer, known := l.answers[function+" "+asked.StringValue()]; known {
				return resource.NewPropertyMapFromMap(answer), nil
			}
			return nil, errors.New("nothing is found")
		}
	}
	return nil, errors.New("nothing is asked for")
}

func TestTheIngressIsLookedUpBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:loadbalancer/app/shared/50dc6c495c0c9188"
	subnet := func(vpc, zone string) map[string]any { return map[string]any{"vpcId": vpc, "availabilityZone": zone} }
	answers := map[string]map[string]any{
		"getZone example.com":       {"zoneId": "Z1"},
		"getLoadBalancer " + arn:    {"vpcId": "vpc-1", "dnsName": "shared.elb", "zoneId": "Z2"},
		"getListener port":          {"arn": "arn:listener", "protocol": "HTTP"},
		"getSubnet subnet-0000000a": subnet("vpc-1", "a"),
		"getSubnet subnet-0000000b": subnet("vpc-1", "b"),
		"getSubnet subnet-0000000c": subnet("vpc-1", "a"),
		"getSubnet subnet-0000000d": subnet("vpc-2", "b"),
	}
	public := Network{VPC: "vpc-1", Subnets: []string{"subnet-1", "subnet-2"},
		zones: map[string]string{"subnet-1": "a", "subnet-2": "b"}, public: true}
	private, narrow, other := public, public, public
	private.public, narrow.zones, other.VPC = false, map[string]string{"subnet-1": "a", "subnet-2": "a"}, "vpc-3"
	const host = `{"hosts": ["a.example.com"]}`
	for name, test := range map[string]struct {
		route, settings string
		network         Network
		without         string // what AWS does not have
		want            []string
		subnets         []string
	}{
		"in the subnets of the tasks": {`{}`, `{}`, public, "", nil, []string{"subnet-1", "subnet-2"}},
		"in subnets of its own": {`{}`, `{"subnets": ["subnet-0000000a", "subnet-0000000b"]}`, private, "",
			nil, []string{"subnet-0000000a", "subnet-0000000b"}},
		"internal": {`{}`, `{"internal": true}`, private, "", nil,
			[]string{"subnet-1", "subnet-2"}},
		"with a zone": {host, `{"zone": "example.com"}`, public, "", nil,
			[]string{"subnet-1", "subnet-2"}},
		"behind an existing one": {`{}`, `{"arn": "` + arn + `", "port": 80}`, private, "", nil, nil},
		"where nobody outside reaches it": {`{}`, `{}`, private, "",
			[]string{"loadBalancer.subnets (Pulumi.dev.yaml): is missing, and tasks run in private subnets"}, nil},
		"in one availability zone": {`{}`, `{}`, narrow, "",
			[]string{"loadBalancer.subnets (Pulumi.dev.yaml): subnet-1 and subnet-2 are both in the availability zone a"}, nil},
		"in one availability zone, of its own": {`{}`, `{"subnets": ["subnet-0000000a", "subnet-0000000c"]}`, public, "",
			[]string{"subnet-0000000a and subnet-0000000c are both in the availability zone a"}, nil},
		"in a subnet of another VPC": {`{}`, `{"subnets": ["subnet-0000000a", "subnet-0000000d"]}`, public, "",
			[]string{"subnet-0000000d belongs to vpc-2, not to vpc-1"}, nil},
		"in a subnet that is not there": {`{}`, `{"subnets": ["subnet-0000000a", "subnet-0000000e"]}`, public, "",
			[]string{"subnet-0000000e cannot be read"}, nil},
		"with a zone that is not there": {host, `{"zone": "example.com"}`, public, "getZone example.com",
			[]string{"loadBalancer.zone (Pulumi.dev.yaml): there is no public hosted zone example.com in this account"}, nil},
		"behind one that is not there": {`{}`, `{"arn": "` + arn + `"}`, public, "getLoadBalancer " + arn,
			[]string{"loadBalancer.arn (Pulumi.dev.yaml): this load balancer cannot be read"}, nil},
		"behind one of another VPC": {`{}`, `{"arn": "` + arn + `"}`, other, "",
			[]string{"the load balancer is in vpc-1, and tasks run in vpc-3"}, nil},
		"behind one without that listener": {`{}`, `{"arn": "` + arn + `"}`, public, "getListener port",
			[]string{"has no listener at port 443; write the port of one that it has as loadBalancer.port"}, nil},
		"with gRPC behind one without HTTPS": {`{"protocol": "grpc"}`, `{"arn": "` + arn + `", "port": 80}`, public, "",
			[]string{"loadBalancer.arn (Pulumi.dev.yaml): the listener at port 80 speaks HTTP, and " +
				"services.web.route.protocol is grpc, which needs HTTPS"}, nil},
		"with two mistakes": {host, `{"zone": "example.com"}`, private, "getZone example.com",
			[]string{"is missing, and tasks run in private subnets", "there is no public hosted zone"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			known := map[string]map[string]any{}
			for key, answer := range answers {
				if key != test.without {
					known[key] = answer
				}
			}
			settings := loadStage(t, oneRoute(test.route, test.settings))
			var ingress *ingressLookup
			var failed error
			require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
				ingress, failed = lookupIngress(ctx, settings, &test.network)
				return nil
			}, pulumi.WithMocks("shop", "dev", &lookupsOf{answers: known})))
			if test.want == nil {
				require.NoError(t, failed)
				require.Equal(t, test.subnets, ingress.Subnets)
				return
			}
			require.Error(t, failed)
			for _, want := range test.want {
				require.ErrorContains(t, failed, want)
			}
			require.Len(t, strings.Split(failed.Error(), "\n"), len(test.want), "%s", failed)
		})
	}
	t.Run("without a route", func(t *testing.T) {
		t.Parallel()
		ingress, err := lookupIngress(nil, loadStage(t, map[string]string{"services": `{"web": {"image": "web"}}`}), &public)
		require.NoError(t, err)
		require.Nil(t, ingress)
	})
}

func TestALoadBalancerTakesOneSubnetInEachOfTwoZones(t *testing.T) {
	t.Parallel()
	zones := map[string]string{"subnet-1": "a", "subnet-2": "b", "subnet-3": "b"}
	require.NoError(t, checkZones([]string{"subnet-1", "subnet-2"}, zones))
	require.ErrorContains(t, checkZones([]string{"subnet-1"}, zones), "needs subnets in two availability zones")
	require.ErrorContains(t, checkZones([]string{"subnet-1", "subnet-2", "subnet-3"}, zones),
		"subnet-2 and subnet-3 are both in the availability zone b")
}
