package stagetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"slipway/cmd/slipway/internal/console"
)

// Account is an account in AWS, 123456789012, that answers the operations of JSON services by their names. What it does
// not answer is refused. config are the keys of a stage file that lead to it.
func Account(t *testing.T, answers map[string]any) (config string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		_, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
		if strings.Contains(string(body), "GetCallerIdentity") {
			fmt.Fprint(w, "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>"+
				"</GetCallerIdentityResult></GetCallerIdentityResponse>")
			return
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		answer, known := answers[operation]
		if byBody, is := answer.(func(body string) any); is {
			answer = byBody(string(body))
		}
		if failure, is := answer.(error); is || !known {
			code := "AccessDeniedException"
			if is {
				code = failure.Error()
			}
			w.WriteHeader(http.StatusBadRequest)
			answer = map[string]string{"__type": code, "message": "Unable to describe task definition."}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	config = "  aws:region: eu-west-1\n  aws:accessKey: a\n  aws:secretKey: b\n  aws:endpoints: [{"
	for _, service := range []string{"ecs", "ecr", "sts", "iam", "ec2", "logs", "secretsmanager", "ssm", "scheduler"} {
		config += service + ": \"" + server.URL + "\", "
	}
	return strings.TrimSuffix(config, ", ") + "}]\n"
}

// Printed is what a command prints to its output.
func Printed(print func(*console.Report)) string {
	var out bytes.Buffer
	command := &cobra.Command{}
	command.SetOut(&out)
	command.SetErr(io.Discard)
	print(console.NewReport(command))
	return out.String()
}
