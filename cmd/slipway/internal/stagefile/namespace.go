package stagefile

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"slipway/stage"
)

// Namespace is what the stage's keys begin with where its file is stageFile, by that and by Pulumi.yaml.
func (p *Project) Namespace(stageFile []byte) string {
	config, err := p.sharedConfig()
	if err != nil {
		return p.Name
	}
	own, _ := Parse(stageFile) // what is malformed, an edit refuses
	maps.Copy(config, own)
	return stage.KeyNamespace(p.Name, config)
}

// MoveKeys returns a stage file whose own keys begin with the namespace, however they began before: an earlier file has
// to go with the Pulumi.yaml of today. All other bytes stay.
func (p *Project) MoveKeys(stageFile []byte, namespace string) ([]byte, error) {
	var file struct {
		Config yaml.Node `yaml:"config"`
	}
	if err := yaml.Unmarshal(stageFile, &file); err != nil {
		return nil, err
	}
	t := &text{source: stageFile}
	if file.Config.Kind != yaml.MappingNode {
		return stageFile, nil
	}
	for _, pair := range slices.Backward(pairs(&file.Config)) {
		written := pair[0]
		key, own := stage.OwnKey(p.Name, written.Value)
		if !own || written.Value == namespace+":"+key {
			continue
		}
		offset := t.offset(written)
		if written.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			offset++
		}
		if !bytes.HasPrefix(t.source[offset:], []byte(written.Value)) {
			return nil, fmt.Errorf("config.%s is written in a way that cannot be edited in place: write it as plain text",
				written.Value)
		}
		t.source = t.splice(offset, len(written.Value), namespace+":"+key)
	}
	return t.source, nil
}
