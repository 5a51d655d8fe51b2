// Package awstest has an account for tests whose calls are answered as a test says.
package awstest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"slipway/internal/awsclient"
)

// Account is an account whose calls are answered by these, each a status and a body, by the name of the action, one
// after the other and the last one again and again; what is not among them ECS answers with nothing, and STS with the
// account.
func Account(t testing.TB, answers map[string][]string) *awsclient.Account {
	t.Helper()
	var mutex sync.Mutex
	aws := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		_, action, isJSON := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
		if !isJSON {
			action = request.FormValue("Action")
		}
		mutex.Lock()
		defer mutex.Unlock()
		answer := `200 {"taskArns": [], "tasks": [], "services": [], "failures": []}`
		if !isJSON {
			answer = "200 <R><GetCallerIdentityResult><Account>123456789012</Account></GetCallerIdentityResult></R>"
		}
		if given := answers[action]; len(given) > 0 {
			answer = given[0]
			answers[action] = given[min(1, len(given)-1):]
		}
		code, body, _ := strings.Cut(answer, " ")
		status, _ := strconv.Atoi(code)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(aws.Close)
	return &awsclient.Account{ID: "123456789012", Region: "ap-northeast-2", Partition: "aws", Settings: awsclient.Settings{
		Region: "ap-northeast-2", AccessKey: "a", SecretKey: "b", Endpoints: map[string]string{"sts": aws.URL, "ecs": aws.URL,
			"ecr": aws.URL, "iam": aws.URL, "secretsmanager": aws.URL},
	}}
}
