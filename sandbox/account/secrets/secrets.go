// Package secrets is Secrets Manager, and the parameters of SSM.
package secrets

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/internal/awslimits"
	"slipway/sandbox/account"
)

// Secret is the kind of Secrets Manager's secrets, each by its ARN. One that was deleted stays, as AWS still knows its
// name during the recovery window, and afterwards tells a task that it is not there.
const Secret = "secret"

func init() {
	account.Register(Secret, account.Rules{Check: func(_ *account.Tx, id string, o account.Object) error {
		return account.MustMatch("name", cmp.Or(o.Text("name"), id), awslimits.SecretName.MatchString, "ValidationException")
	}})
}

// Parameter is the kind of SSM's parameters, each by its ARN. Programs use them, and make none.
const Parameter = "parameter"

// secretVersionKind holds the values, each by ARN|VERSION.
const secretVersionKind = "secretVersion"

const (
	stageCurrent  = "AWSCURRENT"
	stagePrevious = "AWSPREVIOUS"
	keptVersions  = 100 // of those without a label
)

// SecretVersion is one value of a secret.
type SecretVersion struct {
	ARN       string    `json:"arn"`
	VersionID string    `json:"versionId"`
	String    string    `json:"string"`
	Binary    string    `json:"binary"` // base64
	Stages    []string  `json:"stages"`
	CreatedAt time.Time `json:"createdAt"`
	Number    int       `json:"number"` // of all versions in the account: the order in which they came
}

func (v *SecretVersion) id() string { return v.ARN + "|" + v.VersionID }

func (v *SecretVersion) unlabel(stage string) {
	v.Stages = slices.DeleteFunc(v.Stages, func(s string) bool { return s == stage })
}

const (
	deletedDate = "deletedDate" // when it was deleted
	purgeDate   = "purgeDate"   // when its recovery window ends
)

func purged(t *account.Tx, o account.Object) bool {
	at, err := time.Parse(time.RFC3339Nano, o.Text(purgeDate))
	return err == nil && !at.After(t.Now)
}

// CreateSecret records a secret without a value, and gives it an ARN of six random characters behind its name.
func CreateSecret(a *account.Account, region string, o account.Object) (arn string, err error) {
	name := o.Text("name")
	prefix := account.ARN(a.ID, "secretsmanager", region, "secret:"+name+"-")
	err = a.Transact(func(t *account.Tx) error {
		if err := t.Check(Secret, name, o); err != nil {
			return err
		}
		for _, old := range account.List[account.Object](t, Secret) {
			switch {
			case old.Text("name") != name || !strings.HasPrefix(old.Text("arn"), prefix) || purged(t, *old):
			case old.Text(deletedDate) != "":
				return account.Refuse("InvalidRequestException",
					"You can't create this secret because a secret with this name is already scheduled for deletion.")
			default:
				return account.Refuse("ResourceExistsException", "The operation failed because the secret %s already exists.", name)
			}
		}
		arn = prefix + t.NewID("secret", 6)
		o["arn"] = arn
		account.Put(t, Secret, arn, o)
		return nil
	})
	return arn, err
}

// DeleteSecret schedules a secret for deletion, or deletes it at once where it has no recovery window.
func DeleteSecret(a *account.Account, arn string, recoveryDays int) error {
	return a.Transact(func(t *account.Tx) error {
		o := account.Get[account.Object](t, Secret, arn)
		if o == nil || (*o).Text(deletedDate) != "" {
			return nil
		}
		(*o)[deletedDate] = t.Now.UTC().Format(time.RFC3339Nano)
		(*o)[purgeDate] = t.Now.UTC().AddDate(0, 0, recoveryDays).Format(time.RFC3339Nano)
		account.Put(t, Secret, arn, *o)
		if recoveryDays == 0 {
			for _, v := range secretVersions(t, arn) {
				account.Remove(t, secretVersionKind, v.id())
			}
		}
		return nil
	})
}

// FindSecret returns a secret by ARN, or nil where it is gone or about to be.
func FindSecret(a *account.Account, arn string) (found account.Object, err error) {
	o, err := a.Object(Secret, arn)
	if err != nil || o == nil || o.Text(deletedDate) != "" {
		return nil, err
	}
	return o, nil
}

// SecretVersions returns every version of a secret that AWS still has, those without a label, too.
func SecretVersions(a *account.Account, reference string) (versions []*SecretVersion, err error) {
	err = a.Transact(func(t *account.Tx) error {
		found, err := anySecret(t, reference)
		if err != nil {
			return err
		}
		versions = secretVersions(t, found.Text("arn"))
		return nil
	})
	return versions, err
}

// DescribeSecret returns a secret by ARN or name, also while it is scheduled for deletion, and the labels of each of
// its versions.
func DescribeSecret(a *account.Account, reference string) (found account.Object, stages map[string][]string,
	err error) {
	stages = map[string][]string{}
	err = a.Transact(func(t *account.Tx) error {
		if found, err = anySecret(t, reference); err != nil {
			return err
		}
		for _, v := range secretVersions(t, found.Text("arn")) {
			if len(v.Stages) > 0 { // AWS does not list those without
				stages[v.VersionID] = v.Stages
			}
		}
		return nil
	})
	return found, stages, err
}

// findSecret finds a secret by ARN or by name, as long as it can be used.
func findSecret(t *account.Tx, reference string) (account.Object, error) {
	found, err := anySecret(t, reference)
	if err == nil && found.Text(deletedDate) != "" {
		return nil, account.Refuse("InvalidRequestException",
			"You can't perform this operation on the secret because it was marked for deletion.")
	}
	return found, err
}

func anySecret(t *account.Tx, reference string) (account.Object, error) {
	var found account.Object
	for _, o := range account.List[account.Object](t, Secret) {
		if !purged(t, *o) && (o.Text("arn") == reference || o.Text("name") == reference) {
			found = *o
		}
	}
	if found == nil {
		return nil, account.Refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	}
	return found, nil
}

// secretVersions are those of a secret, oldest first.
func secretVersions(t *account.Tx, arn string) []*SecretVersion {
	versions := slices.DeleteFunc(account.List[SecretVersion](t, secretVersionKind),
		func(v *SecretVersion) bool { return v.ARN != arn })
	slices.SortFunc(versions, func(x, y *SecretVersion) int { return x.Number - y.Number })
	return versions
}

// PutSecretValue adds a version to a secret, which becomes its current one.
func PutSecretValue(a *account.Account, secret, value, binary string) (v *SecretVersion, err error) {
	switch {
	case value == "" && binary == "":
		return nil, account.Refuse("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	case value != "" && binary != "":
		return nil, account.Refuse("InvalidRequestException",
			"You can't specify both a binary secret value and a string secret value in the same secret.")
	case len(value) > awslimits.SecretSize || len(binary) > awslimits.SecretSize*4/3:
		return nil, account.Refuse("ValidationException",
			"1 validation error detected: Value at 'secretString' failed to satisfy "+
				"constraint: Member must have length less than or equal to %d", awslimits.SecretSize)
	}
	err = a.Transact(func(t *account.Tx) error {
		o, err := findSecret(t, secret)
		if err != nil {
			return err
		}
		number := t.Next("secret values")
		// The provider names versions by the time.
		made := strings.Replace(t.Now.UTC().Format("20060102150405.0000"), ".", "", 1)
		id := fmt.Sprintf("terraform-%s%08x", made, number)
		v = &SecretVersion{ARN: o.Text("arn"), String: value, Binary: binary, Stages: []string{stageCurrent},
			CreatedAt: t.Now,
			VersionID: id, Number: number}
		relabel(t, v)
		account.Put(t, secretVersionKind, v.id(), v)
		return nil
	})
	return v, err
}

// relabel moves the labels on to a new version, and forgets those without one that AWS forgets too.
func relabel(t *account.Tx, next *SecretVersion) {
	unlabelled := 0
	for _, v := range slices.Backward(secretVersions(t, next.ARN)) {
		v.unlabel(stagePrevious)
		if slices.Contains(v.Stages, stageCurrent) {
			v.unlabel(stageCurrent)
			v.Stages = append(v.Stages, stagePrevious)
		}
		if len(v.Stages) == 0 {
			unlabelled++
		}
		if unlabelled > keptVersions && t.Now.Sub(v.CreatedAt) > 24*time.Hour && len(v.Stages) == 0 {
			account.Remove(t, secretVersionKind, v.id())
			continue
		}
		account.Put(t, secretVersionKind, v.id(), v)
	}
}

// RemoveSecretStages takes labels from a version.
func RemoveSecretStages(a *account.Account, secret, versionID string, stages []string) error {
	return a.Transact(func(t *account.Tx) error {
		v, err := findSecretVersion(t, secret, versionID, "")
		if err != nil {
			return err
		}
		for _, stage := range stages {
			v.unlabel(stage)
		}
		account.Put(t, secretVersionKind, v.id(), v)
		return nil
	})
}

// FindSecretVersion finds one version of a secret.
func FindSecretVersion(a *account.Account, secret, versionID string) (v *SecretVersion, err error) {
	err = a.Transact(func(t *account.Tx) error {
		v, err = findSecretVersion(t, secret, versionID, "")
		return err
	})
	return v, err
}

// findSecretVersion finds a version by id, by label or by both; the current one where neither is given.
func findSecretVersion(t *account.Tx, secret, versionID, stage string) (*SecretVersion, error) {
	o, err := findSecret(t, secret)
	if err != nil {
		return nil, err
	}
	if versionID == "" && stage == "" {
		stage = stageCurrent
	}
	for _, v := range secretVersions(t, o.Text("arn")) {
		labelled := stage == "" || slices.Contains(v.Stages, stage)
		switch {
		case versionID == "" && labelled, v.VersionID == versionID && labelled:
			return v, nil
		case v.VersionID == versionID:
			return nil, account.Refuse("InvalidRequestException",
				"You provided a VersionStage that is not associated to the provided VersionId.")
		}
	}
	if versionID != "" {
		return nil, account.Refuse("ResourceNotFoundException",
			"Secrets Manager can't find the specified secret value for VersionId: %s", versionID)
	}
	return nil, account.Refuse("ResourceNotFoundException",
		"Secrets Manager can't find the specified secret value for staging label: %s", stage)
}
