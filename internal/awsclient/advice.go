package awsclient

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	// refusedCall is how AWS says that somebody lacks a permission.
	refusedCall = regexp.MustCompile(`User: (\S+) is not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)`)
	// ofTasks are the roles of a stage's own tasks and schedules, which the stage file permits what they may do.
	ofTasks = regexp.MustCompile(`:assumed-role/[^/]+-(execution|task|schedule)/`)
)

// RoleAdvice says, of an error with a refusal of AWS's in it, which permission whoever deploys a stage lacks, and where
// all are that it needs. It is empty for other errors. It goes by the text, as an error of the provider's has nothing
// else.
func RoleAdvice(err error, stage string) string {
	for _, refused := range refusedCall.FindAllStringSubmatch(err.Error(), -1) {
		if !ofTasks.MatchString(refused[1]) && !strings.HasPrefix(refused[2], "sts:") {
			return fmt.Sprintf("The credentials lack %s: `slipway iam %s` prints all that the role needs that deploys the "+
				"stage.", refused[2], stage)
		}
	}
	return ""
}
