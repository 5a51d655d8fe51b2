package rollout

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	ecssdk "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/stretchr/testify/require"

	"slipway/internal/awsclient"
	"slipway/internal/ecsread"
)

// spot is a capacity of Fargate Spot alone.
var spot = NewCapacity(types.CapacityProviderStrategyItem{CapacityProvider: new("FARGATE_SPOT"), Weight: 1})

func TestACapacityDiffersWhateverItsOrder(t *testing.T) {
	t.Parallel()
	share := func(provider string, weight, base int32) types.CapacityProviderStrategyItem {
		return types.CapacityProviderStrategyItem{CapacityProvider: &provider, Weight: weight, Base: base}
	}
	type shares = []types.CapacityProviderStrategyItem
	mixed := NewCapacity(share("FARGATE_SPOT", 3, 0), share("FARGATE", 1, 1))
	for name, test := range map[string]struct {
		wanted  Capacity
		has     shares
		differs bool
	}{
		"the same":                {mixed, shares{share("FARGATE", 1, 1), share("FARGATE_SPOT", 3, 0)}, false},
		"in another order":        {mixed, shares{share("FARGATE_SPOT", 3, 0), share("FARGATE", 1, 1)}, false},
		"another base":            {mixed, shares{share("FARGATE", 1, 0), share("FARGATE_SPOT", 3, 0)}, true},
		"a launch type":           {mixed, nil, true},
		"nothing is asked for":    {nil, shares{share("FARGATE_SPOT", 3, 0)}, false},
		"on demand, and has Spot": {OnDemand, shares{share("FARGATE_SPOT", 1, 0)}, true},
	} {
		_, differs := test.wanted.Differs(types.Service{CapacityProviderStrategy: test.has})
		require.Equal(t, test.differs, differs, name)
	}
	require.Equal(t, "FARGATE weight=1 base=1 FARGATE_SPOT weight=3", mixed.String())
	require.Equal(t, "launch type FARGATE", Capacity{}.String())
}

func TestASteadyServiceIsMovedToItsCapacity(t *testing.T) {
	t.Parallel()
	elsewhere := fmt.Sprintf(steadyOn, 2)
	there := strings.Replace(elsewhere, `"deployments"`,
		`"capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}], "deployments"`, 1)
	watch := func(changed bool, answers ...any) (*Rollout, []string, error) {
		var said []string
		rollout := watchedBy(t, answers...)
		rollout.Capacity, rollout.Changed = spot, changed
		rollout.Progress = func(message string) { said = append(said, message) }
		err := rollout.follow(t.Context())
		return rollout, said, err
	}
	moved := "services.web.capacity: ECS runs it on launch type FARGATE; moving it to FARGATE_SPOT weight=1"
	_, said, err := watch(false, elsewhere, there)
	require.NoError(t, err)
	require.Contains(t, said, moved)

	_, said, err = watch(true, elsewhere, elsewhere, there)
	require.NoError(t, err, "the update's own move is not shown yet")
	require.NotContains(t, said, moved)

	_, _, err = watch(true, elsewhere)
	require.ErrorContains(t, err, "services.web.capacity: ECS runs the service on launch type FARGATE, and it is to run "+
		"on FARGATE_SPOT weight=1. `pulumi up` again moves it")
}

// A deployment that has one of the three without the others would be refused, or start tasks that end at once.
func TestAMoveHasRevisionCapacityAndNetworkInOneCall(t *testing.T) {
	t.Parallel()
	var calls []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		calls = append(calls, string(body))
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		fmt.Fprint(w, `{}`)
	}))
	t.Cleanup(server.Close)
	client := ecssdk.New(ecssdk.Options{Region: "r", BaseEndpoint: &server.URL, Retryer: awssdk.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("a", "b", "")})
	reader := ecsread.NewReader(&lateAccount{clients: awsclient.Clients{ECS: client}, asked: true}, "c")
	has := types.Service{ServiceArn: new("arn:web"), NetworkConfiguration: &types.NetworkConfiguration{
		AwsvpcConfiguration: &types.AwsVpcConfiguration{Subnets: []string{"subnet-1"}, SecurityGroups: []string{"sg-1"},
			AssignPublicIp: types.AssignPublicIpEnabled}}}
	general := NewCapacity(types.CapacityProviderStrategyItem{CapacityProvider: new("shop-dev-general"), Weight: 1})
	require.True(t, general.OnInstances())
	require.False(t, spot.OnInstances())
	require.NoError(t, general.Move(t.Context(), reader, has, "shop-dev-web:2", false))
	require.NoError(t, spot.Move(t.Context(), reader, has, "", true))
	require.Len(t, calls, 2)
	require.JSONEq(t, `{"cluster": "c", "service": "arn:web", "forceNewDeployment": true, "taskDefinition": "shop-dev-web:2",
		"capacityProviderStrategy": [{"capacityProvider": "shop-dev-general", "weight": 1}],
		"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"],
			"assignPublicIp": "DISABLED"}}}`, calls[0])
	require.NotContains(t, calls[1], "networkConfiguration", "Spot keeps it as it is")
}
