package ecs

import (
	"fmt"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/secrets"
)

// SecretReferences are where the secret variables of containers, and their passwords of registries, are kept.
func SecretReferences(containers []Container) (references []string) {
	for _, c := range containers {
		if from := c.pullSecret(); from != "" {
			references = append(references, from)
		}
		for _, secret := range c.secretReferences() {
			references = append(references, fmt.Sprint(secret["valueFrom"]))
		}
	}
	return references
}

// secretARN is where a secret is kept: a parameter of the same region may stand there by its name.
func (m moment) secretARN(d *TaskDefinition, from string) string {
	if strings.HasPrefix(from, "arn:") {
		return from
	}
	return account.ARN(m.ID, "ssm", account.Region(d.ARN), "parameter/"+strings.TrimPrefix(from, "/"))
}

// noAuth begins what Fargate says of a task that it gets no password or no secret for.
const noAuth = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval " +
	"failed: "

// secretFailure says why a container does not get its secret variables, or nil.
func (m moment) secretFailure(d *TaskDefinition, c Container, role string,
	denied func(action, resource string) string) *taskFailure {
	for _, secret := range c.secretReferences() {
		from := m.secretARN(d, fmt.Sprint(secret["valueFrom"]))
		resource, action, what := from, "ssm:GetParameters", "secrets from ssm"
		if strings.Contains(from, ":secretsmanager:") {
			action, what = "secretsmanager:GetSecretValue", "secret from asm"
			resource, _, _, _ = secrets.ParseSecretReference(from)
		}
		if !m.allowed(role, action, resource) {
			return notStarted(noAuth+"unable to retrieve secret: service call has been retried 1 time(s): %s",
				denied(action, resource))
		}
		if _, err := secrets.ReadSecret(m.Tx, from); err != nil {
			return notStarted(noAuth+"unable to retrieve %s: service call has been retried 1 time(s): %s", what, err)
		}
	}
	return nil
}
