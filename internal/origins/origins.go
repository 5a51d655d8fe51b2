// Package origins says which variables of a container have values that the stage file does not have, in the docker
// labels of revisions.
package origins

import (
	"maps"
	"strings"
)

// Origins are the variables of a container whose values the stage file does not have, secret ones among them, with
// where they come from: "output databaseHost of network/dev". What the values were is in the revision; its docker
// labels say that they came from elsewhere.
type Origins map[string]string

// originLabel begins the name of such a label; the name of the variable ends it.
const originLabel = "slipway.from."

// handOver begins the origin of what the program hands over.
const handOver = "hand-over "

// HandOver is the origin of the variables of a hand-over.
func HandOver(name string) string { return handOver + name }

// IsHandOver tells the origin of a hand-over's variable from that of another stack's output.
func IsHandOver(origin string) bool { return strings.HasPrefix(origin, handOver) }

// LabelsWith are a container's docker labels with those of its origins. Without origins they are as they were.
func (o Origins) LabelsWith(labels map[string]string) map[string]string {
	if len(o) == 0 {
		return labels
	}
	all := map[string]string{}
	maps.Copy(all, labels)
	for variable, origin := range o {
		all[originLabel+variable] = origin
	}
	return all
}

// In are those that the docker labels of a container name, and the labels that are none.
func In(labels map[string]string) (found Origins, others map[string]string) {
	found, others = Origins{}, map[string]string{}
	for name, text := range labels {
		if variable, is := strings.CutPrefix(name, originLabel); is {
			found[variable] = text
		} else {
			others[name] = text
		}
	}
	return found, others
}
