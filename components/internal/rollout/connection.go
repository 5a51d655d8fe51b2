package rollout

import (
	"fmt"
	"slices"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"slipway/internal/ecsread"
)

// Connection is how a service takes part in Service Connect, as far as the watch compares it.
type Connection struct {
	// Enabled tells whether it does.
	Enabled bool
	// Names are those by which others call it, sorted.
	Names []string
}

// ConnectionOf is what ECS has of a service.
func ConnectionOf(service types.Service) (has Connection) {
	settings := ecsread.Primary(service).ServiceConnectConfiguration
	if settings == nil || !settings.Enabled {
		return Connection{}
	}
	has.Enabled = true
	for _, own := range settings.Services {
		has.Names = append(has.Names, awssdk.ToString(own.DiscoveryName))
	}
	slices.Sort(has.Names)
	return has
}

// String says it as a message does.
func (c Connection) String() string {
	switch {
	case !c.Enabled:
		return "without Service Connect"
	case len(c.Names) == 0:
		return "as one that calls others, and has no name"
	}
	return "as " + strings.Join(c.Names, ", ")
}

// differs says how ECS has a steady service otherwise, and what to do. ECS keeps what it is not told of, and rolls back
// a deployment that changes nothing else to the same revision.
func (c Connection) differs(service types.Service) (what, advice string) {
	has := ConnectionOf(service)
	if c.Enabled == has.Enabled && slices.Equal(c.Names, has.Names) {
		return "", ""
	}
	if !c.Enabled {
		return fmt.Sprintf("name: ECS has the service %s, and the stage has neither name nor calls for it any more. It could "+
			"not be read before this update, to be switched off", has), "`pulumi up` again does"
	}
	return fmt.Sprintf("name: ECS has the service %s, and the stage asks for it %s", has, c),
		"Take name and calls away from it in an update of its own (`pulumi up`), and write them again in the next"
}
