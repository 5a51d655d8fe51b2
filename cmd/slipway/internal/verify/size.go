package verify

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/stagefile"
)

// Pulumi hands all configuration to a program in Go in one environment variable, PULUMI_CONFIG, and Linux takes this
// many bytes for one, with its name and the byte after it (MAX_ARG_STRLEN in execve(2)).
const mostConfiguration = 131072

// configurationSize is how many bytes of that a stage's configuration takes. config has HiddenValue for what is
// encrypted, the sources of the files tell how long that is.
func configurationSize(config map[string]string, sources ...[]byte) (int, error) {
	text, err := json.Marshal(config)
	if err != nil {
		return 0, err
	}
	size := len("PULUMI_CONFIG=") + len(text) + 1
	for _, source := range sources {
		var file yaml.Node
		if err := yaml.Unmarshal(source, &file); err != nil {
			return 0, err
		}
		size += hiddenBytes(&file)
	}
	return size, nil
}

// hiddenBytes is how much longer encrypted values are than HiddenValue, about: what protects a value adds some 30
// bytes.
func hiddenBytes(n *yaml.Node) (total int) {
	if n.Kind == yaml.MappingNode && len(n.Content) == 2 && n.Content[0].Value == "secure" {
		encrypted := n.Content[1].Value[strings.LastIndex(n.Content[1].Value, ":")+1:]
		return base64.StdEncoding.DecodedLen(len(encrypted)) - len(stagefile.HiddenValue)
	}
	for _, child := range n.Content {
		total += hiddenBytes(child)
	}
	return total
}

// checkFiles checks that the configuration of a stage can reach the program.
func (v *verifier) checkFiles(project *stagefile.Project, config map[string]string) error {
	var sources [][]byte
	for _, file := range []string{filepath.Join(project.Directory, "Pulumi.yaml"), project.StageFile(v.stack)} {
		source, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		sources = append(sources, source)
	}
	size, err := configurationSize(config, sources...)
	if err == nil {
		v.checkConfigurationSize(project.StageFile(v.stack), size)
	}
	return err
}

// checkConfigurationSize tells, from 90 % of the limit on, how much there is to add.
func (v *verifier) checkConfigurationSize(file string, size int) {
	if size < mostConfiguration*9/10 {
		return
	}
	v.add("configuration", filepath.Base(file), func(context.Context) (string, error) {
		said := fmt.Sprintf("the configuration, with the defaults, has about %d bytes, and no program in Go gets more than "+
			"%d from Pulumi", size, mostConfiguration)
		const advice = "keep large values where their ARN is enough (Secrets Manager, Parameter Store), put files into the " +
			"image, or make two stages of one"
		if size > mostConfiguration {
			return "", exit.Refuse("%s (the CLI would say \"argument list too long\"): %s", said, advice)
		}
		return "", noted("%s: before it grows, %s", said, advice)
	})
}
