package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

// deployedRevisions are the revisions of web that the updates of stage dev put in place, oldest first.
func deployedRevisions(p *project) (revisions []int) {
	p.Helper()
	var history []historyEntry
	require.NoError(p.TB, json.Unmarshal([]byte(p.ok("slipway", "history", "dev", "--json").stdout), &history))
	for i := range history {
		revisions = append(revisions, history[len(history)-1-i].Services["web"].Revision)
	}
	return revisions
}

// registerByHand registers a copy of the newest revision of web with another greeting, tags and all, as a CI job may.
func registerByHand(p *project, greeting string) {
	p.Helper()
	definition, err := ecs.FindTaskDefinition(p.aws.open(), "slipway-dev-web")
	require.NoError(p.TB, err)
	text, err := json.Marshal(definition)
	require.NoError(p.TB, err)
	p.write("../byhand.json", string(text))
	p.replace("../byhand.json", "hello", greeting)
	require.NoError(p.TB, json.Unmarshal([]byte(p.read("../byhand.json")), definition))
	_, err = ecs.RegisterTaskDefinition(p.aws.open(), "ap-northeast-2", *definition)
	require.NoError(p.TB, err)
}

func TestARevisionOfAnUpdateIsTheOneThatItPutInPlace(t *testing.T) {
	t.Parallel()
	for _, clock := range []string{"2m", "-2m"} {
		t.Run("AWS's clock "+clock, func(t *testing.T) {
			t.Parallel()
			p := newProject(t)
			p.aws.setFaults(map[string]string{"clock": clock})
			p.up("dev")
			registerByHand(p, "byhand")
			p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
			p.commit("Greet again")
			p.up("dev")
			registerByHand(p, "byhand")
			require.Equal(t, []int{1, 3}, deployedRevisions(p))
			r := p.ok("slipway", "rollback", "dev", "--pin")
			require.Contains(t, r.output, "services.web.revision: + 1")
			require.NotContains(t, r.output, "has all of that already")
			p.up("dev")
			require.Equal(t, 1, p.aws.service("slipway-dev").Revision)

			// Without what the backend keeps of the states, times and what was asked for tell.
			states, err := filepath.Glob(filepath.Join(p.aws.dir, "*", ".pulumi/history/slipway/dev/*.checkpoint.json"))
			require.NoError(t, err)
			require.Len(t, states, 3)
			for _, state := range states {
				require.NoError(t, os.Remove(state))
			}
			require.Equal(t, []int{1, 3, 1}, deployedRevisions(p))
			require.Contains(t, p.ok("slipway", "rollback", "dev", "--pin", "--to", "2").output, "services.web.revision: 1 → 3")
		})
	}
}

func TestAnUpdateThatHasNotEndedIsSaid(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.aws.setFaults(map[string]string{"slow-rollout": forever})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.commit("Greet again")
	update := p.start(upArgs("dev", "--skip-preview")...)
	update.until(p.aws.rollingOut)
	said := "the last update of dev has not ended: "
	commands := [][]string{{"slipway", "rollback", "dev"}, {"slipway", "promote", "dev", "release"},
		{"slipway", "status", "dev", "--exit-code"}}
	for _, command := range commands {
		require.Equal(t, 1, p.refused([]string{said, "wait for it"}, command...).status)
	}
	require.NoError(t, update.kill())
	for _, command := range commands {
		require.Equal(t, 1, p.refused([]string{said, "`pulumi cancel --stack dev`, then `slipway recover dev`"},
			command...).status)
	}
	require.Contains(t, p.ok("slipway", "history", "dev").output, said)
	p.aws.setFaults(nil)
	p.ok("pulumi", "cancel", "--stack", "dev", "--yes")
	p.up("dev")
	require.Contains(t, p.ok("slipway", "status", "dev", "--exit-code").output, "what was asked for is what runs")
}

func TestStatusOfStagesInOddStates(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	r := p.refused([]string{"release: never deployed", "slipway promote dev release",
		"there is no stack release yet: correct that, run `pulumi stack init release`", "dev has never been deployed"},
		"slipway", "status", "--exit-code")
	require.Equal(t, 1, r.status)

	p.aws.setFaults(map[string]string{"slow-rollout": forever})
	first := p.start(upArgs("dev", "--skip-preview")...)
	first.until(func() bool {
		services, err := ecs.AllServices(p.aws.open(), "slipway-dev")
		return err == nil && len(services) == 1
	})
	require.NoError(t, first.kill())
	p.aws.setFaults(nil)
	p.ok("pulumi", "cancel", "--stack", "dev", "--yes")
	r = p.refused([]string{"slipway-dev-web:1"}, "slipway", "status", "dev", "--exit-code")
	// The kill was at about the time at which the state got the service.
	require.Regexp(t, "no update of dev has ended, and AWS has services.web: its first update was killed|"+
		"the history of dev has no update, though its state has services", r.output)
	p.up("dev")

	p.replace("Pulumi.dev.yaml", "      environment:\n        GREETING: \"hello from dev\"\n", "")
	require.Contains(t, p.ok("slipway", "status", "dev").output,
		"removed since the last update, which still had: services.web.environment.GREETING")
	p.git("checkout", "-q", "Pulumi.dev.yaml")
	_, err := ecs.DeregisterTaskDefinition(p.aws.open(), "slipway-dev-web:1")
	require.NoError(t, err)
	p.refused([]string{"slipway-dev-web:1 (INACTIVE)", "services.web: its revision 1 is INACTIVE"}, "slipway", "status",
		"dev", "--exit-code")

	require.NoError(t, os.Rename(filepath.Join(p.dir, "Pulumi.dev.yaml"), filepath.Join(p.dir, "away")))
	p.refused([]string{"there is no Pulumi.dev.yaml, though there is a stack", "slipway-dev-web:1"}, "slipway", "status",
		"dev", "--exit-code")
}
