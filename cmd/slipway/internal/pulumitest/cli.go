// Package pulumitest stands for the Pulumi CLI in tests.
package pulumitest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"

	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/cmd/slipway/internal/stagefile"
)

// Stack answers commands of the CLI about one stack, by their first words.
type Stack struct {
	Updates []pulumicli.Update // newest first
	Outputs string
	States  map[string]string // by version, on Pulumi Cloud; that of the stack as it is by ""
	File    string            // the stage file, whose configuration it has
	Asked   []string          // the commands

	mutex sync.Mutex
}

// CLI runs commands on the stack.
func (s *Stack) CLI() pulumicli.CLI {
	return pulumicli.CLI{Run: s.run}
}

// run answers one command.
func (s *Stack) run(_ context.Context, _ string, _ io.Reader, args ...string) (stdout, stderr string, err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.Asked = append(s.Asked, strings.Join(args, " "))
	flag := func(name string) string {
		if i := slices.Index(args, name); i >= 0 {
			return args[i+1]
		}
		return ""
	}
	switch args[1] {
	case "history":
		page, _ := strconv.Atoi(flag("--page"))
		size, _ := strconv.Atoi(flag("--page-size"))
		from := min((page-1)*size, len(s.Updates))
		text, err := json.Marshal(s.Updates[from:min(from+size, len(s.Updates))])
		return string(text), "", err
	case "output":
		return s.Outputs, "", nil
	case "export":
		version := flag("--version")
		state, is := s.States[version]
		if is && version == "" && s.Outputs != "" { // which the state has, too
			state = withOutputs(state, s.Outputs)
		}
		if is {
			return `{"deployment": ` + state + `}`, "", nil
		}
	case "--json": // of config
		file := s.File
		if other := flag("--config-file"); other != "" {
			file = other
		}
		values, err := Configuration(file)
		if err != nil {
			return "", err.Error(), err
		}
		text, err := json.Marshal(values)
		return string(text), "", err
	}
	return "", "error: no such thing", fmt.Errorf("exit status 1")
}

// withOutputs is a state with a resource more: the stack itself, which has the outputs.
func withOutputs(state, outputs string) string {
	whole := map[string]json.RawMessage{}
	var resources []json.RawMessage
	if json.Unmarshal([]byte(state), &whole) == nil && whole["resources"] != nil {
		_ = json.Unmarshal(whole["resources"], &resources)
	}
	resources = append(resources, json.RawMessage(`{"type": "pulumi:pulumi:Stack", "outputs": `+outputs+`}`))
	whole["resources"], _ = json.Marshal(resources)
	text, _ := json.Marshal(whole)
	return string(text)
}

// Configuration is what a stage file without secrets says, as an update records it.
func Configuration(file string) (map[string]pulumicli.ConfigValue, error) {
	read, err := stagefile.Read(file)
	values := map[string]pulumicli.ConfigValue{}
	for key, text := range read {
		values[key] = pulumicli.ConfigValue{Value: &text}
	}
	return values, err
}
