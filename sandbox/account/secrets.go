package account

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/internal/awslimits"
)

// Secret is the kind of Secrets Manager's secrets, each by its ARN. One that was deleted stays, as AWS still knows its
// name during the recovery window, and afterwards tells a task that it is not there.
const Secret = "secret"

func init() {
	Register(Secret, Rules{Check: func(_ *Tx, id string, o Object) error {
		return MustMatch("name", cmp.Or(o.Text("name"), id), awslimits.SecretName.MatchString, "ValidationException")
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

func (t *Tx) purged(o Object) bool {
	at, err := time.Parse(time.RFC3339Nano, o.Text(purgeDate))
	return err == nil && !at.After(t.Now)
}

// CreateSecret records a secret without a value, and gives it an ARN of six random characters behind its name.
func (a *Account) CreateSecret(region string, o Object) (arn string, err error) {
	name := o.Text("name")
	prefix := ARN("secretsmanager", region, "secret:"+name+"-")
	err = a.Transact(func(t *Tx) error {
		if err := t.Check(Secret, name, o); err != nil {
			return err
		}
		for _, old := range List[Object](t, Secret) {
			switch {
			case old.Text("name") != name || !strings.HasPrefix(old.Text("arn"), prefix) || t.purged(*old):
			case old.Text(deletedDate) != "":
				return Refuse("InvalidRequestException",
					"You can't create this secret because a secret with this name is already scheduled for deletion.")
			default:
				return Refuse("ResourceExistsException", "The operation failed because the secret %s already exists.", name)
			}
		}
		arn = prefix + t.NewID("secret", 6)
		o["arn"] = arn
		Put(t, Secret, arn, o)
		return nil
	})
	return arn, err
}

// DeleteSecret schedules a secret for deletion, or deletes it at once where it has no recovery window.
func (a *Account) DeleteSecret(arn string, recoveryDays int) error {
	return a.Transact(func(t *Tx) error {
		o := Get[Object](t, Secret, arn)
		if o == nil || (*o).Text(deletedDate) != "" {
			return nil
		}
		(*o)[deletedDate] = t.Now.UTC().Format(time.RFC3339Nano)
		(*o)[purgeDate] = t.Now.UTC().AddDate(0, 0, recoveryDays).Format(time.RFC3339Nano)
		Put(t, Secret, arn, *o)
		if recoveryDays == 0 {
			for _, v := range t.secretVersions(arn) {
				Remove(t, secretVersionKind, v.id())
			}
		}
		return nil
	})
}

// FindSecret returns a secret by ARN, or nil where it is gone or about to be.
func (a *Account) FindSecret(arn string) (found Object, err error) {
	o, err := a.Object(Secret, arn)
	if err != nil || o == nil || o.Text(deletedDate) != "" {
		return nil, err
	}
	return o, nil
}

// SecretVersions returns every version of a secret that AWS still has, those without a label, too.
func (a *Account) SecretVersions(reference string) (versions []*SecretVersion, err error) {
	err = a.Transact(func(t *Tx) error {
		found, err := t.anySecret(reference)
		if err != nil {
			return err
		}
		versions = t.secretVersions(found.Text("arn"))
		return nil
	})
	return versions, err
}

// DescribeSecret returns a secret by ARN or name, also while it is scheduled for deletion, and the labels of each of
// its versions.
func (a *Account) DescribeSecret(reference string) (found Object, stages map[string][]string, err error) {
	stages = map[string][]string{}
	err = a.Transact(func(t *Tx) error {
		if found, err = t.anySecret(reference); err != nil {
			return err
		}
		for _, v := range t.secretVersions(found.Text("arn")) {
			if len(v.Stages) > 0 { // AWS does not list those without
				stages[v.VersionID] = v.Stages
			}
		}
		return nil
	})
	return found, stages, err
}

// findSecret finds a secret by ARN or by name, as long as it can be used.
func (t *Tx) findSecret(reference string) (Object, error) {
	found, err := t.anySecret(reference)
	if err == nil && found.Text(deletedDate) != "" {
		return nil, Refuse("InvalidRequestException",
			"You can't perform this operation on the secret because it was marked for deletion.")
	}
	return found, err
}

func (t *Tx) anySecret(reference string) (Object, error) {
	var found Object
	for _, o := range List[Object](t, Secret) {
		if !t.purged(*o) && (o.Text("arn") == reference || o.Text("name") == reference) {
			found = *o
		}
	}
	if found == nil {
		return nil, Refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
	}
	return found, nil
}

// secretVersions are those of a secret, oldest first.
func (t *Tx) secretVersions(arn string) []*SecretVersion {
	versions := slices.DeleteFunc(List[SecretVersion](t, secretVersionKind),
		func(v *SecretVersion) bool { return v.ARN != arn })
	slices.SortFunc(versions, func(x, y *SecretVersion) int { return x.Number - y.Number })
	return versions
}

// PutSecretValue adds a version to a secret, which becomes its current one.
func (a *Account) PutSecretValue(secret, value, binary string) (v *SecretVersion, err error) {
	switch {
	case value == "" && binary == "":
		return nil, Refuse("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
	case value != "" && binary != "":
		return nil, Refuse("InvalidRequestException",
			"You can't specify both a binary secret value and a string secret value in the same secret.")
	case len(value) > awslimits.SecretSize || len(binary) > awslimits.SecretSize*4/3:
		return nil, Refuse("ValidationException", "1 validation error detected: Value at 'secretString' failed to satisfy "+
			"constraint: Member must have length less than or equal to %d", awslimits.SecretSize)
	}
	err = a.Transact(func(t *Tx) error {
		o, err := t.findSecret(secret)
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
		t.relabel(v)
		Put(t, secretVersionKind, v.id(), v)
		return nil
	})
	return v, err
}

// relabel moves the labels on to a new version, and forgets those without one that AWS forgets too.
func (t *Tx) relabel(next *SecretVersion) {
	unlabelled := 0
	for _, v := range slices.Backward(t.secretVersions(next.ARN)) {
		v.unlabel(stagePrevious)
		if slices.Contains(v.Stages, stageCurrent) {
			v.unlabel(stageCurrent)
			v.Stages = append(v.Stages, stagePrevious)
		}
		if len(v.Stages) == 0 {
			unlabelled++
		}
		if unlabelled > keptVersions && t.Now.Sub(v.CreatedAt) > 24*time.Hour && len(v.Stages) == 0 {
			Remove(t, secretVersionKind, v.id())
			continue
		}
		Put(t, secretVersionKind, v.id(), v)
	}
}

// RemoveSecretStages takes labels from a version.
func (a *Account) RemoveSecretStages(secret, versionID string, stages []string) error {
	return a.Transact(func(t *Tx) error {
		v, err := t.findSecretVersion(secret, versionID, "")
		if err != nil {
			return err
		}
		for _, stage := range stages {
			v.unlabel(stage)
		}
		Put(t, secretVersionKind, v.id(), v)
		return nil
	})
}

// FindSecretVersion finds one version of a secret.
func (a *Account) FindSecretVersion(secret, versionID string) (v *SecretVersion, err error) {
	err = a.Transact(func(t *Tx) error {
		v, err = t.findSecretVersion(secret, versionID, "")
		return err
	})
	return v, err
}

// findSecretVersion finds a version by id, by label or by both; the current one where neither is given.
func (t *Tx) findSecretVersion(secret, versionID, stage string) (*SecretVersion, error) {
	o, err := t.findSecret(secret)
	if err != nil {
		return nil, err
	}
	if versionID == "" && stage == "" {
		stage = stageCurrent
	}
	for _, v := range t.secretVersions(o.Text("arn")) {
		labelled := stage == "" || slices.Contains(v.Stages, stage)
		switch {
		case versionID == "" && labelled, v.VersionID == versionID && labelled:
			return v, nil
		case v.VersionID == versionID:
			return nil, Refuse("InvalidRequestException",
				"You provided a VersionStage that is not associated to the provided VersionId.")
		}
	}
	if versionID != "" {
		return nil, Refuse("ResourceNotFoundException",
			"Secrets Manager can't find the specified secret value for VersionId: %s", versionID)
	}
	return nil, Refuse("ResourceNotFoundException",
		"Secrets Manager can't find the specified secret value for staging label: %s", stage)
}
