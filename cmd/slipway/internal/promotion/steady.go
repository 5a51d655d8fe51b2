package promotion

import (
	"fmt"
	"path"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"slipway/cmd/slipway/internal/exit"
	"slipway/internal/ecsread"
)

// notSteady says what keeps a service from being steady on the revision that its stage deployed last, and what to do;
// nil where nothing does.
func notSteady(stack, name string, service types.Service, targetRevision string) error {
	key := fmt.Sprintf("services.%s of %s", name, stack)
	again := fmt.Sprintf("run `pulumi up --refresh --stack %s` until it is steady, and promote again", stack)
	primary := ecsread.Primary(service)
	runs := path.Base(aws.ToString(primary.TaskDefinition))
	replicas := fmt.Sprintf("%d of %d replicas running", service.RunningCount, service.DesiredCount)
	verdict := ecsread.Judge(service, targetRevision)
	switch {
	case verdict == ecsread.Steady:
		return nil
	case verdict == ecsread.Missing:
		return exit.Refuse("%s is not in ECS any more: %s", key, again)
	case primary.Status == nil:
		return exit.Refuse("%s has no deployment in ECS: %s", key, again)
	case aws.ToString(primary.TaskDefinition) != targetRevision:
		return exit.Refuse("%s is on %s in ECS, with %s, and its last update deployed %s: %s", key, runs, replicas,
			path.Base(targetRevision), again)
	case verdict == ecsread.Failed:
		return exit.Refuse("%s is not steady: its deployment of %s failed (%s): %s", key, runs,
			aws.ToString(primary.RolloutStateReason), again)
	case primary.RolloutState != types.DeploymentRolloutStateCompleted:
		return exit.Refuse("%s is not steady: its deployment of %s is under way, with %s: wait for its end, and promote again",
			key, runs, replicas)
	}
	return exit.Refuse("%s is not steady: it is on %s with %s: wait until all run, or find out why they do not, and "+
		"promote again", key, runs, replicas)
}
