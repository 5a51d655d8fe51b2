package stage

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"slipway/internal/pulumiconfig"
	"slipway/internal/spelling"
	"slipway/stage/fields"
)

// topKeys are the keys of a stage.
func topKeys() []string { return append(fields.Names(reflect.TypeFor[document]()), defaultsKey) }

// isPrograms tells a key of the project's own program, which the project's name begins as Pulumi has it beside keys of
// slipway:, from one of the stage's that is in the wrong namespace: it is not called nearly as one of those.
func (c *checker) isPrograms(key string) bool {
	name, _, _ := strings.Cut(key, ".")
	return spelling.Nearest(name, topKeys()) == "" && !slices.Contains(topKeys(), name)
}

// rejectSecondNamespace refuses a key that has not the namespace of the stage's other ones.
func (c *checker) rejectSecondNamespace(fullKey, key string) {
	c.incomplete = true
	const otherwise = ", or give a key of your own program another name"
	if name, below, _ := strings.Cut(key, "."); !slices.Contains(topKeys(), name) {
		c.keyPlace(fullKey).fail("is nearly %[1]s:%[2]s, and could be a slip for it; write %[1]s:%[2]s%[3]s"+
			otherwise, c.namespace, spelling.Nearest(name, topKeys()), strings.TrimRight("."+below, "."))
		return
	}
	c.keyPlace(fullKey).fail("other keys of this stage begin with %[1]s:, and nothing reads two namespaces; write "+
		"%[1]s:%[2]s"+otherwise, c.namespace, key)
}

// checkNamespace refuses a key that nobody reads: one of another namespace that is a slip for the stage's own, for
// AWS's or Docker's. Other namespaces are those of other providers, of which nobody has a list.
func (c *checker) checkNamespace(fullKey string) {
	namespace, key, _ := strings.Cut(fullKey, ":")
	if key == "" { // not a key of Pulumi's at all
		return
	}
	name, _, _ := strings.Cut(strings.TrimPrefix(key, "slipway."), ".")
	isOurs := slices.Contains(topKeys(), name)
	switch {
	case namespace == "aws":
		c.checkProviderKey(fullKey, key)
	case slices.Contains(otherNamespaces, namespace):
	case !isOurs && namespace != c.in.Project && spelling.IsNear(namespace, c.in.Project) && c.namespace != c.in.Project:
		c.keyPlace(fullKey).fail("nothing reads this key; write %s:%s for a key of your own program, whose keys begin with "+
			"the project's name", c.in.Project, key)
	case spelling.IsNear(namespace, c.in.Project), spelling.IsNear(namespace, pulumiconfig.Namespace),
		isOurs && c.isObjectText(fullKey):
		c.rejectNamespace(fullKey, c.namespace+":"+key)
	case spelling.IsNear(namespace, "aws") || spelling.IsNear(namespace, "docker"):
		meant := spelling.Nearest(namespace, []string{"aws", "docker"})
		c.rejectNamespace(fullKey, meant+":"+key)
	}
}

// otherNamespaces are those of packages that are used beside AWS, so that a project may be called nearly as one of them
// (https://www.pulumi.com/registry/). Another one is only taken for a slip where its name is like the project's.
var otherNamespaces = strings.Fields(`pulumi docker docker-build aws-native awscc awsx auth0 azure azure-native azuread azuredevops
	cloudflare cloudinit command confluent consul databricks datadog digitalocean dnsimple eks equinix external fastly gcp
	github gitlab google-native grafana harness hcloud http honeycomb keycloak kubernetes linode local mongodbatlas mysql newrelic
	nomad null ns1 oci okta onelogin opsgenie ovh pagerduty postgresql pulumiservice rabbitmq random sentry slack
	snowflake splunk spotinst statuscake stripe tailscale terraform time tls vault vercel vsphere wavefront`)

// isObjectText tells a value that has the shape of most of the stage's own keys. Keys of other providers that are
// called as ours are (azure:environment, kubernetes:cluster) are text.
func (c *checker) isObjectText(fullKey string) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal([]byte(c.in.Config[fullKey]), &object) == nil && object != nil
}

func (c *checker) rejectNamespace(fullKey, meant string) {
	c.keyPlace(fullKey).fail("nothing reads this key; write %s (the keys of this project begin with "+
		"%s:, those of a provider with its name)", meant, c.namespace)
}

// providerKeys are the keys of pulumi-aws's own configuration
// (https://www.pulumi.com/registry/packages/aws/installation-configuration/).
var providerKeys = []string{
	"accessKey", "allowedAccountIds", "assumeRole", "assumeRoleWithWebIdentity", "assumeRoles", "customCaBundle",
	"defaultTags", "ec2MetadataServiceEndpoint", "ec2MetadataServiceEndpointMode", "endpoints",
	"forbiddenAccountIds", "httpProxy", "httpsProxy", "ignoreTags", "insecure", "maxRetries", "noProxy",
	"pluginDownloadURL", "profile", "region", "retryMode", "s3UsEast1RegionalEndpoint", "s3UsePathStyle",
	"secretKey", "sharedConfigFiles", "sharedCredentialsFiles", "skipCredentialsValidation",
	"skipMetadataApiCheck", "skipRegionValidation", "skipRequestingAccountId", "stsRegion", "token",
	"tokenBucketRateLimiterCapacity", "useDualstackEndpoint", "useFipsEndpoint", "version",
}

// checkProviderKey refuses what the AWS provider would refuse too, once it is asked for its first resource.
func (c *checker) checkProviderKey(fullKey, key string) {
	name, _, _ := strings.Cut(key, ".")
	if slices.Contains(providerKeys, name) {
		return
	}
	message := "the AWS provider has no such key"
	if meant := spelling.Nearest(name, providerKeys); meant != "" {
		message += "; did you mean \"aws:" + meant + "\"?"
	} else {
		message += "; remove it, or correct its name: its keys are " + enumerate(providerKeys)
	}
	c.keyPlace(fullKey).failIf(message)
}
