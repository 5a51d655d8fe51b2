package timeline

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/imageref"
	"slipway/internal/origins"
	"slipway/internal/secretref"
	"slipway/stage"
)

// Mismatches says what a revision has otherwise than a stage asks for: of its size and its containers the images, the
// variables and the secrets. Values that the stage itself keeps as secrets are compared by name, as their versions say
// nothing.
func Mismatches(asked *stage.Stage, name string, r *awsreader.Revision) (found []string) {
	differ := func(format string, args ...any) { found = append(found, fmt.Sprintf(format, args...)) }
	definition := asked.TaskDefinition(name)
	for _, size := range []struct {
		key   string
		asked int
		has   *string
	}{{"cpu", definition.CPU, r.Definition.Cpu}, {"memory", definition.Memory, r.Definition.Memory}} {
		if has := aws.ToString(size.has); has != strconv.Itoa(size.asked) {
			differ("%s is %s, and %d was asked for", size.key, has, size.asked)
		}
	}
	images := map[string]string{name: definition.Image}
	for sidecar, container := range definition.Containers {
		images[sidecar] = container.Image
	}
	containers := definition.AllContainers(name)
	has := map[string]types.ContainerDefinition{}
	for _, container := range r.Definition.ContainerDefinitions {
		has[aws.ToString(container.Name)] = container
	}
	for _, container := range either(slices.Sorted(maps.Keys(containers)), slices.Sorted(maps.Keys(has))) {
		settings, wanted := containers[container]
		own, there := has[container]
		switch {
		case !there:
			differ("it has no container %s", container)
			continue
		case !wanted:
			differ("it has a container %s", container)
			continue
		}
		if image := aws.ToString(own.Image); !runsImage(asked, images[container], image) {
			differ("the image of %s is %s", container, image)
		}
		variables, askedVariables := map[string]string{}, maps.Clone(settings.Environment)
		origins, _ := origins.In(own.DockerLabels)
		for _, each := range own.Environment {
			variables[aws.ToString(each.Name)] = aws.ToString(each.Value)
		}
		for variable, origin := range origins { // of whose value the stage file says nothing
			delete(variables, variable)
			if settings.Origins[variable] == origin {
				delete(askedVariables, variable)
			}
		}
		for _, variable := range flatconfig.Union(askedVariables, variables) {
			wanted, is := askedVariables[variable]
			now, there := variables[variable]
			switch {
			case is && !there:
				differ("%s has no variable %s", container, variable)
			case !is:
				differ("%s has a variable %s", container, variable)
			case wanted != now:
				differ("the variable %s of %s is another", variable, container)
			}
		}
		found = append(found, secretMismatches(asked, name, container, settings, own)...)
	}
	return found
}

// either are the names in one list or the other, sorted.
func either(a, b []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(slices.Concat(a, b))))
}

func secretMismatches(asked *stage.Stage, name, container string, settings stage.Container,
	own types.ContainerDefinition) (found []string) {
	references := map[string]string{}
	origins, _ := origins.In(own.DockerLabels)
	for _, each := range own.Secrets {
		if _, asked := settings.Secrets[aws.ToString(each.Name)]; !asked && origins[aws.ToString(each.Name)] != "" {
			continue // handed over by the program
		}
		references[aws.ToString(each.Name)] = aws.ToString(each.ValueFrom)
	}
	for _, secret := range either(slices.Sorted(maps.Keys(settings.Secrets)), slices.Sorted(maps.Keys(references))) {
		wanted, is := settings.Secrets[secret]
		now, there := references[secret]
		kept, _ := secretref.Parse(now)
		switch {
		case is && !there:
			found = append(found, fmt.Sprintf("%s has no secret %s", container, secret))
		case !is:
			found = append(found, fmt.Sprintf("%s has a secret %s", container, secret))
		case wanted.ARN != "" && wanted.ARN != now,
			wanted.ARN == "" && wanted.Value.Reveal() != stagefile.HiddenValue && !kept.IsOf(asked.Family(name)):
			found = append(found, fmt.Sprintf("the secret %s of %s is %s", secret, container, now))
		}
	}
	return found
}

// runsImage tells whether a container's image is the one that a stage has under a name. Of one that is built, the stage
// file says only where it goes.
func runsImage(asked *stage.Stage, name, has string) bool {
	image, declared := asked.Images[name]
	there, err := imageref.Parse(has)
	switch {
	case !declared && has == name:
		return true
	case err != nil:
		return false
	case !declared:
		ref, err := imageref.Parse(name)
		return err == nil && runsRef(ref, there)
	case image.Ref == nil:
		return there.Account != "" && there.Repository == asked.RepositoryName(name)
	case image.Mirror: // from the stage's own repository
		return there.Account != "" && there.Repository == asked.RepositoryName(name) && there.Tag == image.Ref.Tag
	}
	return runsRef(*image.Ref, there)
}

// runsRef tells whether a container that names an image so runs the one that a stage file pins.
func runsRef(ref, there imageref.Ref) bool {
	return there.Host == ref.Host && there.Repository == ref.Repository &&
		(there.Digest == ref.Digest || there.Digest == "" && there.Tag == ref.Tag)
}
