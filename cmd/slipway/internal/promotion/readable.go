package promotion

import (
	"context"
	"errors"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/pulumicli"
	"slipway/internal/imageref"
	"slipway/internal/pulumiconfig"
	"slipway/internal/registries"
)

// Connect prepares calls to the account of the stage whose file is written, by its own settings.
type Connect func(ctx context.Context) (*awsreader.Client, error)

// ByItsFile connects by what the file says, as the stage need not be a stack yet. Only settings that are encrypted are
// asked of Pulumi.
func (t *Target) ByItsFile(pulumi pulumicli.CLI) Connect {
	return func(ctx context.Context) (*awsreader.Client, error) {
		config, secretKeys, err := t.project.ConfigOfFiles(t.to)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(secretKeys, func(key string) bool { return strings.HasPrefix(key, "aws:") }) {
			read, err := pulumicli.ReadConfig(ctx, pulumi, t.project, t.to, false)
			if err != nil {
				return nil, err
			}
			config = read.Config
		}
		return awsreader.Connect(ctx, t.to, config)
	}
}

// readable marks the changes whose images are in ECR of another account or region than the stage, to be copied from
// there. Its error names those that the stage's account may not read.
func (t *Target) readable(ctx context.Context, changes []Change, connect Connect) error {
	refs := make([]imageref.Ref, len(changes))
	for i, change := range changes {
		var err error
		if refs[i], err = imageref.Parse(change.New.Ref); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(refs, func(ref imageref.Ref) bool { return ref.Account != "" }) {
		return nil
	}
	cloud, err := connect(ctx)
	if err != nil {
		return err
	}
	reader := cloud.Registries(nil)
	var refused []error
	for i, ref := range refs {
		if ref.Account == "" || ref.In(cloud.Account, cloud.Region) {
			continue
		}
		change := &changes[i]
		change.Mirror = !change.unmirrored
		change.Changed = change.Changed || change.Mirror && !change.mirrored
		if !change.Changed {
			continue
		}
		if _, err := reader.Look(ctx, ref); errors.As(err, new(*registries.Refusal)) {
			refused = append(refused, exit.Refuse("%s of %s: %s", pulumiconfig.Path("images", change.Name), t.from, err))
		} else if err != nil {
			refused = append(refused, err)
		}
	}
	return errors.Join(refused...)
}
