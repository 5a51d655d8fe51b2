package pulumicli

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	smithytime "github.com/aws/smithy-go/time"
)

// The s3 package of the AWS SDK takes minutes to compile with what it brings along, and two simple requests are needed
// of it: this file sends them itself, signed by the SDK.

// bucket is a backend in S3, or in what speaks like it.
type bucket struct {
	cfg          aws.Config
	name, prefix string
	anonymous    bool
	// endpoint is where the service answers, with the scheme; empty for AWS's own in the region.
	endpoint string
	// inPath says that the bucket's name is in the path, and not in the host.
	inPath bool
	region atomic.Value // as far as is known: S3 tells where the bucket is
}

func (b *bucket) where() string { return b.region.Load().(string) }

const (
	bucketTimeout  = 20 * time.Second // of one attempt
	bucketAttempts = 3
	emptyHash      = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" // SHA-256 of no body
)

// openBucket takes the parameters of a backend's address that say where a bucket is and who asks
// (https://gocloud.dev/howto/blob/#s3); what the others say is for writing.
func openBucket(ctx context.Context, address *url.URL) (Files, error) {
	given := address.Query()
	yes := func(names ...string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return given.Get(name) == "true" })
	}
	var options []func(*awsconfig.LoadOptions) error
	if region := given.Get("region"); region != "" {
		options = append(options, awsconfig.WithRegion(region))
	}
	if profile := given.Get("profile"); profile != "" {
		options = append(options, awsconfig.WithSharedConfigProfile(profile))
	}
	cfg, err := awsconfig.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("preparing to read %s: %w", address.Redacted(), err)
	}
	found := &bucket{cfg: cfg, name: address.Host, anonymous: yes("anonymous"),
		endpoint: cmp.Or(given.Get("endpoint"), os.Getenv("AWS_ENDPOINT_URL_S3"), aws.ToString(cfg.BaseEndpoint)),
		// no certificate is for more than one level
		inPath: yes("s3ForcePathStyle", "use_path_style") || strings.Contains(address.Host, ".")}
	found.region.Store(cmp.Or(cfg.Region, "us-east-1"))
	if found.endpoint != "" && !strings.Contains(found.endpoint, "://") {
		found.endpoint = map[bool]string{false: "https://", true: "http://"}[yes("disableSSL", "disable_https")] +
			found.endpoint
	}
	if found.prefix = strings.Trim(address.Path, "/"); found.prefix != "" {
		found.prefix += "/"
	}
	return found, nil
}

func (b *bucket) list(ctx context.Context, dir string) (names []string, err error) {
	prefix := b.prefix + dir + "/"
	for next := ""; ; {
		query := url.Values{"list-type": {"2"}, "prefix": {prefix}, "delimiter": {"/"}}
		if next != "" {
			query.Set("continuation-token", next)
		}
		body, err := b.get(ctx, "", query)
		if err != nil {
			return nil, err
		}
		var page struct {
			Contents              []struct{ Key string }
			NextContinuationToken string
		}
		if err := xml.Unmarshal(body, &page); err != nil {
			return nil, fmt.Errorf("the backend s3://%s answers what is no list: %w", b.name, err)
		}
		for _, object := range page.Contents {
			names = append(names, strings.TrimPrefix(object.Key, prefix))
		}
		if next = page.NextContinuationToken; next == "" {
			return names, nil // sorted, as S3 lists them
		}
	}
}

func (b *bucket) read(ctx context.Context, key string) ([]byte, error) {
	return b.get(ctx, b.prefix+key, nil)
}

// get tries again what may pass, and in another region where S3 says that the bucket is there.
func (b *bucket) get(ctx context.Context, key string, query url.Values) (body []byte, err error) {
	for attempt := range bucketAttempts {
		if attempt > 0 {
			if err := smithytime.SleepWithContext(ctx, time.Duration(attempt)*time.Second); err != nil {
				return nil, err
			}
		}
		var passes bool
		if body, passes, err = b.send(ctx, key, query); err == nil || !passes {
			break
		}
	}
	if err != nil {
		err = fmt.Errorf("reading the backend s3://%s: %w", b.name, err)
	}
	return body, err
}

// send is one attempt. passes says that the next one may succeed.
func (b *bucket) send(ctx context.Context, key string, query url.Values) (body []byte, passes bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, bucketTimeout)
	defer cancel()
	region := b.where()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, b.address(region, key, query).String(), nil)
	if err != nil {
		return nil, false, err
	}
	request.Header.Set("X-Amz-Content-Sha256", emptyHash)
	if !b.anonymous {
		credentials, err := b.cfg.Credentials.Retrieve(ctx)
		if err != nil {
			return nil, false, err
		}
		signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
		if err := signer.SignHTTP(ctx, credentials, request, emptyHash, "s3", region, time.Now()); err != nil {
			return nil, false, err
		}
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, true, err
	}
	defer response.Body.Close()
	if body, err = io.ReadAll(response.Body); err != nil {
		return nil, true, err
	}
	if response.StatusCode == http.StatusOK {
		return body, false, nil
	}
	if elsewhere := response.Header.Get("X-Amz-Bucket-Region"); elsewhere != "" && elsewhere != region {
		b.region.Store(elsewhere)
		passes = true
	}
	var refusal struct{ Code, Message string }
	_ = xml.Unmarshal(body, &refusal) // without, the status has to do
	refusal.Code = cmp.Or(refusal.Code, response.Status)
	if key != "" && (refusal.Code == "NoSuchKey" || response.StatusCode == http.StatusNotFound &&
		refusal.Code == response.Status) {
		return nil, false, fs.ErrNotExist
	}
	passes = passes || response.StatusCode >= http.StatusInternalServerError ||
		response.StatusCode == http.StatusTooManyRequests
	return nil, passes, errors.New(strings.TrimSuffix(refusal.Code+": "+refusal.Message, ": "))
}

// address is where an object is, or the bucket itself.
func (b *bucket) address(region, key string, query url.Values) *url.URL {
	endpoint := b.endpoint
	if endpoint == "" {
		suffix := "amazonaws.com"
		if strings.HasPrefix(region, "cn-") {
			suffix += ".cn"
		}
		endpoint = "https://s3." + region + "." + suffix
	}
	found, err := url.Parse(endpoint)
	if err != nil {
		found = &url.URL{Opaque: endpoint} // which the request then refuses by name
	}
	if b.inPath {
		found.Path = strings.TrimSuffix(found.Path, "/") + "/" + b.name
	} else {
		found.Host = b.name + "." + found.Host
	}
	found.Path += "/" + key
	found.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	return found
}
