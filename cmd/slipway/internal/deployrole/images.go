package deployrole

import (
	"maps"
	"slices"

	"slipway/internal/awslimits"
	"slipway/internal/imageref"
	"slipway/internal/policies"
	"slipway/stage"
)

// repositories are those of the images that the stage builds or copies.
func (n *names) repositories() []string {
	return n.ownRepositories(stage.Image.Owned)
}

// formerRepositories are those that the stage would have, and may have had, for images of others.
func (n *names) formerRepositories() []string {
	return n.ownRepositories(func(image stage.Image) bool { return !image.Owned() })
}

// pushed are those that an update pushes to.
func (n *names) pushed() []string {
	return n.ownRepositories(func(image stage.Image) bool { return image.Ref == nil || image.Mirror })
}

// copied are those that an update copies to.
func (n *names) copied() []string {
	return n.ownRepositories(func(image stage.Image) bool { return image.Mirror })
}

// readable are those that other accounts may read.
func (n *names) readable() []string {
	if len(n.Repository.Readers) == 0 {
		return nil
	}
	return n.repositories()
}

func (n *names) ownRepositories(has func(stage.Image) bool) (arns []string) {
	for _, name := range slices.Sorted(maps.Keys(n.Images)) {
		if has(n.Images[name]) {
			if n.broad {
				name = "*"
			}
			arns = append(arns, n.arn("ecr", "repository/"+n.RepositoryName(name)))
		}
	}
	return slices.Compact(arns)
}

// imageRepositories are those in ECR of all images that the stage may run, its own and those that it pins.
func (n *names) imageRepositories() []string {
	arns := n.repositories()
	for _, name := range n.TaskDefinitions() {
		arns = append(arns, policies.Repositories(n.Stage, name, n.arn)...)
	}
	for _, image := range n.Images {
		if image.Ref != nil && image.Ref.Account != "" && !image.Mirror {
			arns = append(arns, policies.RepositoryARN(*image.Ref))
		}
	}
	if n.broad {
		own := n.repositories()
		arns = slices.DeleteFunc(arns, func(arn string) bool {
			covers := func(pattern string) bool { return pattern != arn && awslimits.Match(pattern, arn) }
			return slices.ContainsFunc(own, covers)
		})
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// elsewhere are the repositories of pinned images that are in ECR, and copied or not in the stage's account and region:
// what is there is asked with a login.
func (n *names) elsewhere() (arns []string) {
	add := func(ref imageref.Ref, copied bool) {
		if ref.Account != "" && (copied || !ref.In(n.account, n.region)) {
			arns = append(arns, policies.RepositoryARN(ref))
		}
	}
	for _, image := range n.Images {
		if image.Ref != nil {
			add(*image.Ref, image.Mirror)
		}
	}
	for _, name := range n.TaskDefinitions() {
		for _, image := range n.TaskDefinition(name).AllImages() {
			if _, declared := n.Images[image]; !declared {
				ref, _ := imageref.ParseECR(image)
				add(ref, false)
			}
		}
	}
	slices.Sort(arns)
	return slices.Compact(arns)
}

// logins are the repositories for which ECR gives a password.
func (n *names) logins() []string { return slices.Concat(n.pushed(), n.elsewhere()) }

// passwords are the secrets with the passwords of other registries.
func (n *names) passwords() []string {
	return slices.Sorted(maps.Values(n.Credentials()))
}
