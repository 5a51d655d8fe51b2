package scaffold

import (
	"regexp"
	"strings"

	"slipway/cmd/slipway/internal/exit"
)

// Stage is what people say of one.
type Stage struct{ Name, Account, Region string }

var (
	account = regexp.MustCompile(`^[0-9]{12}$`)
	region  = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
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
		stages = append(stages, Stage{name, number, in})
	}
	return stages, nil
}

// Names are the names of stages as they are given on the command line.
func Names(texts []string) (names []string) {
	for _, text := range texts {
		name, _, _ := strings.Cut(text, "=")
		names = append(names, name)
	}
	return names
}

func stageNames(stages []Stage) (names []string) {
	for _, stage := range stages {
		names = append(names, stage.Name)
	}
	return names
}
