package stage

import (
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

var (
	// secretResource may be followed by :json-key:version-stage:version-id, of which the last two exclude each
	// other. https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
	secretResource    = regexp.MustCompile(`^secret:[A-Za-z0-9/_+=.@-]+-[A-Za-z0-9]{6}(:[^:]*:([^:]*:|:[^:]*))?$`)
	parameterResource = regexp.MustCompile(`^parameter(/[A-Za-z0-9_.-]+)+$`)
	accountID         = regexp.MustCompile(`^[0-9]{12}$`)
)

// checkSecret never shows what it checks: it may be the secret itself, put where its ARN belongs.
func (c *checker) checkSecret(name, text string) {
	if !isSecretARN(text) {
		c.fail(at("secrets", name), "is not the ARN of a secret; store the value in Secrets Manager or in an SSM "+
			"parameter and give its ARN, arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX "+
			"(with :JSON-KEY:VERSION-STAGE:VERSION-ID or without, one of the last two) "+
			"or arn:aws:ssm:REGION:ACCOUNT:parameter/NAME")
	}
}

func isSecretARN(text string) bool {
	parsed, err := arn.Parse(text)
	if err != nil || parsed.Region == "" || !accountID.MatchString(parsed.AccountID) {
		return false
	}
	switch parsed.Service {
	case "secretsmanager":
		return secretResource.MatchString(parsed.Resource)
	case "ssm":
		return parameterResource.MatchString(parsed.Resource)
	default:
		return false
	}
}
