package stage

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"slipway/internal/awslimits"
	"slipway/internal/pulumiconfig"
	"slipway/internal/secretref"
)

// Secret is a secret variable: exactly one of ARN and Value is set.
type Secret struct {
	// ARN is that of a Secrets Manager secret or an SSM parameter which the stage does not keep.
	//
	// Example: ARN: "arn:aws:ssm:ap-northeast-2:123456789012:parameter/dev/database-url"
	ARN string
	// Value is what the stage file holds encrypted, for the stage to keep in Secrets Manager.
	//
	// Example: Value.Reveal() is the value, and fmt.Sprint(Value) is [secret]
	Value SecretValue
}

// SecretValue is a decrypted value. It shows itself to nothing that prints, logs or marshals; a pointer keeps it from
// fmt also where it is part of something unexported, whose methods fmt does not call.
//
// Example: fmt.Sprint(value) is [secret]
type SecretValue struct{ text *string }

const hidden = "[secret]"

// Format hides the value from every verb of fmt.
//
// Example: fmt.Sprint(value) is [secret]
func (SecretValue) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, hidden) }

// MarshalText hides the value from encodings.
//
// Example: json.Marshal(value) is "[secret]"
func (SecretValue) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Reveal is the value itself, for what keeps it as a secret.
//
// Example: pulumi.ToSecret(value.Reveal())
func (v SecretValue) Reveal() string {
	if v.text == nil {
		return ""
	}
	return *v.text
}

// checkSecret never shows what it checks: it may be the secret itself, put where its ARN belongs.
func (c *checker) checkSecret(name, text string) {
	path := c.at("secrets", name)
	switch written := c.root.object["secrets"].object[name]; {
	case strings.Contains(name, ":") && !secretref.IsARN(text):
		path.fail("has a colon, with which ECS's references to a secret part its name from its version; use another name, " +
			"or keep the value elsewhere and write its ARN")
	case written.encrypted && text == "":
		path.fail("is an empty value, encrypted; encrypt the value itself, or remove the key")
	case written.from != "" && written.encrypted && secretref.IsARN(text):
		path.fail("is an ARN that its stack marks as a secret; an ARN is no secret: let it export that as plain text")
	case isEncrypted(written.written) && secretref.IsARN(text):
		path.fail("is an ARN, encrypted; an ARN is no secret: write it as it is")
	case written.encrypted || secretref.IsARN(text):
	case arn.IsARN(text):
		path.fail("is an ARN of neither a secret nor a parameter; write " +
			"arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX, alone or with " +
			":JSON-KEY:VERSION-STAGE:VERSION-ID (one of the last two empty), or arn:aws:ssm:REGION:ACCOUNT:parameter/NAME")
	case written.from != "":
		path.fail("is neither a secret there nor the ARN of one; let the other stack mark it as a secret (in Go, " +
			"pulumi.ToSecret), or export the ARN of where it is kept in Secrets Manager or SSM")
	default:
		path.fail("is neither encrypted nor the ARN of a secret; encrypt it with `pulumi config set --stack %s --secret "+
			"--path '%s:%s'`, or write the ARN of where it is kept in Secrets Manager or SSM",
			c.in.Stage, c.namespace, pulumiconfig.Below("secrets", name))
	}
}

// isValue tells a secret's value from the ARN of one that is kept elsewhere. Where the file is not at hand, and where
// it has all secrets encrypted as one, the engine does not say which are encrypted: then an ARN is what looks like
// one.
func (c *checker) isValue(name string) bool {
	secrets := c.root.object["secrets"]
	return secrets != nil && secrets.object[name] != nil && secrets.object[name].encrypted &&
		!secretref.IsARN(c.document.Secrets[name])
}

// secrets are the checked secrets by name.
func (c *checker) secrets() map[string]Secret {
	var secrets map[string]Secret
	for name, text := range c.document.Secrets {
		if secrets == nil {
			secrets = map[string]Secret{}
		}
		if c.isValue(name) {
			secrets[name] = Secret{Value: SecretValue{&text}}
		} else {
			secrets[name] = Secret{ARN: text}
		}
	}
	return secrets
}

// checkSecretNames checks the secrets that a container names.
func (c *checker) checkSecretNames(here place, container Container) {
	declared := slices.Sorted(maps.Keys(c.document.Secrets))
	for i, secret := range container.SecretNames {
		path := here.at("secrets", i)
		switch {
		case !slices.Contains(declared, secret):
			// Not shown: it may be the value itself, put where its name belongs.
			if !c.at("secrets").bad {
				path.fail("is not the name of a secret; declare it in secrets, with its value, encrypted, or its ARN%s",
					orOneOf(declared))
			}
		case slices.Contains(container.SecretNames[:i], secret):
			path.fail("duplicates %q; remove it", secret)
		case hasKey(container.Environment, secret):
			path.fail("%q is a variable in %s too; remove one of them", secret, here.at("environment").key())
		case hasKey(c.document.Environment, secret):
			path.fail("%q is a variable in environment too; remove one of them", secret)
		}
	}
}

// checkSecretSize checks that one secret of Secrets Manager holds the encrypted values of all containers.
func (c *checker) checkSecretSize(here place, definition TaskDefinition) {
	values := map[string]string{}
	for _, container := range definition.AllContainers("") {
		names := slices.Clone(container.SecretNames)
		if container.Logs != nil {
			names = slices.AppendSeq(names, maps.Values(container.Logs.SecretNames))
		}
		for _, secret := range names {
			if c.isValue(secret) {
				values[secret] = c.document.Secrets[secret]
			}
		}
	}
	if text, err := json.Marshal(values); err != nil || len(text) > awslimits.SecretSize {
		here.at("secrets").fail("has encrypted values of %d bytes together, and Secrets Manager takes %d; keep a large one "+
			"elsewhere and write its ARN", len(text), awslimits.SecretSize)
	}
}
