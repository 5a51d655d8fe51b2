package pulumicli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// What a preview has in place of a value: Pulumi's mark for one that is known only once another resource is there, and
// its words for one that is secret.
const (
	UnknownValue = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
	SecretValue  = "[secret]"
)

// Preview is what the next update would do, as `pulumi preview --json` prints it.
type Preview struct {
	// Steps are in the order in which the engine would take them.
	Steps []Step
	// Diagnostics are what the program, the providers and the engine say.
	Diagnostics []Diagnostic
}

// Diagnostic is a message. URN is empty where it is about no resource.
type Diagnostic struct{ Severity, Message, URN string }

// Step is what would become of a resource.
type Step struct {
	// Op is the engine's name of the operation: same, create, update, replace, delete, read …
	Op, URN string
	// OldState and NewState are the resource as the state file has one; nil where there is none.
	OldState, NewState map[string]any
	// DiffReasons and ReplaceReasons are the properties that differ, and that make it a replacement.
	DiffReasons, ReplaceReasons []string
}

// Said are the messages of a severity (error, warning, info), in order.
func (p *Preview) Said(severity string) (said []string) {
	for _, each := range p.Diagnostics {
		if each.Severity == severity {
			said = append(said, strings.TrimSpace(each.Message))
		}
	}
	return said
}

// Preview asks what the next update of a stack would do. It may compile the program, and so takes as long as it takes.
func (p CLI) Preview(ctx context.Context, stack string) (*Preview, error) {
	stdout, stderr, err := p.Run(ctx, p.Directory, nil, "preview", "--json", "--stack", stack)
	if errors.Is(err, errNoCLI) {
		return nil, err
	}
	if err != nil && lacksStack(stderr) {
		return nil, NoStack{p.noStack(stack)}
	}
	return readPreview(stack, stdout, stderr, err)
}

// readPreview reads what a preview printed. Where it failed, its JSON says why.
func readPreview(stack, stdout, stderr string, failure error) (*Preview, error) {
	preview := &Preview{}
	decoder := json.NewDecoder(bytes.NewReader([]byte(stdout)))
	decoder.UseNumber()
	unreadable := decoder.Decode(preview)
	if failure != nil {
		said := append([]string{strings.TrimSpace(stderr)}, preview.Said("error")...)
		return nil, fmt.Errorf("pulumi preview --stack %s: %s (%w)", stack, strings.TrimSpace(strings.Join(said, "\n")),
			failure)
	}
	if unreadable != nil {
		return nil, errors.New("pulumi preview --json printed JSON that slipway does not understand: " +
			"update slipway or pulumi")
	}
	return preview, nil
}
