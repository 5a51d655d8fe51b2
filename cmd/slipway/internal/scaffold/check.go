package scaffold

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"slipway/cmd/slipway/internal/scaffold/draft"
	"slipway/cmd/slipway/internal/stagefile"
	"slipway/internal/awslimits"
	"slipway/internal/pulumiconfig"
	"slipway/stage"
)

// anyDigest stands for one that `slipway pin` or `slipway promote` is going to write.
var anyDigest = "@sha256:" + strings.Repeat("0", 64)

// check has every stage checked as an update would, but for what the next commands are going to write.
func (p *Plan) check() (mistakes []error) {
	said := map[string]bool{}
	for _, of := range p.options.Stages {
		if !region.MatchString(of.Region) {
			mistakes = append(mistakes, fmt.Errorf("%s: %q is not a region of AWS, as eu-west-1 is: write --region REGION, or "+
				"--stage NAME=ACCOUNT:REGION", of.Name, of.Region))
			continue
		}
		_, err := p.load(of)
		var all stage.Errors
		if err != nil && !errors.As(err, &all) {
			return append(mistakes, err)
		}
		for _, each := range all {
			// The files are not there yet, so nobody sees that a text which looks like a date is quoted in them.
			if !said[each.Error()] && !strings.HasPrefix(each.Message, "is a date;") {
				mistakes = append(mistakes, each)
			}
			said[each.Error()] = true
		}
	}
	return mistakes
}

// load loads a stage from the files that are planned.
func (p *Plan) load(of Stage) (*stage.Stage, error) {
	config := map[string]string{}
	for _, file := range []string{"Pulumi.yaml", pulumiconfig.FileName(of.Name)} {
		parsed, err := stagefile.Parse([]byte(p.content(file)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for key, text := range parsed {
			config[key] = text
		}
	}
	var defaults struct {
		Value map[string]any `json:"value"`
	}
	if err := json.Unmarshal([]byte(config["slipway:defaults"]), &defaults); err != nil {
		return nil, err
	}
	images, secrets := map[string]any{}, map[string]any{}
	_ = json.Unmarshal([]byte(config["slipway:images"]), &images) // what is empty stays empty
	_ = json.Unmarshal([]byte(config["slipway:secrets"]), &secrets)
	withDigests(map[string]any{"images": images})
	withDigests(defaults.Value)
	for image := range p.draft.Builds {
		if images[image] == nil {
			images[image] = map[string]any{"ref": "registry.example.com/" + image + ":any" + anyDigest}
		}
	}
	for _, secret := range p.draft.Secrets[of.Name] {
		secrets[secret] = fmt.Sprintf("arn:%s:ssm:%s:%s:parameter/any", awslimits.Partition(of.Region), of.Region,
			cmp.Or(of.Account, "111111111111"))
	}
	for key, value := range map[string]any{"defaults": defaults.Value, "images": images, "secrets": secrets} {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		config["slipway:"+key] = string(text)
	}
	return stage.Load(stage.Input{Project: p.options.Project, Stage: of.Name, Config: config, Root: p.Directory})
}

// withDigests gives every reference to an image a digest.
func withDigests(value any) {
	object, _ := value.(map[string]any)
	for key, inner := range object {
		if text, is := inner.(string); is && isUnpinned(key, text) {
			object[key] = text + anyDigest
		} else if key != "environment" {
			withDigests(inner)
		}
	}
}

// isUnpinned tells a reference without a digest: the ref of an image, or the image of a container that is none of the
// stage's own.
func isUnpinned(key, text string) bool {
	return (key == "ref" || key == "image" && strings.Contains(text, ":")) && !strings.Contains(text, "@")
}

// unpinned tells whether a reference has no digest yet.
func (p *Plan) unpinned() bool {
	return hasUnpinned(p.draft.Shared) || hasUnpinned(p.draft.Stages[p.draft.FirstStage])
}

func hasUnpinned(keys draft.Keys) bool {
	for key, value := range keys {
		switch value := value.(type) {
		case string:
			if isUnpinned(key, value) {
				return true
			}
		case draft.Keys:
			if key != "environment" && hasUnpinned(value) {
				return true
			}
		}
	}
	return false
}
