package components

import (
	"errors"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/require"

	"slipway/stage"
)

// network answers what is asked of a VPC and its subnets.
type network struct {
	*recorder
	defaultVPC string // "" for none
	subnets    []any  // the default ones
}

func (n network) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	answer := map[string]any{}
	switch args.Token {
	case "aws:ec2/getVpc:getVpc":
		if n.defaultVPC == "" {
			return nil, errors.New("no matching EC2 VPC found")
		}
		answer["id"] = n.defaultVPC
	case "aws:ec2/getSubnets:getSubnets":
		answer["ids"] = n.subnets
	default:
		known := map[string]map[string]any{
			"subnet-0000000a": {"vpcId": "vpc-1", "availabilityZone": "a", "mapPublicIpOnLaunch": true},
			"subnet-0000000b": {"vpcId": "vpc-1", "availabilityZone": "b", "mapPublicIpOnLaunch": false},
		}[args.Args["id"].StringValue()]
		if known == nil {
			return nil, errors.New("no matching EC2 Subnet found")
		}
		answer = known
	}
	return resource.NewPropertyMapFromMap(answer), nil
}

func TestTheNetworkIsLookedUpBeforeAnythingChanges(t *testing.T) {
	t.Parallel()
	no := false
	for name, test := range map[string]struct {
		settings stage.Network
		account  network
		want     Network
		says     string
	}{
		"that of the account": {stage.Network{}, network{defaultVPC: "vpc-0", subnets: []any{"subnet-1", "subnet-2"}},
			Network{VPC: "vpc-0", Subnets: []string{"subnet-1", "subnet-2"}, AssignPublicIP: true}, ""},
		"that of the account, with private addresses": {stage.Network{AssignPublicIP: &no},
			network{defaultVPC: "vpc-0", subnets: []any{"subnet-1"}}, Network{VPC: "vpc-0", Subnets: []string{"subnet-1"}}, ""},
		"one that is named": {stage.Network{VPC: "vpc-1", Subnets: []string{"subnet-0000000a"}}, network{},
			Network{VPC: "vpc-1", Subnets: []string{"subnet-0000000a"}, AssignPublicIP: true}, ""},
		"one with a private subnet": {stage.Network{VPC: "vpc-1", Subnets: []string{"subnet-0000000a", "subnet-0000000b"}},
			network{}, Network{VPC: "vpc-1", Subnets: []string{"subnet-0000000a", "subnet-0000000b"}}, ""},
		"no default VPC": {stage.Network{}, network{}, Network{},
			"network (Pulumi.dev.yaml): this account and region have no default VPC; name the network with network.vpc and network.subnets"},
		"a default VPC without subnets": {stage.Network{}, network{defaultVPC: "vpc-0"}, Network{},
			"network (Pulumi.dev.yaml): the default VPC has no default subnets; name others with network.vpc and network.subnets"},
		"a subnet that is not there": {stage.Network{VPC: "vpc-1", Subnets: []string{"subnet-0000000e"}}, network{},
			Network{},
			"network.subnets[0] (Pulumi.dev.yaml): subnet-0000000e cannot be read: name subnets of this account and region"},
		"a subnet of another VPC": {stage.Network{VPC: "vpc-2", Subnets: []string{"subnet-0000000a"}}, network{}, Network{},
			"network.subnets[0] (Pulumi.dev.yaml): subnet-0000000a belongs to vpc-1, not to vpc-2: name subnets of that VPC"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NoError(t, pulumi.RunErr(func(ctx *pulumi.Context) error {
				found, err := lookupNetwork(ctx, &stage.Stage{Name: "dev", Network: test.settings})
				if test.says != "" {
					require.ErrorContains(t, err, test.says)
					return nil
				}
				require.NoError(t, err)
				require.Equal(t, test.want, Network{VPC: found.VPC, Subnets: found.Subnets, AssignPublicIP: found.AssignPublicIP})
				return nil
			}, pulumi.WithMocks("shop", "dev", test.account)))
		})
	}
}

func TestTasksRunInTheNetworkThatIsFound(t *testing.T) {
	t.Parallel()
	in := func(subnets ...string) *recorder {
		return declareStage(t, map[string]string{"services": `{"web": {"image": "web"}}`}, func(found *Preflight) {
			found.Network.Subnets = subnets
		})
	}
	one, other := in("subnet-1"), in("subnet-2", "subnet-3")
	require.Equal(t, []string{"Update aws:ecs/service:Service web"}, changes(t, one, other))
	where := other.inputs(t, "aws:ecs/service:Service")["networkConfiguration"].ObjectValue()
	require.Equal(t, []any{"subnet-2", "subnet-3"}, where["subnets"].Mappable())
	require.False(t, where["assignPublicIp"].BoolValue())
}
