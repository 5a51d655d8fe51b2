package deployrole

import (
	"encoding/json"
	"fmt"
	"strings"

	"slipway/cmd/slipway/internal/exit"
	"slipway/internal/imageref"
	"slipway/internal/pulumiconfig"
	"slipway/stage"
)

// anyDigest stands for that of an image which is not known yet.
var anyDigest = "sha256:" + strings.Repeat("0", 64)

// Promoted is the configuration of a stage in whose file `slipway promote` has written the images of another one: the
// references are right but for tags and digests.
func Promoted(config map[string]string, from *stage.Stage) (map[string]string, error) {
	source := newNames(from, false)
	if source.account == "*" || source.region == "*" {
		return nil, exit.Refuse("--from %s: %s does not say where the images are: write aws:region and, as the only one of "+
			"aws:allowedAccountIds, the account", from.Name, pulumiconfig.FileName(from.Name))
	}
	var accounts []string
	_ = json.Unmarshal([]byte(config["aws:allowedAccountIds"]), &accounts) // a mistake is told where the stage is loaded
	key := pulumiconfig.NamespaceOf(from.Project, config) + ":images"
	images := map[string]map[string]any{}
	if text, declared := config[key]; declared {
		if err := json.Unmarshal([]byte(text), &images); err != nil {
			return nil, exit.Refuse("%s: must be a map of images: %w", key, err)
		}
	}
	for name, image := range from.Images {
		ref := imageref.Ref{Host: imageref.ECRHost(source.account, source.region), Account: source.account,
			Region: source.region, Repository: from.RepositoryName(name), Tag: "any", Digest: anyDigest}
		if !image.Owned() {
			ref = *image.Ref
		}
		own := images[name]
		if _, builds := own["build"]; builds { // promote refuses
			continue
		}
		if own == nil {
			own = map[string]any{}
			images[name] = own
		}
		own["ref"] = ref.String()
		here := len(accounts) == 1 && ref.In(accounts[0], config["aws:region"])
		if ref.Account != "" && !here && own["mirror"] != false {
			own["mirror"] = true
		}
		if image.Platform != "" && own["platform"] == nil {
			own["platform"] = image.Platform
		}
	}
	text, err := json.Marshal(images)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	promoted := map[string]string{key: string(text)}
	for other, value := range config {
		if other != key {
			promoted[other] = value
		}
	}
	return promoted, nil
}
