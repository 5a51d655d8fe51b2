package awsclient

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	// refusedCall is how AWS says that somebody lacks a permission.
	refusedCall = regexp.MustCompile(`User: (\S+?::(\d*):\S+) is not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)` +
		`(?: on resource: arn:[^:]+:[^:]+:[^:]*:(\d+):\S*( because no identity-based policy)?)?`)
	// ofTasks are the roles of a stage's own tasks and schedules, which the stage file permits what they may do.
	ofTasks = regexp.MustCompile(`:assumed-role/[^/]+-(execution|task|schedule)/`)
)

// RoleAdvice says, of an error with a refusal of AWS's in it, which permission whoever deploys a stage lacks, and where
// all are that it needs. It is empty for other errors. It goes by the text, as an error of the provider's has nothing
// else. What is in another account, that one's owner permits, unless AWS says that the caller's own policies do not.
func RoleAdvice(err error, stage string) string {
	for _, refused := range refusedCall.FindAllStringSubmatch(err.Error(), -1) {
		user, account, action, owner := refused[1], refused[2], refused[3], refused[4]
		elsewhere := owner != "" && owner != account && refused[5] == ""
		if !ofTasks.MatchString(user) && !strings.HasPrefix(action, "sts:") && !elsewhere {
			return fmt.Sprintf("The credentials lack %s: `slipway iam %s` prints all that the role needs that deploys the "+
				"stage.", action, stage)
		}
	}
	return ""
}
