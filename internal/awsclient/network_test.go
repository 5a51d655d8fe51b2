package awsclient

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/stretchr/testify/require"
)

// hanging answers with what each function writes, one after the other, and then as STS and ECS do.
func hanging(t *testing.T, answers ...func(w http.ResponseWriter, until <-chan struct{})) (Settings, *atomic.Int32) {
	t.Helper()
	var asked atomic.Int32
	over := make(chan struct{})
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		_ = request.ParseForm()
		if n := int(asked.Add(1)); n <= len(answers) {
			answers[n-1](w, over)
			return
		}
		if strings.HasSuffix(request.Header.Get("X-Amz-Target"), ".ListClusters") {
			fmt.Fprint(w, `{"clusterArns": ["arn:aws:ecs:r:1:cluster/c"]}`)
			return
		}
		fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`)
	}))
	t.Cleanup(aws.Close)
	t.Cleanup(func() { close(over) })
	return Settings{Region: "ap-northeast-2", AccessKey: "key", SecretKey: "secret", attemptLimit: 200 * time.Millisecond,
		Endpoints: map[string]string{"sts": aws.URL, "ecs": aws.URL}}, &asked
}

// The ways in which a request is not answered.
var unanswered = map[string]func(w http.ResponseWriter, until <-chan struct{}){
	"no headers": func(_ http.ResponseWriter, until <-chan struct{}) { <-until },
	"half a body, and no end": func(w http.ResponseWriter, until <-chan struct{}) {
		fmt.Fprint(w, `{"clusterArns": [`)
		w.(http.Flusher).Flush()
		<-until
	},
	"a body that is cut off": func(w http.ResponseWriter, _ <-chan struct{}) {
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, `{"clusterArns": [`)
	},
	"a body that ends too early": func(w http.ResponseWriter, _ <-chan struct{}) { fmt.Fprint(w, `{"clusterArns": [`) },
	"a proxy's page": func(w http.ResponseWriter, _ <-chan struct{}) {
		fmt.Fprint(w,
			"<html><body>Sign in</body></html>")
	},
	"a proxy's failure": func(w http.ResponseWriter, _ <-chan struct{}) {
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprint(w, "<html><body>Bad Gateway</body></html>")
	},
	"a connection that is closed": func(w http.ResponseWriter, _ <-chan struct{}) {
		connection, _, _ := w.(http.Hijacker).Hijack()
		connection.Close()
	},
}

func TestACallThatIsNotAnsweredIsTriedAgain(t *testing.T) {
	t.Parallel()
	for name, answer := range unanswered {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			settings, asked := hanging(t, answer)
			config, err := settings.Load(t.Context())
			require.NoError(t, err)
			client := ecs.NewFromConfig(config,
				func(o *ecs.Options) { o.BaseEndpoint = settings.Endpoint("ecs", o.BaseEndpoint) })
			clusters, err := client.ListClusters(t.Context(), &ecs.ListClustersInput{})
			require.NoError(t, err)
			require.Len(t, clusters.ClusterArns, 1)
			require.EqualValues(t, 2, asked.Load())
		})
		t.Run(name+", for the account", func(t *testing.T) {
			t.Parallel()
			settings, asked := hanging(t, answer)
			config, err := settings.Load(t.Context())
			require.NoError(t, err)
			account, err := settings.Account(t.Context(), config)
			require.NoError(t, err)
			require.Equal(t, "123456789012", account)
			require.EqualValues(t, 2, asked.Load())
		})
	}
}
