package e2e

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/ecs"
)

// onCapacity are the capacity providers that running tasks of web are on, sorted.
func (p *project) onCapacity() (providers []string) {
	for _, task := range p.aws.web().Tasks {
		if task.LastStatus == "RUNNING" && task.DesiredStatus == "RUNNING" {
			providers = append(providers, task.CapacityProvider)
		}
	}
	slices.Sort(providers)
	return providers
}

// A service goes from Fargate to Spot, to a mixture and back as one and the same: each time by a deployment.
func TestCapacityMovesAServiceAndNeverReplacesIt(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	created := p.aws.web().CreatedAt
	move := func(says string, on ...string) {
		t.Helper()
		before := p.aws.web().Deployments[0].ID
		require.Contains(t, p.ok("pulumi", "preview", "--stack", "dev").stdout, says)
		u := p.up("dev")
		u.builtNothing()
		require.NotContains(t, u.output, "replacing")
		require.Equal(t, created, p.aws.web().CreatedAt, "the service is the same")
		require.NotEqual(t, before, p.aws.web().Deployments[0].ID)
		require.Equal(t, []string{"1 ACTIVE"}, p.aws.revisions("slipway-dev-web"), "what it runs is the same")
		require.Equal(t, on, p.onCapacity())
		p.up("dev", "--expect-no-changes")
		require.Empty(t, p.up("dev", "--refresh", "--expect-no-changes").changed())
		p.settled("dev")
	}
	p.replace("Pulumi.dev.yaml", "replicas: 1", "replicas: 4")
	p.up("dev")
	p.replace("Pulumi.dev.yaml", "replicas: 4", "replicas: 4\n      capacity: {spot: 1}")
	move("services.web.capacity: the service moves from launch type FARGATE to FARGATE_SPOT weight=1, by a deployment",
		"FARGATE_SPOT", "FARGATE_SPOT", "FARGATE_SPOT", "FARGATE_SPOT")
	p.replace("Pulumi.dev.yaml", "capacity: {spot: 1}", "capacity: {spot: 2, onDemand: 1, base: 1}")
	move("from FARGATE_SPOT weight=1 to FARGATE weight=1 base=1 FARGATE_SPOT weight=2",
		"FARGATE", "FARGATE", "FARGATE_SPOT", "FARGATE_SPOT")

	// A revision and a capacity that change together are one deployment.
	p.replace("Pulumi.dev.yaml", "spot: 2, onDemand: 1, base: 1", "onDemand: 1")
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	events := len(p.aws.web().Events)
	p.up("dev")
	require.Equal(t, []string{"FARGATE", "FARGATE", "FARGATE", "FARGATE"}, p.onCapacity())
	require.Equal(t, 2, p.aws.service("slipway-dev").Revision)
	completed := 0
	for _, event := range p.aws.web().Events[:len(p.aws.web().Events)-events] {
		if slices.Contains([]string{"deployment completed."}, event.Message[max(0, len(event.Message)-21):]) {
			completed++
		}
	}
	require.Equal(t, 1, completed)

	// Somebody moves it by hand, and the next update moves it back.
	_, err := ecs.UpdateService(p.aws.open(), "slipway-dev", "web", "", true, func(s *ecs.ServiceSettings) {
		s.Capacity = []ecs.CapacityShare{{CapacityProvider: "FARGATE_SPOT", Weight: 1}}
	})
	require.NoError(t, err)
	u := p.up("dev")
	require.Contains(t, u.output, "services.web.capacity: ECS runs it on FARGATE_SPOT weight=1; moving it to FARGATE weight=1")
	require.Equal(t, []string{"FARGATE", "FARGATE", "FARGATE", "FARGATE"}, p.onCapacity())

	p.replace("Pulumi.dev.yaml", "capacity: {onDemand: 1}", "capacity: {spot: 1}")
	p.up("dev")
	p.replace("Pulumi.dev.yaml", "capacity: {spot: 1}", "")
	require.Contains(t, p.ok("pulumi", "preview", "--stack", "dev").stdout,
		"services.web.capacity: the service moves from FARGATE_SPOT weight=1 to FARGATE weight=1, by a deployment")
	u = p.up("dev")
	require.NotContains(t, u.output, "replacing")
	require.Equal(t, created, p.aws.web().CreatedAt)
	require.Equal(t, []string{"FARGATE", "FARGATE", "FARGATE", "FARGATE"}, p.onCapacity(), "and stays on the provider")
	require.Empty(t, p.up("dev", "--refresh", "--expect-no-changes").changed())
	p.stageKeys("slipway:repository: {forceDelete: true}")
	p.up("dev")
	p.ok("pulumi", "destroy", "--stack", "dev", "--yes")
	require.Empty(t, p.state("dev").inputsByURN())
}

// What a service is moved with is what ECS takes beside its revision, which has the port that it is called at.
func TestACapacityChangesTogetherWithAPortAndAName(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("name: web")
	p.up("dev")
	created := p.aws.web().CreatedAt
	p.replace("Pulumi.dev.yaml", "name: web", "name: shop\n      port: 8081\n      capacity: {spot: 1}")
	p.up("dev")
	require.Equal(t, []string{"FARGATE_SPOT"}, p.onCapacity())
	require.Equal(t, created, p.aws.web().CreatedAt)
	require.Equal(t, "shop", p.aws.web().Settings.Connection.Services[0].PortName)
	require.Empty(t, p.up("dev", "--refresh", "--expect-no-changes").changed())
	p.settled("dev")
}

// ECS takes a move back whose tasks fail, and the stage file no longer says that it was one.
func TestACapacityThatIsRemovedAndStaysIsNoSuccess(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("capacity: {spot: 1}")
	p.up("dev")
	p.replace("Pulumi.dev.yaml", "capacity: {spot: 1}", "")
	p.aws.setFaults(map[string]string{"failing-tasks": "*"})
	u := p.tryUp("dev")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "services.web.capacity: ECS runs the service on FARGATE_SPOT weight=1, and it is to "+
		"run on FARGATE weight=1: a deployment failed")
	require.NotZero(t, p.tryUp("dev").status, "the next update does not take it as it is either")
	p.aws.setFaults(map[string]string{"failing-tasks": ""})
	p.up("dev")
	require.Equal(t, []string{"FARGATE"}, p.onCapacity())
	p.up("dev", "--expect-no-changes")
	require.Empty(t, p.up("dev", "--refresh", "--expect-no-changes").changed())
}

func TestACapacityOfAnotherTargetIsLeftAlone(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.replace("Pulumi.dev.yaml", "  slipway:services:\n", "  slipway:services:\n"+
		"    api: {image: web, capacity: {spot: 1}}\n")
	p.up("dev")
	p.replace("Pulumi.dev.yaml", "capacity: {spot: 1}", "capacity: {onDemand: 1}")
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	before := p.aws.named("api").Deployments[0].ID
	p.ok(upArgs("dev", "--target", "**web**")...)
	require.Equal(t, "hello again", p.aws.container("slipway-dev-web:2").Environment()["GREETING"])
	require.Equal(t, before, p.aws.named("api").Deployments[0].ID)
	p.up("dev")
	require.NotEqual(t, before, p.aws.named("api").Deployments[0].ID)
}

// A deployment that only moves the service fails as one of a revision does: with the reason.
func TestAMoveThatFailsSaysWhy(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.serviceKeys("capacity: {spot: 1}")
	p.aws.setFaults(failing("1"))
	u := p.tryUp("dev")
	require.NotZero(t, u.status)
	require.Contains(t, u.output, "services.web.capacity: ECS runs the service on launch type FARGATE, and it is to run "+
		"on FARGATE_SPOT weight=1: a deployment failed")
	require.Contains(t, u.output, "ECS says: ")
	require.Contains(t, u.output, "exit code")
	p.aws.setFaults(nil)
	require.Contains(t, p.up("dev").output, "moving it to FARGATE_SPOT weight=1")
	require.Equal(t, []string{"FARGATE_SPOT"}, p.onCapacity())
}

func TestANameThatAnotherServiceHasIsRefused(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	p.replace("Pulumi.dev.yaml", "  slipway:services:\n", "  slipway:services:\n"+
		"    api: {image: web, port: 8080, name: backend}\n")
	p.up("dev")
	p.replace("Pulumi.dev.yaml", ", name: backend}", "}")
	p.serviceKeys("name: backend")
	p.refused([]string{"services.web.name (Pulumi.dev.yaml): is backend, which services.api is called in ECS; take it " +
		"away from that in an update of its own"}, upArgs("dev")...)
	p.replace("Pulumi.dev.yaml", "      name: backend\n", "")
	p.up("dev")
	p.serviceKeys("name: backend")
	p.up("dev")
}
