package stage

// InternalLoadBalancer is how the services whose route is internal are reached: through a second Application Load
// Balancer, which has private addresses only.
type InternalLoadBalancer struct {
	// Certificate is the ACM certificate with which HTTPS is served. Without one the load balancer serves plain HTTP.
	//
	// Allowed: the ARN of a certificate in the stage's region
	// Example: certificate: arn:aws:acm:ap-northeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012
	// Rule: [Certificates of a load balancer](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html)
	Certificate string `json:"certificate"`

	// TLSPolicy decides which versions and ciphers of TLS are spoken.
	//
	// Allowed: as `loadBalancer.tlsPolicy`
	// Example: tlsPolicy: ELBSecurityPolicy-TLS13-1-3-2021-06
	// Rule: [Security policies](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html)
	TLSPolicy string `json:"tlsPolicy" default:"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"`

	// Subnets are those of the load balancer.
	//
	// Default: none; those of `network`
	// Allowed: the ids of subnets in two availability zones or more, each once
	// Example: subnets: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
	// Rule: [Subnets of a load balancer](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer)
	Subnets []string `json:"subnets"`

	// AllowFrom are those that may reach the load balancer.
	//
	// Default: none; every IPv4 address, of which only private ones lead there
	// Allowed: as `loadBalancer.allowFrom`
	// Example: allowFrom: ["10.0.0.0/8"]
	// Rule: [Security groups of a load balancer](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-update-security-groups.html)
	AllowFrom []string `json:"allowFrom"`

	// IdleTimeout is how long a connection may be silent before it is closed.
	//
	// Example: idleTimeout: 120
	// Rule: [Connection idle timeout](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html)
	IdleTimeout int `json:"idleTimeout" default:"60" min:"1" max:"4000" unit:"seconds"`

	// DeletionProtection makes AWS refuse to delete the load balancer, `pulumi destroy` included, until it is off
	// again.
	//
	// Example: deletionProtection: true
	// Rule: [Deletion protection](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html)
	DeletionProtection bool `json:"deletionProtection" default:"false"`

	// AccessLogs writes every request to a bucket.
	//
	// Default: none; no access logs
	// Example: accessLogs: {bucket: shop-logs, prefix: dev}
	// Rule: [Access logs](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html)
	AccessLogs *AccessLogs `json:"accessLogs"`
}

// Settings are those of a load balancer that has private addresses only.
//
// Example: Settings().Internal is true
func (i InternalLoadBalancer) Settings() LoadBalancer {
	return LoadBalancer{Internal: true, Certificate: i.Certificate, TLSPolicy: i.TLSPolicy, Subnets: i.Subnets,
		AllowFrom: i.AllowFrom, IdleTimeout: i.IdleTimeout, DeletionProtection: i.DeletionProtection,
		AccessLogs: i.AccessLogs}
}

const (
	loadBalancerKey         = "loadBalancer"
	internalLoadBalancerKey = "internalLoadBalancer"
)

// balancerKey is the key of the load balancer that the route leads from.
func (r Route) balancerKey() string {
	if r.Internal {
		return internalLoadBalancerKey
	}
	return loadBalancerKey
}
