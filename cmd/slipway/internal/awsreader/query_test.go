package awsreader

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/internal/awsclient"
)

func TestEndpointsOfTheQueryProtocol(t *testing.T) {
	shared := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(shared,
		[]byte("[default]\nservices = local\n[services local]\nec2 =\n  endpoint_url = http://localhost:3\n"), 0o600))
	overridden := map[string]string{"ec2": "http://localhost:1"}
	for _, c := range []struct {
		want, region string
		settings     awsclient.Settings
		environment  map[string]string
	}{
		{"https://ec2.eu-central-1.amazonaws.com/", "eu-central-1", awsclient.Settings{}, nil},
		{"https://ec2-fips.us-east-1.amazonaws.com/", "us-east-1", awsclient.Settings{UseFIPSEndpoint: true}, nil},
		{"https://ec2.eu-central-1.api.aws/", "eu-central-1", awsclient.Settings{UseDualstackEndpoint: true}, nil},
		{"https://ec2-fips.us-west-2.api.aws/", "us-west-2", awsclient.Settings{UseFIPSEndpoint: true,
			UseDualstackEndpoint: true}, nil},
		{"https://ec2.us-gov-east-1.amazonaws.com/", "us-gov-east-1", awsclient.Settings{UseFIPSEndpoint: true}, nil},
		{"https://ec2.cn-northwest-1.amazonaws.com.cn/", "cn-northwest-1", awsclient.Settings{}, nil},
		{"https://ec2.eusc-de-east-1.amazonaws.eu/", "eusc-de-east-1", awsclient.Settings{}, nil},
		{"https://ec2-fips.us-east-1.amazonaws.com/", "us-east-1", awsclient.Settings{},
			map[string]string{"AWS_USE_FIPS_ENDPOINT": "true"}},
		{"http://localhost:1", "eu-central-1", awsclient.Settings{Endpoints: overridden},
			map[string]string{"AWS_ENDPOINT_URL_EC2": "http://localhost:2"}},
		{"http://localhost:2", "eu-central-1", awsclient.Settings{},
			map[string]string{"AWS_ENDPOINT_URL_EC2": "http://localhost:2"}},
		{"http://localhost:4", "eu-central-1", awsclient.Settings{},
			map[string]string{"AWS_ENDPOINT_URL": "http://localhost:4"}},
		{"http://localhost:3", "eu-central-1", awsclient.Settings{SharedConfigFiles: []string{shared}}, nil},
		{"https://ec2.eu-central-1.amazonaws.com/", "eu-central-1", awsclient.Settings{},
			map[string]string{"AWS_ENDPOINT_URL_EC2": "http://localhost:2", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}},
	} {
		t.Run(c.want, func(t *testing.T) {
			for key, value := range c.environment {
				t.Setenv(key, value)
			}
			c.settings.Region = c.region
			cfg, err := c.settings.Load(t.Context())
			require.NoError(t, err)
			endpoint, err := Query{cfg, c.settings}.endpoint(t.Context(), "ec2")
			require.NoError(t, err)
			require.Equal(t, c.want, endpoint)
		})
	}
}

func TestQueriesAreRepeatedWhereAWSAsksForIt(t *testing.T) {
	t.Parallel()
	answers := []struct {
		status int
		body   string
	}{
		{http.StatusBadRequest,
			`<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>`},
		{http.StatusServiceUnavailable, `busy`},
		{http.StatusOK, `<DescribeSubnetsResponse><subnetSet><item><subnetId>subnet-1</subnetId></item><it`},
		{http.StatusOK, `<html><body>Sign in</body></html>`},
		{http.StatusOK, `<DescribeSubnetsResponse><subnetSet><item><subnetId>subnet-1</subnetId></item></subnetSet></DescribeSubnetsResponse>`},
		{http.StatusBadRequest,
			`<Response><Errors><Error><Code>InvalidParameter</Code><Message>no</Message></Error></Errors></Response>`},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next := answers[0]
		answers = answers[1:]
		if r.FormValue("Version") == "" || r.Header.Get("Authorization") == "" {
			next.status = http.StatusTeapot
		}
		w.WriteHeader(next.status)
		_, _ = w.Write([]byte(next.body))
	}))
	defer server.Close()
	settings := awsclient.Settings{Region: "eu-central-1", AccessKey: "a", SecretKey: "b",
		Endpoints: map[string]string{"ec2": server.URL}}
	cfg, err := settings.Load(t.Context())
	require.NoError(t, err)
	q := Query{cfg, settings}
	var subnets struct {
		IDs []string `xml:"subnetSet>item>subnetId"`
	}
	require.NoError(t, q.Call(t.Context(), "ec2", "DescribeSubnets", url.Values{}, &subnets))
	require.Equal(t, []string{"subnet-1"}, subnets.IDs)
	err = q.Call(t.Context(), "ec2", "DescribeVpcs", url.Values{}, &struct{}{})
	require.True(t, IsCode(err, "InvalidParameter"))
	require.Equal(t, "EC2 DescribeVpcs refused: InvalidParameter: no; let your own credentials make that call, or try again", Reason(err))
}
