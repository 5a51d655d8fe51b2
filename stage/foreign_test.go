package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The file alone does not say where the stage runs: no aws:region, no aws:allowedAccountIds.
func TestWhatIsInAnotherAccountIsFoundOnceThatIsKnown(t *testing.T) {
	t.Parallel()
	settings, err := loadFiles(t, "dev", "", oneService("      port: 80\n      route: {}\n      scaling: {max: 2, "+
		"queue: {backlog: 1, name: 'arn:aws:sqs:eu-central-1:123456789012:jobs'}}")+`
  slipway:cluster: {containerInsights: enabled}
  slipway:loadBalancer: {certificate: "arn:aws:acm:eu-central-1:123456789012:certificate/1-2"}
  slipway:roles: {permissionsBoundary: "arn:aws:iam::123456789012:policy/boundary"}
  slipway:tasks:
    night: {image: web, schedule: {when: rate(1 day), deadLetterQueue: "arn:aws:sqs:eu-central-1:123456789012:failed"}}
`)
	require.NoError(t, err)
	const where = " (Pulumi.dev.yaml)"
	mistakes := func(region, account string) (found []string) {
		if err := settings.CheckIn(region, account); err != nil {
			for _, mistake := range err.(Errors) {
				found = append(found, mistake.Path)
				require.Contains(t, mistake.Error(), where)
			}
		}
		return found
	}
	require.Empty(t, mistakes("eu-central-1", "123456789012"), "an image and a secret may be in any region")
	require.Equal(t, []string{"loadBalancer.certificate", "roles.permissionsBoundary", "services.web.scaling.queue.name",
		"tasks.night.schedule.deadLetterQueue"}, mistakes("us-east-1", "210987654321"))
	require.Equal(t, []string{"images.web.ref", "loadBalancer.certificate", "roles.permissionsBoundary",
		"secrets.DATABASE_URL", "services.web.scaling.queue.name",
		"tasks.night.schedule.deadLetterQueue"}, mistakes("cn-north-1", "123456789012"))
	require.NoError(t, (&Stage{}).CheckIn("eu-central-1", "123456789012"))
}

func TestAStageThatIsNamedAsASecurityGroupsID(t *testing.T) {
	t.Parallel()
	const routed = "      port: 80\n      route: {}"
	_, err := loadFiles(t, "sg-dev", "", oneService(routed))
	require.ErrorContains(t, err,
		`Pulumi.sg-dev.yaml: the stage is named "sg-dev", and AWS lets no name of a security group begin with sg-`)
	_, err = loadFiles(t, "sg-dev", "", oneService(""))
	require.NoError(t, err, "it has no load balancer")
}
