package scaffold

import (
	"regexp"
	"slices"
	"strings"

	"slipway/cmd/slipway/internal/exit"
	"slipway/cmd/slipway/internal/scaffold/draft"
)

// Stage is what people say of one.
type Stage = draft.Stage

var (
	stageName = regexp.MustCompile(`^[a-z0-9]+([_-][a-z0-9]+)*$`)
	account   = regexp.MustCompile(`^[0-9]{12}$`)
	region    = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
)

// ParseStages reads stages as they are given on the command line: NAME, NAME=ACCOUNT or NAME=ACCOUNT:REGION.
func ParseStages(texts []string) ([]Stage, error) {
	var stages []Stage
	for _, text := range texts {
		name, where, given := strings.Cut(text, "=")
		number, in, _ := strings.Cut(where, ":")
		if given && !account.MatchString(number) {
			return nil, exit.Refuse("--stage %s: %q is not the number of an AWS account, which has 12 digits: write "+
				"NAME=ACCOUNT or NAME=ACCOUNT:REGION", text, number)
		}
		switch {
		case !stageName.MatchString(name):
			return nil, exit.Refuse("--stage %s: %q cannot name a stage: use lower case letters and digits, separated by single "+
				"- or _", text, name)
		case slices.ContainsFunc(stages, func(s Stage) bool { return s.Name == name }):
			return nil, exit.Refuse("--stage %s: there is a stage %s already: give each once", text, name)
		}
		stages = append(stages, Stage{Name: name, Account: number, Region: in})
	}
	return stages, nil
}

func stageNames(stages []Stage) (names []string) {
	for _, stage := range stages {
		names = append(names, stage.Name)
	}
	return names
}
