package ecs

import (
	"slipway/sandbox/account"
	"slipway/sandbox/account/sts"
)

// TaskCredentials are those of a task's role, for its containers.
func (a Agent) TaskCredentials(taskARN, roleARN string) (sts.Credentials, error) {
	return sts.TaskSession(a.of(taskARN), account.AfterSlash(roleARN), account.AfterSlash(taskARN))
}
