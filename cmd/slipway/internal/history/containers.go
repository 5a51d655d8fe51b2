package history

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"slipway/cmd/slipway/internal/awsreader"
	"slipway/cmd/slipway/internal/flatconfig"
	"slipway/internal/origins"
	"slipway/internal/pulumiconfig"
)

// containerSettings are the values in the container definitions of a revision by path, such as
// web.environment.GREETING.
func containerSettings(r *awsreader.Revision) flatconfig.Config {
	found := flatconfig.Config{}
	if r == nil {
		return found
	}
	found["cpu"] = flatconfig.Setting{Text: aws.ToString(r.Definition.Cpu)}
	found["memory"] = flatconfig.Setting{Text: aws.ToString(r.Definition.Memory)}
	for _, container := range r.Definition.ContainerDefinitions {
		name := aws.ToString(container.Name)
		origins, labels := origins.In(container.DockerLabels)
		for _, variable := range container.Environment {
			found[pulumiconfig.Below(name+".environment", aws.ToString(variable.Name))] =
				flatconfig.Setting{Text: aws.ToString(variable.Value), Origin: origins[aws.ToString(variable.Name)]}
		}
		for _, secret := range container.Secrets {
			found[pulumiconfig.Below(name+".secrets", aws.ToString(secret.Name))] =
				flatconfig.Setting{Text: aws.ToString(secret.ValueFrom), Origin: origins[aws.ToString(secret.Name)]}
		}
		container.Environment, container.Secrets, container.DockerLabels = nil, nil, labels
		encoded, err := json.Marshal(container)
		if err != nil {
			panic(err) // plain data
		}
		var fields map[string]any
		if err := json.Unmarshal(encoded, &fields); err != nil {
			panic(err) // it was just encoded
		}
		addFields(found, name, fields)
	}
	return found
}

// addFields adds what is set of an SDK's structure, with names as the API writes them.
func addFields(found flatconfig.Config, at string, fields map[string]any) {
	for name, value := range fields {
		key := pulumiconfig.Below(at, name)
		if strings.Count(at, ".") == 0 {
			key = at + "." + strings.ToLower(name[:1]) + name[1:]
		}
		switch value := value.(type) {
		case nil:
		case map[string]any:
			addFields(found, key, value)
		case []any:
			if len(value) > 0 {
				encoded, err := json.Marshal(value)
				if err != nil {
					panic(err) // it was decoded from JSON
				}
				found[key] = flatconfig.Setting{Text: string(encoded)}
			}
		default:
			found[key] = flatconfig.Setting{Text: fmt.Sprint(value)}
		}
	}
}
