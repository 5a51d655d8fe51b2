package status

import (
	"fmt"
	"strings"
	"time"

	"slipway/cmd/slipway/internal/console"
	"slipway/cmd/slipway/internal/pulumicli"
)

type lastUpdate struct {
	Kind    string    `json:"kind"`
	Result  string    `json:"result"`
	Start   time.Time `json:"start"`
	Commit  string    `json:"commit,omitempty"`
	Author  string    `json:"author,omitempty"`
	Message string    `json:"message,omitempty"`
	Dirty   bool      `json:"dirty,omitempty"` // it was made with uncommitted changes
}

// updated says how the last update ended. locked says that one goes on, which was said before.
func (s *Stage) updated(last *pulumicli.Update, locked bool) {
	up := fmt.Sprintf("`pulumi up --stack %s`", s.Stage)
	switch {
	case s.lost:
		s.differ("the state of %s is empty, and AWS has its ECS cluster: the state was lost; put a backup back, or run "+
			"`slipway recover %[1]s` (%s)", s.Stage, lostChapter)
	case last == nil && s.kept && !locked:
		s.differ("the history of %s has no update, though its state has services, as after `slipway recover`, or where a "+
			"backup was put back: run %s", s.Stage, up)
	case last == nil && len(s.found()) > 0 && !locked:
		s.differ("no update of %s has ended, and AWS has %s: its first update was killed; run %s", s.Stage,
			strings.Join(s.found(), ", "), up)
	case last == nil && !locked:
		s.differ("%s has never been deployed: run %s", s.Stage, up)
	case wasDestroyed(last) && len(s.found()) > 0:
		s.differ("%s was destroyed, and AWS has %s: an update since was killed, or somebody made that by hand; run %s, or "+
			"destroy it again", s.Stage, strings.Join(s.found(), ", "), up)
	case wasDestroyed(last):
		s.differ("%s was destroyed: run %s to recreate it", s.Stage, up)
	case last != nil && last.Result == "in-progress":
		s.differ("the last %s has not ended: `slipway history %s` shows what it changes", last.Kind, s.Stage)
	case last != nil && last.Result != "succeeded" && last.Kind == "destroy":
		s.differ("the last destroy %s, and its own output said why: run `pulumi destroy --stack %s` again, or %s to "+
			"recreate what is gone", last.Result, s.Stage, up)
	case last != nil && last.Result != "succeeded":
		s.differ("the last %s %s: its own output said why, and `slipway history %s` shows what it was to change", last.Kind,
			last.Result, s.Stage)
	}
}

// destroying tells a stage of which a destroy has begun and not succeeded: what is gone, nobody deleted by hand.
func (s *Stage) destroying() bool {
	return s.LastUpdate != nil && s.LastUpdate.Kind == "destroy" && s.LastUpdate.Result != "succeeded"
}

func wasDestroyed(last *pulumicli.Update) bool {
	return last != nil && last.Kind == "destroy" && last.Result == "succeeded"
}

// cutOff says that an update has begun operations and not ended them. A lock, which an update holds, is said before.
func cutOff(stack string, pending []pulumicli.PendingOperation) string {
	var begun []string
	for _, operation := range pending[:min(mostPending, len(pending))] {
		begun = append(begun, fmt.Sprintf("%s %s %s", operation.Kind, operation.Resource.Type, operation.Resource.Name()))
	}
	if more := len(pending) - len(begun); more > 0 {
		begun = append(begun, fmt.Sprintf("and %d more", more))
	}
	return fmt.Sprintf("an update has begun %s and not ended (%s): where no update of %s is running now, `slipway "+
		"recover %s` brings the state in line "+
		"with AWS", console.Counted(len(pending), "operation"), strings.Join(begun, ", "), stack, stack)
}

// mostPending is how many pending operations are named.
const mostPending = 3
