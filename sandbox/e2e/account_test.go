package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account"
	"slipway/sandbox/account/ecr"
	"slipway/sandbox/account/ecs"
)

// awsAccount is the sandbox's account, and what is in it.
type awsAccount struct {
	testing.TB
	dir string

	opening sync.Mutex
	opened  *account.Account // by open
}

// sandbox prepares a command of the sandbox's own.
func (a *awsAccount) sandbox(args ...string) *exec.Cmd {
	return exec.Command(filepath.Join(root, ".bin/sandbox"), append([]string{"--dir", a.dir}, args...)...)
}

// open is what AWS would hold.
func (a *awsAccount) open() *account.Account {
	a.Helper()
	a.opening.Lock()
	defer a.opening.Unlock()
	if a.opened == nil { // once, as some tests ask many times a second
		opened, err := account.Open(a.dir)
		require.NoError(a.TB, err)
		a.Cleanup(func() { _ = opened.Close() })
		a.opened = opened
	}
	return a.opened
}

// setFaults sets the account's faults.
func (a *awsAccount) setFaults(faults map[string]string) {
	a.Helper()
	require.NoError(a.TB, a.open().SetFaults(faults))
}

// objects are the account's things of a kind.
func (a *awsAccount) objects(kind string) []account.Object {
	a.Helper()
	found, err := a.open().Objects(kind)
	require.NoError(a.TB, err)
	return found
}

// object is the only one of a kind.
func (a *awsAccount) object(kind string) account.Object {
	a.Helper()
	found := a.objects(kind)
	require.Len(a, found, 1, kind)
	return found[0]
}

// images are what was pushed, without the tags that only keep an image from expiring.
func (a *awsAccount) images() []ecr.Image {
	a.Helper()
	return slices.DeleteFunc(a.tags(), func(i ecr.Image) bool { return strings.HasPrefix(i.Tag, "keep-") })
}

// tags are all tags of all images.
func (a *awsAccount) tags() []ecr.Image {
	a.Helper()
	tags, err := ecr.Images(a.open())
	require.NoError(a.TB, err)
	return tags
}

// builds is how many images were built for a repository.
func (a *awsAccount) builds(repository string) int {
	a.Helper()
	builds, err := ecr.Builds(a.open())
	require.NoError(a.TB, err)
	return builds[repository].Builds
}

// service is the one service of that cluster.
func (a *awsAccount) service(cluster string) ecs.ServiceView {
	a.Helper()
	services, err := ecs.ServiceViews(a.open())
	require.NoError(a.TB, err)
	of := slices.IndexFunc(services, func(s ecs.ServiceView) bool { return s.Cluster == cluster })
	require.GreaterOrEqual(a.TB, of, 0, "no service in the cluster %s: %v", cluster, services)
	return services[of]
}

// web is the service web of stage dev as ECS has it.
func (a *awsAccount) web() *ecs.Service {
	a.Helper()
	return a.named("web")
}

// named is a service of stage dev.
func (a *awsAccount) named(service string) *ecs.Service {
	a.Helper()
	found, err := ecs.FindService(a.open(), "slipway-dev", service)
	require.NoError(a.TB, err)
	return found
}

// revisions lists a family's revisions with their status, as "1 ACTIVE".
func (a *awsAccount) revisions(family string) (revisions []string) {
	a.Helper()
	all, err := ecs.TaskDefinitions(a.open())
	require.NoError(a.TB, err)
	for _, definition := range all {
		if definition.Family == family {
			revisions = append(revisions, fmt.Sprintf("%d %s", definition.Revision, definition.Status))
		}
	}
	return revisions
}

// container is the main container of a revision.
func (a *awsAccount) container(revision string) ecs.Container {
	a.Helper()
	found, err := ecs.FindTaskDefinition(a.open(), revision)
	require.NoError(a.TB, err)
	require.Len(a, found.Containers, 1)
	return found.Containers[0]
}

// rollingOut tells whether a deployment of stage dev's service is under way beside the one before it.
func (a *awsAccount) rollingOut() bool {
	found, err := ecs.FindService(a.open(), "slipway-dev", "web")
	return err == nil && len(found.Deployments) > 1
}

// runs are the tasks of stage dev that were run, of these families or of all, oldest first.
func (a *awsAccount) runs(families ...string) []*ecs.Task {
	a.Helper()
	tasks, err := ecs.Tasks(a.open(), "slipway-dev")
	require.NoError(a.TB, err)
	slices.SortFunc(tasks, func(a, b *ecs.Task) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return slices.DeleteFunc(tasks, func(task *ecs.Task) bool {
		return task.Run == nil || len(families) > 0 && !slices.Contains(families, task.Family())
	})
}

// exits are the revisions of a family that were run, oldest first, with their exit codes: "1 exited 0".
func (a *awsAccount) exits(family string) (exits []string) {
	a.Helper()
	for _, task := range a.runs(family) {
		_, revision, _ := strings.Cut(task.TaskDefinition, family+":")
		require.NotNil(a.TB, task.ExitCode, "the task has not ended: %v", task)
		exits = append(exits, fmt.Sprintf("%s exited %d", revision, *task.ExitCode))
	}
	return exits
}
