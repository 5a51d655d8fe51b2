package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

// killed starts an update, kills all of it once the condition holds, and repeats the update as a user would: after
// `pulumi cancel`. The faults that held the update up are over by then.
func (p *project) killed(when func() bool) {
	p.Helper()
	update := p.start(upArgs("dev", "--skip-preview")...)
	update.until(when)
	require.NoError(p.TB, update.kill())
	p.faults(nil)
	p.run("pulumi", "cancel", "--stack", "dev", "--yes")
	p.up("dev")
	p.up("dev", "--expect-no-changes")
}

// rollingOut tells whether a deployment of stage dev's service is under way beside the one before it.
func (p *project) rollingOut() bool {
	s, err := ecs.FindService(p.open(), "slipway-dev", "web")
	return err == nil && len(s.Deployments) > 1
}

func TestAKillBeforeThePushConverges(t *testing.T) {
	t.Parallel()
	deployedTemplate.withEachBuilder(t, func(t *testing.T, p *project) {
		p.faults(map[string]string{"slow-push": forever})
		p.editApp("two")
		p.killed(func() bool { return p.builds("slipway-dev/web") == 2 })
		require.Len(t, p.images(), 2, "the first push never happened")
		require.True(t, strings.HasSuffix(p.service("slipway-dev").Image, p.images()[1].Tag))
	})
}

func TestAKillAfterThePushConverges(t *testing.T) {
	t.Parallel()
	deployedTemplate.withEachBuilder(t, func(t *testing.T, p *project) {
		p.faults(map[string]string{"die-after-push": "1"})
		p.editApp("two")
		p.killed(func() bool { return len(p.images()) == 2 })
		images := p.images()
		require.Len(t, images, 3, "the image that no state knows stays, and the next attempt has a tag of its own")
		require.True(t, strings.HasSuffix(p.service("slipway-dev").Image, images[2].Tag))
	})
}

func TestAKillDuringARolloutConverges(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.faults(map[string]string{"slow-rollout": forever})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.killed(p.rollingOut)
	require.Equal(t, "hello again", p.service("slipway-dev").Environment["GREETING"])
}

func TestAKillDuringAFirstRolloutConverges(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.faults(map[string]string{"slow-rollout": forever})
	p.killed(func() bool {
		services, err := ecs.AllServices(p.open(), "slipway-dev")
		return err == nil && len(services) == 1
	})
	require.Equal(t, 1, p.service("slipway-dev").Running)
}

func TestTwoUpdatesOfOneStageDoNotMix(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.faults(map[string]string{"slow-rollout": forever})
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	first := p.start(upArgs("dev", "--skip-preview")...)
	first.until(p.rollingOut)
	p.refused([]string{"the stack is currently locked"}, upArgs("dev", "--skip-preview")...)
	p.faults(nil)
	first.succeeds()
	p.up("dev", "--expect-no-changes")
	require.Equal(t, "hello again", p.service("slipway-dev").Environment["GREETING"])
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
		output, err := exec.Command(filepath.Join(root, ".bin/sandbox"), "--dir", p.account, "ps", "--json").CombinedOutput()
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
		require.Equal(t, "hello again", p.service(cluster).Environment["GREETING"])
	}
}
