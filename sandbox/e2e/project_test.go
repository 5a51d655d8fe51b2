package e2e

import (
	"path/filepath"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/stretchr/testify/require"
)

// root is the repository, whose .bin holds what `make build` has built.
var root = func() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return dir
}()

// project is a clone of the repository with an account of its own, and the commands that a user runs there.
type project struct {
	testing.TB
	*checkout
	*commandLine
	aws *awsAccount
}

// projectIn is the project in a directory that has its clone and its account, or is to have them.
func projectIn(t testing.TB, dir string) *project {
	return projectOf(&checkout{TB: t, dir: filepath.Join(dir, "slipway")},
		&awsAccount{TB: t, dir: filepath.Join(dir, "account")}, "off")
}

func projectOf(files *checkout, aws *awsAccount, engine string) *project {
	return &project{TB: files.TB, checkout: files, aws: aws,
		commandLine: &commandLine{TB: files.TB, checkout: files, aws: aws, engine: engine}}
}

// in is the same project in another clone.
func (p *project) in(clone string) *project {
	return projectOf(&checkout{TB: p.TB, dir: clone}, p.aws, p.engine)
}

// state is the state of a stage, as it is now.
func (p *project) state(stage string) *stackState {
	p.Helper()
	return readState(p.TB, filepath.Join(p.aws.dir, "state/.pulumi/stacks/slipway", stage+".json"))
}

// settled asserts that nothing is left to do: a refresh finds no difference, and an unchanged update changes nothing.
// What the update is told to ignore would show in what the refresh has written.
func (p *project) settled(stage string) {
	p.Helper()
	before := p.state(stage).inputsByURN()
	require.Empty(p, p.up(stage, "--refresh", "--expect-no-changes").changed())
	after := p.state(stage).inputsByURN()
	require.ElementsMatch(p, keys(before), keys(after))
	for urn := range before {
		require.Nil(p, before[urn].Diff(after[urn], resource.IsInternalPropertyKey), "the refresh has changed %s", urn)
	}
}

// encrypt puts a value into the secrets of a stage's file, as a user does. The CLI writes the file anew.
func (p *project) encrypt(stage, name, value string) {
	p.Helper()
	p.ok("pulumi", "config", "set", "--stack", stage, "--secret", "--path", "slipway:secrets."+name, "--", value)
}
