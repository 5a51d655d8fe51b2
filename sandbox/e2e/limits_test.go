package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"slipway/sandbox/account/iam"
)

// A role's own policies share 10,240 characters, the earlier and the changed one together. What has more than half of
// that stands in managed policies.
func TestLongPermissionsStandInManagedPolicies(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	buckets := func(count int) string {
		var resources []string
		for i := range count {
			resources = append(resources, fmt.Sprintf("%q",
				fmt.Sprintf("arn:aws:s3:::a-bucket-with-a-long-name-%04d/and-a-long-prefix/*", i)))
		}
		return `permissions: [{actions: ["s3:GetObject"], resources: [` + strings.Join(resources, ", ") + "]}]"
	}
	const warning = "services.web.permissions (Pulumi.dev.yaml): the permissions of the role slipway-dev-web-task are " +
		"too long for its inline policy"
	permitted := func(resource string) string {
		t.Helper()
		found, err := iam.Simulate(p.aws.open(), "slipway-dev-web-task", "s3:GetObject",
			"arn:aws:s3:::a-bucket-with-a-long-name-"+resource+"/and-a-long-prefix/x", nil)
		require.NoError(t, err)
		return found.Decision
	}
	p.serviceKeys(buckets(3))
	p.up("dev")
	require.Len(t, p.aws.taskPolicies(), 1)
	require.NotContains(t, p.preview("dev").output, "managed policies")

	p.withoutOptions()
	p.serviceKeys(buckets(150))
	preview := p.preview("dev")
	require.Zero(t, preview.status, preview.output)
	require.Contains(t, strings.Join(strings.Fields(preview.output), " "), warning)
	require.Contains(t, preview.output, "iam:CreatePolicy")
	var noted []string
	for _, each := range verified(p, 0, "dev") {
		if strings.Contains(each.Message, "managed policies") {
			require.Equal(t, "note", each.Status)
			noted = append(noted, each.Key+": "+each.Message)
		}
	}
	require.Len(t, noted, 1)
	require.Contains(t, noted[0], warning)

	require.Equal(t, []string{"Create aws:iam/policy:Policy", "Create aws:iam/rolePolicyAttachment:RolePolicyAttachment",
		"Delete aws:iam/rolePolicy:RolePolicy"}, p.up("dev").changed())
	require.Empty(t, p.aws.taskPolicies())
	require.Len(t, p.aws.objects(iam.Policy), 2)
	require.Len(t, p.aws.objects(iam.RolePolicyAttachment), 2)
	require.Equal(t, iam.Allowed, permitted("0149"))
	settled := p.up("dev", "--refresh", "--expect-no-changes")
	require.NotContains(t, settled.output, "managed policies", "it has them already")

	// An update that fails leaves those of before, which are still to be deleted.
	before := p.read("Pulumi.dev.yaml")
	p.withoutOptions()
	p.serviceKeys(buckets(151))
	p.replace("Pulumi.dev.yaml", "hello from dev", "hello again")
	p.aws.setFaults(map[string]string{"failing-tasks": "slipway-dev-web:*"})
	require.NotZero(t, p.tryUp("dev").status)
	p.aws.setFaults(nil)
	p.write("Pulumi.dev.yaml", before)
	p.up("dev")
	require.Len(t, p.aws.objects(iam.Policy), 2)
	require.Len(t, p.aws.objects(iam.RolePolicyAttachment), 2)
	require.Equal(t, iam.Allowed, permitted("0149"))
	p.settled("dev")

	p.withoutOptions()
	p.serviceKeys(buckets(2))
	p.up("dev")
	require.Len(t, p.aws.taskPolicies(), 1)
	require.Empty(t, p.aws.objects(iam.Policy))
	require.Empty(t, p.aws.objects(iam.RolePolicyAttachment))
	require.Equal(t, iam.Allowed, permitted("0001"))
	require.Equal(t, iam.ImplicitDeny, permitted("0002"))
	p.settled("dev")
}

// web of the stage dev-eu and eu-web of dev have the same family, and the same roles.
func TestNamesOfTwoStagesThatMeetAreRefusedBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	p := deployed(t)
	p.write("Pulumi.dev-eu.yaml", p.read("Pulumi.dev.yaml"))
	p.ok("pulumi", "stack", "init", "dev-eu")
	p.up("dev-eu")
	roles := len(p.aws.objects(iam.Role))

	p.serviceKeys("stopTimeout: 30")
	p.replace("Pulumi.dev.yaml", "    web:\n      replicas: 1", "    eu-web:\n      image: web\n    web:\n      "+
		"replicas: 1")
	const taken = "services.eu-web (Pulumi.dev.yaml): would have the family and roles slipway-dev-eu-web, which those " +
		"of web in the stage dev-eu"
	for _, r := range []*result{p.preview("dev"), p.tryUp("dev").result} {
		require.NotZero(t, r.status)
		require.Contains(t, strings.Join(strings.Fields(r.output), " "), taken)
	}
	require.Len(t, p.aws.objects(iam.Role), roles)
	require.Equal(t, []string{"1 ACTIVE"}, p.aws.revisions("slipway-dev-web"), "nothing has changed")
	require.Equal(t, []string{"1 ACTIVE"}, p.aws.revisions("slipway-dev-eu-web"))
	requireProblem(p, "dev", "role", taken)

	p.replace("Pulumi.dev.yaml", "    eu-web:\n", "    web-eu:\n")
	p.up("dev")
	require.Equal(t, []string{"1 ACTIVE"}, p.aws.revisions("slipway-dev-web-eu"))
}
