package stage

import (
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"slipway/internal/awslimits"
)

// LoadBalancer is how the services that have a route are reached: through one Application Load Balancer.
type LoadBalancer struct {
	// ARN names an existing Application Load Balancer to use, in the stage's VPC. The stage then adds rules to the
	// listener at `port` and leaves the rest to its owner (its security groups must let it reach the tasks' port, for
	// one), so only `zone` goes with it, for the DNS records.
	//
	// Default: none; the stage makes its own
	// Allowed: the ARN of an Application Load Balancer
	// Example: arn: arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:loadbalancer/app/shared/50dc6c495c0c9188
	// Rule: [Application Load Balancers](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/introduction.html)
	ARN string `json:"arn"`

	// Port is that of the existing load balancer's listener which gets the stage's rules.
	//
	// Default: none; 443
	// Allowed: only beside `arn`
	// Example: port: 443
	// Rule: [Listeners](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html)
	Port int `json:"port" min:"1" max:"65535"`

	// Zone is the public hosted zone that the services' hosts lie in. They get DNS records there and, unless
	// `certificate` or `arn` is given, a certificate that is validated there and renews itself. It is a wildcard
	// certificate for each domain that hosts lie directly in, so another host does not touch it.
	//
	// Allowed: the name of a hosted zone of this account in Route 53; every route then has hosts in it
	// Example: zone: example.com
	// Rule: [DNS validation](https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html)
	Zone string `json:"zone"`

	// Certificate is the ACM certificate with which HTTPS is served. Without one, and without `zone`, the stage
	// serves plain HTTP and every update says so.
	//
	// Allowed: the ARN of a certificate in the stage's region
	// Example: certificate: arn:aws:acm:ap-northeast-2:123456789012:certificate/12345678-1234-1234-1234-123456789012
	// Rule: [Certificates of a load balancer](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html)
	Certificate string `json:"certificate"`

	// TLSPolicy decides which versions and ciphers of TLS are spoken. The default is the one that AWS recommends: TLS
	// 1.2 and 1.3, with key exchange that withstands quantum computers where the client has it. (The API's own
	// default admits TLS 1.0.)
	//
	// Allowed: a security policy of AWS that admits no TLS before 1.2: its name begins with
	// `ELBSecurityPolicy-TLS13-1-2-`, `ELBSecurityPolicy-TLS13-1-3-`, `ELBSecurityPolicy-TLS-1-2-` or
	// `ELBSecurityPolicy-FS-1-2-`
	// Example: tlsPolicy: ELBSecurityPolicy-TLS13-1-3-2021-06
	// Rule: [Security policies](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html)
	TLSPolicy string `json:"tlsPolicy" default:"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"`

	// Internal gives the load balancer private addresses only, for clients in the VPC.
	//
	// Example: internal: true
	// Rule: [Load balancer scheme](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#load-balancer-scheme)
	Internal bool `json:"internal" default:"false"`

	// Subnets are those of the load balancer: public ones, unless it is internal.
	//
	// Default: none; those of `network`
	// Allowed: the ids of subnets in two availability zones or more, each once
	// Example: subnets: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
	// Rule: [Subnets of a load balancer](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer)
	Subnets []string `json:"subnets"`

	// AllowFrom are those that may reach the load balancer. Where HTTPS is served, a prefix list reaches port 443 alone:
	// that of CloudFront counts as 55 rules of the 60 that a security group takes.
	//
	// Default: none; every IPv4 address
	// Allowed: IPv4 ranges in CIDR notation, beginning with their first address; ids of prefix lists (`pl-…`); ids of
	// security groups in the stage's VPC (`sg-…`); each once
	// Example: allowFrom: ["203.0.113.0/24", pl-0123456789abcdef0]
	// Rule: [Security groups of a load balancer](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-update-security-groups.html)
	AllowFrom []string `json:"allowFrom"`

	// WebACL is a web ACL of AWS WAF, whose rules decide which requests reach the load balancer. Its rules change in it,
	// and the stage does not; where the stage names another one, the load balancer is without any for some seconds. The
	// internal load balancer beside this one, which only the VPC reaches, has none. AWS charges 5 USD a month for a web
	// ACL, 1 USD for each of its rules, and 0.60 USD for a million requests. It does not stand in for `allowFrom`, nor for
	// the service's own checks.
	//
	// Default: none; every request reaches the load balancer
	// Allowed: the ARN of a web ACL of the stage's account and region: `…:regional/webacl/…`. One with the scope
	// CLOUDFRONT (`…:global/webacl/…`) is for CloudFront alone
	// Example: webAcl: arn:aws:wafv2:ap-northeast-2:123456789012:regional/webacl/shop/12345678-1234-1234-1234-123456789012
	// Rule: [AWS WAF and Application Load Balancers](https://docs.aws.amazon.com/waf/latest/developerguide/waf-chapter.html)
	WebACL string `json:"webAcl"`

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

// AccessLogs is where a load balancer's access logs go.
type AccessLogs struct {
	// Bucket is an S3 bucket in the stage's region whose policy lets Elastic Load Balancing write to it.
	//
	// Default: none; required
	// Allowed: the name of a bucket
	// Example: bucket: shop-logs
	// Rule: [Bucket policy for access logs](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html)
	Bucket string `json:"bucket"`

	// Prefix is what the logs' names in the bucket begin with.
	//
	// Allowed: text that does not begin or end with `/` and does not contain `AWSLogs`
	// Example: prefix: dev
	// Rule: [Access log files](https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-access-logs.html)
	Prefix string `json:"prefix"`
}

var (
	loadBalancerResource = regexp.MustCompile(`^loadbalancer/app/[A-Za-z0-9-]{1,32}/[0-9a-f]{16}$`)
	certificateResource  = regexp.MustCompile(`^certificate/[A-Za-z0-9-]+$`)
	zoneName             = regexp.MustCompile(`^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z]{2,63}$`)
	modernTLSPolicy      = regexp.MustCompile(`^ELBSecurityPolicy-(TLS13-1-[23]-|TLS-1-2-|FS-1-2-)[A-Za-z0-9-]+$`)
	bucketName           = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
)

// HTTPS tells whether the stage's own load balancer serves HTTPS.
//
// Example: HTTPS() is true where loadBalancer has zone
func (l LoadBalancer) HTTPS() bool { return l.Certificate != "" || l.Zone != "" }

// ListenerPort is that of the existing load balancer's listener.
//
// Example: ListenerPort() is 8443 where loadBalancer has arn and port: 8443
func (l LoadBalancer) ListenerPort() int {
	if l.Port == 0 {
		return 443
	}
	return l.Port
}

func (c *checker) checkLoadBalancer(settings LoadBalancer) {
	here := c.at("loadBalancer")
	if at := here.at("arn"); at.present {
		c.checkARN(at, settings.ARN, "elasticloadbalancing", loadBalancerResource, "an Application Load Balancer")
		for _, other := range []string{"certificate", "tlsPolicy", "internal", "subnets", "allowFrom", "webAcl",
			"idleTimeout", "deletionProtection", "accessLogs"} {
			if own := here.at(other); own.present {
				own.fail("is for a load balancer that the stage makes, and loadBalancer.arn names an existing one; remove " +
					"one of them")
			}
		}
	} else if port := here.at("port"); port.present && !at.bad {
		port.fail("is that of an existing load balancer's listener; write its loadBalancer.arn, or remove port: " +
			"the stage's own listens on 80 and 443")
	}
	here.at("zone").expect(zoneName.MatchString(settings.Zone), settings.Zone,
		"the name of a hosted zone, as in example.com")
	if at := here.at("webAcl"); at.present && !at.bad {
		if strings.Contains(settings.WebACL, ":global/webacl/") {
			at.fail("is %q, which is for CloudFront; write the ARN of one with the scope REGIONAL, as `aws wafv2 "+
				"list-web-acls --scope REGIONAL` lists", shorten(settings.WebACL))
		} else {
			c.checkARN(at, settings.WebACL, "wafv2", awslimits.WebACL, "a web ACL of AWS WAF")
		}
	}
	c.checkOwnLoadBalancer(here, settings)
}

// checkOwnLoadBalancer checks what a load balancer has that the stage makes, the internal one, too.
func (c *checker) checkOwnLoadBalancer(here place, settings LoadBalancer) {
	if at := here.at("certificate"); at.present {
		c.checkARN(at, settings.Certificate, "acm", certificateResource, "a certificate")
	}
	here.at("tlsPolicy").expect(modernTLSPolicy.MatchString(settings.TLSPolicy), settings.TLSPolicy,
		"a policy that admits no TLS before 1.2, such as ELBSecurityPolicy-TLS13-1-2-2021-06")
	subnets, most := here.at("subnets"), awslimits.LoadBalancerSubnets
	if count := len(settings.Subnets); subnets.present && (count < 2 || count > most) {
		subnets.fail("has %d subnets; allowed: 2 to %d, in two availability zones or more", count, most)
	}
	checkSubnets(subnets, settings.Subnets)
	ranges := here.at("allowFrom")
	if ranges.present && len(settings.AllowFrom) == 0 {
		ranges.fail("is empty, so nothing reaches the load balancer; name ranges of addresses, or remove it to admit " +
			"every address")
	}
	c.checkAllowFrom(ranges, settings.AllowFrom, true)
	if logs, at := settings.AccessLogs, here.at("accessLogs"); logs != nil && !at.bad {
		bucket := at.at("bucket")
		if !bucket.present {
			bucket.fail("is missing; name the S3 bucket that the access logs go to")
		}
		bucket.expect(bucketName.MatchString(logs.Bucket), logs.Bucket,
			"the name of a bucket: 3 to 63 lower case letters, digits, - and .")
		at.at("prefix").expect(strings.Trim(logs.Prefix, "/") == logs.Prefix && !strings.Contains(logs.Prefix, "AWSLogs"),
			logs.Prefix, "text that does not begin or end with / and does not contain AWSLogs")
	}
}

// checkARN checks that text is the ARN of a thing that the stage may use: in its region and accounts.
func (c *checker) checkARN(at place, text string, service string,
	resource interface{ MatchString(string) bool }, what string) {
	parsed, err := arn.Parse(text)
	if err != nil || parsed.Service != service || !awslimits.AccountID.MatchString(parsed.AccountID) ||
		!resource.MatchString(parsed.Resource) {
		at.fail("is %q; write the ARN of %s", shorten(text), what)
		return
	}
	at.failIf(c.foreign(parsed))
}
