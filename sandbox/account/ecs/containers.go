package ecs

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

// Container is one container definition, by the names of the ECS API.
type Container map[string]any

// containerFields are the fields of a container definition that the ECS API has.
var containerFields = strings.Fields(`command cpu credentialSpecs dependsOn disableNetworking dnsSearchDomains dnsServers
	dockerLabels dockerSecurityOptions entryPoint environment environmentFiles essential extraHosts firelensConfiguration
	healthCheck hostname image interactive linuxParameters links logConfiguration memory memoryReservation mountPoints
	name portMappings privileged pseudoTerminal readonlyRootFilesystem repositoryCredentials resourceRequirements
	restartPolicy secrets startTimeout stopTimeout systemControls ulimits user versionConsistency volumesFrom
	workingDirectory`)

// ParseContainers reads container definitions as a task definition's JSON has them, and fills in what ECS fills in.
func ParseContainers(document string) ([]Container, error) {
	var containers []Container
	if err := json.Unmarshal([]byte(document), &containers); err != nil {
		return nil, fmt.Errorf("container definitions are not valid JSON: %w", err)
	}
	for _, c := range containers {
		for key := range c {
			if !slices.Contains(containerFields, key) {
				return nil, fmt.Errorf("container definitions: %q is no field of a container definition", key)
			}
		}
		c.fillDefaults()
	}
	return containers, nil
}

// ContainersJSON is the canonical form of container definitions: the one that the provider keeps in its state.
func ContainersJSON(containers []Container) string {
	body, err := json.Marshal(containers)
	if err != nil {
		panic(err) // they came from JSON
	}
	return string(body)
}

// SameContainers reports whether two container definitions ask ECS for the same thing.
func SameContainers(one, other string) bool {
	x, errOne := ParseContainers(one)
	y, errOther := ParseContainers(other)
	if errOne != nil || errOther != nil {
		return one == other
	}
	byName := func(a, b Container) int { return cmp.Compare(a.Name(), b.Name()) }
	slices.SortFunc(x, byName)
	slices.SortFunc(y, byName)
	return reflect.DeepEqual(x, y)
}

// fillDefaults adds the defaults of ECS, and sorts what the provider sorts.
func (c Container) fillDefaults() {
	for key, value := range map[string]any{
		"cpu": 0.0, "essential": true, "environment": []any{}, "mountPoints": []any{}, "portMappings": []any{},
		"systemControls": []any{}, "volumesFrom": []any{},
	} {
		if c[key] == nil {
			c[key] = value
		}
	}
	if c.isLogRouter() && (c["user"] == nil || c["user"] == "") {
		c["user"] = awslimits.FireLensUser
	}
	for _, port := range c.objects("portMappings") {
		if port["hostPort"] == nil || port["hostPort"] == 0.0 {
			port["hostPort"] = port["containerPort"]
		}
		if port["protocol"] == nil {
			port["protocol"] = "tcp"
		}
	}
	if check, ok := c["healthCheck"].(map[string]any); ok {
		for key, value := range map[string]any{"interval": 30.0, "timeout": 5.0, "retries": 3.0} {
			if check[key] == nil {
				check[key] = value
			}
		}
	}
	for _, key := range []string{"environment", "secrets"} {
		if entries, ok := c[key].([]any); ok {
			slices.SortStableFunc(entries, func(x, y any) int {
				return cmp.Compare(fmt.Sprint(account.Member(x, "name")), fmt.Sprint(account.Member(y, "name")))
			})
		}
	}
}

// Name is the container's name.
func (c Container) Name() string { return fmt.Sprint(c["name"]) }

// Image is the container's image reference.
func (c Container) Image() string { return fmt.Sprint(c["image"]) }

// Environment is the container's plain variables.
func (c Container) Environment() map[string]string {
	variables := map[string]string{}
	for _, v := range c.objects("environment") {
		variables[fmt.Sprint(v["name"])] = fmt.Sprint(v["value"])
	}
	return variables
}

// objects is a list of objects among the container's fields.
func (c Container) objects(key string) []map[string]any { return account.Objects(c[key]) }

// LogGroup is the log group that the awslogs driver writes to, or "".
func (c Container) LogGroup() string {
	if account.Member(c["logConfiguration"], "logDriver") != "awslogs" {
		return ""
	}
	group, _ := account.Member(account.Member(c["logConfiguration"], "options"), "awslogs-group").(string)
	return group
}

// LogStream is the one that the awslogs driver writes a task's container to.
func (c Container) LogStream(task string) string {
	prefix, _ := account.Member(account.Member(c["logConfiguration"], "options"), "awslogs-stream-prefix").(string)
	if prefix == "" {
		return task
	}
	return prefix + "/" + c.Name() + "/" + task
}

func (c Container) check(awsvpc, withoutExecutionRole bool) error {
	client := func(format string, args ...any) error { return account.Refuse("ClientException", format, args...) }
	switch {
	case !validName.MatchString(c.Name()):
		return client("Invalid container name '%s': up to 255 letters, numbers, hyphens and underscores are allowed.",
			c.Name())
	case c["image"] == nil || c.Image() == "":
		return client("Container.image should not be null or empty.")
	case withoutExecutionRole && c.LogGroup() != "":
		return client("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
	case withoutExecutionRole && strings.Contains(c.Image(), ".dkr.ecr."):
		return client("Fargate requires task definition to have execution role ARN to support ECR images.")
	}
	variables := c.Environment()
	for _, secret := range c.objects("secrets") {
		name := fmt.Sprint(secret["name"])
		if _, taken := variables[name]; taken {
			return client("The secret name must be unique and not shared with any new or existing environment variables "+
				"set on the container, such as '%s'.", name)
		}
	}
	// Docker starts no process with such a text; ECS's own words are not known.
	if holdsNUL(map[string]any(c)) {
		return client("Container '%s' has a text with a NUL character.", c.Name())
	}
	for _, port := range c.objects("portMappings") {
		if n, ok := port["containerPort"].(float64); !ok || n < 1 || n > 65535 {
			return client("Container port %v is out of range: 1 to 65535.", port["containerPort"])
		}
		if awsvpc && port["hostPort"] != port["containerPort"] {
			return client("When networkMode=awsvpc, the host ports and container ports in port mappings must match.")
		}
	}
	return nil
}

// holdsNUL tells whether a text in a value has a character that no process can be given.
func holdsNUL(value any) bool {
	switch value := value.(type) {
	case string:
		return strings.Contains(value, awslimits.NotInText)
	case []any:
		return slices.ContainsFunc(value, holdsNUL)
	case map[string]any:
		for _, field := range value {
			if holdsNUL(field) {
				return true
			}
		}
	}
	return false
}
