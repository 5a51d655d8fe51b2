package preview

import (
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/stage"
)

// FindRefusals adds which repositories the update would delete at its end, and ECR would not. holds tells how many
// images a repository holds.
func (p *Preview) FindRefusals(settings *stage.Stage, holds func(repository string) (int, error)) {
	for _, resource := range p.Others {
		if resource.Type != repositoryType || resource.What != "deleted" || resource.oldOutputs["forceDelete"] == true {
			continue
		}
		content := "holds images"
		if count, err := holds(settings.RepositoryName(resource.Name)); err != nil {
			content = "may hold images (" + awsreader.Reason(err) + ")"
		} else if count == 0 {
			continue
		}
		refusal := settings.Where("images", resource.Name) + ": " + settings.KeptRepository(resource.Name, content)
		p.Refusals = append(p.Refusals, refusal)
		p.Warnings = slices.DeleteFunc(p.Warnings, func(warning string) bool { // the program's own of the same
			return strings.HasPrefix(warning, refusal)
		})
	}
}
