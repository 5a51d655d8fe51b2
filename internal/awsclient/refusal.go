package awsclient

import (
	"errors"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
)

// Definite tells whether an error of a call says that AWS refuses it, and will refuse it again. Everything else may
// pass: an answer that was cut off or is a proxy's, credentials that have expired and are renewed, a throttle, a
// failure of AWS's own, a network that is down, an attempt that took too long. A code that is not known here may pass,
// too.
func Definite(err error) bool {
	var deserialization *smithy.DeserializationError
	var status interface{ HTTPStatusCode() int }
	var refusal smithy.APIError
	switch {
	case errors.As(err, new(smithy.InvalidParamsError)), errors.As(err, new(*smithy.SerializationError)):
		return true // the SDK did not even send it
	case errors.As(err, &deserialization):
		return false
	case errors.As(err, &status) && mayPass(status.HTTPStatusCode()), !errors.As(err, &refusal):
		return false
	}
	code := refusal.ErrorCode()
	if code == "ClientException" { // of which ECS makes a throttle, too
		return !strings.Contains(refusal.ErrorMessage(), "Too many")
	}
	return isDenied(code) || definiteCodes[code] || strings.HasPrefix(code, "NoSuch") ||
		strings.HasPrefix(code, "InvalidParameter") ||
		strings.HasSuffix(strings.TrimSuffix(strings.TrimSuffix(code, "Exception"), "Fault"), "NotFound")
}

// Denied tells whether an error of a call says that the caller has no permission for it.
func Denied(err error) bool {
	var refusal smithy.APIError
	return Definite(err) && errors.As(err, &refusal) && isDenied(refusal.ErrorCode())
}

// isDenied tells the code of a call without a permission. ECS's lists of failures write it in capitals. (The code
// UnauthorizedException is that of an SSO session that has ended, which signing in renews.)
func isDenied(code string) bool {
	return strings.HasPrefix(code, "AccessDenied") || code == "ACCESS_DENIED" || code == "UnauthorizedOperation" ||
		code == "NotAuthorized"
}

// mayPass tells whether a status of HTTP says that another attempt may be answered.
func mayPass(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusTooManyRequests ||
		status == http.StatusRequestTimeout
}

// definiteCodes are those of requests that are wrong in themselves
// (https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html).
var definiteCodes = map[string]bool{
	"BlockedException": true, "InvalidAction": true, "InvalidArgument": true, "InvalidInput": true,
	"MalformedQueryString": true,
	"MissingParameter":     true, "OptInRequired": true, "PlatformTaskDefinitionIncompatibilityException": true,
	"PlatformUnknownException": true, "ServiceNotActiveException": true, "UnknownOperationException": true,
	"UnsupportedFeatureException": true, "UnsupportedOperation": true, "ValidationError": true,
	"ValidationException": true,
}
