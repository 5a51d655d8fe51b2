// Package pulumicli runs the Pulumi CLI, and reads what that keeps of a stack: configuration, outputs, history and
// state, and the locks of backends that a team keeps itself.
package pulumicli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"slipway/cmd/slipway/internal/stagefile"
)

// Update is one entry of a stack's history, as `pulumi stack history --json` has it.
type Update struct {
	// Version is its number on Pulumi Cloud; other backends say 0.
	Version int `json:"version"`
	// Kind is update, refresh, destroy, import, …
	Kind string `json:"kind"`
	// StartTime and EndTime have whole seconds; EndTime is empty while it goes on.
	StartTime string `json:"startTime"`
	EndTime   string `json:"endTime"`
	Message   string `json:"message"`
	// Environment is what the CLI knew of git, of CI and of itself.
	Environment map[string]string `json:"environment"`
	// Config by full key.
	Config map[string]ConfigValue `json:"config"`
	// Result is succeeded, failed or in-progress.
	Result string `json:"result"`
}

// ConfigValue is the value of one key: JSON text for an object. None is given where it is secret, or holds a secret,
// and was not asked for.
type ConfigValue struct {
	Value  *string `json:"value"`
	Secret bool    `json:"secret"`
}

// Ended says how an update ended, by its result.
func Ended(result string) string {
	if result == "in-progress" {
		return "has not ended"
	}
	return result
}

// Time reads a time as the CLI writes it.
func Time(text string) time.Time {
	at, _ := time.Parse("2006-01-02T15:04:05.000Z", text) // the zero time where it is none
	return at
}

// CLI asks the Pulumi CLI, in the project's directory. The Automation API is not used: its stacks select a stack, write
// stage files and decrypt secrets, none of which a question should do, and its command asks for the CLI's version
// first, which takes about as long as a question does.
type CLI struct {
	Directory string
	Run       Run
	limit     time.Duration // of a command that only reads; zero for readLimit
}

// readLimit is how long a command of the CLI may take that only reads.
const readLimit = 5 * time.Minute

// New runs the `pulumi` on the PATH in a directory.
func New(directory string) CLI { return CLI{Directory: directory, Run: run} }

func (p CLI) page(ctx context.Context, stack string, page, size int, more ...string) (updates []Update,
	err error) {
	args := []string{"stack", "history", "--json", "--stack", stack, "--page-size", strconv.Itoa(size), "--page",
		strconv.Itoa(page)}
	err = p.Call(ctx, &updates, append(args, more...)...)
	for _, each := range updates {
		for key, value := range each.Config {
			if value.Secret && value.Value != nil && *value.Value == undecryptable {
				each.Config[key] = ConfigValue{Secret: true}
			}
		}
	}
	return updates, err
}

// undecryptable is what the CLI shows for a value that was encrypted with a key that the stack no longer has.
const undecryptable = "ERROR_UNABLE_TO_DECRYPT"

// hasSecrets tells whether an update's configuration has any.
func (u Update) hasSecrets() bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(u.Config)), func(v ConfigValue) bool { return v.Secret })
}

// Config is what the stage's file and Pulumi.yaml say now, by full key, without what is secret or holds a secret. file
// is the path of another file to read in place of the stage's own, if not empty.
func (p CLI) Config(ctx context.Context, stack, file string, more ...string) (map[string]ConfigValue, error) {
	args := []string{"config", "--json", "--stack", stack}
	if file != "" {
		args = append(args, "--config-file", file)
	}
	var values map[string]ConfigValue
	return values, p.Call(ctx, &values, append(args, more...)...)
}

// NoStack is the error of a command about a stack that is not there.
type NoStack struct{ error }

// Call decodes what one pulumi command prints as JSON.
func (p CLI) Call(ctx context.Context, answer any, args ...string) error {
	output, err := p.Read(ctx, args...)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(output, answer); err != nil {
		return fmt.Errorf("pulumi %s printed JSON that slipway does not understand: update slipway or pulumi",
			strings.Join(args, " "))
	}
	return nil
}

// Read is what a pulumi command prints that only reads.
func (p CLI) Read(ctx context.Context, args ...string) ([]byte, error) {
	limit := cmp.Or(p.limit, readLimit)
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	output, err := p.Write(within, nil, args...)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("pulumi %s did not end within %s, and was stopped: run it yourself to see what it waits "+
			"for, in %s", strings.Join(args, " "), limit, p.Directory)
	}
	return output, err
}

// Write runs a pulumi command that may change something, and so takes as long as it takes. It returns what that prints.
// input is what the command reads; nil for nothing.
func (p CLI) Write(ctx context.Context, input io.Reader, args ...string) ([]byte, error) {
	stdout, stderr, err := p.Run(ctx, p.Directory, input, args...)
	if errors.Is(err, errNoCLI) {
		return nil, err
	}
	if err != nil {
		stderr = strings.TrimPrefix(strings.TrimSpace(stderr), "error: ")
		if stderr == "" { // an update's own display has its errors
			_, diagnostics, _ := strings.Cut(stdout, "Diagnostics:")
			stderr = strings.TrimSpace(diagnostics)
		}
		if lacksStack(stderr) {
			return nil, NoStack{p.noStack(valueOf(args, "--stack"))}
		}
		return nil, fmt.Errorf("pulumi %s: %s (%w)", strings.Join(args, " "), stderr, err)
	}
	return []byte(stdout), nil
}

// lacksStack tells the CLI's error about a stack that is not there.
func lacksStack(stderr string) bool { return strings.Contains(stderr, "no stack named") }

// noStack says of a stack that is not there whether its stage has a file, or else what has one.
func (p CLI) noStack(stack string) error {
	project, err := stagefile.Find(p.Directory)
	if err != nil {
		return err
	}
	if err := project.CheckStage(stack); err != nil {
		return err
	}
	return fmt.Errorf("there is no stack %s: run `pulumi stack init %[1]s`, and `pulumi up --stack %[1]s`; where it should be "+
		"there, look where you are signed in (`pulumi whoami --verbose`)", stack)
}

// valueOf is what follows a flag.
func valueOf(args []string, flag string) string {
	if i := slices.Index(args, flag); i >= 0 && i+1 < len(args) {
		return args[i+1]
	}
	return ""
}
