package awsreader

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/smithy-go"
	smithytime "github.com/aws/smithy-go/time"

	"slipway/internal/awsclient"
)

// The ec2 package of the AWS SDK takes 90 CPU-seconds and 3.4 GB of memory to compile, and a few simple calls are
// needed of it. Its protocol is a form that is answered with XML, so this file sends the requests itself, signed by the
// SDK.

// Query sends requests of the query protocol with the settings of the stage's provider.
type Query struct {
	Cfg      aws.Config
	Settings awsclient.Settings
}

// queryVersions are the versions of the APIs.
var queryVersions = map[string]string{"ec2": "2016-11-15", ELBv2: "2015-12-01", "sqs": "2012-11-05"}

// Call decodes the answer of a service to an action. Its errors are as those of the SDK.
func (q Query) Call(ctx context.Context, service, action string, form url.Values, answer any) error {
	form.Set("Action", action)
	form.Set("Version", queryVersions[service])
	ctx, cancel := context.WithTimeout(ctx, awsclient.CallLimit)
	defer cancel()
	retries := q.Cfg.Retryer() // of Settings.Load, as is the limit of each attempt
	for attempt := 1; ; attempt++ {
		err := q.send(ctx, service, action, form.Encode(), answer)
		if err == nil {
			return nil
		}
		failure := &smithy.OperationError{ServiceID: strings.ToUpper(service), OperationName: action, Err: err}
		if attempt == retries.MaxAttempts() || !retries.IsErrorRetryable(err) {
			return failure
		}
		delay, err := retries.RetryDelay(attempt, err)
		if err != nil {
			return err
		}
		if smithytime.SleepWithContext(ctx, delay) != nil {
			return failure
		}
	}
}

func (q Query) send(ctx context.Context, service, action, form string, answer any) error {
	endpoint, err := q.endpoint(ctx, service)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	credentials, err := q.Cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(form))
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), service, q.Cfg.Region,
		time.Now()); err != nil {
		return err
	}
	response, err := q.Cfg.HTTPClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return &smithy.DeserializationError{Err: err}
	}
	if response.StatusCode != http.StatusOK {
		return queryRefusal(response.StatusCode, body)
	}
	var root struct{ XMLName xml.Name }
	err = xml.Unmarshal(body, &root)
	if err == nil && root.XMLName.Local != action+"Response" {
		err = fmt.Errorf("<%s> is no answer of AWS", root.XMLName.Local) // but a proxy's page
	}
	if err == nil { // only of a whole one: the next attempt would add to what is there
		err = xml.Unmarshal(body, answer)
	}
	if err != nil {
		return &smithy.DeserializationError{Err: err}
	}
	return nil
}

// queryFailure is a failure of AWS's own, which may pass.
type queryFailure struct {
	error
	status int
}

// HTTPStatusCode lets the SDK tell whether to try again.
func (f *queryFailure) HTTPStatusCode() int { return f.status }

func (f *queryFailure) Unwrap() error { return f.error }

// queryRefusal reads an error, which EC2 lays out in a way of its own.
func queryRefusal(status int, body []byte) error {
	var refusal struct {
		Other struct{ Code, Message string } `xml:"Error"`
		EC2   struct{ Code, Message string } `xml:"Errors>Error"`
	}
	if xml.Unmarshal(body, &refusal) != nil || cmp.Or(refusal.Other.Code, refusal.EC2.Code) == "" {
		return &queryFailure{fmt.Errorf("it answered with status %d", status), status}
	}
	return &queryFailure{&smithy.GenericAPIError{
		Code: cmp.Or(refusal.Other.Code, refusal.EC2.Code), Message: cmp.Or(refusal.Other.Message, refusal.EC2.Message),
	}, status}
}

// sdkIDs are the names of services in variables and files of the SDK's configuration.
var sdkIDs = map[string]string{"ec2": "EC2", ELBv2: "Elastic Load Balancing v2", "sqs": "SQS"}

// endpoint is where a regional service answers: where the provider's settings, the environment or the shared
// configuration say, or else where the SDK's own rules have the endpoint of ECS, whose name differs from these
// services' in its first part alone. (In GovCloud, all endpoints of these are FIPS endpoints.)
func (q Query) endpoint(ctx context.Context, service string) (string, error) {
	configured, err := q.configuredEndpoint(ctx, sdkIDs[service])
	if err != nil {
		return "", err
	}
	if endpoint := q.Settings.Endpoint(service, configured); endpoint != nil {
		return *endpoint, nil
	}
	options := ecs.NewFromConfig(q.Cfg).Options()
	government := strings.HasPrefix(q.Cfg.Region, "us-gov-")
	dualStack := options.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled
	resolved, err := ecs.NewDefaultEndpointResolverV2().ResolveEndpoint(ctx, ecs.EndpointParameters{Region: &q.Cfg.Region,
		UseFIPS: aws.Bool(options.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled &&
			(dualStack || !government)),
		UseDualStack: &dualStack})
	if err != nil {
		return "", err
	}
	return resolved.URI.Scheme + "://" + service + strings.TrimPrefix(resolved.URI.Host, "ecs") + "/", nil
}

// configuredEndpoint is what AWS_ENDPOINT_URL_*, AWS_ENDPOINT_URL or the shared configuration say, as the SDK's own
// clients find it; nil for nothing.
func (q Query) configuredEndpoint(ctx context.Context, sdkID string) (*string, error) {
	for _, source := range q.Cfg.ConfigSources {
		if source, is := source.(interface {
			GetIgnoreConfiguredEndpoints(context.Context) (bool, bool, error)
		}); is {
			if ignore, _, err := source.GetIgnoreConfiguredEndpoints(ctx); ignore || err != nil {
				return nil, err
			}
		}
	}
	for _, source := range q.Cfg.ConfigSources {
		if source, is := source.(interface {
			GetServiceBaseEndpoint(context.Context, string) (string, bool, error)
		}); is {
			if endpoint, found, err := source.GetServiceBaseEndpoint(ctx, sdkID); found || err != nil {
				return &endpoint, err
			}
		}
	}
	return q.Cfg.BaseEndpoint, nil
}

// ELBv2 is Elastic Load Balancing as requests to it are signed.
const ELBv2 = "elasticloadbalancing"
