package instances

import (
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
)

// AgentSettings is what a launch template's user data tells the ECS agent of an instance.
type AgentSettings struct {
	Cluster        string
	Attributes     map[string]string
	ReservedMemory int  // MiB
	Broken         bool // the agent does not start
}

var agentSetting = regexp.MustCompile(`(?m)(?:^|[\s"'])(ECS_[A-Z_]+)=(.*)$`)

// defaultCluster is the one in which an agent registers that is told of none.
const defaultCluster = "default"

// readUserData finds what the user data writes into /etc/ecs/ecs.config: cloud-init runs scripts, and what it does not
// know as one it leaves alone.
func readUserData(encoded string) AgentSettings {
	settings := AgentSettings{Cluster: defaultCluster, Attributes: map[string]string{}}
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	text := string(decoded)
	runs := strings.HasPrefix(text, "#!") || strings.HasPrefix(text, "Content-Type: multipart/")
	if err != nil || !runs || !strings.Contains(text, "/etc/ecs/ecs.config") {
		return settings
	}
	for _, found := range agentSetting.FindAllStringSubmatch(text, -1) {
		value := strings.TrimSpace(found[2])
		if before, _, redirected := strings.Cut(value, ">"); redirected {
			value = strings.TrimSpace(before)
		}
		value = strings.Trim(value, `"'`)
		switch found[1] {
		case "ECS_CLUSTER":
			settings.Cluster = value
		case "ECS_RESERVED_MEMORY":
			settings.ReservedMemory, _ = strconv.Atoi(value)
		case "ECS_INSTANCE_ATTRIBUTES":
			settings.Broken = json.Unmarshal([]byte(value), &settings.Attributes) != nil
		}
	}
	return settings
}
