package awsclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"
)

// answered is an error as a client of the SDK returns it.
func answered(status int, err error) error {
	return &smithy.OperationError{ServiceID: "ECS", OperationName: "DescribeServices", Err: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: err,
	}}
}

func code(status int, code, message string) error {
	return answered(status, &smithy.GenericAPIError{Code: code, Message: message})
}

func TestDefinite(t *testing.T) {
	t.Parallel()
	// As the SDK itself returns it, before it sends anything.
	_, invalid := ecs.New(ecs.Options{Region: "eu-west-1"}).DescribeServices(t.Context(), &ecs.DescribeServicesInput{})
	for name, test := range map[string]struct {
		err              error
		definite, denied bool
	}{
		"denied":                        {code(400, "AccessDeniedException", "User is not authorized"), true, true},
		"denied, by the query protocol": {code(403, "AccessDenied", ""), true, true},
		"denied, by EC2":                {code(403, "UnauthorizedOperation", ""), true, true},
		"a role that may not be assumed": {fmt.Errorf("get identity: %w", code(403, "AccessDenied", "sts:AssumeRole")),
			true, true},
		"denied, in a list of failures": {&smithy.GenericAPIError{Code: "ACCESS_DENIED"}, true, true},
		"no such cluster":               {answered(400, &types.ClusterNotFoundException{}), true, false},
		"no such service":               {answered(400, &types.ServiceNotFoundException{}), true, false},
		"no such log group":             {code(400, "ResourceNotFoundException", ""), true, false},
		"an invalid parameter":          {answered(400, &types.InvalidParameterException{}), true, false},
		"an invalid parameter, of EC2":  {code(400, "InvalidParameterValue", ""), true, false},
		"a client's mistake":            {answered(400, &types.ClientException{}), true, false},
		"a validation of the SDK's own": {invalid, true, false},
		"a request that cannot be written": {&smithy.OperationError{Err: &smithy.SerializationError{Err: io.EOF}}, true,
			false},
		"ECS's throttle": {answered(400,
			&types.ClientException{Message: new("Too many concurrent attempts")}), false, false},
		"a throttle":                        {code(400, "ThrottlingException", "Rate exceeded"), false, false},
		"too many requests":                 {code(400, "TooManyRequestsException", ""), false, false},
		"too many requests, without a code": {code(429, "UnknownError", ""), false, false},
		"an expired token":                  {code(400, "ExpiredTokenException", ""), false, false},
		"an expired token, of STS":          {code(403, "ExpiredToken", ""), false, false},
		"an expired request":                {code(400, "RequestExpired", ""), false, false},
		"a token that is not known yet":     {code(400, "UnrecognizedClientException", ""), false, false},
		"a key that is not known yet":       {code(403, "InvalidClientTokenId", ""), false, false},
		"an SSO session that has ended": {code(401, "UnauthorizedException", "Session token not found or invalid"),
			false, false},
		"a clock that is off":                {code(403, "InvalidSignatureException", ""), false, false},
		"a failure of AWS's own":             {answered(500, &types.ServerException{}), false, false},
		"a failure with a code of a refusal": {code(503, "AccessDeniedException", ""), false, false},
		"an internal failure":                {code(500, "InternalFailure", ""), false, false},
		"unavailable":                        {code(503, "ServiceUnavailable", ""), false, false},
		"a refusal of nobody knows what":     {code(403, "UnknownError", ""), false, false},
		"a page in place of an answer": {answered(200,
			&smithy.DeserializationError{Err: errors.New("invalid character '<'")}), false, false},
		"a page in place of a refusal": {answered(403,
			&smithy.DeserializationError{Err: errors.New("invalid character '<'")}), false, false},
		"a body that was cut off": {answered(200, &smithy.DeserializationError{Err: io.ErrUnexpectedEOF}), false,
			false},
		"a name that is not resolved": {&smithyhttp.RequestSendError{Err: &url.Error{
			Err: &net.DNSError{IsNotFound: true}}}, false, false},
		"a connection that is refused": {&smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial",
			Err: errors.New("refused")}}, false, false},
		"an attempt that took too long": {&smithyhttp.RequestSendError{Err: context.DeadlineExceeded}, false, false},
		"a call that took too long": {&smithy.OperationError{
			Err: &smithy.CanceledError{Err: context.DeadlineExceeded}}, false, false},
		"no retry left": {&smithy.OperationError{Err: ratelimit.QuotaExceededError{Available: 0,
			Requested: 5}}, false, false},
		"ten throttles": {&retry.MaxAttemptsError{Attempt: 10,
			Err: code(400, "ThrottlingException", "")}, false, false},
		"ten refusals, which nobody would ask": {&retry.MaxAttemptsError{Attempt: 10,
			Err: code(400, "AccessDeniedException", "")}, true, true},
		"credentials that are not to be had": {errors.New("failed to refresh cached credentials"), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.definite, Definite(test.err))
			require.Equal(t, test.denied, Denied(test.err))
		})
	}
}

func TestAWatchGoesOnUntilNothingWasReadForTheLimit(t *testing.T) {
	t.Parallel()
	passing, refusal := code(503, "ServiceUnavailable", ""), code(400, "AccessDeniedException", "")

	reads := &Reads{Limit: time.Hour}
	for range 100 {
		require.NoError(t, reads.After(passing))
	}
	require.ErrorIs(t, reads.Unread(), passing)
	require.NoError(t, reads.After(nil))
	require.NoError(t, reads.Unread())
	require.ErrorIs(t, reads.After(refusal), refusal)

	reads = &Reads{Limit: time.Nanosecond}
	require.NoError(t, reads.After(nil))
	time.Sleep(time.Microsecond)
	require.ErrorContains(t, reads.After(passing), "nothing could be read for 1ns: ")
}
