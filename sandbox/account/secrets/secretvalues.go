package secrets

import (
	"encoding/json"
	"fmt"
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
	if strings.Contains(reference, ":ssm:") {
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

// CheckReadable says why a task cannot be given a secret, or nil. Secrets that this account never had are their
// owner's: nothing is known of them.
func CheckReadable(t *account.Tx, reference string) error {
	arn, _, _, _ := ParseSecretReference(reference)
	if strings.Contains(reference, ":ssm:") || account.Get[account.Object](t, Secret, arn) == nil {
		return nil
	}
	_, err := ReadSecret(t, reference)
	return err
}
