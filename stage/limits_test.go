package stage

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// zoned is a sound stage with a zone, but for the hosts of its service.
func zoned(hosts string) string {
	return routed("{hosts: ["+hosts+"]}") + "  slipway:loadBalancer: {zone: example.com}\n"
}

// AWS refuses each of these only once the update is under way.
func TestWhatAWSWouldRefuse(t *testing.T) {
	t.Parallel()
	alarms := make([]string, 10)
	for i := range alarms {
		alarms[i] = fmt.Sprint("a", i)
	}
	long := strings.Repeat("h", 64)
	const fourPart = "h23456789012345678901234567890.h23456789012345678901234567890.example.com"
	tenAlarms := "alarms: [" + strings.Join(alarms, ", ") + "]"
	for name, test := range map[string]struct{ stage, path, says string }{
		"an alarm of its own beside ten": {
			oneService("      port: 80\n      route: {}\n      deployment: {maxErrors: 1, " + tenAlarms + "}"),
			"services.web.deployment.alarms",
			"has 10 alarms, and maxErrors makes one more; ECS takes 10"},
		"an operator that is none": {
			permitted("{" + readUploads + `, conditions: {StringEqual: {"aws:SourceVpc": [vpc-1]}}}`),
			"services.web.permissions[0].conditions.StringEqual", "is no operator of IAM"},
		"a resource in another script": {
			permitted("{actions: ['s3:GetObject'], resources: ['arn:aws:s3:::가게/*']}"),
			"services.web.permissions[0].resources[0]",
			"IAM takes only the characters of Latin-1 in a policy"},
		"a condition in another script": {
			permitted("{" + readUploads + `, conditions: {StringEquals: {"aws:PrincipalTag/team": [가게]}}}`),
			`services.web.permissions[0].conditions.StringEquals["aws:PrincipalTag/team"][0]`, "Latin-1"},
		"a boundary in a region": {
			with("  slipway:roles: {permissionsBoundary: 'arn:aws:iam:us-east-1:123456789012:policy/x'}"),
			"roles.permissionsBoundary", "write the ARN of a policy"},
		"codes that go down": {
			routed("{healthCheck: {codes: 299-200}}"), "services.web.route.healthCheck.codes", "allowed: 200 to 499"},
		"a host whose part is too long": {
			zoned(long + ".example.com"), "services.web.route.hosts[0]", "1 to 63 letters, digits and -"},
		"a domain that begins with a hyphen": {
			zoned("a.-b.example.com"), "services.web.route.hosts[0]", `whose part "-b" no DNS record or certificate can have`},
		"no domain that a certificate can begin with": {
			zoned("x." + fourPart), "loadBalancer.zone", "needs a certificate for *." + fourPart +
				", which is 75 characters long"},
		"a tag that AWS keeps for itself": {
			with("  slipway:tags: {team: 'AWS:x'}"), "tags.team", "begins with aws:, and AWS keeps that for itself"},
		"a tag of the provider that slipway has": {
			with("  aws:defaultTags: {tags: {Stage: x}}"), "aws:defaultTags.tags.Stage", "is a tag that slipway sets itself"},
		"a tag of the provider in another case": {
			with("  slipway:tags: {team: x}\n  aws:defaultTags: {tags: {Team: x}}"), "tags.team", "differs from the tag Team"},
		"too many tags with those of the provider": {
			with("  slipway:tags: {" + manyTags(46) + "}\n  aws:defaultTags: {tags: {Team: x}}"), "aws:defaultTags",
			"has 47 tags together with tags"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := loadFiles(t, "dev", "", test.stage)
			requireMistake(t, err, test.path, "Pulumi.dev.yaml", test.says)
		})
	}
}

// What AWS takes is no mistake.
func TestWhatAWSTakes(t *testing.T) {
	t.Parallel()
	umlauts := strings.Repeat("ü", 200)
	for name, file := range map[string]string{
		"characters of " +
			"Latin-1": permitted("{" + readUploads +
			`, conditions: {StringEqualsIfExists: {"aws:PrincipalTag/team": [Läden]}}}`),
		"an alarm in letters":      deployed("{alarms: [" + umlauts + "]}"),
		"a hyphen before a domain": zoned("-a.example.com"),
		"a long name beside others": zoned("x.h23456789012345678901234567890.h23456789012345678901234567890.example.com, " +
			"a.example.com"),
		"a tag of the provider as slipway's": with("  aws:defaultTags: {tags: {stage: x, team: y}}"),
		"any label without a zone":           routed("{hosts: [a.-b.example.com]}"),
	} {
		_, err := loadFiles(t, "dev", "", file)
		require.NoError(t, err, name)
	}
}

// A certificate is issued for its first domain, which must not be long; which one that is must not change for others.
func TestTheFirstDomainOfACertificateIsAShortOne(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 60) + ".example.com"
	settings, err := loadFiles(t, "dev", "", zoned("x."+long+", b.example.com, c.shop.example.com"))
	require.NoError(t, err)
	require.Equal(t, []string{"*.example.com", "*." + long, "*.shop.example.com"}, settings.CertificateDomains())
}
