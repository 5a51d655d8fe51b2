package stagefile

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/internal/pulumiconfig"
)

// Namespace is what the stage's keys begin with where its file is stageFile, by that and by Pulumi.yaml.
func (p *Project) Namespace(stageFile []byte) string {
	config, err := p.sharedConfig()
	if err != nil {
		return p.Name
	}
	own, _ := Parse(stageFile) // what is malformed, an edit refuses
	maps.Copy(config, own)
	return pulumiconfig.NamespaceOf(p.Name, config)
}

// MoveKeys returns a stage file whose own keys begin with the namespace, however they began before: an earlier file has
// to go with the Pulumi.yaml of today. All other bytes stay, and so do keys of the program beside those of slipway:.
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
	keys := map[string]bool{}
	for _, pair := range pairs(&file.Config) {
		keys[pair[0].Value] = true
	}
	from := pulumiconfig.NamespaceOf(p.Name, keys)
	for _, pair := range slices.Backward(pairs(&file.Config)) {
		written := pair[0]
		key, own := strings.CutPrefix(written.Value, from+":")
		if !own || from == namespace {
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
