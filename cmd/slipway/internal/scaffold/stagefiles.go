package scaffold

import (
	"bytes"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/cmd/slipway/internal/scaffold/draft"
	"slipway/internal/pulumiconfig"
)

// addStageFiles plans Pulumi.yaml and the files of the stages.
func (p *Plan) addStageFiles() error {
	text, err := p.ofSlipway("Pulumi.yaml")
	if err != nil {
		return err
	}
	var its struct {
		Runtime  yaml.Node `yaml:"runtime"`
		Requires string    `yaml:"requiredPulumiVersion"`
	}
	if err := yaml.Unmarshal(text, &its); err != nil {
		return fmt.Errorf("Pulumi.yaml of the copy of slipway: %w", err)
	}
	project, err := render(
		pair{"name", p.options.Project}, pair{"runtime", &its.Runtime}, pair{"requiredPulumiVersion", its.Requires},
		pair{"config", draft.Keys{"slipway:defaults": draft.Keys{"value": p.draft.Shared}}.Node()})
	if err != nil {
		return err
	}
	p.add("Pulumi.yaml", "# What all stages share. What differs stands in Pulumi.<stage>.yaml. Every key: "+
		strings.TrimPrefix(p.toSlipway("docs/configuration.md"), "./")+"\n"+project)
	for i := range p.options.Stages {
		if err := p.addStage(i); err != nil {
			return err
		}
	}
	return nil
}

func (p *Plan) addStage(i int) error {
	of := p.options.Stages[i]
	comment := "Stage " + of.Name + " builds its images from source."
	config := draft.Keys{}
	for key, value := range p.draft.Stages[of.Name] {
		config["slipway:"+key] = value
	}
	switch images := config.Object("slipway:images"); {
	case i == 0:
		for name, build := range p.draft.Builds {
			images[name] = build
		}
	case len(p.draft.Builds) > 0:
		comment = fmt.Sprintf("Stage %s builds nothing: `slipway promote %s %[1]s` writes here which images it runs.", of.Name,
			p.options.Stages[i-1].Name)
	}
	if len(config.Object("slipway:images")) == 0 {
		delete(config, "slipway:images")
	}
	config["aws:region"] = of.Region
	if of.Account != "" {
		config["aws:allowedAccountIds"] = []string{of.Account}
	}
	text, err := render(pair{"config", config.Node()})
	if err != nil {
		return err
	}
	schema := strings.TrimPrefix(p.toSlipway("docs/stage.schema.json"), "./")
	p.add(pulumiconfig.FileName(of.Name), fmt.Sprintf("# yaml-language-server: $schema=%s\n# %s\n%s", schema, comment, text))
	return nil
}

// pair is a key at the top of a file.
type pair struct {
	key   string
	value any
}

func render(pairs ...pair) (string, error) {
	file := &yaml.Node{Kind: yaml.MappingNode}
	for _, each := range pairs {
		var key, value yaml.Node
		if err := key.Encode(each.key); err != nil {
			return "", err
		}
		if err := value.Encode(each.value); err != nil {
			return "", err
		}
		file.Content = append(file.Content, &key, &value)
	}
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	err := encoder.Encode(file)
	return text.String(), err
}
