package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"

	"slipway/provider"
)

// The ec2 package of the AWS SDK takes 90 CPU-seconds and 3.4 GB of memory to compile, its iam package another 15, and
// three simple calls are needed of each. Both speak the same old protocol, a form that is answered with XML, so this file
// sends the requests itself, signed by the SDK.

// queryClient sends requests of the query protocol with the settings of the stage's provider.
type queryClient struct {
	cfg      aws.Config
	settings provider.Settings
}

// queryVersions are the versions of the APIs.
var queryVersions = map[string]string{"ec2": "2016-11-15", "iam": "2010-05-08"}

// ask decodes the answer of EC2 or IAM to an action. Its errors are as those of the SDK.
func (q queryClient) ask(ctx context.Context, service, action string, form url.Values, answer any) error {
	form.Set("Action", action)
	form.Set("Version", queryVersions[service])
	ctx, cancel := context.WithTimeout(ctx, provider.CallLimit)
	defer cancel()
	retries := q.cfg.Retryer() // of Settings.Load, as is the limit of each attempt
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
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return failure
		}
	}
}

func (q queryClient) send(ctx context.Context, service, action, form string, answer any) error {
	endpoint, region := q.endpoint(service)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	credentials, err := q.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(form))
	if err := v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), service, region, time.Now()); err != nil {
		return err
	}
	response, err := q.cfg.HTTPClient.Do(request)
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
	err = errors.Join(xml.Unmarshal(body, &root), xml.Unmarshal(body, answer))
	if err == nil && root.XMLName.Local != action+"Response" {
		err = fmt.Errorf("<%s> is no answer of AWS", root.XMLName.Local) // but a proxy's page
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

// queryRefusal reads an error, which EC2 and IAM lay out differently.
func queryRefusal(status int, body []byte) error {
	var said struct {
		IAM struct{ Code, Message string } `xml:"Error"`
		EC2 struct{ Code, Message string } `xml:"Errors>Error"`
	}
	if xml.Unmarshal(body, &said) != nil || cmp.Or(said.IAM.Code, said.EC2.Code) == "" {
		return &queryFailure{fmt.Errorf("it answered with status %d", status), status}
	}
	return &queryFailure{&smithy.GenericAPIError{
		Code: cmp.Or(said.IAM.Code, said.EC2.Code), Message: cmp.Or(said.IAM.Message, said.EC2.Message),
	}, status}
}

// endpoint is where a service answers, and the region that requests to it are signed for: IAM has one for each partition
// (https://docs.aws.amazon.com/general/latest/gr/iam-service.html).
func (q queryClient) endpoint(service string) (endpoint, region string) {
	region = q.cfg.Region
	host, suffix := service, "amazonaws.com"
	if q.settings.UseFIPSEndpoint {
		host += "-fips"
	}
	china, government := strings.HasPrefix(region, "cn-"), strings.HasPrefix(region, "us-gov-")
	switch {
	case service == "iam" && china:
		host, region = host+".cn-north-1", "cn-north-1"
	case service == "iam" && government:
		host, region = "iam.us-gov", "us-gov-west-1" // which is a FIPS endpoint
	case service == "iam":
		region = "us-east-1"
	default:
		host += "." + region
		if q.settings.UseDualstackEndpoint {
			suffix = "api.aws"
		}
	}
	if china {
		suffix += ".cn"
	}
	endpoint = "https://" + host + "." + suffix + "/"
	// As the SDK's own clients do. (Only the services section of the shared configuration file is left out.)
	for _, other := range []string{aws.ToString(q.cfg.BaseEndpoint), os.Getenv("AWS_ENDPOINT_URL_" + strings.ToUpper(service)), q.settings.Endpoints[service]} {
		if other != "" {
			endpoint = other
		}
	}
	return endpoint, region
}

// isCode tells an error of AWS by its code.
func isCode(err error, codes ...string) bool {
	var refusal smithy.APIError
	if !errors.As(err, &refusal) {
		return false
	}
	for _, code := range codes {
		if refusal.ErrorCode() == code {
			return true
		}
	}
	return false
}
