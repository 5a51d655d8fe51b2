package stage

import (
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"slipway/internal/imageref"
	"slipway/internal/secretref"
)

// Registry is what the stage is to know of a registry that is not its account's own.
type Registry struct {
	// Credentials are the name and password with which its images are pulled, in a secret of Secrets Manager that holds
	// `{"username": "…", "password": "…"}`. ECS reads it with the execution roles of the services and tasks that run an
	// image of the registry, and whoever updates the stage reads it to look the images up.
	//
	// Default: none; required
	// Allowed: the ARN of a secret in the stage's account and region, with the six characters that Secrets Manager adds
	// Example: credentials: arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:ghcr-a1b2c3
	// Rule: [Private registry authentication](https://docs.aws.amazon.com/AmazonECS/latest/developerguide/private-auth.html)
	Credentials string `json:"credentials"`
}

// Credentials are the ARNs of the secrets with the names and passwords of registries, by host.
//
// Example: Credentials() is {ghcr.io: "arn:aws:secretsmanager:…"} where registries has it
func (s *Stage) Credentials() map[string]string {
	secrets := map[string]string{}
	for host, registry := range s.Registries {
		secrets[host] = registry.Credentials
	}
	return secrets
}

// PullCredentials are the ARNs of the secrets with which the images of a task definition are pulled, by image as its
// containers name it. An image that is pulled without a password is not among them.
//
// Example: PullCredentials(s.TaskDefinition("web")) is {web: "arn:aws:secretsmanager:…"}
func (s *Stage) PullCredentials(definition TaskDefinition) map[string]string {
	secrets := map[string]string{}
	for _, image := range definition.AllImages() {
		if secret := s.Registries[s.pulledFrom(image)].Credentials; secret != "" {
			secrets[image] = secret
		}
	}
	return secrets
}

// pulledFrom is the host of the registry that an image is pulled from, given as a container names it; empty for the
// stage's own.
func (s *Stage) pulledFrom(image string) string {
	if declared, is := s.Images[image]; is {
		if declared.Owned() {
			return ""
		}
		return declared.Ref.Host
	}
	ref, _ := imageref.Parse(image) // which was checked
	return ref.Host
}

// checkRegistries checks the registries that the stage has credentials for.
func (c *checker) checkRegistries(registries map[string]Registry) {
	used := c.registriesOfImages()
	for _, host := range slices.Sorted(maps.Keys(registries)) {
		here := c.at("registries", host)
		canonical, isHost := imageref.CanonicalHost(host)
		switch {
		case !isHost:
			here.fail("is no registry's host; write one such as ghcr.io, with its port where it has one")
		case canonical != host:
			here.fail("is called %s in references to images; write registries.%[1]s", canonical)
		case imageref.IsECR(host):
			here.fail("is in ECR, which takes roles of AWS instead of a password; remove it, and let the account read the " +
				"repository: for a stage's, with repository.readers in its file")
		case !slices.Contains(used, host) && !here.inherited():
			here.fail("holds no image of the stage; remove it, or name one of its images in images.<image>.ref%s",
				orOneOf(used))
		}
		c.checkCredentials(here.at("credentials"), registries[host].Credentials)
	}
}

// checkCredentials checks where a registry's name and password are kept.
func (c *checker) checkCredentials(here place, text string) {
	const form = "the ARN of a secret of Secrets Manager, arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX"
	found, is := secretref.Parse(text)
	switch {
	case !here.present:
		here.fail("is missing; write %s", form)
	case !is || found.ARN == "" || found.Parameter:
		here.fail("is no ARN of a secret; write %s", form) // not shown: it may be the password itself
	case found.ARN != text:
		here.fail("names a part or a version of a secret, and ECS takes the whole: write %s", found.ARN)
	default:
		if parsed, err := arn.Parse(text); err == nil {
			here.failIf(c.foreign(parsed))
		}
	}
}

// registriesOfImages are the hosts of the registries that hold images which the stage runs or copies, sorted.
func (c *checker) registriesOfImages() []string {
	var hosts []string
	add := func(text string) {
		if ref, err := imageref.Parse(text); err == nil {
			hosts = append(hosts, ref.Host)
		}
	}
	for _, image := range c.document.Images {
		add(image.Ref)
	}
	definitions := []TaskDefinition{}
	for _, service := range c.document.Services {
		definitions = append(definitions, service.TaskDefinition)
	}
	for _, task := range c.document.Tasks {
		definitions = append(definitions, task.TaskDefinition)
	}
	for _, definition := range definitions {
		for _, sidecar := range definition.Containers {
			if _, declared := c.document.Images[sidecar.Image]; !declared {
				add(sidecar.Image)
			}
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}
