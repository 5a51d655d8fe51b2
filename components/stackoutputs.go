package components

import (
	"fmt"
	"slices"
	"strings"
	"time"

	smithytime "github.com/aws/smithy-go/time"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

// stackPause is how long a stack that could not be read is left before it is read again.
const stackPause = 2 * time.Second

// stackOutputs reads what other stacks export, for stage.Input. It asks the engine by the function that a
// StackReference is read with. The resource itself would not do: where one stack cannot be read, the engine ends the
// update before the mistakes in all others are found, and it would be in the state, where a refresh reads it again and
// fails once the other stack is gone.
func stackOutputs(ctx *pulumi.Context, pause time.Duration) stage.ReadOutputs {
	return func(stack string) (map[string]stage.OutputValue, error) {
		name := stack
		if strings.Count(stack, "/") == 1 {
			name = ctx.Organization() + "/" + stack
		}
		values, err := readStackOutputs(ctx, name)
		if err != nil && !isUnknownStack(err) { // once may be chance
			if err := smithytime.SleepWithContext(ctx.Context(), pause); err != nil {
				return nil, err
			}
			values, err = readStackOutputs(ctx, name)
		}
		switch {
		case err == nil:
			return values, nil
		case isUnknownStack(err):
			return nil, fmt.Errorf("there is no stack %s; run `pulumi up` there first, or correct its name", name)
		}
		return nil, fmt.Errorf("the outputs of %s cannot be read; whoever previews and updates the stage needs to read "+
			"that stack, too: %w", name, err)
	}
}

func isUnknownStack(err error) bool { return strings.Contains(err.Error(), "unknown stack") }

func readStackOutputs(ctx *pulumi.Context, name string) (map[string]stage.OutputValue, error) {
	args := struct {
		Name string `pulumi:"name"`
	}{name}
	var found struct {
		Outputs map[string]any `pulumi:"outputs"`
		Secrets []string       `pulumi:"secretOutputNames"`
	}
	// As Invoke, which refuses what has secrets.
	if _, err := ctx.InvokePackageRaw("pulumi:pulumi:readStackOutputs", &args, &found, ""); err != nil {
		return nil, err
	}
	values := map[string]stage.OutputValue{}
	for output, value := range found.Outputs {
		values[output] = stage.OutputValue{Value: value, Secret: slices.Contains(found.Secrets, output)}
	}
	return values, nil
}
