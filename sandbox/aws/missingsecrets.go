package aws

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecs"
	"slipway/sandbox/account/secrets"
	"slipway/sandbox/seed"
)

const parameterType = "aws:ssm/parameter:Parameter"

// keepValue gives a parameter that is recorded its value, which a task may be given.
func keepValue(a *account.Account, token string, state values) error {
	if token != parameterType {
		return nil
	}
	known := plainValues(state)
	return a.Transact(func(t *account.Tx) error {
		account.Put(t, secrets.Parameter, text(known, "arn"),
			account.Object{"name": text(known, "name"), "value": text(known, "value")})
		return nil
	})
}

// warn says what is wrong with a new resource that AWS takes.
func (s *server) warn(ctx context.Context, kind *resourceType, urn string, inputs values) error {
	if kind.warn == nil {
		return nil
	}
	warning, err := kind.warn(s.settingsOf(ctx).account, inputs)
	if warning != "" {
		s.log.Warn(urn, "%s", warning)
	}
	return err
}

// missingSecrets tells of secrets and parameters that no account has: ECS registers a revision with them, and starts no
// task of it. It is empty where all are there, or where a preview does not know the containers yet.
func missingSecrets(a *account.Account, inputs values) (string, error) {
	containers, err := ecs.ParseContainers(text(inputs, "containerDefinitions"))
	if err != nil {
		return "", nil
	}
	missing, err := secrets.Missing(a, ecs.SecretReferences(containers))
	if err != nil || len(missing) == 0 {
		return "", err
	}
	return "No task of this revision will start: there is no " + strings.Join(missing, ", no ") +
		seed.Advice(seedOf(missing)), nil
}

// seedOf are the lines of a seed that has what is missing.
func seedOf(missing []string) string {
	parameters, keys := []string{"parameters:"}, map[string][]string{}
	for _, reference := range missing {
		if !strings.Contains(reference, ":secretsmanager:") {
			parameters = append(parameters, "  "+reference+": …")
			continue
		}
		arn, key, _, _ := secrets.ParseSecretReference(reference)
		fields := keys[arn]
		if key != "" {
			fields = append(fields, fmt.Sprintf(`"%s": "…"`, key))
		}
		keys[arn] = fields
	}
	values := []string{"secrets:"}
	for _, arn := range slices.Sorted(maps.Keys(keys)) {
		value := "…"
		if len(keys[arn]) > 0 {
			value = "'{" + strings.Join(keys[arn], ", ") + "}'"
		}
		values = append(values, "  "+arn+": "+value)
	}
	var lines []string
	for _, part := range [][]string{parameters, values} {
		if len(part) > 1 {
			lines = append(lines, part...)
		}
	}
	return strings.Join(lines, "\n")
}
