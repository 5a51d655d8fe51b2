package components

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestALoadBalancerTakesOneSubnetInEachOfTwoZones(t *testing.T) {
	t.Parallel()
	zones := map[string]string{"subnet-1": "a", "subnet-2": "b", "subnet-3": "b"}
	require.NoError(t, checkZones([]string{"subnet-1", "subnet-2"}, zones))
	require.ErrorContains(t, checkZones([]string{"subnet-1"}, zones), "needs subnets in two availability zones")
	require.ErrorContains(t, checkZones([]string{"subnet-1", "subnet-2", "subnet-3"}, zones),
		"subnet-2 and subnet-3 are both in the availability zone b")
}
