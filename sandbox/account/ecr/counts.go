package ecr

import "slipway/sandbox/account"

const (
	buildCounter = "builds of "
	pushCounter  = "pushes to "
)

// BuildCounts counts what was done for a repository since the account began, whether or not its images still exist.
type BuildCounts struct {
	Builds int `json:"builds"`
	Pushes int `json:"pushes"`
}

// CountBuild records that an image was built for this repository.
func CountBuild(a *account.Account, repository string) error {
	return a.Transact(func(t *account.Tx) error {
		t.Next(buildCounter + repository)
		return nil
	})
}

// Builds returns the builds and pushes per repository.
func Builds(a *account.Account) (map[string]BuildCounts, error) {
	work := map[string]BuildCounts{}
	err := a.Transact(func(t *account.Tx) error {
		pushes := t.Counts(pushCounter)
		for repository, n := range pushes {
			work[repository] = BuildCounts{Pushes: n}
		}
		for repository, n := range t.Counts(buildCounter) {
			work[repository] = BuildCounts{Builds: n, Pushes: pushes[repository]}
		}
		return nil
	})
	return work, err
}
