package account

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBoundaryLimitsWhatATaskMayDo(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	boundary, err := s.AddPolicy("boundary",
		`{"Statement": [{"Effect": "Allow", "NotAction": "logs:*", "Resource": "*"}]}`)
	require.NoError(t, err)
	require.NoError(t, s.UpdateObject(Role, "web-execution", Object{"permissionsBoundary": boundary}))
	s.create(s.register(nil), 1)
	require.Contains(t, s.after(2).Tasks[0].StoppedReason, "logs:CreateLogStream")
	simulated, err := s.Simulate("web-execution", "logs:CreateLogStream",
		"arn:aws:logs:eu-central-1:123456789012:log-group:/shop/dev/web:x", nil)
	require.NoError(t, err)
	require.Equal(t, Simulation{Decision: ImplicitDeny, Bounded: true}, simulated)
	_, err = s.Simulate("web-execution", "s3:GetObject", "*",
		[]string{`{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {}}}}`})
	require.EqualError(t, err, "InvalidInput: The sandbox does not evaluate conditions of policies.")
	_, err = s.AddPolicy("broken", "{")
	require.True(t, IsCode(err, "MalformedPolicyDocument"))
}

func TestTaskInASubnetWithoutARouteDoesNotStart(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	require.NoError(t, s.SetFaults(map[string]string{NoRoute: Subnets[0].ID}))
	private, err := s.PrivateSubnets()
	require.NoError(t, err)
	require.Equal(t, Subnets[:1], private)
	s.create(s.register(nil), 1)
	require.Contains(t, s.after(2).Tasks[0].StoppedReason, "connection issue between the task and Amazon ECR")
}
