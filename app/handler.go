package main

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// answer is what the service says about itself.
//
// A container receives its secrets as ordinary variables, so no rule over names or values could tell which are safe
// to show. STAGE and GREETING are the only variables whose values are shown; of all others only the names are.
type answer struct {
	Stage     string   `json:"stage"`
	Greeting  string   `json:"greeting"`
	Image     image    `json:"image"`
	Variables []string `json:"variables"`
}

func describe(env map[string]string, image image) answer {
	return answer{Stage: env["STAGE"], Greeting: env["GREETING"], Image: image, Variables: slices.Sorted(maps.Keys(env))}
}

// write writes the answer as JSON.
func (a answer) write(to io.Writer) error {
	encoder := json.NewEncoder(to)
	encoder.SetIndent("", "  ")
	return encoder.Encode(a)
}

// handler answers GET / with the service's description as JSON, and GET /health with status 200.
func handler(env map[string]string, image image) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = describe(env, image).write(w) // a client that went away is nobody's error
	})
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
	})
	return mux
}

// parse turns the NAME=value lines of os.Environ into a map.
func parse(environ []string) map[string]string {
	env := map[string]string{}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		env[name] = value
	}
	return env
}
