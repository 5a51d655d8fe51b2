package components

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"slipway/stage"
)

// LookupPinned looks up what the stage pins: images by digest, and services to earlier revisions, whose ARNs it
// returns by service. Whatever is missing is reported at once, before anything is built or changed.
func LookupPinned(ctx *pulumi.Context, account *Account, settings *stage.Stage) (map[string]string, error) {
	var mistakes []error
	for _, name := range sortedKeys(settings.Images) {
		if ref := settings.Images[name].Ref; ref != nil {
			if err := CheckPinned(ctx, account, *ref); err != nil {
				mistakes = append(mistakes, fmt.Errorf("%s: %w", settings.Where("images", name, "ref"), err))
			}
		}
	}
	revisions := map[string]string{}
	for _, name := range sortedKeys(settings.Services) {
		revision := settings.Services[name].Revision
		if revision == 0 {
			continue
		}
		arn, err := LookupRevision(ctx, settings.Family(name), revision)
		if err != nil {
			mistakes = append(mistakes, fmt.Errorf("%s: %w", settings.Where("services", name, "revision"), err))
		}
		revisions[name] = arn
	}
	return revisions, errors.Join(mistakes...)
}
