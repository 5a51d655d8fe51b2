package recovery

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/sig"

	"slipway/cmd/slipway/internal/exit"
)

// scaffold puts into a state what resources of AWS stand on in it: the stack itself, the program's components and the
// provider, as the engine would make them. They are nothing in AWS.
func (s *stackState) scaffold(creations []stateResource, config map[string]string, secretKeys []string) error {
	resources := s.resources()
	has := func(urn string) bool { return s.liveOf(urn) != nil }
	for _, each := range creations {
		if each.is("custom") || has(each.urn()) {
			continue
		}
		component := stateResource{"urn": each.urn(), "type": each.token(), "custom": false}
		if parent := each.text("parent"); parent != "" {
			component["parent"] = parent
		}
		if inputs := filled(each["inputs"], nil); inputs != nil {
			component["inputs"] = inputs
		}
		if component.token() == "pulumi:pulumi:Stack" {
			resources = slices.Insert(resources, 0, component)
		} else {
			resources = append(resources, component)
		}
		s.setResources(resources)
	}
	for _, each := range creations {
		if !each.isAWS() {
			continue
		}
		urn, _ := cutProvider(each.text("provider"))
		if !has(urn) {
			provider, err := defaultProvider(urn, config, secretKeys)
			if err != nil {
				return err
			}
			at := min(1, len(resources)) // behind the stack
			resources = slices.Insert(resources, at, provider)
			s.setResources(resources)
		}
		each["provider"] = urn + "::" + s.liveOf(urn).id()
	}
	return nil
}

// cutProvider takes a reference to a provider apart: URN::ID.
func cutProvider(reference string) (urn, id string) {
	at := max(strings.LastIndex(reference, "::"), 0)
	return reference[:at], strings.TrimPrefix(reference[at:], "::")
}

// defaultProviderName is how the engine calls the provider of a package and a version.
var defaultProviderName = regexp.MustCompile(`::pulumi:providers:aws::default(?:_(\d+)_(\d+)_(\d+))?$`)

// defaultProvider is a provider that the engine configures by the stage file. Values that are secret there are marked,
// for Pulumi to encrypt.
func defaultProvider(urn string, config map[string]string, secretKeys []string) (stateResource, error) {
	version := defaultProviderName.FindStringSubmatch(urn)
	if version == nil {
		return nil, exit.Refuse("%s is a provider of the program's own, which slipway cannot put into the state: restore a "+
			"backup of the state", urn)
	}
	settings := map[string]any{"__internal": map[string]any{}}
	if version[1] != "" {
		settings["version"] = strings.Join(version[1:], ".")
	}
	for key, value := range config {
		name, isAWS := strings.CutPrefix(key, "aws:")
		if !isAWS {
			continue
		}
		settings[name] = value
		if slices.Contains(secretKeys, key) {
			plain, err := json.Marshal(value)
			if err != nil {
				return nil, err
			}
			settings[name] = map[string]any{sig.Key: sig.Secret, "plaintext": string(plain)}
		}
	}
	outputs := maps.Clone(settings)
	delete(outputs, "__internal")
	return stateResource{"urn": urn, "type": "pulumi:providers:aws", "custom": true, "inputs": settings,
		"outputs": outputs, "id": uuid.NewString()}, nil
}
