package secrets

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"slipway/sandbox/account"
)

// ParseSecretReference is what a container definition's valueFrom says of Secrets Manager: a JSON key, a label and a
// version id may follow the secret's own ARN, of seven parts.
func ParseSecretReference(from string) (arn, key, stage, version string) {
	parts := strings.Split(from, ":")
	arn = strings.Join(parts[:min(len(parts), 7)], ":")
	rest := append(parts[min(len(parts), 7):], "", "", "")
	return arn, rest[0], rest[1], rest[2]
}

// SecretValue is what a container is given for a reference as it stands in valueFrom.
func SecretValue(a *account.Account, reference string) (value string, err error) {
	err = a.Transact(func(t *account.Tx) error {
		value, err = ReadSecret(t, reference)
		return err
	})
	return value, err
}

// ReadSecret is SecretValue within a transaction.
func ReadSecret(t *account.Tx, reference string) (string, error) {
	if owner := account.Owner(reference); owner != "" {
		t = t.In(owner)
	}
	if isParameter(reference) {
		parameter := account.Get[account.Object](t, Parameter, reference)
		if parameter == nil {
			return "", fmt.Errorf("invalid ssm parameters: %s", reference)
		}
		return (*parameter).Text("value"), nil
	}
	arn, key, stage, version := ParseSecretReference(reference)
	v, err := findSecretVersion(t, arn, version, stage)
	if err != nil {
		return "", fmt.Errorf("failed to fetch secret %s from secrets manager: %w", arn, err)
	}
	if key == "" {
		return v.String, nil
	}
	var fields map[string]any
	if err := json.Unmarshal([]byte(v.String), &fields); err != nil {
		return "", err
	}
	field, found := fields[key]
	if !found {
		return "", fmt.Errorf("retrieved secret from Secrets Manager did not contain json key %s", key)
	}
	return fmt.Sprint(field), nil
}

func isParameter(reference string) bool { return strings.Contains(reference, ":ssm:") }

// Missing are the ones of some ARNs, as they stand in valueFrom, whose secret or parameter no account has, each once.
func Missing(a *account.Account, references []string) (missing []string, err error) {
	err = a.Transact(func(t *account.Tx) error {
		for _, reference := range slices.Compact(slices.Sorted(slices.Values(references))) {
			kind, arn := Parameter, reference
			if !isParameter(reference) {
				kind = Secret
				arn, _, _, _ = ParseSecretReference(reference)
			}
			owner := account.Owner(arn)
			if owner != "" && account.Get[account.Object](t.In(owner), kind, arn) == nil {
				missing = append(missing, reference)
			}
		}
		return nil
	})
	return missing, err
}
