package aws

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"slipway/sandbox/account"
	"slipway/sandbox/account/elb"
	"slipway/sandbox/account/vpc"
)

var loadBalancer = &resourceType{
	kind: elb.LoadBalancer, noun: "ELBv2 application Load Balancer", key: "name", autoname: true, nameLimit: 32,
	arnID: true,
	properties: properties{
		"arn": result, "arnSuffix": result, "dnsName": result, "vpcId": result, "zoneId": result,
		"accessLogs": {kept: true, empty: values{"bucket": "", "enabled": false, "prefix": ""},
			fields: properties{"bucket": {required: true, with: "enabled"}, "enabled": {standard: false},
				"prefix": {empty: "", with: "enabled"}}},
		"customerOwnedIpv4Pool": {replaces: true, unsupported: true, empty: ""},
		"connectionLogs": {kept: true, unsupported: true,
			empty: values{"bucket": "", "enabled": false, "prefix": ""}},
		"desyncMitigationMode":                                 {standard: "defensive"},
		"dnsRecordClientRoutingPolicy":                         {standard: "any_availability_zone", silent: true},
		"enforceSecurityGroupInboundRulesOnPrivateLinkTraffic": {computed: true, unsupported: true, empty: ""},
		"dropInvalidHeaderFields":                              {standard: false},
		"enableCrossZoneLoadBalancing":                         {standard: false},
		"enableDeletionProtection":                             {standard: false},
		"enableHttp2":                                          {standard: true},
		"enableTlsVersionAndCipherSuiteHeaders":                {standard: false},
		"enableWafFailOpen":                                    {standard: false},
		"enableXffClientPort":                                  {standard: false},
		"idleTimeout":                                          {standard: 60.0},
		"internal":                                             {replaces: true, computed: true, empty: false},
		"ipAddressType":                                        {computed: true, empty: "ipv4"},
		"loadBalancerType":                                     {replaces: true, standard: "application"},
		"name":                                                 {replaces: true},
		"namePrefix": {replaces: true, computed: true, unsupported: true,
			empty: ""},
		"preserveHostHeader": {standard: false},
		"securityGroups": {set: true, computed: true,
			empty: []any{vpc.DefaultSecurityGroup}},
		"subnetMappings": {computed: true, unsupported: true},
		"subnets":        {set: true, computed: true},
		"tags":           tags, "tagsAll": tagsAll,
		"xffHeaderProcessingMode": {standard: "append"},
	},
	validate: func(path string, inputs values, fail func(string)) {
		c := checker{path, fail}
		c.elbName(inputs)
		c.between(inputs, "idleTimeout", 1, 4000)
		c.oneOf(inputs, "ipAddressType", "ipv4")
		if kind := text(inputs, "loadBalancerType"); kind != "application" && !isUnknown(kind) {
			c.refuse("loadBalancerType", "The sandbox has application load balancers only")
		}
		if inputs["subnets"] == nil {
			fail(fmt.Sprintf("one of `subnet_mapping,subnets` must be specified. Examine values at '%s'.", path))
		}
	},
	identify: func(c *call) (string, error) {
		key, err := elb.NewKey(c.account, elb.LoadBalancer)
		return c.arn("elasticloadbalancing", "loadbalancer/app/"+text(c.state, "name")+"/"+key), err
	},
	fill:   fillLoadBalancer,
	custom: &operations{update: refill},
}

// refill updates an object some of whose properties follow from others.
func refill(c *call) error {
	c.kind.fill(c)
	return c.account.UpdateObject(c.kind.kind, c.objectID(), c.state)
}

// loadBalancerZones are the hosted zones of application load balancers' own names, by region.
var loadBalancerZones = map[string]string{
	"ap-northeast-1": "Z14GRHDCWA56QT", "ap-northeast-2": "ZWKZPGTI48KDX", "ap-south-1": "ZP97RAFLXTNZK",
	"ap-southeast-1": "Z1LMS91P8CMLE5", "ap-southeast-2": "Z1GM3OXH4ZPM65", "ca-central-1": "ZQSVJUPU6J1EY",
	"eu-central-1": "Z215JYRZR1TBD5", "eu-north-1": "Z23TAZ6LKFMNIO", "eu-west-1": "Z32O12XQLNTSW2",
	"eu-west-2": "ZHURV8PSTC4K8",
	"eu-west-3": "Z3Q77PNBQS71R4", "sa-east-1": "Z2P70J7HTTTPLU", "us-east-1": "Z35SXDOTRQ7X7K",
	"us-east-2": "Z3AADJGX6KTTL2",
	"us-west-1": "Z368ELLRRE2KJ0", "us-west-2": "Z1H1FL5HABSF5",
}

func fillLoadBalancer(c *call) {
	_, suffix, _ := strings.Cut(c.id, ":loadbalancer/")
	key, err := strconv.ParseUint(path.Base(c.id), 16, 64)
	if err != nil {
		key = 0 // an id of another making
	}
	prefix := ""
	if isTrue(c.state, "internal") {
		prefix = "internal-"
	}
	c.state["arn"], c.state["arnSuffix"] = c.id, suffix
	c.state["dnsName"] = fmt.Sprintf("%s%s-%d.%s.elb.amazonaws.com", prefix, text(c.state, "name"), 1e9+key%9e9, c.region)
	c.state["vpcId"], c.state["zoneId"] = vpcOf(c.account, textList(c.state["subnets"])), loadBalancerZones[c.region]
	mappings := []any{}
	for _, id := range textList(c.state["subnets"]) {
		mappings = append(mappings, values{"allocationId": "", "ipv6Address": "", "outpostId": "", "privateIpv4Address": "",
			"subnetId": id})
	}
	c.state["subnetMappings"] = mappings
}

// vpcOf is the VPC of subnets; the default one where they are not known.
func vpcOf(a *account.Account, subnets []string) (id string) {
	id = vpc.DefaultVPC
	err := a.Transact(func(t *account.Tx) error {
		for _, each := range subnets {
			if found := vpc.FindSubnet(t, each); found != nil {
				id = found.VPC
			}
		}
		return nil
	})
	account.Must(err)
	return id
}

var targetGroup = &resourceType{
	kind: elb.TargetGroup, noun: "ELBv2 Target Group", key: "name", autoname: true, nameLimit: 32, arnID: true,
	properties: properties{
		"arn": result, "arnSuffix": result, "loadBalancerArns": {output: true, empty: texts},
		"connectionTermination": {computed: true},
		"deregistrationDelay":   {standard: 300.0},
		"healthCheck": {computed: true, empty: values{"enabled": true, "healthyThreshold": 5.0, "interval": 30.0,
			"matcher": "200",
			"path":    "/", "port": "traffic-port", "protocol": "HTTP", "timeout": 5.0, "unhealthyThreshold": 2.0},
			fields: properties{"enabled": {standard: true}, "healthyThreshold": {standard: 3.0}, "interval": {standard: 30.0},
				"matcher": {computed: true, empty: "200"}, "path": {computed: true, empty: "/"}, "port": {standard: "traffic-port"},
				"protocol": {standard: "HTTP"}, "timeout": {computed: true, empty: 5.0}, "unhealthyThreshold": {standard: 3.0}}},
		"ipAddressType":                  {replaces: true, computed: true, empty: "ipv4"},
		"lambdaMultiValueHeadersEnabled": {standard: false},
		"loadBalancingAnomalyMitigation": {computed: true, unsupported: true},
		"loadBalancingAlgorithmType":     {computed: true, empty: "round_robin"},
		"loadBalancingCrossZoneEnabled":  {computed: true, empty: "use_load_balancer_configuration"},
		"name":                           {replaces: true},
		"namePrefix":                     {replaces: true, computed: true, unsupported: true, empty: ""},
		"port":                           {replaces: true},
		"preserveClientIp":               {computed: true, unsupported: true},
		"protocol":                       {replaces: true},
		"protocolVersion":                {replaces: true, computed: true, empty: "HTTP1"},
		"proxyProtocolV2":                {standard: false},
		"slowStart":                      {standard: 0.0},
		"stickiness": {computed: true, empty: values{"cookieDuration": 0.0, "cookieName": "", "enabled": false,
			"type": "lb_cookie"},
			fields: properties{"cookieDuration": {standard: 86400.0}, "cookieName": {empty: ""}, "enabled": {standard: true},
				"type": {required: true}}},
		"tags": tags, "tagsAll": tagsAll,
		"targetFailovers": {computed: true, unsupported: true,
			empty: []any{values{"onDeregistration": nil, "onUnhealthy": nil}}},
		"targetHealthStates": {computed: true, unsupported: true,
			empty: []any{values{"enableUnhealthyConnectionTermination": nil}}},
		"targetType": {replaces: true, standard: "instance"},
		"vpcId":      {replaces: true},
	},
	validate: validateTargetGroup,
	identify: func(c *call) (string, error) {
		key, err := elb.NewKey(c.account, elb.TargetGroup)
		return c.arn("elasticloadbalancing", "targetgroup/"+text(c.state, "name")+"/"+key), err
	},
	fill: func(c *call) {
		c.state["arn"], c.state["arnSuffix"] = c.id, c.id[strings.LastIndex(c.id, ":")+1:]
		check, _ := c.state["healthCheck"].(values)
		given, _ := plain(c.inputs["healthCheck"]).(values)
		if text(c.state, "protocolVersion") != "GRPC" || check == nil {
			return
		}
		for key, value := range map[string]string{"matcher": "12", "path": "/AWS.ALB/healthcheck"} {
			if given[key] == nil {
				check[key] = value
			}
		}
	},
	custom: &operations{update: refill},
}

func validateTargetGroup(path string, inputs values, fail func(string)) {
	c := checker{path, fail}
	c.elbName(inputs)
	c.between(inputs, "deregistrationDelay", 0, 3600)
	c.between(inputs, "port", 1, 65535)
	c.between(inputs, "slowStart", 0, 900)
	c.oneOf(inputs, "protocol", "HTTP", "HTTPS")
	c.oneOf(inputs, "protocolVersion", "GRPC", "HTTP1", "HTTP2")
	c.oneOf(inputs, "targetType", "instance", "ip")
	c.oneOf(inputs, "loadBalancingAlgorithmType", "round_robin", "least_outstanding_requests", "weighted_random")
	for _, key := range []string{"port", "protocol", "vpcId"} {
		if inputs[key] == nil {
			fail(fmt.Sprintf("Attribute %q must be specified when \"target_type\" is %q. Examine values at '%s.%s'.",
				argument(key),
				text(inputs, "targetType"), path, key))
		}
	}
	if check, ok := inputs["healthCheck"].(values); ok {
		c := c.in("healthCheck")
		c.between(check, "healthyThreshold", 2, 10)
		c.between(check, "unhealthyThreshold", 2, 10)
		c.between(check, "interval", 5, 300)
		c.between(check, "timeout", 2, 120)
		c.oneOf(check, "protocol", "HTTP", "HTTPS")
	}
	if stickiness, ok := inputs["stickiness"].(values); ok {
		c := c.in("stickiness")
		c.oneOf(stickiness, "type", "lb_cookie", "app_cookie")
		c.between(stickiness, "cookieDuration", 0, 604800)
		if text(stickiness, "type") == "app_cookie" && stickiness["cookieName"] == nil {
			c.refuse("cookieName", "\"cookie_name\" is required with the stickiness type app_cookie")
		}
	}
}
