package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/tunnel"
)

func TestDocumentsAreFoundByTheirPath(t *testing.T) {
	t.Parallel()
	h := handler(map[string]json.RawMessage{"/v4/one": json.RawMessage(`{"Name":"web"}`)}, tunnel.NewInside(""))
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/v4/one", http.StatusOK},
		{http.MethodGet, "/v4/other", http.StatusNotFound},
		{http.MethodPut, "/v4/one", http.StatusMethodNotAllowed},
		{http.MethodGet, "/agent/credentials", http.StatusServiceUnavailable},
	} {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, httptest.NewRequest(c.method, c.path, nil))
		require.Equal(t, c.status, answer.Code, "%s %s", c.method, c.path)
		if c.status == http.StatusOK {
			require.JSONEq(t, `{"Name":"web"}`, answer.Body.String())
		}
	}
}
