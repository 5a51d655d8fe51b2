package draft

import (
	"regexp"
	"strings"
)

var (
	// secretWords are parts of a variable's name by which its value is taken for a secret.
	secretWords = regexp.MustCompile(`(?i)(^|_)(PASS|PASSWD|PASSPHRASE|PWD|KEY|CREDENTIAL|PRIVATE|SALT|DSN)S?(_|$)|` +
		`PASSWORD|SECRET|TOKEN|APIKEY`)
	// places are names of which the value says where a secret is.
	places = regexp.MustCompile(`(?i)_(FILE|PATH|DIR)$`)
	// credentials are a user and a password in an address.
	credentials = regexp.MustCompile(`://[^/\s:@]*:[^/\s@]+@`)
)

// IsSecret tells whether a variable looks like a secret, by its name or its value.
func IsSecret(name, value string) bool {
	says := value != "" && value != "true" && value != "false"
	return credentials.MatchString(value) || says && secretWords.MatchString(name) && !places.MatchString(name)
}

// HasSecret tells whether an argument of a command looks like one: --password=…, or the one after --password.
func HasSecret(arguments []string) bool {
	for i, argument := range arguments {
		name, value, assigns := strings.Cut(argument, "=")
		if !assigns && strings.HasPrefix(name, "-") && i+1 < len(arguments) {
			value = arguments[i+1]
		}
		if name = strings.ReplaceAll(strings.TrimLeft(name, "-"), "-", "_"); IsSecret(name, value) ||
			credentials.MatchString(argument) {
			return true
		}
	}
	return false
}

// Plain makes a name that AWS takes of one of a directory.
func Plain(text string) string {
	return strings.Trim(notPlain.ReplaceAllString(strings.ToLower(text), "-"), "-_")
}

var notPlain = regexp.MustCompile(`[^a-z0-9_]+`)
