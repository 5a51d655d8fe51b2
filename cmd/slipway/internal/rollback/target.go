package rollback

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/timeline"
	"slipway/internal/secretref"
)

// lastOf is a stage's newest update, which a rollback starts from.
func lastOf(ctx context.Context, t *timeline.Timeline) (*timeline.Entry, error) {
	e, err := t.First(ctx, 0, func(e *timeline.Entry) bool { return e.Deploys() || e.Result == "in-progress" })
	switch {
	case err != nil:
		return nil, err
	case e == nil:
		return nil, exit.Refuse("%s has never been deployed: there is nothing to go back to", t.Stack)
	case e.Result == "in-progress":
		return nil, exit.Refuse("the last %s of %s has not ended: wait for it, and roll back again", e.Kind, t.Stack)
	case e.Kind == "destroy":
		return nil, exit.Refuse("the last thing that happened to %s was a destroy, which %s: `pulumi up --stack %[1]s` "+
			"recreates it from its file", t.Stack, e.Result)
	}
	return e, nil
}

// chooseTarget is the update with this number. If that is 0, it is the last that succeeded where the last one failed,
// or else the last with something else. Values that the stage file does not have come back by a pin only.
func chooseTarget(ctx context.Context, t *timeline.Timeline, last *timeline.Entry, number int,
	pin bool) (*timeline.Entry, error) {
	if number != 0 {
		found, err := t.Find(ctx, number)
		switch {
		case err != nil:
			return nil, err
		case found.Kind != "update":
			return nil, exit.Refuse("%d of %s is a %s and no update: `slipway history %s` lists them", number, t.Stack,
				found.Kind, t.Stack)
		case found.Result != "succeeded":
			return nil, exit.Refuse("update %d of %s %s: go back to one that succeeded; `slipway history %s` lists them", number,
				t.Stack, found.Result, t.Stack)
		}
		return found, nil
	}
	hint := ""
	for from := last.Index + 1; ; from++ {
		e, err := t.First(ctx, from, func(e *timeline.Entry) bool { return e.Kind == "update" && e.Result == "succeeded" })
		if err != nil {
			return nil, err
		}
		if e == nil {
			return nil, exit.Refuse("no earlier update of %s has succeeded with anything else: there is nothing to go back to%s",
				t.Stack, hint)
		}
		if last.Result != "succeeded" {
			return e, refuseSame(ctx, t, last, e, pin)
		}
		if len(flatconfig.Changes(e.Settings, last.Settings)) == 0 { // then only what they run can differ
			if err := t.ResolveRevisions(ctx, false, e, last); err != nil {
				return nil, err
			}
		}
		outside := e.DiffersOutside(last, t.Family)
		if e.Differs(last) || pin && outside {
			return e, nil
		}
		if outside && hint == "" {
			hint = fmt.Sprintf(" but values that the stage file does not have: --pin goes back to those of update %d", e.Number)
		}
		from = e.Index
	}
}

// refuseSame refuses to restore the stage file of an update where the last one failed with the same: to deploy it again
// would be to fail again.
func refuseSame(ctx context.Context, t *timeline.Timeline, last, target *timeline.Entry, pin bool) error {
	if pin || len(flatconfig.Changes(target.Settings, last.Settings)) > 0 {
		return nil
	}
	if err := t.ResolveRevisions(ctx, true, target, last); err != nil || target.Differs(last) {
		return err
	}
	return exit.Refuse("update %d of %s failed with the stage file and the images of update %d: what it changed is in the "+
		"program (update %[3]d was made from commit %.7[4]s); take that back with `git revert`, use --pin, or name an earlier "+
		"update with --to", last.Number, t.Stack, target.Number, target.Commit)
}

// checkAvailable refuses a rollback that something it needs is missing for. A restored stage file registers other
// revisions, with the values of its own secrets; a pin needs the revisions themselves, and the versions of secrets that
// they name.
func (r *Plan) checkAvailable(ctx context.Context, c *awsreader.Client) error {
	var refused []error
	for part, service := range r.parts() {
		missing, err := r.missingOf(ctx, c, service.Then, r.stage.Family(part.Name))
		if err != nil {
			return err
		}
		for _, one := range missing {
			refused = append(refused, fmt.Errorf("%s: %s", part, one))
		}
	}
	if len(refused) > 0 {
		return exit.Found(errors.Join(refused...))
	}
	return nil
}

// missingOf says what is gone of what a revision of a family, or one like it, needs.
func (r *Plan) missingOf(ctx context.Context, c *awsreader.Client, then *timeline.DeployedRevision,
	family string) (missing []string, err error) {
	fixed := r.pinned || then.Pinned // the revision itself is needed, not one like it
	switch {
	case fixed && then.Revision == 0:
		why := cmp.Or(then.Unknown, "nothing tells")
		missing = append(missing, fmt.Sprintf("which revision update %d put in place is not known: %s; go back without "+
			"--pin, or write the revision that you mean into the stage file", r.To, why))
	case fixed && (then.InECS == nil || !then.InECS.Active):
		missing = append(missing, fmt.Sprintf("revision %d is gone: it was deregistered; go back to another update, or "+
			"without --pin where that had none", then.Revision))
	}
	for _, image := range then.Gone() {
		missing = append(missing, image+": choose an update whose image is there (slipway history shows it)")
	}
	if then.InECS == nil {
		return missing, nil
	}
	for _, reference := range then.InECS.Secrets() {
		if kept, _ := secretref.Parse(reference); kept.IsOf(family) && !fixed {
			continue
		}
		reason, err := secretMissing(ctx, c, reference)
		if err != nil {
			return nil, err
		}
		if reason != "" {
			missing = append(missing, fmt.Sprintf("its revision %d is given %s, and %s", then.Revision, reference, reason))
		}
	}
	return missing, nil
}

// secretMissing says why a task could not be given the value that a reference to Secrets Manager names; empty where it
// could. Parameters of Systems Manager have no versions to look for.
func secretMissing(ctx context.Context, c *awsreader.Client, reference string) (string, error) {
	kept, known := secretref.Parse(reference)
	if !known || kept.Parameter {
		return "", nil
	}
	arn := kept.ARN
	there := func(o *secretsmanager.Options) { o.Region = kept.Region }
	described, err := c.DescribeSecret(ctx, arn, kept.Region)
	if err != nil {
		return "", err
	}
	if described == nil {
		return "the secret is gone: create it again, or go back to another update", nil
	}
	if described.DeletedDate != nil {
		return "the secret is to be deleted: `aws secretsmanager restore-secret --secret-id " + arn + "` keeps it", nil
	}
	if kept.Version == "" {
		return "", nil
	}
	pages := secretsmanager.NewListSecretVersionIdsPaginator(c.Secrets, &secretsmanager.ListSecretVersionIdsInput{
		SecretId: &arn, IncludeDeprecated: aws.Bool(true),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx, there)
		if err != nil {
			return "", fmt.Errorf("reading the versions of the secret %s: %w", arn, err)
		}
		for _, version := range page.Versions {
			if aws.ToString(version.VersionId) == kept.Version {
				return "", nil
			}
		}
	}
	return "AWS no longer has that version of it: without --pin the value in the stage file is used", nil
}
