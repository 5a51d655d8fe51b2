package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMistakesOfAnInternalLoadBalancer(t *testing.T) {
	t.Parallel()
	inside := func(settings string) string { return with("  slipway:internalLoadBalancer: " + settings) }
	requireMistakes(t, map[string]mistake{
		"one subnet": {inside("{subnets: [subnet-01234567]}"), "internalLoadBalancer.subnets", []string{"has 1 subnets"}},
		"no range of addresses": {inside("{allowFrom: [everybody]}"), "internalLoadBalancer.allowFrom[0]",
			[]string{`is "everybody"`}},
		"a certificate by its name": {inside("{certificate: shop}"), "internalLoadBalancer.certificate",
			[]string{`is "shop"; write the ARN of a certificate`}},
		"an existing load balancer": {inside("{arn: '" + balancerARN + "'}"), "internalLoadBalancer.arn",
			[]string{"there is no such key"}},
		"a web ACL": {inside("{webAcl: '" + webACLARN + "'}"), "internalLoadBalancer.webAcl",
			[]string{"there is no such key"}},
		"a zone": {inside("{zone: example.com}"), "internalLoadBalancer.zone", []string{"there is no such key"}},
		"a protocol that needs HTTPS": {
			oneService("      port: 8080\n      route: {internal: true, protocol: grpc}\n"), "services.web.route.protocol",
			[]string{"write internalLoadBalancer.certificate"}},
	})
}

// Each load balancer has rules of its own, so services behind two of them may answer to the same requests. The zone is
// that of the first.
func TestRoutesFromTwoLoadBalancers(t *testing.T) {
	t.Parallel()
	const services = `config:
  slipway:images: {web: {build: {context: app}}}
  slipway:loadBalancer: {zone: example.com}
  slipway:services:
    web: {image: web, port: 8080, route: {hosts: [shop.example.com], priority: 7}}
    admin: {image: web, port: 8080, route: {internal: true, hosts: [shop.example.com, admin.internal], priority: 7}}
`
	s, err := loadFiles(t, "dev", "", services)
	require.NoError(t, err)
	require.True(t, s.HasRoutes())
	require.True(t, s.HasInternalRoutes())
	require.Equal(t, []string{"shop.example.com"}, s.RecordHosts("web"))
	require.Empty(t, s.RecordHosts("admin"))
	require.Equal(t, []string{"*.example.com"}, s.CertificateDomains())
	require.Equal(t, "slipway-dev-internal", s.InternalLoadBalancerName())
}
