package tunnel

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func asks(t *testing.T, in *Inside, path string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://outside"+path, strings.NewReader("question"))
	require.NoError(t, err)
	response, err := in.RoundTrip(request)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(body)
}

func TestWhoConnectsFromOutsideAnswers(t *testing.T) {
	t.Parallel()
	in := NewInside("secret")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() { _ = in.Accept(listener) }()
	require.Contains(t, asks(t, in, "/"), "nobody is there")

	answers := func(name, token string) (end func()) {
		ctx, cancel := context.WithCancel(t.Context())
		var answering sync.WaitGroup
		answering.Go(func() {
			_ = Answer(ctx, listener.Addr().String(), token, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				fmt.Fprint(w, name, " ", r.URL.Path, " ", string(body))
			}))
		})
		return func() {
			cancel()
			answering.Wait()
		}
	}
	end := answers("stranger", "other")
	require.Contains(t, asks(t, in, "/"), "nobody is there")
	end()

	end = answers("unasked", "secret")
	end()
	end = answers("first", "secret")
	eventually := func(want string) {
		t.Helper()
		require.Eventually(t, func() bool { return asks(t, in, "/a") == want }, 30*time.Second, time.Millisecond)
	}
	eventually("first /a question")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { require.Equal(t, "first /b question", asks(t, in, "/b")) })
	}
	all.Wait()
	end()
	require.NotContains(t, asks(t, in, "/"), "question", "an error")
	t.Cleanup(answers("second", "secret"))
	eventually("second /a question")
}
