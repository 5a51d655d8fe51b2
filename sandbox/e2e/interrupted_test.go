package e2e

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

// killAndRepeat starts an update, kills all of it once the condition holds, and repeats the update as a user would:
// after `pulumi cancel`. The faults that held the update up are over by then.
func killAndRepeat(p *project, when func() bool) {
	p.Helper()
	update := p.start(upArgs("dev", "--skip-preview")...)
	update.until(when)
	require.NoError(p.TB, update.kill())
	p.aws.setFaults(nil)
	p.run("pulumi", "cancel", "--stack", "dev", "--yes")
	p.up("dev")
	p.up("dev", "--expect-no-changes")
}

func TestAKillBeforeThePushConverges(t *testing.T) {
	t.Parallel()
	deployedTemplate.withEachBuilder(t, func(t *testing.T, p *project) {
		p.aws.setFaults(map[string]string{"slow-push": forever})
		p.editApp("two")
		killAndRepeat(p, func() bool { return p.aws.builds("slipway-dev/web") == 2 })
		require.Len(t, p.aws.images(), 2, "the first push never happened")
		require.True(t, strings.HasSuffix(p.aws.service("slipway-dev").Image, p.aws.images()[1].Tag))
	})
}

func TestAKillAfterThePushConverges(t *testing.T) {
	t.Parallel()
	deployedTemplate.withEachBuilder(t, func(t *testing.T, p *project) {
		p.aws.setFaults(map[string]string{"die-after-push": "1"})
		p.editApp("two")
		killAndRepeat(p, func() bool { return len(p.aws.images()) == 2 })
		images := p.aws.images()
		require.Len(t, images, 3, "the image that no state knows stays, and the next attempt has a tag of its own")
		require.True(t, strings.HasSuffix(p.aws.service("slipway-dev").Image, images[2].Tag))
	})
}

func TestAKillDuringARolloutConverges(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.aws.setFaults(map[string]string{"slow-rollout": forever})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	killAndRepeat(p, p.aws.rollingOut)
	require.Equal(t, "hello again", p.aws.service("slipway-dev").Environment["GREETING"])
}

func TestAKillDuringAFirstRolloutConverges(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.aws.setFaults(map[string]string{"slow-rollout": forever})
	killAndRepeat(p, func() bool {
		services, err := ecs.AllServices(p.aws.open(), "slipway-dev")
		return err == nil && len(services) == 1
	})
	require.Equal(t, 1, p.aws.service("slipway-dev").Running)
}

func TestTwoUpdatesOfOneStageDoNotMix(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.aws.setFaults(map[string]string{"slow-rollout": forever})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	first := p.start(upArgs("dev", "--skip-preview")...)
	first.until(p.aws.rollingOut)
	p.refused([]string{"the stack is currently locked"}, upArgs("dev", "--skip-preview")...)
	p.aws.setFaults(nil)
	first.succeeds()
	p.up("dev", "--expect-no-changes")
	require.Equal(t, "hello again", p.aws.service("slipway-dev").Environment["GREETING"])
}

func TestTwoStagesUpdateAtOnceWhilePsAnswers(t *testing.T) {
	t.Parallel()
	p := promoted(t)
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.replace("Pulumi.release.yaml", "hello from release", "hello again")
	var both sync.WaitGroup
	results := make([]*result, 2)
	for i, stage := range []string{"dev", "release"} {
		both.Go(func() { results[i] = p.run(upArgs(stage)...) })
	}
	done := make(chan struct{})
	go func() { both.Wait(); close(done) }()
	asked := 0
	for tick := time.NewTicker(100 * time.Millisecond); ; asked++ {
		output, err := p.aws.sandbox("ps", "--json").CombinedOutput()
		require.NoError(t, err, string(output))
		select {
		case <-tick.C:
			continue
		case <-done:
		}
		break
	}
	require.Greater(t, asked, 3)
	for i, cluster := range []string{"slipway-dev", "slipway-release"} {
		require.Zero(t, results[i].status, results[i].output)
		require.Equal(t, "hello again", p.aws.service(cluster).Environment["GREETING"])
	}
}
