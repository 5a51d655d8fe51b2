package copilot

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"mvdan.cc/sh/v3/shell"

	"slipway/cmd/slipway/internal/scaffold/draft"
	"slipway/internal/awslimits"
)

func text(value any) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(value)
}

func number(value any) (int, bool) {
	found, err := strconv.Atoi(text(value))
	return found, err == nil
}

// seconds is a time as Copilot writes it: 90, 90s or 1h30m.
func seconds(value any) (int, bool) {
	if plain, ok := number(value); ok {
		return plain, true
	}
	duration, err := time.ParseDuration(text(value))
	return int((duration + time.Second - 1) / time.Second), err == nil
}

// list is a list of texts, or one text that a shell would split.
func list(value any) ([]string, bool) {
	switch value := value.(type) {
	case []any:
		var all []string
		for _, each := range value {
			all = append(all, text(each))
		}
		return all, true
	case string:
		all, err := shell.Fields(value, func(name string) string { return "$" + name })
		return all, err == nil
	}
	return nil, false
}

var placeholder = regexp.MustCompile(`\$\{(\w+)\}`)

// filled has Copilot's own variables filled in. Where there are others, it says so, and ok is false.
func (m *manifest) filled(path []string, value string) (filled string, ok bool) {
	ok = true
	filled = placeholder.ReplaceAllStringFunc(value, func(match string) string {
		switch name := placeholder.FindStringSubmatch(match)[1]; {
		case name == "COPILOT_ENVIRONMENT_NAME":
			return m.stage.Name
		case name == "COPILOT_APPLICATION_NAME" && m.application != "":
			return m.application
		default:
			m.leave(path, "the variable %s has no value in a stage file: write the value in its place", name)
			ok = false
			return match
		}
	})
	return filled, ok
}

// variables takes over those of a container, whose keys stand at key.
func (m *manifest) variables(into draft.Keys, key string) reading {
	return func(path []string, value any) {
		object, _ := value.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(object)) {
			at := append(slices.Clone(path), name)
			if _, is := object[name].(map[string]any); is {
				m.leave(at, "it comes from CloudFormation: write its value in %s.environment.%s", key, name)
			} else if value, ok := m.filled(at, text(object[name])); ok {
				m.variable(at, into, key, name, value)
			}
		}
	}
}

func (m *manifest) variable(path []string, into draft.Keys, key, name, value string) {
	if draft.IsSecret(name, value) {
		m.needSecret(path, into, key, name)
		return
	}
	into.Object("environment")[name] = draft.Literal(value)
	m.take(path, "%s.environment.%s", key, name)
}

func (m *manifest) needSecret(path []string, into draft.Keys, key, name string) {
	m.NeedSecret(m.stage.Name, name)
	into.Secret(name)
	m.take(path, "%s.secrets: [%s], whose value is not written", key, name)
}

// environmentFile takes over the variables of a file, but for those that the manifest has itself.
func (m *manifest) environmentFile(into draft.Keys, key string, own any) reading {
	return func(path []string, value any) {
		values, err := dotenv.ReadFile(filepath.Join(m.Root, text(value)), func(string) (string, bool) { return "", false })
		if err != nil {
			m.leave(path, "%s cannot be read: write its variables in %s.environment and secrets", text(value), key)
			return
		}
		declared, _ := own.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if _, has := declared[name]; !has {
				m.variable(path, into, key, name, values[name])
			}
		}
	}
}

// secrets takes over where secrets are kept, as far as that is an ARN or makes one.
func (m *manifest) secrets(into draft.Keys, key string) reading {
	return func(path []string, value any) {
		object, _ := value.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(object)) {
			at := append(slices.Clone(path), name)
			if from, is := object[name].(map[string]any); is {
				named := text(from["secretsmanager"]) + text(from["from_cfn"])
				if m.keep(at, into, key, name, named, "") {
					m.note(at, "write the ARN of %s in slipway:secrets.%s of %s: it ends in six characters that only AWS knows",
						named, name, m.stage.Name)
				}
			} else if kept, ok := m.filled(at, text(object[name])); ok {
				m.keepParameter(at, into, key, name, kept)
			}
		}
	}
}

// keepParameter has a container read an ARN, or a parameter of Parameter Store by its name.
func (m *manifest) keepParameter(path []string, into draft.Keys, key, name, kept string) {
	arn := kept
	if !strings.HasPrefix(kept, "arn:") {
		arn = fmt.Sprintf("arn:%s:ssm:%s:%s:parameter/%s", awslimits.Partition(m.stage.Region), m.stage.Region,
			m.stage.Account, strings.TrimPrefix(kept, "/"))
		if m.stage.Account == "" {
			arn = ""
		}
	}
	if m.keep(path, into, key, name, kept, arn) && arn == "" {
		m.note(path, "the account of %s is not known: give it (--stage %[1]s=ACCOUNT), or write the ARN of %s in "+
			"slipway:secrets.%s", m.stage.Name, kept, name)
	}
}

// keep has a container read a secret of which Copilot says where it is kept: at an ARN, or it has no value yet. It
// refuses one that is kept elsewhere for another service.
func (m *manifest) keep(path []string, into draft.Keys, key, name, kept, arn string) bool {
	here := m.stage.Name + " " + name
	if other, has := m.kept[here]; has && other != kept {
		m.leave(path, "the secret %s of another service is kept elsewhere, and a stage has one of each name: call one of them "+
			"otherwise, and write %s.secrets", name, key)
		return false
	}
	m.kept[here] = kept
	if arn == "" {
		m.needSecret(path, into, key, name)
		return true
	}
	m.all.Object("secrets")[name] = arn
	into.Secret(name)
	m.take(path, "%s.secrets: [%s], secrets.%[2]s of each stage", key, name)
	return true
}

func (m *manifest) arguments(into draft.Keys, key, becomes string) reading {
	return func(path []string, value any) {
		arguments, ok := list(value)
		switch {
		case !ok || len(arguments) == 0:
			m.leave(path, "it is no list of arguments: write %s.%s", key, becomes)
		case draft.HasSecret(arguments):
			m.leave(path, "it has what looks like a secret: read it from a variable, and write %s.%s", key, becomes)
		default:
			m.set(path, into, key, becomes, arguments)
		}
	}
}
